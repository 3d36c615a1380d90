// SPDX-License-Identifier: BSL-1.0
//
// What the service manager tells of a service's state, in the words that every system has.
#ifndef CURFEW_HOST_WINDOWS_SERVICE_STATUS_HPP
#define CURFEW_HOST_WINDOWS_SERVICE_STATUS_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/install/service_manager.hpp>
#include <curfew/host/windows/service_handle.hpp>

#include <chrono>
#include <cstdint>
#include <string>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] DWORD read_status(SC_HANDLE service, SERVICE_STATUS_PROCESS& into) noexcept;

/// All but whether it is enabled.
[[nodiscard]] service_status status_of(const SERVICE_STATUS_PROCESS& status);

// ---------------------------------------------------------------------------------------------

[[nodiscard]] inline service_state state_of(DWORD state, bool failed) noexcept {
  switch (state) {
    case SERVICE_STOPPED: return failed ? service_state::failed : service_state::stopped;
    case SERVICE_START_PENDING: return service_state::starting;
    case SERVICE_STOP_PENDING: return service_state::stopping;
    case SERVICE_RUNNING: return service_state::running;
    case SERVICE_CONTINUE_PENDING: return service_state::resuming;
    case SERVICE_PAUSE_PENDING: return service_state::pausing;
    case SERVICE_PAUSED: return service_state::paused;
    default: return service_state::unknown;
  }
}

/// Only of a service that has stopped; while it runs the field says nothing.
[[nodiscard]] inline std::string end_in_words(const SERVICE_STATUS_PROCESS& s) {
  if (s.dwCurrentState != SERVICE_STOPPED || s.dwWin32ExitCode == 0) return {};
  if (s.dwWin32ExitCode == scm_never_started) return "not started since the system was";
  if (s.dwWin32ExitCode == scm_specific_error) {
    return "ended with code " + std::to_string(s.dwServiceSpecificExitCode);
  }
  return "ended with error " + std::to_string(s.dwWin32ExitCode) + ": " +
         system_text(s.dwWin32ExitCode);
}

inline service_status status_of(const SERVICE_STATUS_PROCESS& s) {
  const bool never = s.dwWin32ExitCode == scm_never_started;
  const bool specific = s.dwWin32ExitCode == scm_specific_error;
  service_status seen;
  seen.state = state_of(s.dwCurrentState, s.dwWin32ExitCode != 0 && !never);
  seen.pid = static_cast<std::int64_t>(s.dwProcessId);
  seen.text = end_in_words(s);
  if (!never) {
    seen.exit_code = static_cast<int>(specific ? s.dwServiceSpecificExitCode : s.dwWin32ExitCode);
  }
  seen.moves = static_cast<std::uint32_t>(s.dwCheckPoint);
  seen.hint = std::chrono::milliseconds(s.dwWaitHint);
  return seen;
}

inline DWORD read_status(SC_HANDLE service, SERVICE_STATUS_PROCESS& into) noexcept {
  DWORD needed = 0;
  return error_unless(QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO,
                                           reinterpret_cast<BYTE*>(&into), sizeof into, &needed));
}

}  // namespace detail
CURFEW_END

#endif
#endif
