// SPDX-License-Identifier: BSL-1.0
//
// What the tests of the host floor share.
#ifndef CURFEW_TESTS_HOST_SUPPORT_HPP
#define CURFEW_TESTS_HOST_SUPPORT_HPP

#include <curfew/host/signals.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

// A child of a process with threads may not start threads of its own under this tool.
#if defined(__SANITIZE_THREAD__)
#define CURFEW_TEST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CURFEW_TEST_TSAN 1
#endif
#endif
#if !defined(CURFEW_TEST_TSAN)
#define CURFEW_TEST_TSAN 0
#endif

namespace test {

inline constexpr std::chrono::seconds hang_guard{60};

/// std::latch, which hangs now and then in the library of MinGW 12.
class latch {
 public:
  explicit latch(int count) : count_(count) {}
  void count_down() {
    const std::lock_guard lock(mutex_);
    --count_;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_;
};

/// Becomes true within a time that only a hang exceeds.
template <class F>
bool becomes(F condition) {
  const auto limit = std::chrono::steady_clock::now() + hang_guard;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

inline bool stops(const curfew::stop_token& token) {
  return becomes([&] { return token.stop_requested(); });
}

/// A signal of the script: it goes the way of a real one from the handler on, long after the one
/// before it.
inline auto arrive(int signal, std::int64_t pid = 0) {
  static std::atomic<std::uint32_t> now{1};
  return curfew::detail::desk.inbox.arrived({curfew::stop_cause::signal, signal, pid},
                                            now += 60'000);
}

}  // namespace test

#endif
