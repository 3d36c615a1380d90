// SPDX-License-Identifier: BSL-1.0
//
// Children that others have left behind: they become those of process 1, and of whoever asked for
// them, and stay in the table of processes until somebody has waited for them.
#ifndef CURFEW_HOST_REAPER_HPP
#define CURFEW_HOST_REAPER_HPP

#include <curfew/config.hpp>

// Selector: backends define, in curfew::detail:
//   std::size_t reap_children() noexcept
//        waits for all children that have ended, and for none that has not; how many there were.
//        Any thread; not where the program waits for children of its own, whose end it would take.
//        SIGCHLD coalesces, so that one call stands for any number of ends
#if CURFEW_WINDOWS
#include <curfew/host/windows/reaper.hpp>
#else
#include <curfew/host/posix/reaper.hpp>
#endif

#endif
