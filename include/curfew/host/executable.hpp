// SPDX-License-Identifier: BSL-1.0
//
// Where the program that runs lies.
#ifndef CURFEW_HOST_EXECUTABLE_HPP
#define CURFEW_HOST_EXECUTABLE_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/bounds.hpp>

// Selector: backends define, in curfew::detail:
//   std::string find_executable(std::error_code&)   absolute; empty on an error
//   std::size_t root_size(std::string_view path)    of the part that names no directory: "/", "C:\"
//   constexpr const char* separators                what may stand between names in a path
#if CURFEW_WINDOWS
#include <curfew/host/windows/executable.hpp>
#else
#include <curfew/host/posix/executable.hpp>
#endif

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

CURFEW_BEGIN

/// The file of this process, absolute, in UTF-8 on Windows. It is asked of the system, so neither
/// the working directory nor argv[0] has a say. Empty: it cannot be found out (Linux without
/// /proc). A file that has been replaced or removed since the start has the name that it had then.
[[nodiscard]] inline std::string executable_path(std::error_code& ec) {
  ec.clear();
  return detail::find_executable(ec);
}
/// The same; empty when it cannot be found out.
[[nodiscard]] inline std::string executable_path() {
  std::error_code ignored;
  return executable_path(ignored);
}

namespace detail {

/// Without a separator at its end, except for a root.
[[nodiscard]] inline std::string directory_of(const std::string& path) {
  const std::size_t last = path.find_last_of(separators);
  if (last == path.npos) return {};
  return path.substr(0, greater(last, root_size(path)));
}

}  // namespace detail

/// The directory in which it lies; empty when that cannot be found out.
[[nodiscard]] inline std::string executable_directory(std::error_code& ec) {
  return detail::directory_of(executable_path(ec));
}
/// The same; empty when it cannot be found out.
[[nodiscard]] inline std::string executable_directory() {
  std::error_code ignored;
  return executable_directory(ignored);
}

CURFEW_END

#endif
