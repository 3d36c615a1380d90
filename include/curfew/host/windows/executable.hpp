// SPDX-License-Identifier: BSL-1.0
//
// Where the program that runs lies, on Windows.
#ifndef CURFEW_HOST_WINDOWS_EXECUTABLE_HPP
#define CURFEW_HOST_WINDOWS_EXECUTABLE_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/wide_text.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

extern "C" {
__declspec(dllimport) unsigned long __stdcall GetModuleFileNameW(HINSTANCE__*, wchar_t*,
                                                                 unsigned long);
}

CURFEW_BEGIN
namespace detail {

inline constexpr const char* separators = "\\/";

[[nodiscard]] inline bool is_separator(std::string_view path, std::size_t at) noexcept {
  return at < path.size() && (path[at] == '\\' || path[at] == '/');
}

/// "C:\", and what stands before the first name below it: "\\?\C:\", "\\server\share\".
[[nodiscard]] inline std::size_t root_size(std::string_view path) noexcept {
  const auto after_drive = [&](std::size_t at) -> std::size_t {
    return is_separator(path, at + 2) && path[at + 1] == ':' ? at + 3 : 0;
  };
  if (!is_separator(path, 0) || !is_separator(path, 1)) return after_drive(0);
  if (path.substr(2, 1) == "?" && after_drive(4) != 0) return after_drive(4);
  const std::size_t share = path.find_first_of(separators, 2);
  const std::size_t end =
      share == path.npos ? path.npos : path.find_first_of(separators, share + 1);
  return end == path.npos ? path.size() : end + 1;
}

/// A path that fills all of the buffer has been cut.
[[nodiscard]] inline std::string find_executable(std::error_code& ec) {
  constexpr std::size_t most_units = 32768;
  for (std::wstring path(260, L'\0');; path.resize(path.size() * 2)) {
    const unsigned long n =
        GetModuleFileNameW(nullptr, path.data(), static_cast<unsigned long>(path.size()));
    if (n != 0 && n < path.size()) return to_utf8({path.data(), n}, ec);
    if (n == 0) ec = last_error();
    if (n != 0 && path.size() > most_units) ec = std::make_error_code(std::errc::filename_too_long);
    if (ec) return {};
  }
}

}  // namespace detail
CURFEW_END

#endif
#endif
