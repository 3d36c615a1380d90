// SPDX-License-Identifier: BSL-1.0
//
// Waiting for a stop: the waiter parks on the context's own state word.
#ifndef CURFEW_STOP_DETAIL_WAITING_HPP
#define CURFEW_STOP_DETAIL_WAITING_HPP

#include <curfew/stop/detail/creating.hpp>

CURFEW_BEGIN
namespace detail {

/// Sets the waiters' bit and returns the word to park on.
[[nodiscard]] inline std::uint32_t announce_waiter(context& c) noexcept {
  const spin_guard guard(c.lock);
  const std::uint32_t b = own_bits(c) | waiters_bit;
  c.state.store(b, std::memory_order_release);
  return b;
}

/// Until it is stopped (true), or can no longer be, or the limit passes on the steady clock.
inline bool wait(context& c, clock_time_point limit = (clock_time_point::max)()) noexcept {
  for (;;) {
    if (stopped_or_late(c)) return true;
    if (!possible(c)) return false;
    const std::uint32_t b = announce_waiter(c);
    if ((b & (stopped_bit | impossible_bit)) != 0) continue;
    if (limit == (clock_time_point::max)()) {
      park(c.state, b);
    } else if (!park_until(c.state, b, limit)) {
      return stopped_or_late(c);
    }
  }
}

/// On any other time source the limit is a deadline like any: that of a child on this stack, which
/// has no source and so is given up when its parent is. One that hangs itself on a parent that was
/// given up before is not told.
inline bool wait_on_child(context& c, clock_time_point until) {
  inplace_context child(*c.time);
  child.sources.store(0, std::memory_order_relaxed);
  child.state.store(own_bits(child) | waiting_bit, std::memory_order_relaxed);
  std::error_code ec;
  begin_life(child, &c, limit(*c.time, until), ec);
  if (!ec && possible(c)) wait(child);
  end_life(child);
  if (ec)
    throw_error_code(ec,
                     "cannot wait with a limit: a clock other than the process's arms a timer for "
                     "it; see what its time source says");
  return stopped_or_late(c);
}

inline bool wait_until(context& c, clock_time_point limit) {
  if (limit == (clock_time_point::max)() || clocks::steady(*c.time)) return wait(c, limit);
  if (!possible(c)) return false;
  return wait_on_child(c, limit);
}

}  // namespace detail
CURFEW_END

#endif
