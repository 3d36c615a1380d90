// SPDX-License-Identifier: BSL-1.0
//
// A deadline on its way to another process: the time that is left as text, in the form of gRPC's
// header grpc-timeout, and back. Steady clocks of two machines have nothing in common; what is left
// of the time is the same on both.
#ifndef CURFEW_STOP_DEADLINE_TEXT_HPP
#define CURFEW_STOP_DEADLINE_TEXT_HPP

#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/detail/handle.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

CURFEW_BEGIN

/// At most eight digits and a unit: H, M, S, m (milliseconds), u, n. "250m" is a quarter of a
/// second. (The grammar is that of "gRPC over HTTP2", Timeout.)
///
/// The far side is never given more time than there is: what eight digits cannot hold is rounded
/// down, which takes less than a hundred-thousandth away, and nothing below 0.1 s. Of the units
/// that say the same it is the largest. No time, or less than none, is "0n"; the longest duration
/// of any type means never, and that is no text at all.
template <class Rep, class Period>
[[nodiscard]] std::string to_timeout_text(std::chrono::duration<Rep, Period> left);

/// What the token has left, on its own clock; "" when it has no deadline: then the far side is told
/// nothing. A token that is stopped has nothing left, "0n": better not to call at all then, since
/// gRPC's grammar has no zero, and some receivers (grpc-dotnet) take it for no deadline. The time
/// on the wire is the receiver's loss; who knows it subtracts it first. Does not allocate where
/// strings of 9 characters do not.
[[nodiscard]] inline std::string timeout_text(const detail::token_base& token);

/// The other way: nothing if the text is not exactly of that form, so nothing for "" either. What
/// the clock cannot hold is its longest duration, which means never. For the receiver:
///
///     if (auto left = curfew::parse_timeout(header)) curfew::stop_source call(server, *left);
[[nodiscard]] constexpr std::optional<time_source::duration> parse_timeout(
    std::string_view text) noexcept;

// --- bodies -------------------------------------------------------------------------------------

namespace detail {

/// In the clock's ticks, rounded down; what is negative or no number is zero.
template <class Rep, class Period>
[[nodiscard]] constexpr clock_duration whole_ticks(std::chrono::duration<Rep, Period> d) noexcept {
  using wide = std::chrono::duration<long double, clock_duration::period>;
  const clock_duration up = saturate(d);
  if (up <= clock_duration::zero()) return clock_duration::zero();
  return wide(up) > std::chrono::duration_cast<wide>(d) ? up - clock_duration(1) : up;
}

/// A unit, and how many of it are one of the next.
struct timeout_unit {
  char letter;
  std::uint64_t in_next;
};
inline constexpr timeout_unit timeout_units[] = {{'n', 1000}, {'u', 1000}, {'m', 1000},
                                                 {'S', 60},   {'M', 60},   {'H', 0}};
inline constexpr std::uint64_t most_in_timeout = 99'999'999;

/// Whether `count` of the unit is to be told in the next one: it is too long, or says the same.
[[nodiscard]] constexpr bool moves_on(const timeout_unit& unit, std::uint64_t count) noexcept {
  return unit.in_next != 0 && (count > most_in_timeout || count % unit.in_next == 0);
}

[[nodiscard]] inline std::string timeout_text_of(std::uint64_t nanoseconds) {
  const timeout_unit* unit = timeout_units;
  std::uint64_t count = nanoseconds;
  while (count != 0 && moves_on(*unit, count)) count /= (unit++)->in_next;
  char text[9];
  char* first = text + sizeof text;
  *--first = unit->letter;
  do *--first = static_cast<char>('0' + count % 10);
  while ((count /= 10) != 0);
  return std::string(first, text + sizeof text);
}

/// The digits' value; nothing if one of them is none.
[[nodiscard]] constexpr std::optional<std::int64_t> digits_value(std::string_view digits) noexcept {
  std::int64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace detail

template <class Rep, class Period>
std::string to_timeout_text(std::chrono::duration<Rep, Period> left) {
  const auto ticks = detail::whole_ticks(left);
  if (ticks == (detail::clock_duration::max)()) return {};
  const auto whole = std::chrono::duration_cast<std::chrono::nanoseconds>(ticks);
  return detail::timeout_text_of(static_cast<std::uint64_t>(whole.count()));
}

inline std::string timeout_text(const detail::token_base& token) {
  const auto left = token.remaining();
  if (token.stop_requested()) return "0n";
  return to_timeout_text(left);
}

constexpr std::optional<time_source::duration> parse_timeout(std::string_view text) noexcept {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  const auto value = detail::digits_value(text.substr(0, text.size() - 1));
  if (!value) return std::nullopt;
  switch (text.back()) {
    case 'H': return detail::saturate(std::chrono::hours(*value));
    case 'M': return detail::saturate(std::chrono::minutes(*value));
    case 'S': return detail::saturate(std::chrono::seconds(*value));
    case 'm': return detail::saturate(std::chrono::milliseconds(*value));
    case 'u': return detail::saturate(std::chrono::microseconds(*value));
    case 'n': return detail::saturate(std::chrono::nanoseconds(*value));
    default: return std::nullopt;
  }
}

CURFEW_END

#endif
