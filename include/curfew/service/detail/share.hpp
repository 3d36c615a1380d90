// SPDX-License-Identifier: BSL-1.0
//
// How the time that is left is divided among those who stop one after the other.
#ifndef CURFEW_SERVICE_DETAIL_SHARE_HPP
#define CURFEW_SERVICE_DETAIL_SHARE_HPP

#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>

CURFEW_BEGIN
namespace detail {

/// Of what `left` leaves, the part of one that wants `wanted`, where it and all that must follow it
/// one after the other want `chain`. All of what it wants if the chain fits, else as much less as
/// the others. What somebody does not use is there for those who follow.
[[nodiscard]] constexpr time_source::duration share_of(time_source::duration left,
                                                       time_source::duration wanted,
                                                       time_source::duration chain) noexcept {
  using duration = time_source::duration;
  if (left <= duration::zero()) return duration::zero();
  if (chain <= left) return wanted;
  const double part = static_cast<double>(wanted.count()) / static_cast<double>(chain.count());
  const double time = static_cast<double>(left.count()) * part;
  return time < static_cast<double>(left.count()) ? duration(static_cast<duration::rep>(time))
                                                  : left;
}

/// The end of a stop's time, in which what is still open is told to hurry.
[[nodiscard]] constexpr time_source::duration kept_for_the_end(
    time_source::duration limit) noexcept {
  return lesser<time_source::duration>(limit / 10, std::chrono::seconds(1));
}

}  // namespace detail
CURFEW_END

#endif
