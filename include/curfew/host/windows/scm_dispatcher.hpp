// SPDX-License-Identifier: BSL-1.0
//
// The process as a service of Windows: the dispatcher on main's thread, ServiceMain on another one,
// and who ends what.
#ifndef CURFEW_HOST_WINDOWS_SCM_DISPATCHER_HPP
#define CURFEW_HOST_WINDOWS_SCM_DISPATCHER_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/detail/scm_host.hpp>
#include <curfew/host/outcome.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/host/windows/scm_api.hpp>
#include <curfew/host/windows/scm_arguments.hpp>
#include <curfew/host/windows/scm_limit.hpp>
#include <curfew/release/detail/attempt.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <system_error>

CURFEW_BEGIN
namespace detail {

/// Runs a service from its first to its last line, in ServiceMain. The arguments are those of
/// StartService, after the name that the service is installed under; those of the installed command
/// line are main's. What it throws is a failure.
using scm_body = outcome (*)(void* context, scm_host& host, int argc, char** argv);

struct scm_return {
  bool served = false;  ///< the body has run, to its end
  int code = 0;         ///< the exit code of its outcome
  std::error_code error =
      {};  ///< neither served nor an error: the SCM has not started this process
};

/// To be called by main's thread and before anything else: the SCM waits 30 s for it. Outside the
/// SCM it returns at once, and has called nothing.
///
/// It returns when STOPPED is told. Where another thread has told that before the body was through,
/// the end was forced: the body still uses all there is, so this call does not return, and ends the
/// process as that thread is about to.
///
/// Once in a process; not so outside the SCM, where it stays what it is.
[[nodiscard]] scm_return scm_dispatch(const service_spec& spec, scm_body body,
                                      void* context) noexcept;

// ---------------------------------------------------------------------------------------------

/// SetServiceStatus, and a note of the end for main's thread, which may see it in the same moment.
class scm_channel final : public scm_port {
 public:
  enum class end_type : std::uint32_t { none, returned, forced };

  /// Nothing has been told yet, and nothing can be when this fails.
  bool open(const wchar_t* name,
            unsigned long(__stdcall* handler)(unsigned long, unsigned long, void*, void*),
            void* context) noexcept {
    handle_ = RegisterServiceCtrlHandlerExW(name, handler, context);
    return handle_ != nullptr;
  }

  bool set_status(const scm_status& s) noexcept override;

  /// From now on it is this thread whose STOPPED is not a forced end.
  void through() noexcept { last_thread_ = GetCurrentThreadId(); }

  [[nodiscard]] end_type end() const noexcept {
    return static_cast<end_type>(end_.load(std::memory_order_acquire));
  }
  [[nodiscard]] int code() const noexcept { return code_; }

 private:
  void note_end(const scm_status& last) noexcept;

  SERVICE_STATUS_HANDLE__* handle_ = nullptr;  // never closed: so the system wants it
  std::atomic<unsigned long> last_thread_{0};
  int code_ = 0;  // published by end_
  std::atomic<std::uint32_t> end_{0};
};

/// What ServiceMain needs, which is called without a pointer to anything: so there is one of them.
/// It is never destroyed: when STOPPED is told, main may leave before the next statement of
/// ServiceMain's or of the handler's, and the other way round.
struct scm_desk {
  enum use_type : std::uint32_t { unknown, claimed, not_a_service };

