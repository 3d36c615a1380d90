// SPDX-License-Identifier: BSL-1.0
//
// Plans, reports and states as lines for people. Pure functions from values to text.
#ifndef CURFEW_SERVICE_DETAIL_VERB_TEXT_HPP
#define CURFEW_SERVICE_DETAIL_VERB_TEXT_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/utf8.hpp>
#include <curfew/host/install/apply_plan.hpp>
#include <curfew/host/install/command_line.hpp>
#include <curfew/host/install/finding.hpp>
#include <curfew/host/install/install_step.hpp>
#include <curfew/host/install/service_manager.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// For a terminal, whoever the text is from: what would move its cursor, or is no text at all,
/// becomes U+FFFD. Lines stay lines.
[[nodiscard]] inline std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = text[0] == '\n' ? 1 : printable_prefix(text);
    out.append(size == 0 ? "\xef\xbf\xbd" : text.substr(0, size));
    text.remove_prefix((std::max)(size, (std::max<std::size_t>)(first_code_point(text).size, 1)));
  }
  return out;
}

/// What is to be one line, and not one that its author has made up.
[[nodiscard]] inline std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// As a POSIX shell reads it back.
[[nodiscard]] inline std::string shell_word(std::string_view word) {
  constexpr std::string_view special = " \t\n\"'\\$`&;|<>()*?[]#~!{}^";
  if (!word.empty() && word.find_first_of(special) == word.npos) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) c == '\'' ? quoted.append("'\\''") : quoted.append(1, c);
  return quoted + '\'';
}

/// As cmd.exe hands it on, but for a % that names a variable.
[[nodiscard]] inline std::string cmd_word(std::string_view word) {
  std::string quoted(word);
  if (!word.empty() && word.find_first_of(" \t\n\"&|<>()^;,=*?") == word.npos) return quoted;
  quoted.clear();
  append_quoted(quoted, word);
  return quoted;
}

/// To be typed on this system.
[[nodiscard]] inline std::string typed_word(std::string_view word) {
  return CURFEW_WINDOWS != 0 ? cmd_word(word) : shell_word(word);
}

/// A program and its arguments, as whoever starts it has them.
[[nodiscard]] inline std::string command_words(const std::string& program,
                                               const std::vector<std::string>& arguments) {
  if constexpr (CURFEW_WINDOWS != 0) return join_command_line(program, arguments);
  std::string text = typed_word(program);
  for (const std::string& a : arguments) text += ' ' + typed_word(a);
  return text;
}

[[nodiscard]] inline std::string padded_to(std::string text, std::size_t column) {
  return text.append(text.size() < column ? column - text.size() : 0, ' ');
}

[[nodiscard]] inline std::string counted(std::size_t n, std::string_view noun) {
  return std::to_string(n).append(1, ' ').append(noun).append(n == 1 ? "" : "s");
}

/// Each line of `text` after a mark.
[[nodiscard]] inline std::string marked_lines(std::string_view mark, std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = (std::min)(text.find('\n'), text.size());
    out.append(mark).append(text.substr(0, end)).append(1, '\n');
    text.remove_prefix((std::min)(end + 1, text.size()));
  }
  return out;
}

[[nodiscard]] inline std::string change_of(const install_step& s) {
  const bool both = !s.from.empty() && !s.to.empty();
  return both ? s.from + " -> " + s.to : s.from + s.to;
}

/// What is too long for a line with the others has lines of its own.
[[nodiscard]] inline std::string change_lines(const install_step& s, std::size_t column) {
  constexpr std::size_t room = 100;
  const char* const mark = s.from.empty() ? "  + " : s.to.empty() ? "  - " : "  ~ ";
  const std::string change = change_of(s);
  std::string line = mark + padded_to(s.what, column) + "  " + change + '\n';
  const bool fits_in = line.size() <= room && change.find('\n') == change.npos;
  if (fits_in) return line;
  return mark + s.what + '\n' + marked_lines("      - ", s.from) + marked_lines("      + ", s.to);
}

/// A line for each change: what comes, what goes, and what becomes of what. A long name does not
/// push the others aside.
[[nodiscard]] inline std::string plan_text(const install_plan& plan) {
  constexpr std::size_t widest = 40;
  std::size_t column = 0;
  for (const install_step& s : plan) {
    if (s.what.size() <= widest) column = (std::max)(column, s.what.size());
  }
  std::string text;
  for (const install_step& s : plan) text += change_lines(s, column);
  return text;
}

/// What did not go as planned; empty when all did.
[[nodiscard]] inline std::string step_problems(const apply_report& report) {
  std::string text;
  for (const step_result& s : report.steps) {
    const bool plain = s.outcome == apply_outcome::applied || s.outcome == apply_outcome::undone ||
                       s.outcome == apply_outcome::not_reached;
    if (plain) continue;
    text.append("  ! ").append(s.what).append(": ").append(to_string(s.outcome));
    if (!s.text.empty()) text.append(": ").append(s.text);
    text += '\n';
  }
  return text;
}

/// "running (pid 4711)", "failed (exit code 70)".
[[nodiscard]] inline std::string state_text(const service_status& s) {
  std::string text = to_string(s.state);
  if (s.pid != 0) return text + " (pid " + std::to_string(s.pid) + ")";
  const bool ended = s.state == service_state::stopped || s.state == service_state::failed;
  if (!ended || s.exit_code == 0) return text;
  return text + " (exit code " + std::to_string(s.exit_code) + ")";
}

[[nodiscard]] constexpr const char* to_string(severity level) noexcept {
  switch (level) {
    case severity::error: return "error";
    case severity::warning: return "warning";
    case severity::notice: return "notice";
    case severity::info: return "info";
    case severity::debug: return "debug";
  }
  return "unknown";
}

[[nodiscard]] inline std::string findings_text(const findings& found) {
  std::string text;
  for (const finding& f : found) {
    text += "  " + padded_to(to_string(f.level), 8) + " " + f.what + '\n';
    if (!f.fix.empty()) text += padded_to("", 11) + "fix: " + f.fix + '\n';
  }
  return text;
}

}  // namespace detail
CURFEW_END

#endif
