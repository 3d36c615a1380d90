// SPDX-License-Identifier: BSL-1.0
//
// What does a context with a deadline cost that is gone before it: created below a parent, with a
// minute to go, and destroyed; then roots, a million live ones, with deadlines all over an hour.
#include <curfew/config.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include "latency.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// What the calling thread has asked of the heap.
struct heap_use {
  std::size_t allocations = 0;
  std::size_t bytes = 0;
};
thread_local heap_use heap;

void* counted(void* block, std::size_t size) {
  if (block == nullptr) throw std::bad_alloc();
  ++heap.allocations;
  heap.bytes += size;
  return block;
}

}  // namespace

// Not inlined, as the library's own are not.
[[gnu::noinline]] void* operator new(std::size_t size) { return counted(std::malloc(size), size); }
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }
#if CURFEW_POSIX
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(step, (size + step - 1) / step * step), size);
}
[[gnu::noinline]] void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  std::free(block);
}
#endif

namespace {

void clock_bare(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(clock::now());
}

/// The library divides the time by the iterations of all threads together; with as many operations
/// in each as there are threads, it is what one operation takes on its thread.
template <class Operation>
void repeat(benchmark::State& state, Operation operation) {
  for (auto _ : state)
    for (int i = 0; i < state.threads(); ++i) operation();
}

template <class Source, class Time>
void create_and_destroy(benchmark::State& state, const Source& parent, Time time) {
  const auto token = parent.get_token();
  repeat(state, [&] {
    const Source child(token, time);
    benchmark::ClobberMemory();
  });
}

template <class Source>
void with_timeout(benchmark::State& state) {
  static const Source parent;  // of all threads
  create_and_destroy(state, parent, 1min);
}

template <class Source>
void with_time_point(benchmark::State& state) {
  const Source parent;
  create_and_destroy(state, parent, clock::now() + 10min);
}

// --- among a million ----------------------------------------------------------------------------

constexpr std::size_t live = 1'000'000;

/// From one minute on, 3.6 ms from one another, in an order that jumps to and fro.
clock::duration timeout(std::size_t i) { return 1min + (i * 7919 % live) * 3600us; }

void insert_all(std::vector<curfew::stop_source>& sources) {
  for (std::size_t i = 0; i < live; ++i) sources.emplace_back(timeout(i));
}

void add_time_of_one(benchmark::State& state, clock::duration d) {
  state.SetIterationTime(std::chrono::duration<double>(d).count() / static_cast<double>(live));
}

void insert_1m(benchmark::State& state) {
  std::vector<curfew::stop_source> sources;
  sources.reserve(live);
  const heap_use before = heap;
  for (auto _ : state) {
    sources.clear();
    const auto start = clock::now();
    insert_all(sources);
    add_time_of_one(state, clock::now() - start);
  }
  const auto made = static_cast<double>(state.iterations()) * static_cast<double>(live);
  state.counters["bytes"] = static_cast<double>(heap.bytes - before.bytes) / made;
  state.counters["allocations"] = static_cast<double>(heap.allocations - before.allocations) / made;
}

/// In the order in which they were made.
void remove_1m(benchmark::State& state) {
  std::vector<curfew::stop_source> sources;
  sources.reserve(live);
  for (auto _ : state) {
    insert_all(sources);
    const auto start = clock::now();
    sources.clear();
    add_time_of_one(state, clock::now() - start);
  }
}

using shared = curfew::stop_source;
using inplace = curfew::inplace_stop_source;

BENCHMARK(clock_bare)->Name("clock/bare");
BENCHMARK_TEMPLATE(with_timeout, shared)->Name("deadline/curfew");
BENCHMARK_TEMPLATE(with_timeout, inplace)->Name("deadline/curfew_inplace");
BENCHMARK_TEMPLATE(with_time_point, shared)->Name("deadline_time_point/curfew");
BENCHMARK_TEMPLATE(with_time_point, inplace)->Name("deadline_time_point/curfew_inplace");
BENCHMARK_TEMPLATE(with_timeout, shared)
    ->Name("deadline_2_threads/curfew")
    ->Threads(2)
    ->UseRealTime();
BENCHMARK(insert_1m)->Name("deadline_1m_insert/curfew")->UseManualTime()->Iterations(iterations(5));
BENCHMARK(remove_1m)->Name("deadline_1m_remove/curfew")->UseManualTime()->Iterations(iterations(5));

}  // namespace

BENCHMARK_MAIN();
