// SPDX-License-Identifier: BSL-1.0
//
// What a process has inherited that will keep it from being stopped, or from being heard.
#ifndef CURFEW_HOST_POSIX_PROCESS_DOCTOR_HPP
#define CURFEW_HOST_POSIX_PROCESS_DOCTOR_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/install/finding.hpp>
#include <curfew/stop/detail/posix/event.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

CURFEW_BEGIN

/// To be called before anything else has changed the process: what it finds is the starter's.
[[nodiscard]] findings examine_process();

// ---------------------------------------------------------------------------------------------

namespace detail {

struct known_signal {
  int number;
  const char* name;
  const char* usual_reason;
};

inline constexpr known_signal needed_signals[] = {
    {SIGTERM, "SIGTERM", "its starter did so by mistake: let it reset its signals before exec"},
    {SIGINT, "SIGINT", "a shell's & does so: start it without, or stop it by SIGTERM"},
    {SIGHUP, "SIGHUP", "nohup does so: start it without, if SIGHUP shall stop or reload it"},
    {SIGCHLD, "SIGCHLD",
     "its starter did so: let it reset its signals before exec, as a program that waits for its "
     "children loses their exit codes"},
};

[[nodiscard]] inline bool is_ignored(int number) noexcept {
  struct sigaction action = {};
  return sigaction(number, nullptr, &action) == 0 && (action.sa_flags & SA_SIGINFO) == 0 &&
         action.sa_handler == SIG_IGN;
}

[[nodiscard]] inline bool is_blocked(int number) noexcept {
  sigset_t mask;
  sigemptyset(&mask);
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, number) == 1;
}

/// SIG_IGN and the mask survive exec.
inline void examine_signals(findings& into) {
  for (const known_signal& s : needed_signals) {
    if (is_ignored(s.number)) {
      into.push_back({severity::warning,
                      std::string(s.name) + " was ignored already at the start: exec keeps that",
                      s.usual_reason});
    }
    if (is_blocked(s.number)) {
      into.push_back({severity::warning,
                      std::string(s.name) + " was blocked already at the start: exec keeps that",
                      "let its starter empty the signal mask before exec"});
    }
  }
}

/// A name that begins with @ is an abstract one, which Linux alone has.
[[nodiscard]] inline socklen_t socket_address(std::string_view name, sockaddr_un& to) noexcept {
  if (name.empty() || name.size() >= sizeof to.sun_path) return 0;
  to.sun_family = AF_UNIX;
  name.copy(to.sun_path, name.size());
  if (name.front() == '@') to.sun_path[0] = '\0';
  const std::size_t end = name.front() == '@' ? 0 : 1;
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + end);
}

/// The errno of reaching a datagram socket; 0: it is there.
[[nodiscard]] inline int reach(std::string_view name) noexcept {
  sockaddr_un to = {};
  const socklen_t size = socket_address(name, to);
  if (size == 0) return ENAMETOOLONG;
  const event_descriptor fd(::socket(AF_UNIX, SOCK_DGRAM, 0));
  const auto* address = reinterpret_cast<const sockaddr*>(&to);
  return fd.get() >= 0 && ::connect(fd.get(), address, size) == 0 ? 0 : errno;
}

inline void examine_notify_socket(findings& into) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || *name == '\0') return;
  if (std::string_view(name).starts_with("vsock:")) return;
  const int error = reach(name);
  if (error == 0) return;
  into.push_back(
      {severity::error,
       std::string("NOTIFY_SOCKET is ") + name +
           ", which cannot be reached: " + std::system_category().message(error),
       "under systemd: let the service's account and namespace reach it; else unset it"});
}

/// The kernel drops signals to process 1 that it has no handler for, and makes it the parent of
/// what others leave behind.
inline void examine_first_process(findings& into) {
  if (::getpid() != 1) return;
  into.push_back({severity::notice,
                  "this is process 1: signals without a handler are lost, and children that "
                  "others leave behind are its own",
                  "set reaps_children if it starts programs that start others, or put an init "
                  "before it, as docker run --init"});
}

}  // namespace detail

inline findings examine_process() {
  findings found;
  detail::examine_first_process(found);
  detail::examine_signals(found);
  detail::examine_notify_socket(found);
  return found;
}

CURFEW_END

#endif
#endif
