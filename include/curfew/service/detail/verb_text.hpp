// SPDX-License-Identifier: BSL-1.0
//
// Plans, reports and states as lines for people. Pure functions from values to text.
#ifndef CURFEW_SERVICE_DETAIL_VERB_TEXT_HPP
#define CURFEW_SERVICE_DETAIL_VERB_TEXT_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/apply_plan.hpp>
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

[[nodiscard]] inline std::string padded_to(std::string text, std::size_t column) {
  return text.append(text.size() < column ? column - text.size() : 0, ' ');
}

[[nodiscard]] inline std::string counted(std::size_t n, std::string_view noun) {
  return std::to_string(n).append(1, ' ').append(noun).append(n == 1 ? "" : "s");
}

[[nodiscard]] constexpr bool is_long(std::string_view text) noexcept {
  return text.find('\n') != text.npos;
}

[[nodiscard]] inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = (std::min)(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix((std::min)(end + 1, text.size()));
  }
  return lines;
}

/// How many lines the tails of two texts have in common, for each pair of tails.
class common_lines {
 public:
  common_lines(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b)
      : width_(b.size() + 1), length_((a.size() + 1) * width_) {
    for (std::size_t i = a.size(); i-- > 0;) {
      for (std::size_t j = b.size(); j-- > 0;) {
        length_[i * width_ + j] = a[i] == b[j] ? at(i + 1, j + 1) + 1
                                               : (std::max)(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  [[nodiscard]] std::size_t at(std::size_t i, std::size_t j) const {
    return length_[i * width_ + j];
  }

 private:
  std::size_t width_;
  std::vector<std::size_t> length_;
};

/// The lines that go, with a minus, and those that come, with a plus, in their order.
[[nodiscard]] inline std::string line_diff(std::string_view from, std::string_view to) {
  const auto a = lines_of(from);
  const auto b = lines_of(to);
  const common_lines common(a, b);
  std::string text;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    const bool goes = j == b.size() || (i < a.size() && common.at(i + 1, j) >= common.at(i, j + 1));
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      ++i, ++j;
    } else {
      text.append(goes ? "      - " : "      + ").append(goes ? a[i++] : b[j++]).append(1, '\n');
    }
  }
  return text;
}

[[nodiscard]] inline std::string one_line(std::string_view text) {
  return is_long(text) ? counted(lines_of(text).size(), "line") : std::string(text);
}

/// Step: an install_step or a step_result.
template <class Step>
[[nodiscard]] std::string change_of(const Step& s) {
  if (s.from.empty() || s.to.empty()) return one_line(s.from.empty() ? s.to : s.from);
  if (is_long(s.from) || is_long(s.to)) return "";
  return s.from + " -> " + s.to;
}

template <class Step>
[[nodiscard]] std::string change_line(const Step& s, std::size_t column) {
  const char* const mark = s.from.empty() ? "  + " : s.to.empty() ? "  - " : "  ~ ";
  const std::string change = change_of(s);
  std::string line = mark + (change.empty() ? s.what : padded_to(s.what, column) + "  " + change);
  line += '\n';
  if (change.empty()) line += line_diff(s.from, s.to);
  return line;
}

/// A line for each change: what comes, what goes, and what becomes of what.
[[nodiscard]] inline std::string plan_text(const install_plan& plan) {
  std::size_t column = 0;
  for (const install_step& s : plan) column = (std::max)(column, s.what.size());
  std::string text;
  for (const install_step& s : plan) text += change_line(s, (std::min)(column, std::size_t(48)));
  return text;
}

/// What did not go as planned; empty when all did.
[[nodiscard]] inline std::string step_problems(const apply_report& report) {
  std::string text;
  for (const step_result& s : report.steps) {
    const bool plain = s.outcome == step_outcome::applied || s.outcome == step_outcome::undone ||
                       s.outcome == step_outcome::not_reached;
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
