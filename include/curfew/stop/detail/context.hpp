// SPDX-License-Identifier: BSL-1.0
//
// The shared state behind sources, tokens and callbacks: its layout, its place among parents and
// children, and its life. What a stop does to it stands in stopping.hpp.
#ifndef CURFEW_STOP_DETAIL_CONTEXT_HPP
#define CURFEW_STOP_DETAIL_CONTEXT_HPP

#include <curfew/stop/detail/spin_lock.hpp>
#include <curfew/stop/reason.hpp>
#include <curfew/stop/time_source.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

CURFEW_BEGIN
namespace detail {

struct context;
struct callback_base;
struct firing_frame;

/// The bits of context::state. The word is read by anyone and, once others can see the context,
/// stored only under context::lock: so no bit is ever lost, and storing needs no read-modify-write.
enum context_bits : std::uint32_t {
  stopped_bit = 1,     // set once; its release store publishes `reason` to every acquire load
  impossible_bit = 2,  // set once: never stopped, and nobody is left who could
  waiters_bit = 4,     // somebody parks on the word: who sets a bit above wakes them
  collected_bit = 8,   // a stop has collected this context and all below it for firing; implies
                       // stopped, which alone does not: a deadline noticed late only latches
  firing_bit = 16,     // `firing` points at the frame of the thread that runs the callbacks
  inplace_bit = 32,    // constant: an inplace_context; its `owners` counts pins, not owners
  linked_bit = 64,     // constant: a linked_context, with several parents
  timed_bit = 128,     // constant: armed on its time source, because no parent stops it as early
  waiting_bit = 256,   // constant: belongs to a timed wait; its deadline is that wait's limit and
                       // does not keep a stop possible
  had_dependant_bit = 512,  // set once
};
inline constexpr unsigned cause_shift = 24;  // above them, from `stopped_bit` on: the stop_cause

/// A child's place in the list of one parent. `next` and `slot` are guarded by the parent's lock;
/// the rest never changes while other threads can see it.
struct link {
  constexpr link() noexcept = default;
  link(const link&) = delete;
  link& operator=(const link&) = delete;

  /// Null: born stopped, or a root.
  [[nodiscard]] context* parent() const noexcept {
    return reinterpret_cast<context*>(upward_ & ~far_bit);
  }
  void set_parent(context* p) noexcept {
    upward_ = reinterpret_cast<std::uintptr_t>(p) | (upward_ & far_bit);
  }
  [[nodiscard]] inline context& child() noexcept;

  link* next = nullptr;
  link** slot = nullptr;

 protected:
  static constexpr std::uintptr_t far_bit = 1;
  constexpr explicit link(std::uintptr_t kind) noexcept : upward_(kind) {}

 private:
  std::uintptr_t upward_ = 0;  // the parent's address; far_bit tells what the link is a part of
};

/// One of the links of a context with several parents.
struct far_link : link {
  explicit far_link(context& c) noexcept : link(far_bit), below(&c) {}
  context* const below;
};

/// What the `owners` of a shared context begin with: the share of its sources and that of its
/// dependants.
inline constexpr std::uint32_t first_owners = 2;

/// What a poll and a registration touch stands together, and all of it is small: above 120 bytes
/// glibc's malloc has no quick way to take back many blocks at once.
///
/// Invariants, by the lock of this context (a stop holds the locks of the whole path from the
/// context it was asked of down to the one it is at):
///  - whoever finds the lock free and the context stopped, finds everything below it stopped;
///  - likewise for collected;
///  - children are added only while it is not stopped.
/// Locks are taken from parents to children only, so they never cross.
struct context : link, timer_entry {
  constexpr context(time_source& t, std::uint32_t bits, std::uint32_t held) noexcept
      : state(bits), owners(held), time(&t) {}

