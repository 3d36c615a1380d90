// SPDX-License-Identifier: BSL-1.0
//
// The lesser of two values, the greater, and one kept between two others: std::min, std::max and
// std::clamp without <algorithm>, which is almost a third of <chrono> again. And a cast that is
// none where it is needless.
#ifndef CURFEW_STOP_DETAIL_BOUNDS_HPP
#define CURFEW_STOP_DETAIL_BOUNDS_HPP

#include <curfew/config.hpp>

#include <type_traits>

CURFEW_BEGIN
namespace detail {

/// By value, for numbers, durations and points of time; the first one decides about the type.
template <class T>
[[nodiscard]] constexpr T lesser(T a, std::type_identity_t<T> b) noexcept {
  return b < a ? b : a;
}

template <class T>
[[nodiscard]] constexpr T greater(T a, std::type_identity_t<T> b) noexcept {
  return a < b ? b : a;
}

/// low <= high.
template <class T>
[[nodiscard]] constexpr T within(T value, std::type_identity_t<T> low,
                                 std::type_identity_t<T> high) noexcept {
  return lesser(greater(value, low), high);
}

/// A value in a type that is another one than its own on some systems only. It must fit.
template <class T, class From>
[[nodiscard]] constexpr T as(From value) noexcept {
  if constexpr (std::is_same_v<T, From>) {
    return value;
  } else {
    return static_cast<T>(value);
  }
}

}  // namespace detail
CURFEW_END

#endif
