// SPDX-License-Identifier: BSL-1.0
//
// The few functions that a service calls, declared by hand in the very types of <windows.h>, so
// that this header may stand before or after it and who uses run() does not get it. MinGW links
// advapi32 by itself.
#ifndef CURFEW_HOST_WINDOWS_SCM_API_HPP
#define CURFEW_HOST_WINDOWS_SCM_API_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/kernel32.hpp>

#if CURFEW_MSVC
#pragma comment(lib, "advapi32")
#endif

struct HKEY__;
struct SERVICE_STATUS_HANDLE__;
struct _SERVICE_STATUS;
struct _SERVICE_TABLE_ENTRYW;

extern "C" {
__declspec(dllimport) int __stdcall StartServiceCtrlDispatcherW(const _SERVICE_TABLE_ENTRYW*);
__declspec(dllimport) SERVICE_STATUS_HANDLE__* __stdcall RegisterServiceCtrlHandlerExW(
    const wchar_t*, unsigned long(__stdcall*)(unsigned long, unsigned long, void*, void*), void*);
__declspec(dllimport) int __stdcall SetServiceStatus(SERVICE_STATUS_HANDLE__*, _SERVICE_STATUS*);
__declspec(dllimport) long __stdcall RegGetValueA(HKEY__*, const char*, const char*, unsigned long,
                                                  unsigned long*, void*, unsigned long*);
__declspec(dllimport) int __stdcall WideCharToMultiByte(unsigned int, unsigned long, const wchar_t*,
                                                        int, char*, int, const char*, int*);
}

CURFEW_BEGIN
namespace detail {

/// SERVICE_STATUS.
struct raw_service_status {
  unsigned long type, state, accepted, win32_exit_code, service_exit_code, checkpoint, wait_hint;
};

/// SERVICE_TABLE_ENTRYW.
struct raw_service_entry {
  wchar_t* name;
  void(__stdcall* main)(unsigned long, wchar_t**);
};

inline constexpr unsigned long service_own_process = 0x10;   // SERVICE_WIN32_OWN_PROCESS
inline constexpr unsigned long error_already_served = 1056;  // ERROR_SERVICE_ALREADY_RUNNING
inline constexpr unsigned long error_not_a_service = 1063;  // ..._FAILED_SERVICE_CONTROLLER_CONNECT
inline constexpr unsigned int code_page_of_arguments = 0;   // CP_ACP, as main's argv has them

}  // namespace detail
CURFEW_END

#endif
#endif
