// SPDX-License-Identifier: BSL-1.0
//
// Selector: how a thread sleeps on a 32-bit word, is woken, backs off from a spin lock and knows
// itself. This is the only seam of the stop floor; everything above it is plain std::atomic, so a
// model checker replaces this one header by naming its own in CURFEW_PARKING_HEADER.
//
// Every backend defines, in curfew::detail, all noexcept:
//   using thread_id                                   an integer that the whole process agrees on
//   thread_id this_thread()                           never 0
//   void relax(unsigned spins)                        the spins-th failed attempt to get a lock
//   void park(word&, expected)                        sleeps while word == expected; may return
//   early bool park_until(word&, expected, time point)      the same; false: the time has passed
//   void unpark_all(word&), void unpark_one(word&)    uses the word's address only, never its
//   memory
#ifndef CURFEW_STOP_DETAIL_PARK_HPP
#define CURFEW_STOP_DETAIL_PARK_HPP

#include <curfew/config.hpp>

#if defined(CURFEW_PARKING_HEADER)
#include CURFEW_PARKING_HEADER
#elif CURFEW_WINDOWS
#include <curfew/stop/detail/windows/park.hpp>
#elif CURFEW_NAPS
#include <curfew/stop/detail/posix/nap_park.hpp>
#else
#include <curfew/stop/detail/posix/futex_park.hpp>
#endif

#endif
