// SPDX-License-Identifier: BSL-1.0
//
// What every time source does with contexts whose deadline has come.
#ifndef CURFEW_STOP_DETAIL_EXPIRING_HPP
#define CURFEW_STOP_DETAIL_EXPIRING_HPP

#include <curfew/stop/detail/stopping.hpp>

CURFEW_BEGIN
namespace detail {

/// Latches every context in `due`, a list guarded by `lock`, and collects their callbacks in
/// `queue`. An entry is in the list, or gone, or pinned before the lock is let go: an owner that
/// gets the lock to disarm finds one of the three.
inline void expire_due(spin_lock& lock, timer_entry*& due, fire_queue& queue) noexcept {
  lock.lock();
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
