// SPDX-License-Identifier: BSL-1.0
//
// How contexts begin: their time source, their parents, their deadline; and how inplace ones end.
#ifndef CURFEW_STOP_DETAIL_CREATING_HPP
#define CURFEW_STOP_DETAIL_CREATING_HPP

#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/detail/stopping.hpp>

#include <chrono>
#include <new>
#include <system_error>

CURFEW_BEGIN
namespace detail {

/// A deadline asked for, and whether it had passed already when it was.
struct time_limit {
  clock_time_point at = (clock_time_point::max)();
  bool passed = false;
};

template <class Duration>
[[nodiscard]] time_limit limit(
    const time_source& t,
    std::chrono::time_point<std::chrono::steady_clock, Duration> deadline) noexcept {
  const clock_time_point at = saturate(deadline);
  return {at, at != (clock_time_point::max)() && t.now() >= at};
}

template <class Rep, class Period>
[[nodiscard]] time_limit limit(const time_source& t,
                               std::chrono::duration<Rep, Period> timeout) noexcept {
  const clock_duration d = saturate(timeout);
  if (d == (clock_duration::max)()) return {};
  return {saturating_add(t.now(), d), d <= clock_duration::zero()};
}

/// A duration of any type, or a time point of steady_clock; those of other clocks do not compile.
template <class T>
concept time_or_duration = requires(const time_source& s, T t) {
  detail::limit(s, t);
};

/// Stops a context that has neither callbacks nor children yet.
inline void stop_newborn(context& c, const stop_reason& reason) noexcept {
  const spin_guard guard(c.lock);
  if ((own_bits(c) & stopped_bit) != 0) return;
  latch(c, reason, collected_bit);
}

/// Under its own deadline, if that is earlier than the parent's. False: it has passed. With an
/// error the context has no deadline of its own.
[[nodiscard]] inline bool begin_time(context& c, time_limit own, std::error_code& ec) noexcept {
  const clock_time_point inherited = c.deadline;
  if (own.at < inherited) c.deadline = own.at;
  if (own.passed) return false;
  if (own.at >= inherited) return true;
  c.state.store(own_bits(c) | timed_bit, std::memory_order_relaxed);
  if (clocks::arm(*c.time, c, ec)) return true;
  if (!ec) return false;
  c.deadline = inherited;
  return true;
}

/// The second step of every context's life. The timer first: only until it is hung below its parent
/// can a context still change its deadline.
inline void begin_life(context& c, context* parent, time_limit own, std::error_code& ec) noexcept {
  if (parent != nullptr) c.deadline = parent->deadline;
  const bool in_time = begin_time(c, own, ec);
  if (parent != nullptr && !hang(c, *parent)) return stop_newborn(c, reason_of(*parent));
  if (!in_time) stop_newborn(c, deadline_reason);
}

inline void begin_life(inplace_context& c, context* parent, time_limit own,
                       std::error_code& ec) noexcept {
  c.armed_by = this_thread();
  begin_life(static_cast<context&>(c), parent, own, ec);
}

[[nodiscard]] inline context* new_context(time_source& t, context* parent, time_limit own,
                                          std::error_code& ec) {
  auto* const c = new context(t, 0, first_owners);
  begin_life(*c, parent, own, ec);
  if (!ec) return c;
  release(*c);
  return nullptr;
}

inline constexpr const char* no_timer_thread =
    "cannot start the thread that deadlines need: one serves them all; raise the limit of threads, "
    "or make a context with a deadline early on";

[[nodiscard]] inline context* new_context(time_source& t, context* parent = nullptr,
                                          time_limit own = {}) {
  std::error_code ec;
  context* const c = new_context(t, parent, own, ec);
  if (ec) throw_error_code(ec, no_timer_thread);
  return c;
}

// --- linked contexts ----------------------------------------------------------------------------

[[nodiscard]] inline linked_context* allocate_linked(time_source& t, std::uint32_t count) {
  static_assert(sizeof(linked_context) % alignof(far_link) == 0);
  void* const block = ::operator new(sizeof(linked_context) + count * sizeof(far_link));
  auto* const c = new (block) linked_context(t, count);
  for (std::uint32_t i = 0; i < count; ++i) new (c->links() + i) far_link(*c);
  return c;
}

/// A context below several parents: in `parents` null stands for one that can never stop.
[[nodiscard]] inline context* new_linked(time_source& t, context* const* parents,
                                         std::uint32_t count) {
  linked_context* const c = allocate_linked(t, count);
  for (std::uint32_t i = 0; i < count; ++i)
    if (parents[i] != nullptr && parents[i]->deadline < c->deadline)
      c->deadline = parents[i]->deadline;
  for (std::uint32_t i = 0; i < count && !stopped(*c); ++i)
    if (parents[i] != nullptr && !hang(c->links()[i], *parents[i]))
      stop_newborn(*c, reason_of(*parents[i]));
  return c;
}

// --- inplace contexts ---------------------------------------------------------------------------

/// Out of its queue if it is in one; it is not, or no longer, being fired by this thread.
inline void leave_queue(inplace_context& c) noexcept {
  const spin_guard guard(c.lock);
  if (c.queue != nullptr) c.queue->withdraw(c);
  if ((own_bits(c) & firing_bit) != 0 && c.firing->thread == this_thread())
    fatal(
        "an inplace_stop_source was destroyed inside one of its own stop callbacks, which it has "
        "to wait for; "
        "let it outlive the callback, or use a stop_source");
}

/// The pins' decrements pair with these acquire loads; the last of them wakes who parked.
inline void wait_for_pins(inplace_context& c) noexcept {
  std::atomic<std::uint32_t>& pins = c.owners;
  if (pins.load(std::memory_order_acquire) == 0) return;
  std::uint32_t n = pins.fetch_or(dying_bit, std::memory_order_acq_rel) | dying_bit;
  while (n != dying_bit) {
    park(pins, n);
    n = pins.load(std::memory_order_acquire);
  }
}

/// Waits for a stop on its way through the context and for its firing, never for another's: it
/// takes itself out of a queue in which it waits its turn.
inline void end_life(inplace_context& c) noexcept {
  context* dead = nullptr;
  disarm(c);
  leave_parents(c, dead);
  bury_all(dead);
  if (stopped(c)) leave_queue(c);
  wait_for_pins(c);
}

}  // namespace detail
CURFEW_END

#endif
