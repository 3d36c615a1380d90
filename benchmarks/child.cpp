// SPDX-License-Identifier: BSL-1.0
//
// What does it cost to make a context below another one, and to destroy it, beside its siblings?
#include "support.hpp"

#include <cstddef>
#include <deque>

namespace {

template <class Peer>
void make_child(const typename Peer::token& parent) {
  typename Peer::child child(parent);
  bench::expose(child);
}

template <class Peer, std::size_t siblings>
void child(benchmark::State& state) {
  const typename Peer::source parent;
  const auto token = parent.get_token();
  std::deque<typename Peer::child> others;
  while (others.size() < siblings) others.emplace_back(token);
  for (auto _ : state) make_child<Peer>(token);
}

#define CURFEW_CHILD(siblings)                                                   \
  BENCHMARK(child<bench::standard, siblings>)->Name("child_" #siblings "/std");  \
  BENCHMARK(child<bench::shared, siblings>)->Name("child_" #siblings "/curfew"); \
  BENCHMARK(child<bench::inplace, siblings>)->Name("child_" #siblings "/curfew_inplace")
CURFEW_CHILD(1);
CURFEW_CHILD(1000);
CURFEW_CHILD(100000);

template <class Peer>
void two_threads(benchmark::State& state) {
  static const typename Peer::source parent;
  const auto token = parent.get_token();
  bench::on_each_thread(state, [&token] { make_child<Peer>(token); });
}
BENCHMARK(two_threads<bench::standard>)->Name("child_2_threads/std")->Threads(2)->UseManualTime();
BENCHMARK(two_threads<bench::shared>)->Name("child_2_threads/curfew")->Threads(2)->UseManualTime();

}  // namespace

BENCHMARK_MAIN();
