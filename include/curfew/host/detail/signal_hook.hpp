// SPDX-License-Identifier: BSL-1.0
//
// Selector: where the system's notices arrive in this process. Backends define, in curfew::detail:
//   desk                     process-life state with a member `inbox`
//   class signal_hook        what a bridge holds of the system
//     bool open(const signal_options&, std::error_code&) noexcept
//          claims the process; false: another bridge, in whatever library, holds it
//     static signal_set stopping(signal_set)   what the system calls the signals of that set
//     bool take(int signal, route, std::error_code&) noexcept
//          from now on the signal goes to the inbox by this route; true also when the system
//          ignores the signal and it therefore stays ignored (route::press only)
//     void give_back(int signal) noexcept      as it was before, unless somebody else took it since
//     void adopt() const noexcept              makes a thread of the bridge fit for user code and
//          for the signals that have a route now
//     bool here() const noexcept               false: in a child made by fork, where the bridge's
//          threads are not
//     void close() noexcept                    gives all back and waits for handlers that run
//     void release() noexcept                  ends the claim
//     void leave() noexcept                    ends the claim and gives nothing back: signals come
//     to
//          the inbox until the next open()
//     static void set_outcome(int), static duration allowed(const stop_reason&)   as the bridge's
#ifndef CURFEW_HOST_DETAIL_SIGNAL_HOOK_HPP
#define CURFEW_HOST_DETAIL_SIGNAL_HOOK_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS
#include <curfew/host/windows/signal_hook.hpp>
#else
#include <curfew/host/posix/signal_hook.hpp>
#endif

#endif
