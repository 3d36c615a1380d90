// SPDX-License-Identifier: BSL-1.0
//
// What does it cost to ask a token whether it is stopped?
#include "support.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>

using namespace std::chrono_literals;

namespace {

/// The limit: one atomic word, one load.
class bare_flag {
 public:
  [[nodiscard]] bool stop_requested() const noexcept {
    return word_.load(std::memory_order_acquire) != 0;
  }

 private:
  std::atomic<std::uint32_t> word_{0};
};

/// Asks as a loop does that is to end when it is stopped.
template <class Token>
void ask(benchmark::State& state, const Token& token) {
  bench::expose(token);
  for (auto _ : state)
    if (token.stop_requested()) return state.SkipWithError("stopped");
}

void bare(benchmark::State& state) { ask(state, bare_flag()); }

template <class Peer>
void poll(benchmark::State& state) {
  const typename Peer::source source;
  ask(state, source.get_token());
}
BENCHMARK(bare)->Name("poll/bare");
BENCHMARK(poll<bench::standard>)->Name("poll/std");
BENCHMARK(poll<bench::shared>)->Name("poll/curfew");
BENCHMARK(poll<bench::inplace>)->Name("poll/curfew_inplace");

void with_parent_and_deadline(benchmark::State& state) {
  const curfew::stop_source parent;
  const curfew::stop_source source(parent.get_token(), 1h);
  ask(state, source.get_token());
}
BENCHMARK(with_parent_and_deadline)->Name("poll_deadline/curfew");

void below_a_thousand(benchmark::State& state) {
  std::deque<curfew::stop_source> chain(1);
  while (chain.size() <= 1000) chain.emplace_back(chain.back().get_token());
  ask(state, chain.back().get_token());
}
BENCHMARK(below_a_thousand)->Name("poll_depth_1000/curfew");

template <class Token>
void ask_on_each_thread(benchmark::State& state, const Token& token) {
  bench::expose(token);
  bench::on_each_thread(state, [&state, &token] {
    if (token.stop_requested()) state.SkipWithError("stopped");
  });
}

void two_bare(benchmark::State& state) {
  static bare_flag flag;  // not const, or a compiler knows what it reads
  ask_on_each_thread(state, flag);
}

template <class Peer>
void two_threads(benchmark::State& state) {
  static const typename Peer::source source;
  ask_on_each_thread(state, source.get_token());
}
BENCHMARK(two_bare)->Name("poll_2_threads/bare")->Threads(2)->UseManualTime();
BENCHMARK(two_threads<bench::standard>)->Name("poll_2_threads/std")->Threads(2)->UseManualTime();
BENCHMARK(two_threads<bench::shared>)->Name("poll_2_threads/curfew")->Threads(2)->UseManualTime();

}  // namespace

BENCHMARK_MAIN();