  std::atomic<std::uint32_t> state;
  spin_lock lock;
  // Shared contexts: tokens and pins, one more for all sources together, and one more for all
  // dependants together, which is there from the beginning. Whoever makes it 0 frees the context;
  // so does an only source that nobody has pinned (end_alone). Every decrement releases, and
  // drop_share() acquires.
  std::atomic<std::uint32_t> owners;
  std::atomic<std::uint32_t> sources{1};  // inplace: always 1
  callback_base* callbacks = nullptr;     // newest first; guarded by the lock
  link* children = nullptr;               // newest first; guarded by the lock
  // Callbacks, also those that have run, and children; guarded by the lock, so that they come and
  // go without touching `owners`.
  std::uint32_t dependants = 0;
  // The reason but for its cause; written once, under the lock, before stopped_bit.
  int reason_code = 0;
  std::int64_t reason_pid = 0;
  std::int64_t reason_uid = -1;
  union {
    context* next_fired = nullptr;  // while queued for firing, or for burial
    firing_frame* firing;           // while firing_bit is set; guarded by the lock
  };
  time_source* time;
};

/// A context of several parents: its links stand behind it, in the same allocation; that which
/// every context is itself is unused.
struct linked_context : context {
  linked_context(time_source& t, std::uint32_t count) noexcept
      : context(t, linked_bit, first_owners), link_count(count) {}
  [[nodiscard]] far_link* links() noexcept { return reinterpret_cast<far_link*>(this + 1); }

