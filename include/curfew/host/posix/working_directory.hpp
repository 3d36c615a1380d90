// SPDX-License-Identifier: BSL-1.0
//
// The working directory on POSIX systems.
#ifndef CURFEW_HOST_POSIX_WORKING_DIRECTORY_HPP
#define CURFEW_HOST_POSIX_WORKING_DIRECTORY_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

CURFEW_BEGIN
namespace detail {

enum class path_form { absolute, relative, invalid };

[[nodiscard]] inline path_form form_of(std::string_view path) noexcept {
  if (path.find('\0') != path.npos) return path_form::invalid;
  return path.substr(0, 1) == "/" ? path_form::absolute : path_form::relative;
}

[[nodiscard]] inline std::error_code change_directory(const std::string& to) noexcept {
  return {::chdir(to.c_str()) == 0 ? 0 : errno, std::system_category()};
}

}  // namespace detail
CURFEW_END

#endif
#endif
