// SPDX-License-Identifier: BSL-1.0
//
// A table as lines for people.
#ifndef CURFEW_SERVICE_DETAIL_TABLE_TEXT_HPP
#define CURFEW_SERVICE_DETAIL_TABLE_TEXT_HPP

#include <curfew/config.hpp>
#include <curfew/service/timeline.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// Lines of a table: every column but the last as wide as its widest cell.
[[nodiscard]] inline std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize((std::max)(widths.size(), row.size()));
    for (std::size_t i = 0; i != row.size(); ++i) {
      widths[i] = (std::max)(widths[i], columns(row[i]));
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = " ";
    for (std::size_t i = 0; i != row.size(); ++i) line += ' ' + padded(row[i], widths[i]) + ' ';
    text.append(line, 0, line.find_last_not_of(' ') + 1).append(1, '\n');
  }
  return text;
}

}  // namespace detail
CURFEW_END

#endif
