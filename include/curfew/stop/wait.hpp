// SPDX-License-Identifier: BSL-1.0
//
// Waiting on a condition variable, a lock, a token and a predicate, without lost wakeups.
#ifndef CURFEW_STOP_WAIT_HPP
#define CURFEW_STOP_WAIT_HPP

#include <curfew/stop/detail/park.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>

CURFEW_BEGIN

/// Returns once pred() is true or the token is stopped, with what pred() says then. `lock` is held
/// on entry, whenever pred is called, and on return; it is free while the thread sleeps. Whoever
/// changes what pred looks at holds the lock meanwhile and notifies `cv`, as always.
///
/// A stop is asked for by any thread at any moment, also by one that holds the waiter's lock: the
/// stop never takes the user's lock, and never waits for a thread that wants it. It wakes all
/// waiters of `cv`; those with other tokens look at their predicate and sleep on.
///
/// With std::condition_variable_any, or any condition variable whose wait() takes every kind of
/// lock, no wakeup is lost and nothing polls. This is the one to use. std::condition_variable does
/// not let anyone see when its waiter has fallen asleep: there the stop notifies several times, and
/// a waiter that slept past all of them looks again within 100 ms; it wakes that often while idle.
///
/// Token: any that is stoppable. An exception from pred or from the lock leaves through the wait.
template <class Cv, class Lock, stoppable_token Token, class Pred>
bool wait(Cv& cv, Lock& lock, Token token, Pred pred);

/// The same with a limit, on the token's clock: returns when that time has passed, too. A duration
/// that has no place on the clock means never, one that is not positive means now. Throws
/// std::system_error when the clock cannot start its timer.
template <class Cv, class Lock, stoppable_token Token, class Rep, class Period, class Pred>
bool wait_for(Cv& cv, Lock& lock, Token token, std::chrono::duration<Rep, Period> timeout,
              Pred pred);

/// The same until a time point of the steady clock.
template <class Cv, class Lock, stoppable_token Token, class Duration, class Pred>
bool wait_until(Cv& cv, Lock& lock, Token token,
                std::chrono::time_point<std::chrono::steady_clock, Duration> limit, Pred pred);

namespace detail {

/// Where a waiter is, for its stop callback. Bits of the word:
///   entering  the waiter is between its last look at the token and its sleep
///   ringing   the stop has come; who enters now must not sleep
/// Each side sets its own bit and reads the other's in one step, so that one of them is seen.
class doorway {
 public:
  /// False: the stop has come. Both ways, leave() follows.
  [[nodiscard]] bool enter() noexcept {
    return (word_.fetch_or(entering, std::memory_order_acq_rel) & ringing) == 0;
  }
  void leave() noexcept {
    const auto before = word_.fetch_and(~entering, std::memory_order_acq_rel);
    if (before == (entering | ringing)) unpark_all(word_);
  }
  /// Whether somebody stands in the doorway.
  bool ring() noexcept {
    return (word_.fetch_or(ringing, std::memory_order_acq_rel) & entering) != 0;
  }
  [[nodiscard]] bool clear() const noexcept {
    return (word_.load(std::memory_order_acquire) & entering) == 0;
  }
  void await_clear() noexcept {
    while (!clear()) park(word_, entering | ringing);
  }

 private:
  static constexpr std::uint32_t entering = 1;
  static constexpr std::uint32_t ringing = 2;
  std::atomic<std::uint32_t> word_{0};
};

/// In the doorway for its own life at the longest.
class doorway_entry {
 public:
  explicit doorway_entry(doorway& door) noexcept : door_(door), may_sleep_(door.enter()) {}
  doorway_entry(const doorway_entry&) = delete;
  doorway_entry& operator=(const doorway_entry&) = delete;
  ~doorway_entry() { door_.leave(); }
  [[nodiscard]] bool may_sleep() const noexcept { return may_sleep_; }

