// SPDX-License-Identifier: BSL-1.0
//
// What does a stop cost for each context below the one that is stopped?
#include "support.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>

namespace {

/// Takes the time of the stop alone, and counts it as that of `contexts` iterations.
template <class Source, class Child>
void time_stop(benchmark::State& state, Source& root, const Child& last) {
  state.SetIterationTime(bench::seconds_of([&root] { root.request_stop(); }));
  if (!last.stop_requested()) state.SkipWithError("a context was not stopped");
}

template <class Peer, std::int64_t count>
void wide(benchmark::State& state) {
  while (state.KeepRunningBatch(count)) {
    typename Peer::source parent;
    const auto token = parent.get_token();
    std::deque<typename Peer::child> children;
    for (std::int64_t i = 0; i < count; ++i) children.emplace_back(token);
    time_stop(state, parent, children.back());
  }
}
BENCHMARK(wide<bench::standard, 100000>)->Name("stop_100000_children/std")->UseManualTime();
BENCHMARK(wide<bench::shared, 100000>)->Name("stop_100000_children/curfew")->UseManualTime();

/// The standard's children stop each other in recursion, so theirs must not be too deep.
template <class Peer, std::int64_t levels>
void deep(benchmark::State& state) {
  while (state.KeepRunningBatch(levels)) {
    typename Peer::source root;
    std::deque<typename Peer::child> chain;
    chain.emplace_back(root.get_token());
    for (std::int64_t i = 1; i < levels; ++i) chain.emplace_back(chain.back().get_token());
    time_stop(state, root, chain.back());
  }
}
BENCHMARK(deep<bench::standard, 1000>)->Name("stop_chain_1000/std")->UseManualTime();
BENCHMARK(deep<bench::shared, 1000>)->Name("stop_chain_1000/curfew")->UseManualTime();
BENCHMARK(deep<bench::shared, 1000000>)->Name("stop_chain_1000000/curfew")->UseManualTime();

}  // namespace

BENCHMARK_MAIN();
