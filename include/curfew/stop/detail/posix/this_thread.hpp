// SPDX-License-Identifier: BSL-1.0
//
// The identity of a thread, and how it backs off, on POSIX systems. The address of a thread_local
// would be shorter, but a header's thread_local is a different object in each shared library.
#ifndef CURFEW_STOP_DETAIL_POSIX_THIS_THREAD_HPP
#define CURFEW_STOP_DETAIL_POSIX_THIS_THREAD_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <bit>
#include <cerrno>
#include <cstdint>

#include <pthread.h>
#include <sched.h>
#include <time.h>

CURFEW_BEGIN
namespace detail {

using thread_id = std::uintptr_t;

[[nodiscard]] inline thread_id this_thread() noexcept {
  return std::bit_cast<thread_id>(
      pthread_self());  // an integer on some systems, a pointer on others
}

/// Yields early: a holder that lost its processor gets it back, and threads take turns in batches,
/// which costs less than passing one cache line to and fro. Sleeps when yielding does not help, so
/// that a waiter of higher priority cannot starve the holder.
inline void relax(unsigned spins) noexcept {
  if (spins < 64) {
    sched_yield();
    return;
  }
  const int kept = errno;
  const timespec nap{0, 50'000};
  nanosleep(&nap, nullptr);
  errno = kept;
}

}  // namespace detail
CURFEW_END

#endif
#endif
