// SPDX-License-Identifier: BSL-1.0
//
// What is called of Windows for files, and for pipes as for files, declared by hand in the very
// types of <windows.h>: for recordings, logs, stderr and the control endpoint.
#ifndef CURFEW_SERVICE_DETAIL_WINDOWS_FILE_API_HPP
#define CURFEW_SERVICE_DETAIL_WINDOWS_FILE_API_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/stop/detail/windows/kernel32.hpp>

#include <cstdint>

struct _OVERLAPPED;

extern "C" {
__declspec(dllimport) void* __stdcall CreateFileW(const wchar_t*, unsigned long, unsigned long,
                                                  _SECURITY_ATTRIBUTES*, unsigned long,
                                                  unsigned long, void*);
__declspec(dllimport) int __stdcall ReadFile(void*, void*, unsigned long, unsigned long*,
                                             _OVERLAPPED*);
__declspec(dllimport) int __stdcall WriteFile(void*, const void*, unsigned long, unsigned long*,
                                              _OVERLAPPED*);
__declspec(dllimport) unsigned long __stdcall SetFilePointer(void*, long, long*, unsigned long);
__declspec(dllimport) unsigned long __stdcall GetFileType(void*);
}

CURFEW_BEGIN
namespace detail {

/// INVALID_HANDLE_VALUE
[[nodiscard]] inline void* no_handle() noexcept {
  return reinterpret_cast<void*>(std::intptr_t{-1});
}

}  // namespace detail
CURFEW_END

#endif
#endif
