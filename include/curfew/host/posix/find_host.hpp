// SPDX-License-Identifier: BSL-1.0
//
// Who started this process: systemd says so in the environment, a supervisor that waits for one
// word can have it said there, all others do not.
#ifndef CURFEW_HOST_POSIX_FIND_HOST_HPP
#define CURFEW_HOST_POSIX_FIND_HOST_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/container.hpp>
#include <curfew/host/detail/console_host.hpp>
#include <curfew/host/detail/hosted.hpp>
#include <curfew/host/detail/systemd_host.hpp>
#include <curfew/host/message_buffer.hpp>
#include <curfew/host/posix/ready_descriptor.hpp>
#include <curfew/host/service_spec.hpp>
#if CURFEW_LINUX
#include <curfew/host/posix/journal_sink.hpp>
#include <curfew/host/systemd/systemd_link.hpp>
#endif

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

inline int with_console(std::span<char* const> args, hosted_body body, void* context) noexcept {
  console_host console(grace_from_environment());
  return exit_code(body(context, {console, args}));
}

/// It asks by signals, as a terminal does, and may be told that the service is ready.
class supervised_host final : public console_host {
 public:
  explicit supervised_host(message_sink& early) : console_host(grace_from_environment()) {
    const char* const named = std::getenv(ready_descriptor::variable);
    const std::string value = named != nullptr ? named : "";
    std::error_code ec;
    pipe_.emplace(ec);
    if (ec) early.write(severity::error, untold(value, ec));
  }

  void ready() noexcept override { pipe_->tell(); }

 private:
  [[nodiscard]] static std::string untold(const std::string& value, const std::error_code& ec) {
    return "no supervisor can be told that this service is ready: " +
           std::string(ready_descriptor::variable) + "=" + value + ": " + ec.message() +
           "; it is the number of the pipe that it waits on";
  }

  std::optional<ready_descriptor> pipe_;
};

#if CURFEW_LINUX

/// What systemd has left in the environment of this process, which no child shall find there.
class systemd_surroundings {
 public:
  systemd_surroundings() : environment_(read_systemd_environment()) {
    clear_systemd_environment();
    link_.passed = passed_descriptors(environment_);
    link_.invocation_id = environment_.invocation_id;
    if (!environment_.notify_socket.empty()) connect();
    if (environment_.is_journal(STDERR_FILENO)) journal_.emplace();
  }

  int run(std::span<char* const> args, hosted_body body, void* context) noexcept {
    std::optional<systemd_host> systemd;
    if (link_.notifications) {
      systemd.emplace(*link_.notifications, time_source::process(), own_number(),
                      saturate(environment_.watchdog));
    }
    service_host& host = systemd ? static_cast<service_host&>(*systemd) : supervised_;
    const outcome o = body(context, place(host, args));
    host.stopped(o);
    return exit_code(o);
  }

 private:
  /// False: systemd has started another process, of which this one has the environment: a wrapper's
  /// child, or a program in a shell below a service.
  [[nodiscard]] static bool is_main() noexcept {
    const char* const started = std::getenv("SYSTEMD_EXEC_PID");
    return started == nullptr || names_this_process(started);
  }

  /// For MAINPID. systemd takes the number for one of its own, and for the main process's: so not
  /// from inside a container, where another process has it outside, and not from one of several
  /// that a wrapper has started. 0: it is not told, and a wrapper sends it by itself.
  [[nodiscard]] static std::int64_t own_number() noexcept {
    constexpr ino_t outermost = 0xEFFFFFFC;  // PROC_PID_INIT_INO of Linux
    struct stat space {};
    const bool shared = ::stat("/proc/self/ns/pid", &space) == 0 && space.st_ino == outermost;
    return shared && is_main() ? ::getpid() : 0;
  }

  /// A service whose manager cannot be told is better than none; whoever waits for it gives up.
  void connect() {
    std::error_code ec;
    link_.notifications.emplace(environment_.notify_socket, ec);
    if (!ec) return;
    link_.notifications.reset();
    const std::string what = "systemd cannot be told that this service is ready: NOTIFY_SOCKET=" +
                             environment_.notify_socket + ": " + ec.message() +
                             "; let the service's account reach that socket";
    early_.write(severity::error, what);
  }

  hosted place(service_host& host, std::span<char* const> args) noexcept {
    const bool linked = link_.notifications || !link_.passed.empty();
    return {.host = host,
            .args = args,
            .sink = journal_ ? &*journal_ : nullptr,
            .early = &early_,
            .systemd = linked ? &link_ : nullptr,
            .awaited = is_main()};
  }

  const systemd_environment environment_;
  systemd_link link_;
  std::optional<journal_sink> journal_;
  message_buffer early_;
  supervised_host supervised_{early_};
};

inline int with_host(const service_spec&, std::span<char* const> args, bool foreground,
                     hosted_body body, void* context) {
  if (foreground) return with_console(args, body, context);
  return systemd_surroundings().run(args, body, context);
}

#else

inline int with_host(const service_spec&, std::span<char* const> args, bool foreground,
                     hosted_body body, void* context) {
  if (foreground) return with_console(args, body, context);
  message_buffer early;
  supervised_host host(early);
  return exit_code(body(context, {.host = host, .args = args, .early = &early}));
}

#endif

}  // namespace detail
CURFEW_END

#endif
#endif
