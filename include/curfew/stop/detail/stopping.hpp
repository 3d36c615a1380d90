// SPDX-License-Identifier: BSL-1.0
//
// What happens to contexts: they are stopped, expire, are noticed late, or can no longer be
// stopped; callbacks come and go meanwhile.
#ifndef CURFEW_STOP_DETAIL_STOPPING_HPP
#define CURFEW_STOP_DETAIL_STOPPING_HPP

#include <curfew/stop/detail/firing.hpp>

#include <atomic>
#include <cstdint>

CURFEW_BEGIN
namespace detail {

inline constexpr stop_reason deadline_reason{stop_cause::deadline, 0, 0, -1};

// --- walking a tree -----------------------------------------------------------------------------

inline void arrive(context& c, link& l) noexcept {
  if ((own_bits(c) & linked_bit) != 0) static_cast<linked_context&>(c).arrival = &l;
}

[[nodiscard]] inline link* arrival(context& c) noexcept {
  return (own_bits(c) & linked_bit) != 0 ? static_cast<linked_context&>(c).arrival : &c;
}

/// From `l` on, the first sibling that the visitor enters and that has children; it comes locked.
/// Those without are left again on the way.
template <class Visitor>
[[nodiscard]] context* enter_next(link* l, Visitor& visitor) noexcept {
  for (; l != nullptr; l = l->next) {
    context& c = l->child();
    c.lock.lock();
    if (visitor.enter(c)) {
      if (c.children != nullptr) {
        arrive(c, *l);
        return &c;
      }
      visitor.leave(c);
    }
    c.lock.unlock();
  }
  return nullptr;
}

/// Visits the contexts from `top` down: enter() on the way down, where false passes over all that
/// is below, leave() on the way up, both under the context's lock; the locks of the whole path are
/// held. Nothing on the path can go away, since leaving takes the parent's lock. A loop, not a
/// recursion. `top` must be kept alive by the caller until its lock is let go, and not longer.
template <class Visitor>
void walk(context& top, Visitor& visitor) noexcept {
  top.lock.lock();
  if (!visitor.enter(top)) return top.lock.unlock();
  context* c = &top;
  link* next = c->children;
  for (;;) {
    if (context* child = enter_next(next, visitor)) {
      c = child;
      next = c->children;
      continue;
    }
    link* const via = c == &top ? nullptr : arrival(*c);
    visitor.leave(*c);
    c->lock.unlock();
    if (via == nullptr) return;
    c = via->parent();
    next = via->next;
  }
}

/// Stores more bits and wakes who parks on the word. Waiters set their bit under the same lock, so
/// either it is seen here, or they see the new bits before they park.
inline void publish(context& c, std::uint32_t more) noexcept {
  const std::uint32_t old = own_bits(c);
  c.state.store(old | more, std::memory_order_release);
  if ((old & waiters_bit) != 0) unpark_all(c.state);
}

/// The reason first: the bits publish it.
inline void latch(context& c, const stop_reason& reason, std::uint32_t more = 0) noexcept {
  c.reason_code = reason.code;
  c.reason_pid = reason.pid;
  c.reason_uid = reason.uid;
  publish(c, stopped_bit | static_cast<std::uint32_t>(reason.cause) << cause_shift | more);
}

[[nodiscard]] inline bool has_deadline(const context& c) noexcept {
  return c.deadline != (clock_time_point::max)();
}

[[nodiscard]] inline bool past_deadline(const context& c) noexcept {
  return has_deadline(c) && c.time->now() >= c.deadline;
}

/// The first part of a stop: latches everything below, collects what has callbacks. A descendant
/// whose own deadline, earlier than that of the top, has passed unnoticed, is told that instead.
struct stop_visitor {
  const stop_reason& reason;
  fire_queue& queue;
  std::uint32_t skip;         // of the top: what makes this stop come second
  clock_time_point deadline;  // the top's
  bool won = false;
  clock_time_point now = (clock_time_point::min)();  // read at the first earlier deadline

