// SPDX-License-Identifier: BSL-1.0
//
// A duration parameter, or a member of an options aggregate, that takes a duration of any type.
#ifndef CURFEW_RELEASE_DETAIL_TIME_LIMIT_HPP
#define CURFEW_RELEASE_DETAIL_TIME_LIMIT_HPP

#include <curfew/stop/time_source.hpp>

#include <algorithm>
#include <chrono>

CURFEW_BEGIN

/// As a timeout or a budget: none.
inline constexpr time_source::duration no_limit = (time_source::duration::max)();

namespace detail {

/// A time_source::duration in every respect, but made from another one without overflow, so that
/// `{.timeout = std::chrono::hours::max()}` is no limit instead of undefined behaviour.
struct saturated : time_source::duration {
  template <class Rep, class Period>
  constexpr saturated(std::chrono::duration<Rep, Period> d) noexcept
      : time_source::duration(saturate(d)) {}
};

/// What is left until `end`; no_limit when there is none.
[[nodiscard]] constexpr time_source::duration time_left(time_source::time_point end,
                                                        time_source::time_point now) noexcept {
  if (end == (time_source::time_point::max)()) return no_limit;
  return (std::max)(saturating_subtract(end, now), time_source::duration::zero());
}

}  // namespace detail
CURFEW_END

#endif
