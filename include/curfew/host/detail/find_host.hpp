// SPDX-License-Identifier: BSL-1.0
//
// Selector: finds out who started this process, by trying, and runs a program under that host.
// Backends define, in curfew::detail:
//   int with_host(const service_spec&, std::span<char* const> args, bool foreground, hosted_body,
//                 void* context)
//     calls the body, on this thread or on one that the system has made for it, tells the host its
//     outcome as the last thing, and returns the exit code. `foreground`: the console, without
//     looking further. Called on the main thread, first thing.
#ifndef CURFEW_HOST_DETAIL_FIND_HOST_HPP
#define CURFEW_HOST_DETAIL_FIND_HOST_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS
#include <curfew/host/windows/find_host.hpp>
#else
#include <curfew/host/posix/find_host.hpp>
#endif

#endif
