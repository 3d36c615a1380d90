// SPDX-License-Identifier: BSL-1.0
//
// The second part of a stop: running the callbacks of the contexts that the first part collected.
#ifndef CURFEW_STOP_DETAIL_FIRING_HPP
#define CURFEW_STOP_DETAIL_FIRING_HPP

#include <curfew/stop/detail/context.hpp>

#include <atomic>
#include <cstdint>

CURFEW_BEGIN
namespace detail {

/// What is known of a callback without its type.
struct callback_ops {
  void (*run)(callback_base&) noexcept;
  const char* (*name)() noexcept;  // for a message about one that holds up others
};

/// A registered callback. `next` and `slot` are guarded by the context's lock; `slot` is null from
/// the moment it is taken out to be run.
struct callback_base {
  explicit callback_base(const callback_ops& t) noexcept : type(&t) {}

  callback_base* next = nullptr;
  callback_base** slot = nullptr;
  const callback_ops* type;
  context* home = nullptr;  // null: not registered; changed by the callback's owner only
};

/// The firing of one context; stands on the firing thread's stack, guarded by the context's lock.
struct firing_frame {
  thread_id thread;
  callback_base* running = nullptr;
  std::atomic<std::uint32_t>* waiter = nullptr;  // a remove() that waits for `running`
};

/// An inplace context can also be destroyed while it is queued, so it knows its queue.
struct inplace_context;

/// The contexts whose callbacks are to be run, in order. Each is pinned: a shared one by a count,
/// an inplace one by being found here by its destructor, which takes it out.
///
/// Lock order: a context's lock, then a queue's.
class fire_queue {
 public:
  constexpr fire_queue() noexcept = default;
  fire_queue(const fire_queue&) = delete;
  fire_queue& operator=(const fire_queue&) = delete;

  void push(context& c) noexcept;              // with c.lock held
  [[nodiscard]] context* pop() noexcept;       // an inplace context comes pinned
  void withdraw(inplace_context& c) noexcept;  // with c.lock held
  [[nodiscard]] bool empty() noexcept;

  /// Around a fork; and for the child, with the lock held.
  void lock() noexcept { lock_.lock(); }
  void unlock() noexcept { lock_.unlock(); }
  void reset_context_locks() noexcept {
    for (context* c = first_; c != nullptr; c = c->next_fired) c->lock.reset();
  }

 private:
  spin_lock lock_;
  context* first_ = nullptr;
  context* last_ = nullptr;
};

struct inplace_context : context {
  constexpr explicit inplace_context(time_source& t) noexcept : context(t, inplace_bit, 0) {}