  std::atomic<std::uint32_t> use{unknown};
  const service_spec* spec = nullptr;  // main's, which waits in the dispatcher
  scm_body body = nullptr;
  void* context = nullptr;
  wchar_t name[1] = {};  // a process of its own needs none, and learns the one it has
  scm_channel channel;
  std::optional<scm_host> storage;
  std::atomic<scm_host*> host{nullptr};
};

inline constinit scm_desk the_scm_desk;

inline void scm_channel::note_end(const scm_status& last) noexcept {
  const bool own = last.win32_exit_code == scm_answer::own_code;
  code_ = static_cast<int>(own ? last.service_exit_code : last.win32_exit_code);
  const bool in_order = last_thread_ == GetCurrentThreadId();
  const auto how = in_order ? end_type::returned : end_type::forced;
  end_.store(static_cast<std::uint32_t>(how), std::memory_order_release);
}

/// The last statement is the last access: after STOPPED the process may be gone.
inline bool scm_channel::set_status(const scm_status& s) noexcept {
  SERVICE_STATUS_HANDLE__* const handle = handle_;
  raw_service_status raw{service_own_process, static_cast<unsigned long>(s.state),
                         s.accepted,          s.win32_exit_code,
                         s.service_exit_code, s.checkpoint,
                         s.wait_hint_ms};
  if (s.state == scm_state::stopped) note_end(s);
  return SetServiceStatus(handle, reinterpret_cast<_SERVICE_STATUS*>(&raw)) != 0;
}

/// HandlerEx, on the dispatcher's thread. Before there is a host nothing has been accepted.
inline unsigned long __stdcall scm_handler(unsigned long code, unsigned long event_type,
                                           void* event_data, void* scm) noexcept {
  if (scm_host* const host = static_cast<scm_desk*>(scm)->host.load())
    return host->control(code, event_type, event_data);
  return code == scm_control::interrogate ? scm_answer::done : scm_answer::cannot_accept;
}

[[noreturn]] inline void end_service_process(int code) noexcept {
  TerminateProcess(GetCurrentProcess(), static_cast<unsigned int>(code));
  for (;;) Sleep(1000);
}

/// All that the body has used is destroyed when this returns. A failure, where there was no memory
/// for its arguments.
inline outcome run_scm_body(const scm_desk& scm, scm_host& host, unsigned long argc,
                            wchar_t** argv) noexcept {
  outcome how{.kind = outcome_kind::failed};
  static_cast<void>(attempt([&] {
    narrow_arguments arguments(argc, argv);
    how = scm.body(scm.context, host, arguments.argc(), arguments.argv());
  }));
  return how;
}

/// The first argument is the name that the service was installed under. Without a handler no status
/// can be told, and the dispatcher would not return: the end of the process tells the SCM.
inline void __stdcall scm_service_main(unsigned long argc, wchar_t** argv) noexcept {
  scm_desk& scm = the_scm_desk;
  if (!scm.channel.open(argc > 0 ? argv[0] : scm.name, &scm_handler, &scm))
    end_service_process(exit_code_failed);
  scm_host& host = scm.storage.emplace(scm.channel, *scm.spec, system_scm_limits());
  scm.host = &host;
  const outcome how = run_scm_body(scm, host, argc, argv);
  scm.channel.through();
  host.stopped(how);
}

[[nodiscard]] inline scm_return scm_error(unsigned long error) noexcept {
  return {.error = {static_cast<int>(error), std::system_category()}};
}

/// The desk belongs to the first one who asks; the others learn what it has become.
[[nodiscard]] inline std::uint32_t claim(scm_desk& scm) noexcept {
  std::uint32_t before = scm_desk::unknown;
  scm.use.compare_exchange_strong(before, scm_desk::claimed);
  return before;
}

/// The dispatcher has returned `error`. When that is not because of the service's end, the SCM has
/// gone: the body is asked to stop as soon as it accepts that, since nobody else can any more.
[[nodiscard]] inline scm_return finish(scm_desk& scm, unsigned long error) noexcept {
  scm_host* const host = scm.host.load();
  if (host == nullptr) return scm_error(error);
  for (; scm.channel.end() == scm_channel::end_type::none; Sleep(100))
    static_cast<void>(host->control(scm_control::stop, 0, nullptr));
  if (scm.channel.end() == scm_channel::end_type::forced) end_service_process(scm.channel.code());
  return {.served = true, .code = scm.channel.code()};
}

inline scm_return scm_dispatch(const service_spec& spec, scm_body body, void* context) noexcept {
  scm_desk& scm = the_scm_desk;
  const std::uint32_t before = claim(scm);
  if (before == scm_desk::not_a_service) return {};
  if (before == scm_desk::claimed) return scm_error(error_already_served);
  scm.spec = &spec;
  scm.body = body;
  scm.context = context;
  const raw_service_entry table[] = {{scm.name, &scm_service_main}, {nullptr, nullptr}};
  const bool done =
      StartServiceCtrlDispatcherW(reinterpret_cast<const _SERVICE_TABLE_ENTRYW*>(table)) != 0;
  const unsigned long error = done ? 0 : GetLastError();
  if (error != error_not_a_service) return finish(scm, error);
  scm.use = scm_desk::not_a_service;
  return {};
}

}  // namespace detail
CURFEW_END

#endif
#endif
