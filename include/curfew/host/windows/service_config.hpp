// SPDX-License-Identifier: BSL-1.0
//
// The settings of an installed service: read all at once, written one by one.
#ifndef CURFEW_HOST_WINDOWS_SERVICE_CONFIG_HPP
#define CURFEW_HOST_WINDOWS_SERVICE_CONFIG_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/install/scm_settings.hpp>
#include <curfew/host/install/scm_words.hpp>
#include <curfew/host/windows/service_handle.hpp>

#include <string>
#include <type_traits>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// What the system lacks has no value afterwards. Needs right_to_read.
[[nodiscard]] DWORD read_settings(SC_HANDLE service, scm_settings& into);

// Each setting by itself: where it stands, what it is called, how it is written. One that is
// optional may be lacking.

template <auto Member>
struct scm_setting {
  static constexpr bool optional = true;
  static constexpr DWORD rights = SERVICE_CHANGE_CONFIG;

  template <class T>
  static const T& value_in(const std::optional<T>& member) {
    return *member;
  }
  template <class T>
  static const T& value_in(const T& member) {
    return member;
  }
  template <class T>
  static bool has_value(const std::optional<T>& member) {
    return member.has_value();
  }
  template <class T>
  static bool has_value(const T&) {
    return true;
  }

  [[nodiscard]] static bool known(const scm_settings& s) { return has_value(s.*Member); }
  [[nodiscard]] static const auto& of(const scm_settings& s) { return value_in(s.*Member); }
  [[nodiscard]] static bool same(const scm_settings& a, const scm_settings& b) {
    return of(a) == of(b);
  }
};

/// A field of the entry itself; null and SERVICE_NO_CHANGE leave it as it is.
struct entry_change {
  DWORD type = SERVICE_NO_CHANGE;
  DWORD start = SERVICE_NO_CHANGE;
  const wchar_t* command_line = nullptr;
  const wchar_t* dependencies = nullptr;
  const wchar_t* account = nullptr;
  const wchar_t* password = nullptr;
  const wchar_t* display_name = nullptr;
};
[[nodiscard]] DWORD write_entry(SC_HANDLE service, const entry_change& change) noexcept;

template <class Info>
[[nodiscard]] DWORD write_extra(SC_HANDLE service, DWORD level, Info info) noexcept {
  return error_unless(ChangeServiceConfig2W(service, level, &info));
}

struct type_setting : scm_setting<&scm_settings::type> {
  static constexpr bool optional = false;
  static constexpr auto what = "process";
  static constexpr auto words = type_in_words;
  static DWORD write(SC_HANDLE service, std::uint32_t type) {
    return write_entry(service, {.type = type});
  }
};

struct start_setting : scm_setting<&scm_settings::start> {
  static constexpr bool optional = false;
  static constexpr auto what = "start mode";
  static constexpr auto words = start_in_words;
  static DWORD write(SC_HANDLE service, std::uint32_t start) {
    return write_entry(service, {.start = start});
  }
};

struct command_line_setting : scm_setting<&scm_settings::command_line> {
  static constexpr bool optional = false;
  static constexpr auto what = "image path";
  static constexpr auto words = text_in_words;
  static DWORD write(SC_HANDLE service, const std::string& line) {
    return write_entry(service, {.command_line = utf16(line).c_str()});
  }
};

struct dependencies_setting : scm_setting<&scm_settings::dependencies> {
  static constexpr bool optional = false;
  static constexpr auto what = "dependencies";
  static constexpr auto words = list_in_words;
  static DWORD write(SC_HANDLE service, const std::vector<std::string>& names) {
    return write_entry(service, {.dependencies = multi_text(names).c_str()});
  }
};

/// SCM rule 20: a virtual account, and a managed one, has none; the system's own have an empty one.
[[nodiscard]] inline const wchar_t* no_password(const std::string& account) {
  const bool systems_own = same_name(account, "LocalSystem") ||
                           same_name(account, "NT AUTHORITY\\LocalService") ||
                           same_name(account, "NT AUTHORITY\\NetworkService");
  return systems_own ? L"" : nullptr;
}

struct account_setting : scm_setting<&scm_settings::account> {
  static constexpr bool optional = false;
  static constexpr auto what = "account";
  static constexpr auto words = text_in_words;
  static bool same(const scm_settings& a, const scm_settings& b) {
    return same_name(a.account, b.account);
  }
  static DWORD write(SC_HANDLE service, const std::string& account) {
    return write_entry(service,
                       {.account = utf16(account).c_str(), .password = no_password(account)});
  }
};

struct display_name_setting : scm_setting<&scm_settings::display_name> {
  static constexpr bool optional = false;
  static constexpr auto what = "display name";
  static constexpr auto words = text_in_words;
  static DWORD write(SC_HANDLE service, const std::string& name) {
    return write_entry(service, {.display_name = utf16(name).c_str()});
  }
};

struct description_setting : scm_setting<&scm_settings::description> {
  static constexpr auto what = "description";
  static constexpr auto words = text_in_words;
  static DWORD write(SC_HANDLE service, const std::string& text) {
    std::wstring wide = utf16(text);
    return write_extra(service, SERVICE_CONFIG_DESCRIPTION, SERVICE_DESCRIPTIONW{wide.data()});
  }
};

