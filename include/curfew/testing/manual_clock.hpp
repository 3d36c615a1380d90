// SPDX-License-Identifier: BSL-1.0
//
// A clock for tests: it stands still until it is advanced, and then everything that becomes due
// happens at once, in order, on the thread that advances it. No test needs to sleep.
#ifndef CURFEW_TESTING_MANUAL_CLOCK_HPP
#define CURFEW_TESTING_MANUAL_CLOCK_HPP

#include <curfew/stop/stop_token.hpp>

#include <atomic>
#include <chrono>

CURFEW_BEGIN

/// A time source for the roots of a test. It outlives every context built on it.
///
/// Thread safety: now() and everything that contexts do may come from any thread; advance() from
/// one thread at a time, also from inside a callback that it runs.
class manual_clock : public time_source {
 public:
  /// Begins a day after the epoch, so that there is room before it.
  manual_clock() noexcept : manual_clock(time_point(std::chrono::hours(24))) {}
  explicit manual_clock(time_point start) noexcept : now_(start.time_since_epoch().count()) {}

  [[nodiscard]] time_point now() const noexcept override {
    return time_point(duration(now_.load(std::memory_order_acquire)));
  }

  /// Moves on, stopping at each deadline on the way: there now() is that deadline, all contexts due
  /// are latched and waiters woken, then their callbacks run. A negative duration does nothing.
  template <class Rep, class Period>
  void advance(std::chrono::duration<Rep, Period> d) noexcept {
    advance_to(detail::saturating_add(now(), detail::saturate(d)));
  }
  void advance_to(time_point target) noexcept;

 private:
  void arm(detail::timer_entry& e, std::error_code&) noexcept override {
    const detail::spin_guard guard(lock_);
    detail::link_timer(e, armed_);
  }
  void disarm(detail::timer_entry& e) noexcept override {
    const detail::spin_guard guard(lock_);
    if (e.slot != nullptr) detail::unlink_timer(e);
  }
  bool step(time_point target) noexcept;
  [[nodiscard]] time_point earliest() const noexcept;
  void move_due(time_point t) noexcept;

  std::atomic<duration::rep> now_;
  detail::spin_lock lock_;
  detail::timer_entry* armed_ = nullptr;  // in no order; guarded by lock_
  detail::timer_entry* due_ = nullptr;    // guarded by lock_
};

inline void manual_clock::advance_to(time_point target) noexcept {
  while (step(target)) {
    detail::fire_queue queue;
    detail::expire_due(lock_, due_, queue);
    detail::fire_all(queue);
  }
}

/// To the next deadline, or to the target if there is none before it: then false.
inline bool manual_clock::step(time_point target) noexcept {
  const detail::spin_guard guard(lock_);
  const time_point next = earliest();
  const bool due = next <= target;
  const time_point to = due ? next : target;
  if (to > now()) now_.store(to.time_since_epoch().count(), std::memory_order_release);
  if (due) move_due(to);
  return due;
}

inline time_source::time_point manual_clock::earliest() const noexcept {
  time_point first = time_point::max();
  for (const auto* e = armed_; e != nullptr; e = e->next)
    if (e->deadline < first) first = e->deadline;
  return first;
}

inline void manual_clock::move_due(time_point t) noexcept {
  for (detail::timer_entry* e = armed_; e != nullptr;) {
    detail::timer_entry* const next = e->next;
    if (e->deadline <= t) {
      detail::unlink_timer(*e);
      detail::link_timer(*e, due_);
    }
    e = next;
  }
}

CURFEW_END

#endif
