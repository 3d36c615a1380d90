// SPDX-License-Identifier: BSL-1.0
//
// How soon does a blocked thread run after a stop: each round has a fresh waiter, left alone until
// it sleeps; then the other thread asks for the stop, and at once joins it. Nothing is pinned.
#include <curfew/config.hpp>
#include <curfew/stop/stop_token.hpp>

#include "latency.hpp"

#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <version>

#if defined(__cpp_lib_jthread)
#include <stop_token>
#endif

#if CURFEW_LINUX
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

class with_curfew {
 public:
  void wait() const { token_.wait(); }
  void stop() { source_.request_stop(); }

 private:
  curfew::stop_source source_;
  curfew::stop_token token_ = source_.get_token();
};

#if defined(__cpp_lib_jthread)
class with_std {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    sleep_.wait(lock, token_, [] { return false; });
  }
  void stop() { source_.request_stop(); }

 private:
  std::mutex mutex_;
  std::condition_variable_any sleep_;
  std::stop_source source_;
  std::stop_token token_ = source_.get_token();
};
#endif

#if CURFEW_LINUX
/// The least that can be done: one word, one call to sleep, one to wake.
class with_futex {
 public:
  void wait() {
    while (word_.load(std::memory_order_acquire) == 0) call(FUTEX_WAIT_PRIVATE, 0);
  }
  void stop() {
    word_.store(1, std::memory_order_release);
    call(FUTEX_WAKE_PRIVATE, 1);
  }

 private:
  void call(int operation, int value) {
    syscall(SYS_futex, &word_, operation, value, nullptr, nullptr, 0);
  }

  std::atomic<std::uint32_t> word_{0};
};
#endif

template <class Stop>
clock::duration one_wake() {
  Stop stop;
  std::atomic<bool> ready{false};
  clock::time_point woken;
  std::thread waiter([&] {
    ready.store(true);
    stop.wait();
    woken = clock::now();
  });
  while (!ready.load()) std::this_thread::yield();
  std::this_thread::sleep_for(100us);
  const auto asked = clock::now();
  stop.stop();
  waiter.join();
  return woken - asked;
}

template <class Stop>
void wake(benchmark::State& state) {
  latencies wakes;
  for (auto _ : state) wakes.add(state, one_wake<Stop>());
  wakes.report(state);
}

#if CURFEW_LINUX
BENCHMARK_TEMPLATE(wake, with_futex)
    ->Name("wake/futex")
    ->UseManualTime()
    ->Iterations(iterations(4000));
#endif
#if defined(__cpp_lib_jthread)
BENCHMARK_TEMPLATE(wake, with_std)->Name("wake/std")->UseManualTime()->Iterations(iterations(4000));
#endif
BENCHMARK_TEMPLATE(wake, with_curfew)
    ->Name("wake/curfew")
    ->UseManualTime()
    ->Iterations(iterations(4000));

}  // namespace

BENCHMARK_MAIN();
