// SPDX-License-Identifier: BSL-1.0
//
// How values are written in a unit file, so that systemd reads back what was meant. Portable: a
// unit can be printed anywhere.
//
// Source: systemd.syntax(7) on quoting, systemd.service(5) on command lines, systemd.unit(5) on
// specifiers, systemd.time(7) on spans.
#ifndef CURFEW_HOST_SYSTEMD_DETAIL_UNIT_TEXT_HPP
#define CURFEW_HOST_SYSTEMD_DETAIL_UNIT_TEXT_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/duration.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// The program of a command line. A $ means itself there.
[[nodiscard]] std::string unit_program(std::string_view path);
/// An argument of a command line: no variable, no specifier, no second command.
[[nodiscard]] std::string unit_argument(std::string_view argument);
/// One path of a list of paths, or of bind mounts, where a colon has a meaning unless quoted.
[[nodiscard]] std::string unit_path(std::string_view path);
/// A value that is the rest of its line, and is not unquoted.
[[nodiscard]] std::string unit_line(std::string_view text);
/// Rounded up to milliseconds; max() is infinity, less than zero is zero.
[[nodiscard]] std::string unit_span(clock_duration d);

/// "1min 30s", "infinity" (max()), as systemctl prints them.
[[nodiscard]] std::optional<clock_duration> parse_span(std::string_view text);

// ---------------------------------------------------------------------------------------------

/// Every character of `which` is written twice.
[[nodiscard]] inline std::string doubled(std::string_view text, std::string_view which) {
  std::string out;
  for (const char c : text) out.append(which.find(c) == which.npos ? 1 : 2, c);
  return out;
}

/// In double quotes, each character of `special` with a backslash. Always quoted: a lone ; would
/// begin another command, and a word that begins with a quote would be unquoted.
[[nodiscard]] inline std::string in_quotes(std::string_view text, std::string_view special) {
  std::string out = "\"";
  for (const char c : text) {
    if (special.find(c) != special.npos) out += '\\';
    out += c;
  }
  return out + '"';
}

/// Words that nobody could misread stay as they are.
[[nodiscard]] constexpr bool is_plain_word(std::string_view text) noexcept {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-=,+@";
  return !text.empty() && text.find_first_not_of(plain) == text.npos;
}

[[nodiscard]] inline std::string unit_word(const std::string& text, std::string_view special) {
  return is_plain_word(text) ? text : in_quotes(text, special);
}

inline std::string unit_program(std::string_view path) {
  return unit_word(doubled(path, "%"), "\\\"");
}

inline std::string unit_argument(std::string_view argument) {
  return unit_word(doubled(argument, "%$"), "\\\"");
}

inline std::string unit_path(std::string_view path) {
  return unit_word(doubled(path, "%"), "\\\"");
}

inline std::string unit_line(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \\");  // a backslash would go on to the next line
  return doubled(text.substr(0, end == text.npos ? 0 : end + 1), "%");
}

inline std::string unit_span(clock_duration d) {
  using std::chrono::milliseconds;
  if (d == (clock_duration::max)()) return "infinity";
  if (d <= clock_duration::zero()) return "0";
  const auto whole = std::chrono::ceil<milliseconds>(d).count();
  return whole % 1000 == 0 ? std::to_string(whole / 1000) + "s" : std::to_string(whole) + "ms";
}

using span_unit = std::pair<std::string_view, std::chrono::microseconds>;

[[nodiscard]] inline std::optional<std::chrono::microseconds> unit_of_span(std::string_view name) {
  using namespace std::chrono_literals;
  constexpr span_unit known[] = {
      {"us", 1us},       {"ms", 1ms}, {"s", 1s},      {"min", 1min},
      {"h", 1h},         {"d", 24h},  {"w", 7 * 24h}, {"month", 2'629'800s},
      {"y", 31'557'600s}};
  for (const auto& [text, length] : known) {
    if (text == name) return length;
  }
  return std::nullopt;
}

/// "30", "1.500". By hand, as the library's own depend on a locale or throw.
[[nodiscard]] inline std::optional<double> parse_decimal(std::string_view text) {
  const std::size_t point = (std::min)(text.find('.'), text.size());
  double value = 0;
  double scale = 1;
  if (point == 0) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == point) continue;
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    if (i > point) scale *= 10;
    value = value * 10 + (text[i] - '0');
  }
  return value / scale;
}

/// One word, as "30s" or "1.500s".
[[nodiscard]] inline std::optional<clock_duration> parse_span_word(std::string_view word) {
  const std::size_t digits = (std::min)(word.find_first_not_of("0123456789."), word.size());
  const auto value = parse_decimal(word.substr(0, digits));
  const auto unit = unit_of_span(word.substr(digits));
  if (!value || !unit) return std::nullopt;
  return saturate(std::chrono::duration<double, std::micro>(*unit) * *value);
}

inline std::optional<clock_duration> parse_span(std::string_view text) {
  if (text == "infinity") return (clock_duration::max)();
  if (text == "0") return clock_duration::zero();
  if (text.empty()) return std::nullopt;
  clock_duration sum{};
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    const auto part = parse_span_word(text.substr(0, end));
    if (!part) return std::nullopt;
    sum = saturating_add(clock_time_point(sum), *part).time_since_epoch();
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return sum;
}

}  // namespace detail
CURFEW_END

#endif
