// SPDX-License-Identifier: BSL-1.0
// What the tests of the stop floor share: a thread with a small stack, a switch that a thread
// waits for, a log of what ran in which order, and the names of the sanitizers.
#pragma once

#include <curfew/config.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#if CURFEW_POSIX
#include <pthread.h>
#elif CURFEW_WINDOWS
#include <curfew/stop/detail/windows/kernel32.hpp>
#endif

#if defined(__SANITIZE_THREAD__)
#define TEST_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_THREAD_SANITIZER 1
#endif
#endif
#if !defined(TEST_THREAD_SANITIZER)
#define TEST_THREAD_SANITIZER 0
#endif

#if defined(__SANITIZE_ADDRESS__)
#define TEST_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_ADDRESS_SANITIZER 1
#endif
#endif
#if !defined(TEST_ADDRESS_SANITIZER)
#define TEST_ADDRESS_SANITIZER 0
#endif

namespace test {

inline constexpr std::size_t small_stack = 256 * 1024;

// One thread opens it, others wait for that: a std::latch of one that may be opened twice. Not made
// of std::atomic's wait, which loses wakes in the MinGW library of Debian 12.
class gate {
 public:
  void open() {
    const std::lock_guard guard(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }
  bool is_open() {
    const std::lock_guard guard(mutex_);
    return open_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

// Several threads start their work at the same moment, as nearly as that can be had.
class starting_line {
 public:
  explicit starting_line(int runners) : missing_(runners) {}
  void await() noexcept {
    missing_.fetch_sub(1, std::memory_order_acq_rel);
    while (missing_.load(std::memory_order_acquire) > 0) std::this_thread::yield();
  }

 private:
  std::atomic<int> missing_;
};

// The numbers in the order in which they were noted, by one thread.
using order_log = std::vector<int>;

// A callback that notes its number: `curfew::stop_callback cb(token, test::note{log, 1});`
struct note {
  order_log& log;
  int number;
  void operator()() const noexcept { log.push_back(number); }
};

namespace detail {

#if CURFEW_POSIX
template <class F>
void* small_stack_entry(void* f) {
  (*static_cast<F*>(f))();
  return nullptr;
}
inline bool start_and_join(std::size_t bytes, void* (*entry)(void*), void* argument) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_t thread{};
  const bool started = pthread_attr_setstacksize(&attributes, bytes) == 0 &&
                       pthread_create(&thread, &attributes, entry, argument) == 0;
  pthread_attr_destroy(&attributes);
  return started && pthread_join(thread, nullptr) == 0;
}
#elif CURFEW_WINDOWS
template <class F>
unsigned long __stdcall small_stack_entry(void* f) {
  (*static_cast<F*>(f))();
  return 0;
}
inline bool start_and_join(std::size_t bytes, unsigned long(__stdcall* entry)(void*),
                           void* argument) {
  constexpr unsigned long size_is_what_is_reserved = 0x00010000;
  void* thread = CreateThread(nullptr, bytes, entry, argument, size_is_what_is_reserved, nullptr);
  if (thread == nullptr) return false;
  WaitForSingleObject(thread, 0xFFFFFFFFu);
  return CloseHandle(thread) != 0;
}
#endif

}  // namespace detail

// Runs f to its end on a thread that has so many bytes of stack; false: no such thread to be had.
template <class F>
bool on_small_stack(F f, std::size_t bytes = small_stack) {
  return detail::start_and_join(bytes, &detail::small_stack_entry<F>, &f);
}

}  // namespace test
