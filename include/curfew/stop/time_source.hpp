// SPDX-License-Identifier: BSL-1.0
//
// Where a context's time comes from: the process's steady clock, or a clock that a test advances.
#ifndef CURFEW_STOP_TIME_SOURCE_HPP
#define CURFEW_STOP_TIME_SOURCE_HPP

#include <curfew/stop/detail/duration.hpp>

#include <chrono>
#include <system_error>

CURFEW_BEGIN

namespace detail {

struct clocks;
struct steady_tag {};

/// A deadline and its place in a timer's list. `slot` is null while the entry is in no list; both
/// links belong to the time source that the entry is armed on, and to that source's lock.
struct timer_entry {
  clock_time_point deadline = (clock_time_point::max)();
  timer_entry* next = nullptr;
  timer_entry** slot = nullptr;
};

inline void link_timer(timer_entry& e, timer_entry*& head) noexcept {
  e.next = head;
  e.slot = &head;
  if (head != nullptr) head->slot = &e.next;
  head = &e;
}

inline void unlink_timer(timer_entry& e) noexcept {
  *e.slot = e.next;
  if (e.next != nullptr) e.next->slot = e.slot;
  e.slot = nullptr;
}

}  // namespace detail

/// Tells the time and makes deadlines happen. A root context is built on a time source, its
/// children inherit it, and every timed wait on their tokens uses it.
///
/// Thread safety: all members may be called from any thread. A time source outlives every context
/// built on it; the process's own one lives as long as the process, past static destruction. A
/// shared library that hides its symbols has one of its own, and must not be unloaded after its
/// first deadline.
///
/// fork(): in the child, deadlines happen as in the parent; the child starts a thread of its own if
/// any are pending. Not so those of inplace contexts that other threads than the forking one armed.
/// What other threads keep on their stacks, children and callbacks alike, stays registered in the
/// child though the stacks are gone: stop no context there that has such. As after every fork of a
/// program with threads, a context that another thread was just changing is not to be used in the
/// child, nor are its handles to be destroyed there: leave such a child with _exit() or exec. And
/// handlers given to pthread_atfork use no context that has a deadline.
class time_source {
 public:
  using clock = std::chrono::steady_clock;
  using duration = clock::duration;
  using time_point = clock::time_point;

  time_source(const time_source&) = delete;
  time_source& operator=(const time_source&) = delete;

  [[nodiscard]] virtual time_point now() const noexcept = 0;

  /// std::chrono::steady_clock, with a timer thread that starts at the first deadline.
  [[nodiscard]] static time_source& process() noexcept;

 protected:
  constexpr time_source() noexcept = default;
  constexpr explicit time_source(detail::steady_tag) noexcept : is_steady_(true) {}
  ~time_source() = default;

 private:
  friend struct detail::clocks;
  // False: the deadline has passed already, or there is an error; either way nothing is armed.
  virtual bool arm(detail::timer_entry&, std::error_code&) noexcept = 0;
  // Afterwards the source neither reaches the entry again nor has it pinned by anything but a count
  // that the entry's owner can see.
  virtual void disarm(detail::timer_entry&) noexcept = 0;

  bool is_steady_ = false;  // it tells steady_clock's own time
};

namespace detail {

/// The stop floor's own access to a time source.
struct clocks {
  [[nodiscard]] static bool arm(time_source& t, timer_entry& e, std::error_code& ec) noexcept {
    return t.arm(e, ec);
  }
  static void disarm(time_source& t, timer_entry& e) noexcept { t.disarm(e); }

  [[nodiscard]] static bool steady(const time_source& t) noexcept { return t.is_steady_; }
  /// Every module that hides its symbols has a process clock of its own; they tell the same time.
  [[nodiscard]] static bool agree(const time_source& a, const time_source& b) noexcept {
    return &a == &b || (a.is_steady_ && b.is_steady_);
  }
};

}  // namespace detail
CURFEW_END

#endif
