// SPDX-License-Identifier: BSL-1.0
//
// The few functions of kernel32 that the stop floor calls, declared by hand in the very types of
// <windows.h>, so that this header may stand before or after it and nobody pays for it.
#ifndef CURFEW_STOP_DETAIL_WINDOWS_KERNEL32_HPP
#define CURFEW_STOP_DETAIL_WINDOWS_KERNEL32_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <cstdint>

struct _SECURITY_ATTRIBUTES;
struct HINSTANCE__;

extern "C" {
__declspec(dllimport) unsigned long __stdcall GetCurrentThreadId();
__declspec(dllimport) unsigned long __stdcall GetLastError();
__declspec(dllimport) void __stdcall Sleep(unsigned long);
__declspec(dllimport) int __stdcall CloseHandle(void*);
__declspec(dllimport) unsigned long __stdcall WaitForSingleObject(void*, unsigned long);
#if defined(_WIN64)
__declspec(dllimport) void* __stdcall CreateThread(_SECURITY_ATTRIBUTES*, unsigned long long,
                                                   unsigned long(__stdcall*)(void*), void*,
                                                   unsigned long, unsigned long*);
__declspec(dllimport) long long(__stdcall* __stdcall GetProcAddress(HINSTANCE__*, const char*))();
#else
__declspec(dllimport) void* __stdcall CreateThread(_SECURITY_ATTRIBUTES*, unsigned long,
                                                   unsigned long(__stdcall*)(void*), void*,
                                                   unsigned long, unsigned long*);
__declspec(dllimport) int(__stdcall* __stdcall GetProcAddress(HINSTANCE__*, const char*))();
#endif
__declspec(dllimport) HINSTANCE__* __stdcall GetModuleHandleA(const char*);
}

#endif
#endif
