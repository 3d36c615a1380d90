// SPDX-License-Identifier: BSL-1.0
//
// Random numbers for waits that must not happen in step: a small generator without <random>, which
// costs more to include than the whole floor, and a seed that no two calls share.
#ifndef CURFEW_STOP_DETAIL_JITTER_HPP
#define CURFEW_STOP_DETAIL_JITTER_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/park.hpp>

#include <bit>
#include <chrono>
#include <cstdint>

CURFEW_BEGIN
namespace detail {

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014): any seed
/// is as good as any other, also 0 and neighbours. Not for secrets.
class small_random {
 public:
  explicit constexpr small_random(std::uint64_t seed) noexcept : state_(seed) {}

  constexpr std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, most], without bias: of as many bits as `most` has, what is more is drawn
  /// again, which happens less than once on average.
  constexpr std::uint64_t up_to(std::uint64_t most) noexcept {
    const std::uint64_t mask = ~std::uint64_t{0} >> std::countl_zero(most | 1);
    std::uint64_t drawn = next() & mask;
    while (drawn > most) drawn = next() & mask;
    return drawn;
  }

 private:
  std::uint64_t state_;
};

/// Another one for each call: where the stack is tells processes apart, and so does the thread; the
/// time tells apart what is the same in both, forked children and machines without address
/// randomization. It is steady_clock's own time, since a clock of a test stands still.
[[nodiscard]] inline std::uint64_t fresh_seed() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  const auto place = reinterpret_cast<std::uintptr_t>(&now);
  const std::uint64_t when = small_random(static_cast<std::uint64_t>(now)).next();
  const std::uint64_t who = small_random(std::uint64_t{this_thread()}).next();
  return when ^ small_random(who + place).next();
}

}  // namespace detail
CURFEW_END

#endif
