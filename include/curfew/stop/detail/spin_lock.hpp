// SPDX-License-Identifier: BSL-1.0
//
// A lock for a few instructions of ours, never held over anything of the user's.
#ifndef CURFEW_STOP_DETAIL_SPIN_LOCK_HPP
#define CURFEW_STOP_DETAIL_SPIN_LOCK_HPP

#include <curfew/stop/detail/park.hpp>

#include <atomic>
#include <cstdint>

CURFEW_BEGIN
namespace detail {

/// The word holds the lock and nothing else, so that unlocking is a plain store: half the price of
/// a lock whose word others change too.
///
/// unlock()'s release store pairs with the acquire exchange of the next lock(). It is also the last
/// access: whoever then gets the lock may destroy it.
class spin_lock {
 public:
  constexpr spin_lock() noexcept = default;
  spin_lock(const spin_lock&) = delete;
  spin_lock& operator=(const spin_lock&) = delete;

  void lock() noexcept {
    if (!try_lock()) wait_for_it();
  }
  [[nodiscard]] bool try_lock() noexcept {
    return held_.exchange(1, std::memory_order_acquire) == 0;
  }
  void unlock() noexcept { held_.store(0, std::memory_order_release); }
  /// In a forked child: whoever held it does not exist here.
  void reset() noexcept { unlock(); }

 private:
  CURFEW_SELDOM void wait_for_it() noexcept {
    unsigned spins = 0;
    do relax(spins++);
    while (!try_lock());
  }

  std::atomic<std::uint32_t> held_{0};
};

/// std::lock_guard without <mutex>.
class spin_guard {
 public:
  explicit spin_guard(spin_lock& lock) noexcept : lock_(lock) { lock_.lock(); }
  spin_guard(const spin_guard&) = delete;
  spin_guard& operator=(const spin_guard&) = delete;
  ~spin_guard() { lock_.unlock(); }

 private:
  spin_lock& lock_;
};

}  // namespace detail
CURFEW_END

#endif
