// SPDX-License-Identifier: BSL-1.0
//
// What does it cost to be released in order: 1000 closures are put on an empty stack, and called
// newest first. The peer is a vector of functions, called and popped from the back.
#include <curfew/release/resource_stack.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace {

constexpr std::size_t entries = 1000;

/// A closure of as many pointers, the first to the sum, so that every call does something. Each way
/// has a type of its own: what is deferred at one place only is compiled into that place.
template <class Way, std::size_t Pointers>
struct closure {
  std::size_t* words[Pointers];
  void operator()() const noexcept { ++*words[0]; }
};

template <class Way, std::size_t Pointers>
closure<Way, Pointers> counting(std::size_t& sum) {
  closure<Way, Pointers> made;
  for (auto& word : made.words) word = &sum;
  return made;
}

/// As the vector does it: nobody is told how it went.
struct by_destructor {
  template <class F>
  static void put_and_release(const F& f) {
    curfew::resource_stack stack;
    for (std::size_t i = 0; i < entries; ++i) stack.defer("entry", f);
  }
};

/// With the time that each release took.
struct with_report {
  template <class F>
  static void put_and_release(const F& f) {
    curfew::resource_stack stack;
    for (std::size_t i = 0; i < entries; ++i) stack.defer("entry", f);
    benchmark::DoNotOptimize(stack.release());
  }
};

struct function_vector {
  template <class F>
  static void put_and_release(const F& f) {
    std::vector<std::function<void()>> stack;
    for (std::size_t i = 0; i < entries; ++i) stack.emplace_back(f);
    for (; !stack.empty(); stack.pop_back()) stack.back()();
  }
};

template <class Way, std::size_t Pointers>
void release_all(benchmark::State& state) {
  std::size_t sum = 0;
  const auto f = counting<Way, Pointers>(sum);
  while (state.KeepRunningBatch(entries)) Way::put_and_release(f);
  if (sum < entries) state.SkipWithError("not every entry was released");
}

BENCHMARK(release_all<function_vector, 1>)->Name("resource_stack/function_vector");
BENCHMARK(release_all<by_destructor, 1>)->Name("resource_stack/curfew");
BENCHMARK(release_all<with_report, 1>)->Name("resource_stack/curfew_report");
BENCHMARK(release_all<function_vector, 3>)->Name("resource_stack_3_words/function_vector");
BENCHMARK(release_all<by_destructor, 3>)->Name("resource_stack_3_words/curfew");
BENCHMARK(release_all<with_report, 3>)->Name("resource_stack_3_words/curfew_report");

}  // namespace

BENCHMARK_MAIN();
