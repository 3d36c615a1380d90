// SPDX-License-Identifier: BSL-1.0
//
// stderr on Windows. The functions of kernel32 are declared by hand, in the types of <windows.h>.
#ifndef CURFEW_SERVICE_DETAIL_WINDOWS_STANDARD_ERROR_HPP
#define CURFEW_SERVICE_DETAIL_WINDOWS_STANDARD_ERROR_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/service/detail/windows/file_api.hpp>

#include <cstddef>
#include <string_view>

struct _CONSOLE_SCREEN_BUFFER_INFO;

extern "C" {
__declspec(dllimport) void* __stdcall GetStdHandle(unsigned long);
__declspec(dllimport) int __stdcall GetConsoleMode(void*, unsigned long*);
__declspec(dllimport) int __stdcall SetConsoleMode(void*, unsigned long);
__declspec(dllimport) unsigned int __stdcall GetConsoleOutputCP();
__declspec(dllimport) int __stdcall GetConsoleScreenBufferInfo(void*, _CONSOLE_SCREEN_BUFFER_INFO*);
}

CURFEW_BEGIN
namespace detail {

/// CONSOLE_SCREEN_BUFFER_INFO.
struct console_buffer_info {
  short size_x, size_y, cursor_x, cursor_y;
  unsigned short attributes;
  short left, top, right, bottom, largest_x, largest_y;
};

/// Switches a console to escape sequences and leaves it so: others that write there may have asked
/// for the same meanwhile.
class standard_error {
 public:
  standard_error() noexcept
      : handle_(GetStdHandle(0xFFFFFFF4ul)), terminal_(is_open() && understands_escapes()) {}

  [[nodiscard]] bool is_open() const noexcept {
    return handle_ != nullptr && handle_ != no_handle();
  }
  [[nodiscard]] bool is_terminal() const noexcept { return terminal_; }
  [[nodiscard]] bool speaks_utf8() const noexcept {
    return terminal_ && GetConsoleOutputCP() == 65001;
  }

  [[nodiscard]] std::size_t width() const noexcept {
    console_buffer_info info{};
    const auto out = reinterpret_cast<_CONSOLE_SCREEN_BUFFER_INFO*>(&info);
    const bool known = GetConsoleScreenBufferInfo(handle_, out) != 0 && info.right >= info.left;
    return known ? static_cast<std::size_t>(info.right - info.left) + 1 : 80;
  }

  void write(std::string_view text) noexcept {
    while (!text.empty()) {
      unsigned long n = 0;
      const auto size = static_cast<unsigned long>(text.size());
      if (WriteFile(handle_, text.data(), size, &n, nullptr) == 0 || n == 0) return;
      text.remove_prefix(n);
    }
  }

 private:
  [[nodiscard]] bool understands_escapes() const noexcept {
    constexpr unsigned long virtual_terminal = 4;
    unsigned long mode = 0;
    if (GetConsoleMode(handle_, &mode) == 0) return false;
    return SetConsoleMode(handle_, mode | virtual_terminal) != 0;
  }

  void* handle_;
  bool terminal_;
};

}  // namespace detail
CURFEW_END

#endif
#endif
