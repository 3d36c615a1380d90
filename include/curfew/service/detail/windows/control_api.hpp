// SPDX-License-Identifier: BSL-1.0
//
// What a control endpoint calls of Windows, declared by hand in the very types of <windows.h>.
#ifndef CURFEW_SERVICE_DETAIL_WINDOWS_CONTROL_API_HPP
#define CURFEW_SERVICE_DETAIL_WINDOWS_CONTROL_API_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/kernel32.hpp>
#include <curfew/service/detail/windows/file_api.hpp>
#include <curfew/stop/detail/windows/event.hpp>

#include <cstdint>

#if CURFEW_MSVC
#pragma comment(lib, "advapi32")
#endif

extern "C" {
__declspec(dllimport) void* __stdcall CreateNamedPipeW(const wchar_t*, unsigned long, unsigned long,
                                                       unsigned long, unsigned long, unsigned long,
                                                       unsigned long, _SECURITY_ATTRIBUTES*);
__declspec(dllimport) int __stdcall ConnectNamedPipe(void*, _OVERLAPPED*);
__declspec(dllimport) int __stdcall GetNamedPipeClientProcessId(void*, unsigned long*);
__declspec(dllimport) int __stdcall GetNamedPipeServerProcessId(void*, unsigned long*);
__declspec(dllimport) int __stdcall GetOverlappedResult(void*, _OVERLAPPED*, unsigned long*, int);
__declspec(dllimport) int __stdcall CancelIoEx(void*, _OVERLAPPED*);
__declspec(dllimport) unsigned long __stdcall WaitForMultipleObjects(unsigned long, void* const*,
                                                                     int, unsigned long);
__declspec(dllimport) int __stdcall ResetEvent(void*);
__declspec(dllimport) void* __stdcall LocalFree(void*);
__declspec(dllimport) void* __stdcall GetCurrentThread();
__declspec(dllimport) int __stdcall OpenProcessToken(void*, unsigned long, void**);
__declspec(dllimport) int __stdcall OpenThreadToken(void*, unsigned long, int, void**);
__declspec(dllimport) int __stdcall ImpersonateNamedPipeClient(void*);
__declspec(dllimport) int __stdcall RevertToSelf();
__declspec(dllimport) int __stdcall CheckTokenMembership(void*, void*, int*);
__declspec(dllimport) int __stdcall ConvertSidToStringSidW(void*, wchar_t**);
__declspec(dllimport) int __stdcall ConvertStringSidToSidW(const wchar_t*, void**);
__declspec(dllimport) int __stdcall ConvertStringSecurityDescriptorToSecurityDescriptorW(
    const wchar_t*, unsigned long, void**, unsigned long*);
}

CURFEW_BEGIN
namespace detail {

/// OVERLAPPED, SECURITY_ATTRIBUTES, as <winbase.h> has them.
struct pipe_overlapped {
  std::uintptr_t internal = 0;
  std::uintptr_t internal_high = 0;
  unsigned long offset = 0;
  unsigned long offset_high = 0;
  void* event = nullptr;
};
struct pipe_security {
  unsigned long size = sizeof(pipe_security);
  void* descriptor = nullptr;
  int inherited = 0;
};

}  // namespace detail
CURFEW_END

#endif
#endif
