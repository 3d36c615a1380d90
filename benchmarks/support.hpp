// SPDX-License-Identifier: BSL-1.0
//
// What several benchmarks share: the peers under one set of names, so that a work is one template
// in which every peer does the same; and time, where Google Benchmark's own loop cannot take it.
#ifndef CURFEW_BENCHMARKS_SUPPORT_HPP
#define CURFEW_BENCHMARKS_SUPPORT_HPP

#include <benchmark/benchmark.h>

#include <curfew/stop.hpp>

#include <chrono>
#include <cstdint>
#include <semaphore>
#include <stop_token>
#include <thread>

namespace bench {

/// A thread that sleeps as long as the program runs. Whoever stops something has threads, and while
/// a process has none, libstdc++ leaves out most of what a stop costs it.
class sleeper {
 public:
  sleeper() = default;
  sleeper(const sleeper&) = delete;
  sleeper& operator=(const sleeper&) = delete;
  ~sleeper() { end_.release(); }

 private:
  std::binary_semaphore end_{0};
  std::jthread thread_{[this] { end_.acquire(); }};
};
inline sleeper second_thread;

/// The child that users of <stop_token> write: a source, and a callback of the parent's that
/// forwards the stop to it.
class forwarding_child {
 public:
  explicit forwarding_child(const std::stop_token& parent) : link_(parent, forward{&source_}) {}
  [[nodiscard]] std::stop_token get_token() const noexcept { return source_.get_token(); }
  [[nodiscard]] bool stop_requested() const noexcept { return source_.stop_requested(); }

 private:
  struct forward {
    std::stop_source* child;
    void operator()() const noexcept { child->request_stop(); }
  };

  std::stop_source source_;
  std::stop_callback<forward> link_;
};

// The peers. Callbacks and children are made from a token that their maker keeps, so for every peer
// it is copied, never moved.

struct standard {
  using source = std::stop_source;
  using token = std::stop_token;
  using child = forwarding_child;
  template <class F>
  using callback = std::stop_callback<F>;
};

struct shared {
  using source = curfew::stop_source;
  using token = curfew::stop_token;
  using child = curfew::stop_source;
  template <class F>
  using callback = curfew::stop_callback<F>;
};

struct inplace {
  using source = curfew::inplace_stop_source;
  using token = curfew::inplace_stop_token;
  using child = curfew::inplace_stop_source;
  template <class F>
  using callback = curfew::inplace_stop_callback<F>;
};

/// What callbacks do here: little, in a closure of one pointer.
struct count_up {
  std::uint64_t* count;
  void operator()() const noexcept { ++*count; }
};

/// The object's address is known to others from here on: its members are read and written as those
/// of an object that lives anywhere.
template <class T>
void expose(T& object) {
  benchmark::DoNotOptimize(&object);
}

template <class Work>
[[nodiscard]] double seconds_of(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Runs `work` on each thread of a benchmark with UseManualTime(), and makes the figure what an
/// operation takes as seen by one thread: Google Benchmark divides the mean of the threads' times
/// by the operations of all of them, hence the factor.
template <class Work>
void on_each_thread(benchmark::State& state, Work work) {
  while (state.KeepRunningBatch(state.max_iterations))
    state.SetIterationTime(state.threads() * seconds_of([&state, &work] {
                             for (auto left = state.max_iterations; left != 0; --left) work();
                           }));
}

}  // namespace bench

#endif
