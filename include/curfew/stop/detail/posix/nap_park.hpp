// SPDX-License-Identifier: BSL-1.0
//
// Parking by short naps that grow to 10 ms, where there is nothing better: correct everywhere, and
// prompt enough for a stop.
#ifndef CURFEW_STOP_DETAIL_POSIX_NAP_PARK_HPP
#define CURFEW_STOP_DETAIL_POSIX_NAP_PARK_HPP

#include <curfew/config.hpp>

#if CURFEW_NAPS

#include <curfew/stop/detail/posix/this_thread.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

CURFEW_BEGIN
namespace detail {

inline bool park_until(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::chrono::steady_clock::time_point limit) noexcept {
  long nap = 20'000;
  while (word.load(std::memory_order_acquire) == expected) {
    if (std::chrono::steady_clock::now() >= limit) return false;
    const timespec ts{0, nap};
    nanosleep(&ts, nullptr);
    if (nap < 10'000'000) nap *= 2;
  }
  return true;
}

inline void park(std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
  park_until(word, expected, (std::chrono::steady_clock::time_point::max)());
}

inline void unpark_all(std::atomic<std::uint32_t>&) noexcept {}
inline void unpark_one(std::atomic<std::uint32_t>&) noexcept {}

}  // namespace detail
CURFEW_END

#endif
#endif
