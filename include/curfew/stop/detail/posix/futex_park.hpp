// SPDX-License-Identifier: BSL-1.0
//
// Parking on Linux: the futex itself. std::atomic::wait keeps its waiters in a table of the library
// that compiled it, which loses wakes between shared libraries with hidden symbols.
#ifndef CURFEW_STOP_DETAIL_POSIX_FUTEX_PARK_HPP
#define CURFEW_STOP_DETAIL_POSIX_FUTEX_PARK_HPP

#include <curfew/config.hpp>

#if CURFEW_FUTEX

#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/posix/this_thread.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <limits>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

// 32-bit systems with 64-bit time need the call that takes the wide timespec.
#if defined(SYS_futex_time64)
inline constexpr long futex_call = sizeof(time_t) > sizeof(long) ? SYS_futex_time64 : SYS_futex;
#else
inline constexpr long futex_call = SYS_futex;
#endif

/// Leaves errno alone: callers are on the stop path of programs that look at it afterwards.
inline int futex(std::atomic<std::uint32_t>& word, int op, std::uint32_t value,
                 const timespec* limit = nullptr) noexcept {
  const int kept = errno;
  const long rc = syscall(futex_call, &word, op | FUTEX_PRIVATE_FLAG, value, limit, nullptr,
                          FUTEX_BITSET_MATCH_ANY);
  const int error = rc < 0 ? errno : 0;
  errno = kept;
  return error;
}

inline void park(std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
  futex(word, FUTEX_WAIT_BITSET, expected);
}

/// steady_clock is CLOCK_MONOTONIC, which is what an absolute futex wait counts in.
inline bool park_until(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::chrono::steady_clock::time_point limit) noexcept {
  auto since = limit.time_since_epoch();
  if (since < since.zero()) since = since.zero();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
  timespec ts{};
  constexpr auto latest = (std::numeric_limits<time_t>::max)();  // where time has 32 bits, 2038
  const bool fits = seconds.count() <= latest;
  ts.tv_sec = fits ? as<time_t>(seconds.count()) : latest;
  const std::chrono::nanoseconds rest = since - seconds;
  ts.tv_nsec = as<decltype(ts.tv_nsec)>(rest.count());
  return futex(word, FUTEX_WAIT_BITSET, expected, &ts) != ETIMEDOUT;
}

inline void unpark_all(std::atomic<std::uint32_t>& word) noexcept {
  futex(word, FUTEX_WAKE, INT_MAX);
}

inline void unpark_one(std::atomic<std::uint32_t>& word) noexcept { futex(word, FUTEX_WAKE, 1); }

}  // namespace detail
CURFEW_END

#endif
#endif
