// SPDX-License-Identifier: BSL-1.0
//
// Durations of any type become the clock's own without overflow: what does not fit saturates, so
// that hours::max() means never and a deadline a century away stays a century away.
#ifndef CURFEW_STOP_DETAIL_DURATION_HPP
#define CURFEW_STOP_DETAIL_DURATION_HPP

#include <curfew/config.hpp>

#include <chrono>
#include <cstdint>
#include <ratio>
#include <type_traits>

CURFEW_BEGIN
namespace detail {

using clock_duration = std::chrono::steady_clock::duration;
using clock_time_point = std::chrono::steady_clock::time_point;

/// d, rounded up to the clock's ticks; only for what is known to fit. The product is never larger
/// than the result, whatever the period: chrono's own conversions multiply first.
template <class Rep, class Period>
[[nodiscard]] constexpr clock_duration in_ticks(std::chrono::duration<Rep, Period> d) noexcept {
  if constexpr (std::chrono::treat_as_floating_point_v<Rep>) {
    return std::chrono::ceil<clock_duration>(d);
  } else {
    using ratio = std::ratio_divide<Period, clock_duration::period>;
    using number = std::common_type_t<Rep, std::intmax_t>;  // unsigned ones may need all their bits
    constexpr auto num = static_cast<number>(ratio::num);
    constexpr auto den = static_cast<number>(ratio::den);
    const auto count = static_cast<number>(d.count());
    const number rest = count % den * num;
    const number up = rest > 0 && rest % den != 0 ? 1 : 0;
    return clock_duration(static_cast<clock_duration::rep>(count / den * num + rest / den + up));
  }
}

/// Rounds up, so that nothing waits less than it was asked to; not-a-number is zero.
template <class Rep, class Period>
[[nodiscard]] constexpr clock_duration saturate(std::chrono::duration<Rep, Period> d) noexcept {
  using wide = std::chrono::duration<long double, clock_duration::period>;
  if (!(d.count() == d.count())) return clock_duration::zero();
  const wide value = std::chrono::duration_cast<wide>(d);
  if (value >= wide((clock_duration::max)())) return (clock_duration::max)();
  if (value <= wide((clock_duration::min)())) return (clock_duration::min)();
  return in_ticks(d);
}

[[nodiscard]] constexpr clock_duration saturate(clock_duration d) noexcept { return d; }

/// The clock's duration in every respect, but made from another one without overflow: for members
/// of options, where `{.timeout = std::chrono::hours::max()}` means no limit.
struct saturated : clock_duration {
  template <class Rep, class Period>
  constexpr saturated(std::chrono::duration<Rep, Period> d) noexcept
      : clock_duration(saturate(d)) {}
};

[[nodiscard]] constexpr clock_time_point saturating_add(clock_time_point t,
                                                        clock_duration d) noexcept {
  const auto now = t.time_since_epoch();
  if (d > clock_duration::zero() && now > (clock_duration::max)() - d)
    return (clock_time_point::max)();
  if (d < clock_duration::zero() && now < (clock_duration::min)() - d)
    return (clock_time_point::min)();
  return t + d;
}

/// to - from, for any two points.
[[nodiscard]] constexpr clock_duration saturating_subtract(clock_time_point to,
                                                           clock_time_point from) noexcept {
  const auto a = to.time_since_epoch();
  const auto b = from.time_since_epoch();
  if (b < clock_duration::zero() && a > (clock_duration::max)() + b) return (clock_duration::max)();
  if (b > clock_duration::zero() && a < (clock_duration::min)() + b) return (clock_duration::min)();
  return a - b;
}

template <class Duration>
[[nodiscard]] constexpr clock_time_point saturate(
    std::chrono::time_point<std::chrono::steady_clock, Duration> t) noexcept {
  return clock_time_point(saturate(t.time_since_epoch()));
}

}  // namespace detail
CURFEW_END

#endif
