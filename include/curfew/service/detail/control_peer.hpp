// SPDX-License-Identifier: BSL-1.0
//
// Whom a control endpoint talks to, and how a piece of the talk ends; for its backends.
#ifndef CURFEW_SERVICE_DETAIL_CONTROL_PEER_HPP
#define CURFEW_SERVICE_DETAIL_CONTROL_PEER_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/duration.hpp>

#include <chrono>
#include <cstdint>
#include <string>

CURFEW_BEGIN
namespace detail {

using control_time = clock_time_point;

enum class control_io : std::uint8_t { done, rung, late, closed };

struct control_peer {
  std::int64_t pid = 0;
  std::int64_t uid = -1;
  std::string sid = {};
  bool same_user = false;
  bool administrator = false;
};

[[nodiscard]] inline control_time control_limit(clock_duration d) noexcept {
  return saturating_add(std::chrono::steady_clock::now(), d);
}

/// For the waits of the system, which take an int; who waits longer looks again.
[[nodiscard]] inline int milliseconds_until(control_time limit) noexcept {
  constexpr std::chrono::hours most(1);
  const auto left = saturating_subtract(limit, std::chrono::steady_clock::now());
  if (left <= clock_duration::zero()) return 0;
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(left < most ? left : most);
  return static_cast<int>(whole.count());
}

}  // namespace detail
CURFEW_END

#endif