  std::uint32_t link_count;
  link* arrival = nullptr;  // the link by which a walk came here; guarded by the lock
};

inline context& link::child() noexcept {
  if ((upward_ & far_bit) != 0) return *static_cast<far_link*>(this)->below;
  return static_cast<context&>(*this);
}

[[nodiscard]] inline std::uint32_t bits(const context& c) noexcept {
  return c.state.load(std::memory_order_acquire);
}
/// For the holder of the lock, who alone stores.
[[nodiscard]] inline std::uint32_t own_bits(const context& c) noexcept {
  return c.state.load(std::memory_order_relaxed);
}
[[nodiscard]] inline bool stopped(const context& c) noexcept {
  return (bits(c) & stopped_bit) != 0;
}
[[nodiscard]] inline bool is_inplace(const context& c) noexcept {
  return (own_bits(c) & inplace_bit) != 0;
}

/// Calls f(link&) for each parent that the context hangs on.
template <class F>
void for_each_link(context& c, F f) noexcept {
  if ((own_bits(c) & linked_bit) == 0) {
    if (c.parent() != nullptr) f(static_cast<link&>(c));
    return;
  }
  auto& linked = static_cast<linked_context&>(c);
  for (far_link* l = linked.links(); l != linked.links() + linked.link_count; ++l)
    if (l->parent() != nullptr) f(static_cast<link&>(*l));
}

[[nodiscard]] inline stop_reason reason_of(const context& c) noexcept {
  return {static_cast<stop_cause>(bits(c) >> cause_shift), c.reason_code, c.reason_pid,
          c.reason_uid};
}

// --- counting -----------------------------------------------------------------------------------

/// One more owner of a context that the caller already knows to be alive. Inplace contexts belong
/// to a scope; for them it does nothing.
inline void acquire(context& c) noexcept {
  if (!is_inplace(c)) c.owners.fetch_add(1, std::memory_order_relaxed);
}

/// Takes a reference to a context that may be dying; false if it is.
[[nodiscard]] inline bool try_acquire(context& c) noexcept {
  std::uint32_t n = c.owners.load(std::memory_order_relaxed);
  while (n != 0)
    if (c.owners.compare_exchange_weak(n, n + 1, std::memory_order_relaxed)) return true;
  return false;
}

/// With the lock held, when there is no dependant: gives up their share. True: nobody else has one,
/// so the context is the caller's to free, once the lock is let go.
[[nodiscard]] inline bool drop_share(context& c) noexcept {
  std::uint32_t n = c.owners.load(std::memory_order_acquire);
  return n == 1 && !is_inplace(c) &&
         c.owners.compare_exchange_strong(n, 0, std::memory_order_acq_rel);
}

/// With only the first owners left, or fewer.
[[nodiscard]] CURFEW_SELDOM inline bool was_last_locked(context& c) noexcept {
  const spin_guard guard(c.lock);
  c.owners.fetch_sub(1, std::memory_order_release);
  return c.dependants == 0 && drop_share(c);
}

/// Gives back what acquire() took; true: the context is the caller's to free. Who may be the last
/// besides the dependants does it under the lock, as they do, so that just one of them is the last.
[[nodiscard]] inline bool was_last(context& c) noexcept {
  if (is_inplace(c)) return false;
  std::uint32_t n = c.owners.load(std::memory_order_relaxed);
  while (n > first_owners)
    if (c.owners.compare_exchange_weak(n, n - 1, std::memory_order_release)) return false;
  return was_last_locked(c);
}

// --- dependants ---------------------------------------------------------------------------------

/// With the lock held, by a caller who keeps the context alive.
inline void add_dependant(context& c) noexcept {
  ++c.dependants;
  const std::uint32_t b = own_bits(c);
  if ((b & had_dependant_bit) == 0) c.state.store(b | had_dependant_bit, std::memory_order_release);
}

/// With the lock held. True: it was all that kept the context, which is the caller's to free.
[[nodiscard]] inline bool drop_dependant(context& c) noexcept {
  return --c.dependants == 0 && drop_share(c);
}

/// Hangs a child below the parent; false if the parent is stopped, and then nothing happened.
/// `l` must be visible to nobody yet but its timer. It knows its parent only when it is whole:
/// fork() may find it at any point.
[[nodiscard]] inline bool hang(link& l, context& parent) noexcept {
  const spin_guard guard(parent.lock);
  if ((own_bits(parent) & stopped_bit) != 0) return false;
  l.next = parent.children;
  l.slot = &parent.children;
  l.set_parent(&parent);
  if (l.next != nullptr) l.next->slot = &l.next;
  parent.children = &l;
  add_dependant(parent);
  return true;
}

/// With the parent's lock held.
inline void unlink_child(link& l) noexcept {
  *l.slot = l.next;
  if (l.next != nullptr) l.next->slot = l.slot;
}

/// Waits for a stop that is on its way through the parent: the walk holds the parent's lock. True:
/// the parent is the caller's to free.
[[nodiscard]] inline bool unhang(link& l) noexcept {
  context& parent = *l.parent();
  const spin_guard guard(parent.lock);
  unlink_child(l);
  return drop_dependant(parent);
}

// --- death --------------------------------------------------------------------------------------

/// Afterwards no timer reaches the context but one that has pinned it already.
inline void disarm(context& c) noexcept {
  if ((own_bits(c) & timed_bit) != 0) clocks::disarm(*c.time, c);
}

/// Parents that lost their last owner are put in front of `dead`. Comes after disarm(), so that a
/// fork finds every context that is armed below its parents.
inline void leave_parents(context& c, context*& dead) noexcept {
  for_each_link(c, [&dead](link& l) noexcept {
    if (!unhang(l)) return;
    l.parent()->next_fired = dead;
    dead = l.parent();
  });
}

/// Both kinds come from operator new. What there is to destroy is a model checker's.
inline void free_context(context& c) noexcept {
  c.~context();
  ::operator delete(static_cast<void*>(&c));
}

/// Frees contexts and whatever only they kept alive: a loop, however long the chain.
inline void bury_all(context* dead) noexcept {
  while (dead != nullptr) {
    context& c = *dead;
    dead = c.next_fired;
    disarm(c);
    leave_parents(c, dead);
    free_context(c);
  }
}

inline void bury_disarmed(context& c) noexcept {
  context* dead = nullptr;
  leave_parents(c, dead);
  free_context(c);
  bury_all(dead);
}

inline void bury(context& c) noexcept {
  disarm(c);
  bury_disarmed(c);
}

inline void release(context& c) noexcept {
  if (was_last(c)) bury(c);
}

}  // namespace detail
CURFEW_END

#endif
