// SPDX-License-Identifier: BSL-1.0
//
// Selector: where the system's notices arrive in this process. Backends define, in curfew::detail:
//   desk                                 process-life state with a member `inbox`
//   class signal_hook : signal_source    what a bridge holds of the system
#ifndef CURFEW_HOST_DETAIL_SIGNAL_HOOK_HPP
#define CURFEW_HOST_DETAIL_SIGNAL_HOOK_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS
#include <curfew/host/windows/signal_hook.hpp>
#else
#include <curfew/host/posix/signal_hook.hpp>
#endif

#endif
