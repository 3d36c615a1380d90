// SPDX-License-Identifier: BSL-1.0
//
// A program and its arguments as the one string that Windows starts it with, and back.
#ifndef CURFEW_HOST_INSTALL_COMMAND_LINE_HPP
#define CURFEW_HOST_INSTALL_COMMAND_LINE_HPP

#include <curfew/config.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN

/// The path is always quoted, so that nobody can put a program in front of its first blank. It
/// holds no quote, as no path does on Windows. CommandLineToArgvW and the C libraries find the
/// very arguments again.
[[nodiscard]] std::string join_command_line(std::string_view executable,
                                            const std::vector<std::string>& arguments);

/// As CommandLineToArgvW, the program first. An empty line has no program.
[[nodiscard]] std::vector<std::string> split_command_line(std::string_view line);

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Blanks end an argument. Stars and question marks are quoted as well: some C libraries put file
/// names in the place of those that are not.
[[nodiscard]] inline bool plain_argument(std::string_view argument) noexcept {
  return !argument.empty() && argument.find_first_of(" \t\n\v\"*?") == argument.npos;
}

/// Backslashes are themselves, except in front of a quote, where each of them is written twice.
inline void append_quoted(std::string& line, std::string_view argument) {
  std::size_t slashes = 0;
  line += '"';
  for (const char c : argument) {
    if (c == '"') line.append(slashes + 1, '\\');
    slashes = c == '\\' ? slashes + 1 : 0;
    line += c;
  }
  line.append(slashes, '\\').append(1, '"');
}

[[nodiscard]] constexpr bool ends_argument(char c) noexcept { return c == ' ' || c == '\t'; }

inline void skip_blanks(std::string_view& line) noexcept {
  line.remove_prefix((std::min)(line.find_first_not_of(" \t"), line.size()));
}

/// In the program's name a backslash is one, whatever follows, and a quote ends it if one began it.
[[nodiscard]] inline std::string take_program(std::string_view& line) {
  const bool quoted = line.starts_with('"');
  if (quoted) line.remove_prefix(1);
  const auto end = (std::min)(line.find_first_of(quoted ? "\"" : " \t"), line.size());
  std::string program(line.substr(0, end));
  line.remove_prefix((std::min)(end + (quoted ? 1 : 0), line.size()));
  skip_blanks(line);
  return program;
}

/// One quote begins, two are nothing, three are one quote and an end: counted over the argument.
inline void take_quotes(std::string_view& line, std::string& argument, int& count) {
  for (; line.starts_with('"'); line.remove_prefix(1)) {
    if (++count < 3) continue;
    argument += '"';
    count = 0;
  }
  if (count == 2) count = 0;
}

inline void take_slashes(std::string_view& line, std::string& argument, int& count) {
  const auto slashes = (std::min)(line.find_first_not_of('\\'), line.size());
  line.remove_prefix(slashes);
  if (!line.starts_with('"')) {
    argument.append(slashes, '\\');
    return;
  }
  argument.append(slashes / 2, '\\');
  if (slashes % 2 != 0) {
    argument += '"';
    line.remove_prefix(1);
  }
  take_quotes(line, argument, count);
}

[[nodiscard]] inline std::string take_argument(std::string_view& line) {
  std::string argument;
  int quotes = 0;
  while (!line.empty() && (quotes == 1 || !ends_argument(line.front()))) {
    if (line.front() == '\\' || line.front() == '"') {
      take_slashes(line, argument, quotes);
    } else {
      argument += line.front();
      line.remove_prefix(1);
    }
  }
  skip_blanks(line);
  return argument;
}

}  // namespace detail

inline std::string join_command_line(std::string_view executable,
                                     const std::vector<std::string>& arguments) {
  std::string line = '"' + std::string(executable) + '"';
  for (const std::string& argument : arguments) {
    line += ' ';
    if (detail::plain_argument(argument))
      line += argument;
    else
      detail::append_quoted(line, argument);
  }
  return line;
}

inline std::vector<std::string> split_command_line(std::string_view line) {
  std::vector<std::string> words;
  if (line.empty()) return words;
  words.push_back(detail::take_program(line));
  while (!line.empty()) words.push_back(detail::take_argument(line));
  return words;
}

CURFEW_END

#endif
