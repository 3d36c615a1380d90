// SPDX-License-Identifier: BSL-1.0
//
// What an installation would write into the service manager of Windows, as text.
#ifndef CURFEW_HOST_INSTALL_SCM_PLAN_HPP
#define CURFEW_HOST_INSTALL_SCM_PLAN_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/scm_settings.hpp>
#include <curfew/host/install/scm_words.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// One line for each thing that is set, with the words that the steps of an installation have.
[[nodiscard]] std::string render_scm_plan(const install_request& asked);

// ---------------------------------------------------------------------------------------------

namespace detail {

using scm_lines = std::vector<std::pair<std::string, std::string>>;

/// What making the entry sets all at once.
[[nodiscard]] inline scm_lines entry_lines(const scm_settings& s) {
  return {{"image path", s.command_line},
          {"display name", s.display_name},
          {"process", type_in_words(s.type)},
          {"start mode", start_in_words(s.start)},
          {"account", s.account},
          {"dependencies", list_in_words(s.dependencies)}};
}

/// What is set afterwards, thing by thing.
[[nodiscard]] inline scm_lines extra_lines(const scm_settings& s) {
  scm_lines lines = {{"installer", installer_in_words(s.marked)}};
  const auto add = [&](const char* what, const auto& value, auto words) {
    if (value) lines.emplace_back(what, words(*value));
  };
  add("description", s.description, text_in_words);
  add("delayed start", s.delayed, yes_or_no);
  add("failure actions", s.failure, failures_in_words);
  add("failure actions without a crash", s.non_crash, yes_or_no);
  add("service SID", s.sid_type, sid_in_words);
  add("required privileges", s.privileges, list_in_words);
  add("preshutdown timeout", s.preshutdown_ms, milliseconds_in_words);
  return lines;
}

inline void append_lines(std::string& text, const scm_lines& lines) {
  constexpr std::size_t column = 34;
  for (const auto& [what, value] : lines) {
    text.append("  ").append(what).append(column - what.size(), ' ').append(value) += '\n';
  }
}

}  // namespace detail

inline std::string render_scm_plan(const install_request& asked) {
  const scm_settings wanted = wanted_scm_settings(asked);
  std::string text = "service " + wanted.name + '\n';
  detail::append_lines(text, detail::entry_lines(wanted));
  detail::append_lines(text, detail::extra_lines(wanted));
  text.append("event source HKLM\\").append(scm_event_log).append(wanted.name) += '\n';
  detail::append_lines(
      text, {{"EventMessageFile", std::string(scm_message_file)}, {"TypesSupported", "7"}});
  return text;
}

CURFEW_END

#endif
