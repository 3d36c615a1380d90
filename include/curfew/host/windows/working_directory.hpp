// SPDX-License-Identifier: BSL-1.0
//
// The working directory on Windows.
#ifndef CURFEW_HOST_WINDOWS_WORKING_DIRECTORY_HPP
#define CURFEW_HOST_WINDOWS_WORKING_DIRECTORY_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/executable.hpp>
#include <curfew/host/windows/wide_text.hpp>

#include <string>
#include <string_view>
#include <system_error>

extern "C" {
__declspec(dllimport) int __stdcall SetCurrentDirectoryW(const wchar_t*);
}

CURFEW_BEGIN
namespace detail {

enum class path_form { absolute, relative, invalid };

/// "\data" and "C:data" lie on the drive or in the directory that is the current one just then.
[[nodiscard]] inline path_form form_of(std::string_view path) noexcept {
  if (path.find('\0') != path.npos) return path_form::invalid;
  if (root_size(path) != 0) return path_form::absolute;
  const bool leans = is_separator(path, 0) || path.find(':') == 1;
  return leans ? path_form::invalid : path_form::relative;
}

[[nodiscard]] inline std::error_code change_directory(const std::string& to) {
  std::error_code ec;
  const std::wstring wide = to_wide(to, ec);
  if (!ec && SetCurrentDirectoryW(wide.c_str()) == 0) ec = last_error();
  return ec;
}

}  // namespace detail
CURFEW_END

#endif
#endif
