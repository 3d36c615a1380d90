// SPDX-License-Identifier: BSL-1.0
//
// The numbers of the service manager of Windows, for people.
#ifndef CURFEW_HOST_INSTALL_SCM_WORDS_HPP
#define CURFEW_HOST_INSTALL_SCM_WORDS_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/scm_settings.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] inline std::string yes_or_no(bool value) { return value ? "yes" : "no"; }

/// "1500 ms", "2 s", "never ends"
[[nodiscard]] inline std::string milliseconds_in_words(std::uint32_t ms) {
  if (ms == scm_infinite) return "no limit";
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

[[nodiscard]] inline std::string start_in_words(std::uint32_t start) {
  switch (start) {
    case scm_automatic: return "automatic";
    case 3: return "on demand";
    case scm_disabled: return "disabled";
    default: return "start type " + std::to_string(start);
  }
}

[[nodiscard]] inline std::string type_in_words(std::uint32_t type) {
  const std::string more = (type & scm_interactive) != 0 ? ", interactive" : "";
  switch (type & ~scm_interactive) {
    case scm_own_process: return "a process of its own" + more;
    case scm_share_process: return "a shared process" + more;
    default: return "type " + std::to_string(type);
  }
}

[[nodiscard]] inline std::string list_in_words(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text.empty() ? "none" : text;
}

[[nodiscard]] inline std::string action_in_words(const scm_failure_actions::action& action) {
  constexpr const char* names[] = {"nothing", "restart", "reboot", "run a program"};
  const std::string what = action.type < 4 ? names[action.type] : std::to_string(action.type);
  return what + " after " + milliseconds_in_words(action.delay_ms);
}

[[nodiscard]] inline std::string failures_in_words(const scm_failure_actions& failure) {
  if (failure.actions.empty()) return "none";
  std::string text;
  for (const auto& action : failure.actions) {
    text.append(text.empty() ? "" : ", ").append(action_in_words(action));
  }
  return failure.reset_s == scm_infinite
             ? text
             : text + "; from the first again after " + std::to_string(failure.reset_s) + " s";
}

[[nodiscard]] inline std::string sid_in_words(std::uint32_t type) {
  switch (type) {
    case 0: return "none";
    case scm_sid_unrestricted: return "unrestricted";
    case 3: return "restricted";
    default: return "type " + std::to_string(type);
  }
}

[[nodiscard]] inline std::string installer_in_words(bool marked) {
  return marked ? "curfew" : "none";
}

/// An empty text reads as nothing at all where a step says from what to what it goes.
[[nodiscard]] inline std::string text_in_words(const std::string& text) {
  return text.empty() ? "none" : text;
}

}  // namespace detail
CURFEW_END

#endif
