// SPDX-License-Identifier: BSL-1.0
//
// Times and words as they stand in a recorder's file, and back: whatever is claimed there becomes
// something that can be reckoned with.
#ifndef CURFEW_SERVICE_DETAIL_RECORDER_VALUES_HPP
#define CURFEW_SERVICE_DETAIL_RECORDER_VALUES_HPP

#include <curfew/service/detail/recorder_layout.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/reason.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstdint>
#include <limits>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] inline std::int64_t in_ns(time_source::duration d) noexcept {
  if (d == (time_source::duration::max)()) return (std::numeric_limits<std::int64_t>::max)();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(d).count();
}

[[nodiscard]] inline std::int64_t in_us(std::chrono::system_clock::time_point t) noexcept {
  const auto since = t.time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

/// Within 36 years, whatever is claimed, so that sums of a few of them do not overflow.
[[nodiscard]] inline time_source::duration recorded_duration(std::int64_t ns) noexcept {
  constexpr std::int64_t most = std::int64_t{1} << 60;
  return std::chrono::duration_cast<time_source::duration>(
      std::chrono::nanoseconds(within(ns, -most, most)));
}

[[nodiscard]] inline time_source::duration recorded_limit(std::int64_t ns) noexcept {
  const bool none = ns == (std::numeric_limits<std::int64_t>::max)();
  return none ? (time_source::duration::max)() : recorded_duration(ns);
}

/// Between the years 1970 and 2255, whatever is claimed.
[[nodiscard]] inline std::chrono::system_clock::time_point recorded_wall(std::int64_t us) noexcept {
  const std::chrono::microseconds since(within(us, 0, 9'000'000'000'000'000));
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(since));
}

template <class Enum>
[[nodiscard]] Enum recorded_enum(std::uint8_t value, Enum last) noexcept {
  return value <= static_cast<std::uint8_t>(last) ? static_cast<Enum>(value) : Enum{};
}

[[nodiscard]] inline stop_reason recorded_reason(const recorder_slot& s) noexcept {
  return {recorded_enum(s.cause, stop_cause::fault), s.code, s.pid, s.uid};
}

}  // namespace detail
CURFEW_END

#endif
