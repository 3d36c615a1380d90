// SPDX-License-Identifier: BSL-1.0
//
// The few functions of kernel32 that the signal bridge calls, beside those of the stop floor,
// declared by hand in the very types of <windows.h>.
#ifndef CURFEW_HOST_WINDOWS_KERNEL32_HPP
#define CURFEW_HOST_WINDOWS_KERNEL32_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/stop/detail/windows/kernel32.hpp>

extern "C" {
__declspec(dllimport) int __stdcall SetConsoleCtrlHandler(int(__stdcall*)(unsigned long), int);
__declspec(dllimport) void* __stdcall CreateMutexA(_SECURITY_ATTRIBUTES*, int, const char*);
__declspec(dllimport) unsigned long __stdcall GetCurrentProcessId();
__declspec(dllimport) void* __stdcall GetCurrentProcess();
__declspec(dllimport) int __stdcall TerminateProcess(void*, unsigned int);
__declspec(dllimport) int __stdcall GetModuleHandleExA(unsigned long, const char*, HINSTANCE__**);
}

#endif
#endif
