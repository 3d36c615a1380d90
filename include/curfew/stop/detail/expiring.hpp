// SPDX-License-Identifier: BSL-1.0
//
// What every time source does with contexts whose deadline has come.
#ifndef CURFEW_STOP_DETAIL_EXPIRING_HPP
#define CURFEW_STOP_DETAIL_EXPIRING_HPP

#include <curfew/stop/detail/stopping.hpp>

#include <utility>

CURFEW_BEGIN
namespace detail {

/// Two sorted lists, linked by `next` alone, become one.
[[nodiscard]] inline timer_entry* merge_timers(timer_entry* a, timer_entry* b) noexcept {
  timer_entry* merged = nullptr;
  timer_entry** last = &merged;
  while (a != nullptr && b != nullptr) {
    timer_entry*& earlier = b->deadline < a->deadline ? b : a;
    *last = earlier;
    last = &earlier->next;
    earlier = earlier->next;
  }
  *last = a != nullptr ? a : b;
  return merged;
}

/// Sorts a list by deadline, in place: sorted runs of 1, 2, 4, ... entries wait to be merged with
/// one of their length.
inline void sort_timers(timer_entry*& list) noexcept {
  timer_entry* runs[64] = {};
  for (timer_entry* e = list; e != nullptr;) {
    timer_entry* run = std::exchange(e, e->next);
    run->next = nullptr;
    unsigned i = 0;
    for (; runs[i] != nullptr; ++i) run = merge_timers(std::exchange(runs[i], nullptr), run);
    runs[i] = run;
  }
  list = nullptr;
  for (timer_entry* run : runs) list = merge_timers(run, list);
  for (timer_entry** slot = &list; *slot != nullptr; slot = &(*slot)->next) (*slot)->slot = slot;
}

/// Latches every context in `due`, a list guarded by `lock`, in the order of their deadlines, and
/// collects their callbacks in `queue`. An entry is in the list, or gone, or pinned before the lock
/// is let go: an owner that gets the lock to disarm finds one of the three.
inline void expire_due(spin_lock& lock, timer_entry*& due, fire_queue& queue) noexcept {
  lock.lock();
  sort_timers(due);
  while (due != nullptr) {
    context& c = static_cast<context&>(*due);
    unlink_timer(c);
    if (!try_pin(c)) continue;  // its last owner is on the way to disarm it
    lock.unlock();
    expire(c, queue);
    unpin(c);
    lock.lock();
  }
  lock.unlock();
}

}  // namespace detail
CURFEW_END

#endif
