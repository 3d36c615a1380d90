// SPDX-License-Identifier: BSL-1.0
//
// A clock for tests: it stands still until it is advanced, and then everything that becomes due
// happens at once, in order, on the thread that advances it. No test needs to sleep.
#ifndef CURFEW_TESTING_MANUAL_CLOCK_HPP
#define CURFEW_TESTING_MANUAL_CLOCK_HPP

#include <curfew/stop/detail/timing_wheel.hpp>
#include <curfew/stop/stop_token.hpp>

#include <atomic>
#include <chrono>
#include <system_error>

CURFEW_BEGIN

/// A time source for the roots of a test. It outlives every context built on it.
///
/// Thread safety: now() and everything that contexts do may come from any thread; advance() from
/// one thread at a time, also from inside a callback that it runs.
class manual_clock final : public time_source {
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
  inline bool arm(detail::timer_entry& e, std::error_code&) noexcept override;
  void disarm(detail::timer_entry& e) noexcept override {
    const detail::spin_guard guard(lock_);
    if (e.slot != nullptr) detail::unlink_timer(e);
  }
  bool step(time_point target) noexcept;
  void bring_near(time_point target) noexcept;
  void move_due() noexcept;

  std::atomic<duration::rep> now_;
  detail::spin_lock lock_;  // guards all below
  detail::timing_wheel wheel_;
  detail::timer_entry* near_ = nullptr;  // all before those in the wheel, in no order
  detail::timer_entry* due_ = nullptr;
};

inline void manual_clock::advance_to(time_point target) noexcept {
  while (step(target)) {
    detail::fire_queue queue;
    detail::expire_due(lock_, due_, queue);
    detail::fire_all(queue);
  }
}

// Another thread may have advanced past the deadline since its context looked at the clock.
inline bool manual_clock::arm(detail::timer_entry& e, std::error_code&) noexcept {
  const detail::spin_guard guard(lock_);
  if (e.deadline <= now()) return false;
  if (detail::timing_wheel::tick_of(e.deadline) <= wheel_.base()) {
    detail::link_timer(e, near_);
  } else {
    wheel_.insert(e);
  }
  return true;
}

/// To the next deadline, or to the target if there is none before it: then false.
inline bool manual_clock::step(time_point target) noexcept {
  const detail::spin_guard guard(lock_);
  bring_near(target);
  time_point next = (time_point::max)();
  for (const auto* e = near_; e != nullptr; e = e->next)
    if (e->deadline < next) next = e->deadline;
  const bool due = near_ != nullptr && next <= target;
  const time_point to = due ? next : target;
  if (to > now()) now_.store(to.time_since_epoch().count(), std::memory_order_release);
  move_due();
  return due;
}

/// Has the first entries of the wheel in `near_`, if there are any up to the target.
inline void manual_clock::bring_near(time_point target) noexcept {
  const auto last = detail::timing_wheel::tick_of(target);
  for (auto next = wheel_.next(); near_ == nullptr && next <= last; next = wheel_.next())
    wheel_.advance(next, near_);
}

inline void manual_clock::move_due() noexcept {
  for (detail::timer_entry* e = near_; e != nullptr;) {
    detail::timer_entry* const next = e->next;
    if (e->deadline <= now()) {
      detail::unlink_timer(*e);
      detail::link_timer(*e, due_);
    }
    e = next;
  }
}

CURFEW_END

#endif
