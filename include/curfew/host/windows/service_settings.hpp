// SPDX-License-Identifier: BSL-1.0
//
// The settings of an installed service, each by itself: where it stands, what it is called, how it
// is written.
#ifndef CURFEW_HOST_WINDOWS_SERVICE_SETTINGS_HPP
#define CURFEW_HOST_WINDOWS_SERVICE_SETTINGS_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/install/scm_settings.hpp>
#include <curfew/host/install/scm_words.hpp>
#include <curfew/host/windows/service_registry.hpp>

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// One that is optional may be lacking in a system.
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
/// The dependencies that there are stay, too: Wine clears them when it is given none.
[[nodiscard]] DWORD write_entry(SC_HANDLE service, const std::string& name, entry_change change);

template <class Info>
[[nodiscard]] DWORD write_extra(SC_HANDLE service, DWORD level, Info info) noexcept {
  return error_unless(ChangeServiceConfig2W(service, level, &info));
}

struct type_setting : scm_setting<&scm_settings::type> {
  static constexpr bool optional = false;
  static constexpr auto what = "process";
  static constexpr auto words = type_in_words;
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    return write_entry(service, s.name, {.type = s.type});
  }
};

struct start_setting : scm_setting<&scm_settings::start> {
  static constexpr bool optional = false;
  static constexpr auto what = "start mode";
  static constexpr auto words = start_in_words;
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    return write_entry(service, s.name, {.start = s.start});
  }
};

struct command_line_setting : scm_setting<&scm_settings::command_line> {
  static constexpr bool optional = false;
  static constexpr auto what = "image path";
  static constexpr auto words = text_in_words;
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    return write_entry(service, s.name, {.command_line = utf16(s.command_line).c_str()});
  }
};

struct dependencies_setting : scm_setting<&scm_settings::dependencies> {
  static constexpr bool optional = false;
  static constexpr auto what = "dependencies";
  static constexpr auto words = list_in_words;
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    return write_entry(service, s.name, {.dependencies = multi_text(s.dependencies).c_str()});
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
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    return write_entry(service, s.name,
                       {.account = utf16(s.account).c_str(), .password = no_password(s.account)});
  }
};

struct display_name_setting : scm_setting<&scm_settings::display_name> {
  static constexpr bool optional = false;
  static constexpr auto what = "display name";
  static constexpr auto words = text_in_words;
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    return write_entry(service, s.name, {.display_name = utf16(s.display_name).c_str()});
  }
};

struct description_setting : scm_setting<&scm_settings::description> {
  static constexpr bool optional = false;
  static constexpr auto what = "description";
  static constexpr auto words = text_in_words;
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    std::wstring wide = utf16(of(s));
    return write_extra(service, SERVICE_CONFIG_DESCRIPTION, SERVICE_DESCRIPTIONW{wide.data()});
  }
};

struct delayed_setting : scm_setting<&scm_settings::delayed> {
  static constexpr auto what = "delayed start";
  static constexpr auto words = yes_or_no;
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    return write_extra(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
                       SERVICE_DELAYED_AUTO_START_INFO{of(s) ? 1 : 0});
  }
};

/// SCM rule 18: no actions are an array with no entries; a null one would leave all as it is.
[[nodiscard]] inline SERVICE_FAILURE_ACTIONSW failure_info(const scm_failure_actions& failure,
                                                           std::vector<SC_ACTION>& room) {
  room.clear();
  for (const auto& a : failure.actions) {
    room.push_back({static_cast<SC_ACTION_TYPE>(a.type), a.delay_ms});
  }
  const auto count = static_cast<DWORD>(room.size());
  room.emplace_back();  // so that there is an array
  return {failure.reset_s, nullptr, nullptr, count, room.data()};
}

/// Who has the service restarted needs the right to start it.
struct failure_setting : scm_setting<&scm_settings::failure> {
  static constexpr DWORD rights = SERVICE_CHANGE_CONFIG | SERVICE_START;
  static constexpr auto what = "failure actions";
  static constexpr auto words = failures_in_words;
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    std::vector<SC_ACTION> room;
    return write_extra(service, SERVICE_CONFIG_FAILURE_ACTIONS, failure_info(of(s), room));
  }
};

struct non_crash_setting : scm_setting<&scm_settings::non_crash> {
  static constexpr auto what = "failure actions without a crash";
  static constexpr auto words = yes_or_no;
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    return write_extra(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
                       SERVICE_FAILURE_ACTIONS_FLAG{of(s) ? 1 : 0});
  }
};

/// An administrator who restricted the service any further knew why.
struct sid_setting : scm_setting<&scm_settings::sid_type> {
  static constexpr auto what = "service SID";
  static constexpr auto words = sid_in_words;
  static bool same(const scm_settings& there, const scm_settings& wanted) {
    return of(there) == of(wanted) || (of(there) != 0 && of(wanted) == scm_sid_unrestricted);
  }
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    return write_extra(service, SERVICE_CONFIG_SERVICE_SID_INFO, SERVICE_SID_INFO{of(s)});
  }
};

struct privileges_setting : scm_setting<&scm_settings::privileges> {
  static constexpr auto what = "required privileges";
  static constexpr auto words = list_in_words;
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    std::wstring multi = multi_text(of(s));
    return write_extra(service, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO,
                       SERVICE_REQUIRED_PRIVILEGES_INFOW{multi.data()});
  }
};

struct preshutdown_setting : scm_setting<&scm_settings::preshutdown_ms> {
  static constexpr auto what = "preshutdown timeout";
  static constexpr auto words = milliseconds_in_words;
  static DWORD write(SC_HANDLE service, const scm_settings& s) {
    return write_extra(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, SERVICE_PRESHUTDOWN_INFO{of(s)});
  }
};

/// See service_registry.hpp.
struct mark_setting : scm_setting<&scm_settings::marked> {
  static constexpr bool optional = false;
  static constexpr auto what = "installer";
  static constexpr auto words = installer_in_words;
  static DWORD write(SC_HANDLE, const scm_settings& s) { return write_mark(s.name, s.marked); }
};

template <class... S>
struct scm_setting_list {
  /// f(S{}) for each, in the order of being set.
  template <class F>
  static void for_each(F f) {
    (f(S{}), ...);
  }
};

/// The mark comes first: from then on a new service is known to be ours. Delayed start comes after
/// the start mode, which allows or forbids it.
using entry_settings =
    scm_setting_list<type_setting, command_line_setting, start_setting, account_setting,
                     dependencies_setting, display_name_setting>;
using extra_settings =
    scm_setting_list<mark_setting, description_setting, delayed_setting, failure_setting,
                     non_crash_setting, sid_setting, privileges_setting, preshutdown_setting>;

// ---------------------------------------------------------------------------------------------

inline DWORD write_entry(SC_HANDLE service, const std::string& name, entry_change c) {
  const std::vector<std::string> names = stored_dependencies(name);
  const std::wstring kept = multi_text(names);
  if (c.dependencies == nullptr && !names.empty()) c.dependencies = kept.c_str();
  return error_unless(ChangeServiceConfigW(service, c.type, c.start, SERVICE_NO_CHANGE,
                                           c.command_line, nullptr, nullptr, c.dependencies,
                                           c.account, c.password, c.display_name));
}

}  // namespace detail
CURFEW_END

#endif
#endif