struct delayed_setting : scm_setting<&scm_settings::delayed> {
  static constexpr auto what = "delayed start";
  static constexpr auto words = yes_or_no;
  static DWORD write(SC_HANDLE service, bool delayed) {
    return write_extra(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
                       SERVICE_DELAYED_AUTO_START_INFO{delayed ? 1 : 0});
  }
};

/// SCM rule 18: no actions are an array with no entries; a null one would leave all as it is. Who
/// has the service restarted needs the right to start it.
struct failure_setting : scm_setting<&scm_settings::failure> {
  static constexpr DWORD rights = SERVICE_CHANGE_CONFIG | SERVICE_START;
  static constexpr auto what = "failure actions";
  static constexpr auto words = failures_in_words;
  static DWORD write(SC_HANDLE service, const scm_failure_actions& failure) {
    std::vector<SC_ACTION> actions;
    for (const auto& a : failure.actions) {
      actions.push_back({static_cast<SC_ACTION_TYPE>(a.type), a.delay_ms});
    }
    const auto count = static_cast<DWORD>(actions.size());
    actions.emplace_back();  // so that the array is one
    return write_extra(
        service, SERVICE_CONFIG_FAILURE_ACTIONS,
        SERVICE_FAILURE_ACTIONSW{failure.reset_s, nullptr, nullptr, count, actions.data()});
  }
};

struct non_crash_setting : scm_setting<&scm_settings::non_crash> {
  static constexpr auto what = "failure actions without a crash";
  static constexpr auto words = yes_or_no;
  static DWORD write(SC_HANDLE service, bool flag) {
    return write_extra(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
                       SERVICE_FAILURE_ACTIONS_FLAG{flag ? 1 : 0});
  }
};

/// An administrator who restricted the service any further knew why.
struct sid_setting : scm_setting<&scm_settings::sid_type> {
  static constexpr auto what = "service SID";
  static constexpr auto words = sid_in_words;
  static bool same(const scm_settings& there, const scm_settings& wanted) {
    return of(there) == of(wanted) || (of(there) != 0 && of(wanted) == scm_sid_unrestricted);
  }
  static DWORD write(SC_HANDLE service, std::uint32_t type) {
    return write_extra(service, SERVICE_CONFIG_SERVICE_SID_INFO, SERVICE_SID_INFO{type});
  }
};

struct privileges_setting : scm_setting<&scm_settings::privileges> {
  static constexpr auto what = "required privileges";
  static constexpr auto words = list_in_words;
  static DWORD write(SC_HANDLE service, const std::vector<std::string>& names) {
    std::wstring multi = multi_text(names);
    return write_extra(service, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO,
                       SERVICE_REQUIRED_PRIVILEGES_INFOW{multi.data()});
  }
};

struct preshutdown_setting : scm_setting<&scm_settings::preshutdown_ms> {
  static constexpr auto what = "preshutdown timeout";
  static constexpr auto words = milliseconds_in_words;
  static DWORD write(SC_HANDLE service, std::uint32_t ms) {
    return write_extra(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, SERVICE_PRESHUTDOWN_INFO{ms});
  }
};

template <class... S>
struct scm_setting_list {
  /// f(S{}) for each, in the order of being set.
  template <class F>
  static void for_each(F f) {
    (f(S{}), ...);
  }
};

/// Delayed start comes after the start mode, which allows or forbids it.
using entry_settings =
    scm_setting_list<type_setting, command_line_setting, start_setting, account_setting,
                     dependencies_setting, display_name_setting>;
using extra_settings =
    scm_setting_list<description_setting, delayed_setting, failure_setting, non_crash_setting,
                     sid_setting, privileges_setting, preshutdown_setting>;

// ---------------------------------------------------------------------------------------------

inline DWORD write_entry(SC_HANDLE service, const entry_change& c) noexcept {
  return error_unless(ChangeServiceConfigW(service, c.type, c.start, SERVICE_NO_CHANGE,
                                           c.command_line, nullptr, nullptr, c.dependencies,
                                           c.account, c.password, c.display_name));
}

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

[[nodiscard]] inline DWORD read_entry(SC_HANDLE service, scm_settings& s) {
  setting_room room;
  DWORD needed = 0;
  auto* const entry = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(room.bytes);
  if (QueryServiceConfigW(service, entry, sizeof room.bytes, &needed) == 0) return GetLastError();
  s.type = static_cast<std::uint32_t>(entry->dwServiceType);
  s.start = static_cast<std::uint32_t>(entry->dwStartType);
  s.error_control = static_cast<std::uint32_t>(entry->dwErrorControl);
  s.command_line = utf8(entry->lpBinaryPathName);
  s.load_group = utf8(entry->lpLoadOrderGroup);
  s.dependencies = texts_of(entry->lpDependencies);
  s.account = utf8(entry->lpServiceStartName);
  s.display_name = utf8(entry->lpDisplayName);
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

inline DWORD read_settings(SC_HANDLE service, scm_settings& s) {
  if (const DWORD error = read_entry(service, s)) return error;
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
