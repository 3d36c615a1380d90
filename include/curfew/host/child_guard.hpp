// SPDX-License-Identifier: BSL-1.0
//
// What a process that this one starts must get back, because a service has changed it for itself.
//
// The systems start processes in ways that have nothing in common, and so have the two classes. On
// POSIX, around fork and exec or posix_spawn:
//
//     const curfew::child_guard guard;
//     auto environment = guard.environment();
//     if (const pid_t pid = fork(); pid == 0) {
//       guard.in_child();
//       execve(path, argv, environment.data());
//       _exit(127);
//     }
//
// On Windows, around CreateProcess:
//
//     curfew::child_guard guard;
//     CreateProcessW(..., guard.creation_flags() | CREATE_SUSPENDED, ..., &info);
//     guard.adopt(info.hProcess);
//     ResumeThread(info.hThread);
//     ...
//     guard.stop(info.dwProcessId);
#ifndef CURFEW_HOST_CHILD_GUARD_HPP
#define CURFEW_HOST_CHILD_GUARD_HPP

#include <curfew/config.hpp>

// Selector: the backends define, in curfew, the classes child_guard and inherited. The latter is
// what this process has been given by whoever started it, and has a function `inherited now()`
// that is to be called before anything changes it: first thing in main.
#if CURFEW_WINDOWS
#include <curfew/host/windows/child_guard.hpp>
#else
#include <curfew/host/posix/child_guard.hpp>
#endif

#endif
