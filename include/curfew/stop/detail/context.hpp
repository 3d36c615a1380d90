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

/// The bits of context::state. The word is read by anyone and stored only under context::lock, so
/// no bit is ever lost and storing needs no read-modify-write.
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
};

/// A child's place in the list of one parent; guarded by the parent's lock, but for `parent` and
/// `child`, which never change while other threads can see them.
struct link {
  context* parent = nullptr;  // null: born stopped, or a root
  context* child = nullptr;
  link* next = nullptr;
  link** slot = nullptr;
};

/// Two cache lines: what a poll and a registration touch is in the first.
///
/// Invariants, by the lock of this context (a stop holds the locks of the whole path from the
/// context it was asked of down to the one it is at):
///  - whoever finds the lock free and the context stopped, finds everything below it stopped;
///  - likewise for collected;
///  - children are added only while it is not stopped.
/// Locks are taken from parents to children only, so they never cross.
struct context : timer_entry {
  constexpr context(time_source& t, std::uint32_t bits, std::uint32_t held) noexcept
      : state(bits), owners(held), time(&t) {}

  std::atomic<std::uint32_t> state;
  spin_lock lock;
  // Shared contexts: tokens, callbacks, children and pins, and one more for all sources together.
  // A release decrement pairs with the acquire one that finds it the last.
  std::atomic<std::uint32_t> owners;
  std::atomic<std::uint32_t> sources{1};  // inplace: always 1
  stop_reason reason;                     // written once, under the lock, before stopped_bit
  callback_base* callbacks = nullptr;     // newest first; guarded by the lock
  union {
    context* next_fired = nullptr;  // while queued for firing, or for burial
    firing_frame* firing;           // while firing_bit is set; guarded by the lock
  };
  link* children = nullptr;  // newest first; guarded by the lock
  link up;                   // unused by a linked_context
  time_source* time;
};

/// A context of several parents: its links stand behind it, in the same allocation.
struct linked_context : context {
  linked_context(time_source& t, std::uint32_t count) noexcept
      : context(t, linked_bit, 1), link_count(count) {}
  [[nodiscard]] link* links() noexcept { return reinterpret_cast<link*>(this + 1); }

  std::uint32_t link_count;
  link* arrival = nullptr;  // the link by which a walk came here; guarded by the lock
};

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
  link* first = &c.up;
  std::uint32_t count = 1;
  if ((own_bits(c) & linked_bit) != 0) {
    first = static_cast<linked_context&>(c).links();
    count = static_cast<linked_context&>(c).link_count;
  }
  for (link* l = first; l != first + count; ++l)
    if (l->parent != nullptr) f(*l);
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

[[nodiscard]] inline bool was_last(context& c) noexcept {
  return !is_inplace(c) && c.owners.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

// --- parents ------------------------------------------------------------------------------------

/// Hangs the child below the parent; false if the parent is stopped, and then nothing happened.
/// `l` must not be visible to anybody yet.
[[nodiscard]] inline bool hang(link& l, context& child, context& parent) noexcept {
  const spin_guard guard(parent.lock);
  if ((own_bits(parent) & stopped_bit) != 0) return false;
  l.parent = &parent;
  l.child = &child;
  l.next = parent.children;
  l.slot = &parent.children;
  if (l.next != nullptr) l.next->slot = &l.next;
  parent.children = &l;
  acquire(parent);
  return true;
}

/// Waits for a stop that is on its way through the parent: the walk holds the parent's lock.
inline void unhang(link& l) noexcept {
  const spin_guard guard(l.parent->lock);
  *l.slot = l.next;
  if (l.next != nullptr) l.next->slot = l.slot;
}

// --- death --------------------------------------------------------------------------------------

/// After this nothing reaches the context but who already pinned it. Parents that lost their last
/// owner are put in front of `dead`.
inline void cut_loose(context& c, context*& dead) noexcept {
  for_each_link(c, [&dead](link& l) noexcept {
    unhang(l);
    if (!was_last(*l.parent)) return;
    l.parent->next_fired = dead;
    dead = l.parent;
  });
  if ((own_bits(c) & timed_bit) != 0) clocks::disarm(*c.time, c);
}

inline void free_context(context& c) noexcept {
  if ((own_bits(c) & linked_bit) != 0) {
    auto* const l = static_cast<linked_context*>(&c);
    l->~linked_context();
    ::operator delete(l);
  } else {
    delete &c;
  }
}

/// Frees contexts and whatever only they kept alive: a loop, however long the chain.
inline void bury(context* dead) noexcept {
  while (dead != nullptr) {
    context& c = *dead;
    dead = c.next_fired;
    cut_loose(c, dead);
    free_context(c);
  }
}

inline void release(context& c) noexcept {
  if (!was_last(c)) return;
  c.next_fired = nullptr;
  bury(&c);
}

}  // namespace detail
CURFEW_END

#endif
