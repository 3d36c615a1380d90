// SPDX-License-Identifier: BSL-1.0
// The parking backend of the model checks, named by CURFEW_PARKING_HEADER: threads are Relacy's,
// and parking is a futex made of its mutex and condition variable. As with the real one, waking
// goes by the word's address alone, for the word may be gone by then.
#pragma once

#include <curfew/config.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace model {

// The sleepers of one iteration: a test suite has one as its first member.
class parking_lot {
 public:
  parking_lot() noexcept { current = this; }

  void sleep(std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
    mutex_.lock($);
    if (word.load(std::memory_order_seq_cst) == expected) changed_.wait(mutex_, $);
    mutex_.unlock($);
  }
  void wake() noexcept {
    mutex_.lock($);
    mutex_.unlock($);
    changed_.notify_all($);
  }

  static inline parking_lot* current = nullptr;

 private:
  rl::mutex mutex_;
  rl::condition_variable_any changed_;
};

}  // namespace model

CURFEW_BEGIN
namespace detail {

using thread_id = unsigned;

inline thread_id this_thread() noexcept { return rl::thread_index() + 1; }

inline void relax(unsigned) noexcept { rl::yield(1, $); }

inline void park(std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
  model::parking_lot::current->sleep(word, expected);
}
// Time stands still in a model, so a limit never passes.
inline bool park_until(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::chrono::steady_clock::time_point) noexcept {
  park(word, expected);
  return true;
}
inline void unpark_all(std::atomic<std::uint32_t>&) noexcept {
  model::parking_lot::current->wake();
}
inline void unpark_one(std::atomic<std::uint32_t>&) noexcept {
  model::parking_lot::current->wake();
}

}  // namespace detail
CURFEW_END