  fire_queue* queue = nullptr;  // from push to the start of firing; guarded by lock
  context* previous = nullptr;  // guarded by the queue's lock
  bool queued = false;          // guarded by the queue's lock
  thread_id armed_by = 0;       // who armed its deadline: gone in a child forked by another
};

[[nodiscard]] inline inplace_context* as_inplace(context* c) noexcept {
  return c != nullptr && is_inplace(*c) ? static_cast<inplace_context*>(c) : nullptr;
}

inline void fire_queue::push(context& c) noexcept {
  const spin_guard guard(lock_);
  c.next_fired = nullptr;
  if (inplace_context* i = as_inplace(&c)) {
    i->queue = this;
    i->previous = last_;
    i->queued = true;
  } else {
    acquire(c);  // it has callbacks, whose share keeps it alive
  }
  (last_ != nullptr ? last_->next_fired : first_) = &c;
  last_ = &c;
}

inline context* fire_queue::pop() noexcept {
  const spin_guard guard(lock_);
  context* const c = first_;
  if (c == nullptr) return nullptr;
  first_ = c->next_fired;
  if (first_ == nullptr) last_ = nullptr;
  if (inplace_context* next = as_inplace(first_)) next->previous = nullptr;
  if (inplace_context* i = as_inplace(c)) {
    i->queued = false;
    i->owners.fetch_add(1, std::memory_order_relaxed);
  }
  return c;
}

inline void fire_queue::withdraw(inplace_context& c) noexcept {
  const spin_guard guard(lock_);
  if (!c.queued) return;
  (c.previous != nullptr ? c.previous->next_fired : first_) = c.next_fired;
  if (inplace_context* next = as_inplace(c.next_fired)) next->previous = c.previous;
  if (last_ == &c) last_ = c.previous;
  c.queued = false;
}

inline bool fire_queue::empty() noexcept {
  const spin_guard guard(lock_);
  return first_ == nullptr;
}

// --- pins ---------------------------------------------------------------------------------------

/// The bit of an inplace context's `owners` that its destructor sets before it parks on the word.
inline constexpr std::uint32_t dying_bit = 0x8000'0000u;

/// For who holds no reference and knows only that the owner cannot have got past its own locks.
[[nodiscard]] inline bool try_pin(context& c) noexcept {
  if (!is_inplace(c)) return try_acquire(c);
  c.owners.fetch_add(1, std::memory_order_relaxed);
  return true;
}

// The decrement is the last access to an inplace context; a wake uses the address alone.
inline void unpin(context& c) noexcept {
  if (!is_inplace(c)) return release(c);
  std::atomic<std::uint32_t>& pins = c.owners;
  if (pins.fetch_sub(1, std::memory_order_acq_rel) == (dying_bit | 1)) unpark_all(pins);
}

// --- running ------------------------------------------------------------------------------------

inline void unlink_callback(callback_base& cb) noexcept {
  *cb.slot = cb.next;
  if (cb.next != nullptr) cb.next->slot = cb.slot;
  cb.slot = nullptr;
}

/// Tells a waiting remove() that its callback is done. The store is the last access to the waiter's
/// word, which stands on its stack.
inline void end_running(firing_frame& f) noexcept {
  f.running = nullptr;
  if (f.waiter == nullptr) return;
  std::atomic<std::uint32_t>& word = *f.waiter;
  f.waiter = nullptr;
  word.store(1, std::memory_order_release);
  unpark_all(word);
}

/// Who fires, as far as firing cares: a lock held over every access to a context but never over a
/// callback, and a look at each callback before it runs. The default needs neither.
struct plain_firing {
  void lock() noexcept {}
  void unlock() noexcept {}
  void about_to_run(const callback_base&) noexcept {}
};

inline void begin_firing(context& c, firing_frame& f) noexcept {
  if (inplace_context* i = as_inplace(&c)) i->queue = nullptr;
  c.firing = &f;
  c.state.store(own_bits(c) | firing_bit, std::memory_order_release);
}

inline void end_firing(context& c) noexcept {
  c.firing = nullptr;
  c.state.store(own_bits(c) & ~std::uint32_t{firing_bit}, std::memory_order_release);
}

/// Runs the callbacks of a pinned context, newest first. A callback may do anything to any context
/// but destroy an inplace one from inside itself; after it returns it is not touched again.
template <class Firer>
void fire_context(context& c, Firer& firer) noexcept {
  firing_frame frame{this_thread()};
  firer.lock();
  c.lock.lock();
  begin_firing(c, frame);
  while (callback_base* cb = c.callbacks) {
    unlink_callback(*cb);
    frame.running = cb;
    firer.about_to_run(*cb);
    c.lock.unlock();
    firer.unlock();
    cb->type->run(*cb);
    firer.lock();
    c.lock.lock();
    end_running(frame);
  }
  end_firing(c);
  c.lock.unlock();
  firer.unlock();
}

/// Runs the callbacks of everything in the queue, on this thread.
inline void fire_all(fire_queue& queue) noexcept {
  plain_firing firer;
  while (context* c = queue.pop()) {
    fire_context(*c, firer);
    unpin(*c);
  }
}

}  // namespace detail
CURFEW_END

#endif
