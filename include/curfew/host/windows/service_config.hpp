// SPDX-License-Identifier: BSL-1.0
//
// Reads all that the service manager knows of an installed service.
#ifndef CURFEW_HOST_WINDOWS_SERVICE_CONFIG_HPP
#define CURFEW_HOST_WINDOWS_SERVICE_CONFIG_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/install/scm_settings.hpp>
#include <curfew/host/windows/service_registry.hpp>

#include <string>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// The entry itself, and then all of it; what the system lacks has no value. Need right_to_read.
[[nodiscard]] DWORD read_entry(SC_HANDLE service, const std::string& name, scm_settings& into);
[[nodiscard]] DWORD read_settings(SC_HANDLE service, const std::string& name, scm_settings& into);

// ---------------------------------------------------------------------------------------------

/// No setting is larger than 8 KiB.
struct alignas(8) setting_room {
  unsigned char bytes[8192];
};

/// use(info), unless the system has no such thing.
template <class Info, class Use>
[[nodiscard]] DWORD read_extra(SC_HANDLE service, DWORD level, Use use) {
  setting_room room;
  DWORD needed = 0;
  const DWORD error =
      error_unless(QueryServiceConfig2W(service, level, room.bytes, sizeof room.bytes, &needed));
  if (error == 0) use(*reinterpret_cast<const Info*>(room.bytes));
  return lacks_setting(static_cast<std::uint32_t>(error)) ? 0 : error;
}

inline DWORD read_entry(SC_HANDLE service, const std::string& name, scm_settings& s) {
  setting_room room;
  DWORD needed = 0;
  auto* const entry = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(room.bytes);
  if (QueryServiceConfigW(service, entry, sizeof room.bytes, &needed) == 0) return GetLastError();
  s.name = name;
  s.type = static_cast<std::uint32_t>(entry->dwServiceType);
  s.start = static_cast<std::uint32_t>(entry->dwStartType);
  s.error_control = static_cast<std::uint32_t>(entry->dwErrorControl);
  s.command_line = utf8(entry->lpBinaryPathName);
  s.load_group = utf8(entry->lpLoadOrderGroup);
  s.dependencies = texts_of(entry->lpDependencies);
  if (s.dependencies.empty()) s.dependencies = stored_dependencies(name);
  s.account = utf8(entry->lpServiceStartName);
  s.display_name = utf8(entry->lpDisplayName);
  s.marked = is_marked(name);
  return 0;
}

inline scm_failure_actions failures_of(const SERVICE_FAILURE_ACTIONSW& info) {
  scm_failure_actions failure;
  failure.reset_s = static_cast<std::uint32_t>(info.dwResetPeriod);
  for (DWORD n = 0; info.lpsaActions != nullptr && n < info.cActions; ++n) {
    const SC_ACTION& action = info.lpsaActions[n];
    failure.actions.push_back(
        {static_cast<std::uint32_t>(action.Type), static_cast<std::uint32_t>(action.Delay)});
  }
  return failure;
}

[[nodiscard]] inline DWORD read_failure_settings(SC_HANDLE service, scm_settings& s) {
  const DWORD error = read_extra<SERVICE_FAILURE_ACTIONSW>(
      service, SERVICE_CONFIG_FAILURE_ACTIONS,
      [&](const auto& info) { s.failure = failures_of(info); });
  if (error != 0) return error;
  return read_extra<SERVICE_FAILURE_ACTIONS_FLAG>(
      service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
      [&](const auto& info) { s.non_crash = info.fFailureActionsOnNonCrashFailures != 0; });
}

[[nodiscard]] inline DWORD read_right_settings(SC_HANDLE service, scm_settings& s) {
  const DWORD error = read_extra<SERVICE_SID_INFO>(
      service, SERVICE_CONFIG_SERVICE_SID_INFO,
      [&](const auto& info) { s.sid_type = static_cast<std::uint32_t>(info.dwServiceSidType); });
  if (error != 0) return error;
  return read_extra<SERVICE_REQUIRED_PRIVILEGES_INFOW>(
      service, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO,
      [&](const auto& info) { s.privileges = texts_of(info.pmszRequiredPrivileges); });
}

[[nodiscard]] inline DWORD read_time_settings(SC_HANDLE service, scm_settings& s) {
  const DWORD error = read_extra<SERVICE_DELAYED_AUTO_START_INFO>(
      service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
      [&](const auto& info) { s.delayed = info.fDelayedAutostart != 0; });
  if (error != 0) return error;
  return read_extra<SERVICE_PRESHUTDOWN_INFO>(
      service, SERVICE_CONFIG_PRESHUTDOWN_INFO, [&](const auto& info) {
        s.preshutdown_ms = static_cast<std::uint32_t>(info.dwPreshutdownTimeout);
      });
}

inline DWORD read_settings(SC_HANDLE service, const std::string& name, scm_settings& s) {
  if (const DWORD e = read_entry(service, name, s)) return e;
  const DWORD error = read_extra<SERVICE_DESCRIPTIONW>(
      service, SERVICE_CONFIG_DESCRIPTION,
      [&](const auto& info) { s.description = utf8(info.lpDescription); });
  if (error != 0) return error;
  if (const DWORD e = read_failure_settings(service, s)) return e;
  if (const DWORD e = read_right_settings(service, s)) return e;
  return read_time_settings(service, s);
}

}  // namespace detail
CURFEW_END

#endif
#endif
