// SPDX-License-Identifier: BSL-1.0
//
// What the service manager of Windows keeps of a service, in its own numbers: what a declaration
// wants there, and the words for it. Portable, so that every system can show the plan.
#ifndef CURFEW_HOST_INSTALL_SCM_SETTINGS_HPP
#define CURFEW_HOST_INSTALL_SCM_SETTINGS_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/command_line.hpp>
#include <curfew/host/install/service_manager.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN

/// SERVICE_FAILURE_ACTIONS: failure number n has action n, the last one is for all that follow.
struct scm_failure_actions {
  /// SC_ACTION: what is done, and after how many milliseconds.
  struct action {
    std::uint32_t type = 0;
    std::uint32_t delay_ms = 0;
    friend bool operator==(const action&, const action&) = default;
  };
  std::vector<action> actions = {};
  std::uint32_t reset_s = 0;

  friend bool operator==(const scm_failure_actions& a, const scm_failure_actions& b) {
    return a.actions == b.actions && (a.actions.empty() || a.reset_s == b.reset_s);
  }
};

inline constexpr std::uint32_t scm_own_process = 0x10;     ///< SERVICE_WIN32_OWN_PROCESS
inline constexpr std::uint32_t scm_share_process = 0x20;   ///< SERVICE_WIN32_SHARE_PROCESS
inline constexpr std::uint32_t scm_interactive = 0x100;    ///< SERVICE_INTERACTIVE_PROCESS
inline constexpr std::uint32_t scm_automatic = 2;          ///< SERVICE_AUTO_START
inline constexpr std::uint32_t scm_disabled = 4;           ///< SERVICE_DISABLED
inline constexpr std::uint32_t scm_restart = 1;            ///< SC_ACTION_RESTART
inline constexpr std::uint32_t scm_sid_unrestricted = 1;   ///< SERVICE_SID_TYPE_UNRESTRICTED
inline constexpr std::uint32_t scm_infinite = 0xffffffff;  ///< INFINITE

/// Where the texts of the events stand: a message for each of the numbers 1 to 1000 that is just
/// the text that was reported with it. Every Windows has this file.
inline constexpr std::string_view scm_message_file = "%SystemRoot%\\System32\\EventCreate.exe";
/// The key of the registry below which an event source has its own.
inline constexpr std::string_view scm_event_log =
    "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\";

/// Of an installed service: an optional without a value is something that its system lacks. Of a
/// service that is wanted: something to be left as it is.
struct scm_settings {
  std::string name = {};
  std::string display_name = {};
  std::string command_line = {};
  std::string account = {};
  std::string load_group = {};
  std::vector<std::string> dependencies = {};
  std::uint32_t type = scm_own_process;
  std::uint32_t start = scm_automatic;
  std::uint32_t error_control = 1;  // a failed start is logged
  bool marked = false;              // as one that curfew has installed

  std::optional<std::string> description = {};
  std::optional<bool> delayed = {};
  std::optional<scm_failure_actions> failure = {};
  std::optional<bool> non_crash = {};
  std::optional<std::uint32_t> sid_type = {};
  std::optional<std::vector<std::string>> privileges = {};
  std::optional<std::uint32_t> preshutdown_ms = {};
};

[[nodiscard]] scm_settings wanted_scm_settings(const install_request& asked);

/// What an entry has when it has just been made and nothing else was set.
[[nodiscard]] scm_settings fresh_scm_settings(const scm_settings& wanted);

[[nodiscard]] std::string scm_account(std::string_view account, std::string_view service);
[[nodiscard]] scm_failure_actions scm_failures(const restart_policy& policy);

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Rounded up, and what does not fit means never.
template <class Unit>
[[nodiscard]] constexpr std::uint32_t whole(clock_duration d) noexcept {
  if (d <= clock_duration::zero()) return 0;
  const auto count = std::chrono::duration_cast<Unit>(d).count();
  const auto rest = d - std::chrono::duration_cast<clock_duration>(Unit(count));
  const auto up = count + (rest > clock_duration::zero() ? 1 : 0);
  return up >= static_cast<decltype(up)>(scm_infinite) ? scm_infinite
                                                       : static_cast<std::uint32_t>(up);
}

