// SPDX-License-Identifier: BSL-1.0
//
// How long Windows lets a process live after its console was closed or its user logged off.
#ifndef CURFEW_HOST_WINDOWS_CONSOLE_LIMIT_HPP
#define CURFEW_HOST_WINDOWS_CONSOLE_LIMIT_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/kernel32.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

CURFEW_BEGIN
namespace detail {

inline unsigned long parse_milliseconds(const char* text, unsigned long otherwise) noexcept {
  unsigned long value = 0;
  for (; *text >= '0' && *text <= '9' && value < 3'600'000; ++text) {
    value = value * 10 + static_cast<unsigned long>(*text - '0');
  }
  return *text == '\0' && value != 0 ? value : otherwise;
}

/// A system parameter of the user's, 5 s unless set otherwise. It is read from the registry: asking
/// user32 would load it, and a process that has loaded user32 is no longer told of LOGOFF and
/// SHUTDOWN.
inline std::chrono::milliseconds user_limit(const char* name) noexcept {
  using get_value = long(__stdcall*)(void*, const char*, const char*, unsigned long, unsigned long*,
                                     void*, unsigned long*);
  constexpr unsigned long usual = 5000;
  constexpr unsigned long only_strings = 2;
  void* const current_user = reinterpret_cast<void*>(static_cast<std::intptr_t>(-0x7FFFFFFF));
  char text[16] = {};
  unsigned long size = sizeof text;
  HINSTANCE__* const module = GetModuleHandleA("kernelbase.dll");
  void* const found =
      module == nullptr ? nullptr : reinterpret_cast<void*>(GetProcAddress(module, "RegGetValueA"));
  if (found == nullptr ||
      reinterpret_cast<get_value>(found)(current_user, "Control Panel\\Desktop", name, only_strings,
                                         nullptr, text, &size) != 0) {
    return std::chrono::milliseconds(usual);
  }
  return std::chrono::milliseconds(parse_milliseconds(text, usual));
}

/// The first limits a CLOSE, the second LOGOFF and SHUTDOWN; one answer that is safe for all three.
inline std::chrono::milliseconds console_limit() noexcept {
  return (std::min)(user_limit("HungAppTimeout"), user_limit("WaitToKillAppTimeout"));
}

/// The same without the time that ending the process itself may take.
inline std::chrono::milliseconds usable(std::chrono::milliseconds limit) noexcept {
  return limit - limit / 20;
}

}  // namespace detail
CURFEW_END

#endif
#endif