  bool late(const context& c) noexcept {
    if (c.deadline >= deadline) return false;
    if (now == (clock_time_point::min)()) now = c.time->now();
    return now >= c.deadline;
  }
  bool enter(context& c) noexcept {
    const std::uint32_t b = own_bits(c);
    if ((b & skip) != 0) return false;
    skip = collected_bit;
    won = true;
    if ((b & stopped_bit) != 0) {
      publish(c, collected_bit);
    } else {
      latch(c, late(c) ? deadline_reason : reason, collected_bit);
    }
    return true;
  }
  void leave(context& c) noexcept {
    if (c.callbacks != nullptr) queue.push(c);
  }
};

/// Latches only; the timer comes by later to collect.
struct latch_visitor {
  bool enter(context& c) noexcept {
    if ((own_bits(c) & stopped_bit) != 0) return false;
    latch(c, deadline_reason);
    return true;
  }
  void leave(context&) noexcept {}
};

// --- deadlines ----------------------------------------------------------------------------------

/// The topmost context whose own deadline this one's is.
[[nodiscard]] inline context& deadline_owner(context& c) noexcept {
  context* owner = &c;
  for (context* next = owner; next != nullptr;) {
    owner = next;
    next = nullptr;
    for_each_link(*owner, [&next, owner](link& l) noexcept {
      if (l.parent()->deadline == owner->deadline) next = l.parent();
    });
  }
  return *owner;
}

/// Whoever notices a passed deadline before the timer does latches it, so that from then on
/// everybody says so; running callbacks is left to the timer. True: stopped.
inline bool stopped_or_late(context& c) noexcept {
  if (stopped(c)) return true;
  if (!past_deadline(c)) return false;
  latch_visitor latch;
  walk(deadline_owner(c), latch);
  return true;
}

/// The timer's part: latches and collects a context that it has pinned.
inline void expire(context& c, fire_queue& queue) noexcept {
  stop_visitor visitor{deadline_reason, queue, collected_bit, c.deadline};
  walk(c, visitor);
}

// --- asking for a stop --------------------------------------------------------------------------

/// False if it is stopped already, or its deadline has passed.
inline bool request_stop(context& c, const stop_reason& reason) noexcept {
  if (stopped_or_late(c)) return false;
  fire_queue queue;
  stop_visitor visitor{reason, queue, stopped_bit, c.deadline};
  walk(c, visitor);
  fire_all(queue);
  return visitor.won;
}

// --- becoming impossible to stop ----------------------------------------------------------------

[[nodiscard]] inline bool possible(const context& c) noexcept {
  return (bits(c) & (stopped_bit | impossible_bit)) != impossible_bit;
}

/// Nobody is left who could stop it. Each of the three only ever goes one way. Its last source and
/// its parents leave from different threads: both take the context's lock after their own step, so
/// whichever comes second sees the other's.
[[nodiscard]] inline bool hopeless(context& c) noexcept {
  if (has_deadline(c) && (own_bits(c) & waiting_bit) == 0) return false;
  if (c.sources.load(std::memory_order_acquire) != 0) return false;
  // Its last owner is on the way out, and parents that it has left may be gone. That owner made it
  // 0 under the lock that is held here.
  if (!is_inplace(c) && c.owners.load(std::memory_order_relaxed) == 0) return false;
  bool any_parent = false;
  for_each_link(c, [&any_parent](link& l) noexcept { any_parent |= possible(*l.parent()); });
  return !any_parent;
}

struct give_up_visitor {
  bool enter(context& c) noexcept {
    if ((own_bits(c) & (stopped_bit | impossible_bit)) != 0 || !hopeless(c)) return false;
    publish(c, impossible_bit);
    return true;
  }
  void leave(context&) noexcept {}
};

/// Nobody has the context but this one source, and so nobody can come to have it, but for a timer.
[[nodiscard]] inline bool sole_owner(const context& c) noexcept {
  return c.sources.load(std::memory_order_acquire) == 1 &&
         c.owners.load(std::memory_order_acquire) == first_owners;
}

/// Asked by a sole owner, so that the answer "no" lasts. Whoever added a dependant held a token
/// then; the release of that token makes their bit visible here. Who goes just now is out of the
/// lock when it is free.
[[nodiscard]] inline bool has_dependants(context& c) noexcept {
  if ((own_bits(c) & had_dependant_bit) == 0) return false;
  const spin_guard guard(c.lock);
  return c.dependants != 0;
}

/// The end of a context that only its one source knows: without counting down. False: others know
/// it, or a timer has pinned it.
[[nodiscard]] inline bool end_alone(context& c) noexcept {
  if (!sole_owner(c) || has_dependants(c)) return false;
  disarm(c);
  if (!sole_owner(c)) return false;
  bury_disarmed(c);
  return true;
}

CURFEW_SELDOM inline void release_shared_source(context& c) noexcept {
  if (c.sources.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  give_up_visitor give_up;
  walk(c, give_up);
  release(c);
}

inline void release_source(context& c) noexcept {
  if (!end_alone(c)) release_shared_source(c);
}

// --- callbacks ----------------------------------------------------------------------------------

enum class registration { registered, stopped, impossible };

/// Either the stop sees the callback and runs it, or the callback sees the stop. When it does, the
/// lock has been free since, so everything below is stopped too. The caller keeps `c` alive; from
/// here on the callback does.
[[nodiscard]] inline registration register_callback(callback_base& cb, context& c) noexcept {
  if (!possible(c)) return registration::impossible;
  const spin_guard guard(c.lock);
  if ((own_bits(c) & stopped_bit) != 0) return registration::stopped;
  cb.home = &c;
  cb.next = c.callbacks;
  cb.slot = &c.callbacks;
  if (cb.next != nullptr) cb.next->slot = &cb.next;
  c.callbacks = &cb;
  add_dependant(c);
  return registration::registered;
}

/// What was found of a callback that is to be removed, under its context's lock.
enum class removal { done, running_here, running_elsewhere };

[[nodiscard]] inline removal look_for(callback_base& cb, context& c) noexcept {
  if (cb.slot != nullptr) {
    unlink_callback(cb);
    return removal::done;
  }
  if ((own_bits(c) & firing_bit) == 0 || c.firing->running != &cb) return removal::done;
  return c.firing->thread == this_thread() ? removal::running_here : removal::running_elsewhere;
}

/// Forgets the callback, and its home if nobody else is left there, unless it is running; then a
/// `waiter` is told when it is done.
inline removal try_remove_callback(callback_base& cb, std::atomic<std::uint32_t>* waiter) noexcept {
  if (cb.home == nullptr) return removal::done;
  context& c = *cb.home;
  c.lock.lock();
  const removal found = look_for(cb, c);
  if (found == removal::running_elsewhere && waiter != nullptr) c.firing->waiter = waiter;
  const bool last = found == removal::done && drop_dependant(c);
  c.lock.unlock();
  if (found == removal::done) cb.home = nullptr;
  if (last) bury(c);
  return found;
}

/// Afterwards the callback is not running on another thread and will not be started. From inside
/// the callback itself it does not wait; then it stays registered, so that a later removal by
/// another thread knows what to wait for.
inline removal remove_callback(callback_base& cb) noexcept {
  std::atomic<std::uint32_t> done{0};
  const removal found = try_remove_callback(cb, &done);
  if (found != removal::running_elsewhere) return found;
  while (done.load(std::memory_order_acquire) == 0) park(done, 0);
  return try_remove_callback(cb, nullptr);
}

/// The same for the end of the callback's life, which may come inside the callback. Then whoever
/// fires keeps the context alive.
inline void end_callback(callback_base& cb) noexcept {
  if (remove_callback(cb) != removal::running_here) return;
  const spin_guard guard(cb.home->lock);
  static_cast<void>(drop_dependant(*cb.home));
}

}  // namespace detail
CURFEW_END

#endif
