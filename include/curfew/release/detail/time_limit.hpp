// SPDX-License-Identifier: BSL-1.0
//
// Limits of a release, and what is left of them.
#ifndef CURFEW_RELEASE_DETAIL_TIME_LIMIT_HPP
#define CURFEW_RELEASE_DETAIL_TIME_LIMIT_HPP

#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/time_source.hpp>

CURFEW_BEGIN

/// As a timeout or a budget: none.
inline constexpr time_source::duration no_limit = (time_source::duration::max)();

namespace detail {

/// What is left until `end`; no_limit when there is none.
[[nodiscard]] constexpr time_source::duration time_left(time_source::time_point end,
                                                        time_source::time_point now) noexcept {
  if (end == (time_source::time_point::max)()) return no_limit;
  return greater(saturating_subtract(end, now), time_source::duration::zero());
}

}  // namespace detail
CURFEW_END

#endif