[[nodiscard]] constexpr clock_duration doubled(clock_duration d, clock_duration limit) noexcept {
  return d > limit / 2 ? limit : 2 * d;
}

[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Names of Windows do not tell A from a.
[[nodiscard]] inline bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

[[nodiscard]] constexpr std::uint32_t scm_start(start_mode mode) noexcept {
  switch (mode) {
    case start_mode::automatic:
    case start_mode::delayed: return scm_automatic;
    case start_mode::demand: return 3;
    case start_mode::disabled: return scm_disabled;
  }
  return 3;
}

/// Groups of services, written with a plus, come last: that is how the system gives them back.
[[nodiscard]] inline std::vector<std::string> services_first(
    const std::vector<std::string>& names) {
  std::vector<std::string> sorted;
  const auto group = [](const std::string& name) { return name.starts_with('+'); };
  std::remove_copy_if(names.begin(), names.end(), std::back_inserter(sorted), group);
  std::copy_if(names.begin(), names.end(), std::back_inserter(sorted), group);
  return sorted;
}

inline void want_extras(const service_spec& spec, scm_settings& s) {
  s.description = spec.description;
  if (s.start == scm_automatic) s.delayed = spec.start == start_mode::delayed;
  s.failure = scm_failures(spec.restart);
  s.non_crash = spec.restart.on_failure;
  s.sid_type = scm_sid_unrestricted;
  s.privileges = spec.privileges;
  const auto margin = std::chrono::seconds(5);  // our own limit comes before the manager's
  const bool told_early = spec.preshutdown_timeout > clock_duration::zero();
  const clock_duration limit = saturate(spec.preshutdown_timeout);
  const bool fits = limit < (clock_duration::max)() - margin;
  if (told_early)
    s.preshutdown_ms = fits ? whole<std::chrono::milliseconds>(limit + margin) : scm_infinite;
}

}  // namespace detail

/// SCM rule 18: failure number n has entry n, and the last one repeats. Three entries, each twice
/// as long as the one before. Without restarts there is none.
inline scm_failure_actions scm_failures(const restart_policy& policy) {
  scm_failure_actions wanted;
  if (!policy.on_failure) return wanted;
  const detail::clock_duration limit = (std::max)(policy.longest_delay, policy.delay);
  detail::clock_duration delay = policy.delay;
  for (int entry = 0; entry < 3; ++entry, delay = detail::doubled(delay, limit)) {
    wanted.actions.push_back({scm_restart, detail::whole<std::chrono::milliseconds>(delay)});
  }
  wanted.reset_s = detail::whole<std::chrono::seconds>(policy.reset_after);
  return wanted;
}

/// As the manager stores it: an account of the machine's own has a dot for its domain.
inline std::string scm_account(std::string_view account, std::string_view service) {
  std::string given(account);
  if (account.empty()) return "NT SERVICE\\" + std::string(service);
  if (detail::same_name(account, "LocalSystem") || account.find_first_of("\\@") != account.npos) {
    return given;
  }
  const bool built_in =
      detail::same_name(account, "LocalService") || detail::same_name(account, "NetworkService");
  return (built_in ? "NT AUTHORITY\\" : ".\\") + given;
}

inline scm_settings wanted_scm_settings(const install_request& asked) {
  const service_spec& spec = asked.spec;
  scm_settings s;
  s.name = spec.name;
  s.display_name = spec.display_name.empty() ? spec.name : spec.display_name;
  s.command_line = join_command_line(asked.executable, spec.arguments);
  s.account = scm_account(spec.account, spec.name);
  s.dependencies = detail::services_first(spec.dependencies);
  s.start = detail::scm_start(spec.start);
  s.marked = true;
  detail::want_extras(spec, s);
  return s;
}

inline scm_settings fresh_scm_settings(const scm_settings& wanted) {
  scm_settings fresh = wanted;
  fresh.marked = false;
  fresh.description = std::string();
  fresh.delayed = false;
  fresh.failure = scm_failure_actions();
  fresh.non_crash = false;
  fresh.sid_type = 0;
  fresh.privileges = std::vector<std::string>();
  fresh.preshutdown_ms = {};
  return fresh;
}

CURFEW_END

#endif
