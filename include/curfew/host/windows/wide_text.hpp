// SPDX-License-Identifier: BSL-1.0
//
// UTF-8, in which curfew speaks, to and from the UTF-16 of Windows.
#ifndef CURFEW_HOST_WINDOWS_WIDE_TEXT_HPP
#define CURFEW_HOST_WINDOWS_WIDE_TEXT_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/last_error.hpp>

#include <string>
#include <string_view>
#include <system_error>

extern "C" {
__declspec(dllimport) int __stdcall MultiByteToWideChar(unsigned int, unsigned long, const char*,
                                                        int, wchar_t*, int);
__declspec(dllimport) int __stdcall WideCharToMultiByte(unsigned int, unsigned long, const wchar_t*,
                                                        int, char*, int, const char*, int*);
}

CURFEW_BEGIN
namespace detail {

inline constexpr unsigned int code_page_utf8 = 65001;

/// Text that is not valid is an error, not another text; the result is empty then.
[[nodiscard]] inline std::wstring to_wide(std::string_view text, std::error_code& ec) {
  constexpr unsigned long refuse_invalid = 8;
  ec.clear();
  const int size = static_cast<int>(text.size());
  if (size == 0) return {};
  const auto convert = [&](wchar_t* to, int room) {
    return MultiByteToWideChar(code_page_utf8, refuse_invalid, text.data(), size, to, room);
  };
  const int needed = convert(nullptr, 0);
  std::wstring wide(static_cast<std::size_t>(needed), L'\0');
  if (needed == 0 || convert(wide.data(), needed) == 0) ec = last_error();
  return wide;
}

[[nodiscard]] inline std::string to_utf8(std::wstring_view text, std::error_code& ec) {
  constexpr unsigned long refuse_invalid = 0x80;
  ec.clear();
  const int size = static_cast<int>(text.size());
  if (size == 0) return {};
  const auto convert = [&](char* to, int room) {
    return WideCharToMultiByte(code_page_utf8, refuse_invalid, text.data(), size, to, room, nullptr,
                               nullptr);
  };
  const int needed = convert(nullptr, 0);
  std::string narrow(static_cast<std::size_t>(needed), '\0');
  if (needed == 0 || convert(narrow.data(), needed) == 0) ec = last_error();
  return narrow;
}

}  // namespace detail
CURFEW_END

#endif
#endif