 private:
  doorway& door_;
  bool may_sleep_;
};

/// The user's lock as the condition variable sees it: it is released together with the doorway.
/// wait() lets nobody notify between that and the sleep, so who finds the doorway clear and then
/// notifies, wakes the sleeper.
template <class Lock>
class doorway_lock {
 public:
  doorway_lock(doorway& door, Lock& lock) noexcept : door_(door), lock_(lock) {}
  void lock() { lock_.lock(); }
  void unlock() {
    door_.leave();
    lock_.unlock();
  }

 private:
  doorway& door_;
  Lock& lock_;
};

template <class Cv, class Lock>
concept waits_with_any_lock = requires(Cv& cv, doorway_lock<Lock>& lock) {
  cv.wait(lock);
};

inline constexpr std::chrono::milliseconds wait_slice{100};

template <class Cv, class Lock>
void sleep_in(Cv& cv, Lock& lock, doorway& door) {
  const doorway_entry here(door);
  if (!here.may_sleep()) return;
  if constexpr (waits_with_any_lock<Cv, Lock>) {
    doorway_lock<Lock> both(door, lock);
    cv.wait(both);
  } else {
    cv.wait_for(lock, wait_slice);
  }
}

/// The stop callback. The waiter that stands in the doorway needs nothing that the stopping thread
/// may hold to get out of it; where it leaves only after its sleep, that is not so, and the
/// callback may not wait for it.
template <class Cv, bool WakeIsCertain>
struct doorway_bell {
  Cv& cv;
  doorway& door;

  void operator()() const noexcept {
    const bool occupied = door.ring();
    if constexpr (WakeIsCertain) {
      if (occupied) door.await_clear();
      cv.notify_all();
    } else if (occupied) {
      notify_repeatedly();
    }
  }
  void notify_repeatedly() const noexcept {
    for (unsigned round = 0; round < 16 && !door.clear(); ++round) {
      cv.notify_all();
      relax(round);
    }
  }
};

template <class Cv, class Lock, class Pred>
bool wait_unstoppably(Cv& cv, Lock& lock, Pred& pred) {
  while (!pred()) cv.wait(lock);
  return true;
}

/// Limit: a duration or a point of time.
template <class Token, class Limit>
[[nodiscard]] inplace_stop_source limited(const Token& parent, Limit limit) {
  if constexpr (unstoppable_token<Token>) {
    return inplace_stop_source(limit);
  } else {
    return inplace_stop_source(parent, limit);
  }
}

}  // namespace detail

template <class Cv, class Lock, stoppable_token Token, class Pred>
bool wait(Cv& cv, Lock& lock, Token token, Pred pred) {
  if (!token.stop_possible()) return detail::wait_unstoppably(cv, lock, pred);
  if (token.stop_requested()) return pred();
  using bell = detail::doorway_bell<Cv, detail::waits_with_any_lock<Cv, Lock>>;
  detail::doorway door;
  const stop_callback_for_t<Token, bell> on_stop(token, bell{cv, door});
  while (!token.stop_requested()) {
    if (pred()) return true;
    detail::sleep_in(cv, lock, door);
  }
  return pred();
}

template <class Cv, class Lock, stoppable_token Token, class Rep, class Period, class Pred>
bool wait_for(Cv& cv, Lock& lock, Token token, std::chrono::duration<Rep, Period> timeout,
              Pred pred) {
  const inplace_stop_source child = detail::limited(token, timeout);
  return curfew::wait(cv, lock, child.get_token(), std::move(pred));
}

template <class Cv, class Lock, stoppable_token Token, class Duration, class Pred>
bool wait_until(Cv& cv, Lock& lock, Token token,
                std::chrono::time_point<std::chrono::steady_clock, Duration> limit, Pred pred) {
  const inplace_stop_source child = detail::limited(token, limit);
  return curfew::wait(cv, lock, child.get_token(), std::move(pred));
}

CURFEW_END

#endif
