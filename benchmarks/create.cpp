// SPDX-License-Identifier: BSL-1.0
//
// What do a source and a token cost, each made and destroyed?
#include "support.hpp"

namespace {

template <class Peer>
void make_source() {
  typename Peer::source source;
  bench::expose(source);
}

template <class Peer>
void create(benchmark::State& state) {
  for (auto _ : state) make_source<Peer>();
}
BENCHMARK(create<bench::standard>)->Name("create/std");
BENCHMARK(create<bench::shared>)->Name("create/curfew");
BENCHMARK(create<bench::inplace>)->Name("create/curfew_inplace");

template <class Peer>
void two_threads(benchmark::State& state) {
  bench::on_each_thread(state, make_source<Peer>);
}
BENCHMARK(two_threads<bench::standard>)->Name("create_2_threads/std")->Threads(2)->UseManualTime();
BENCHMARK(two_threads<bench::shared>)->Name("create_2_threads/curfew")->Threads(2)->UseManualTime();

template <class Peer>
void copy_token(benchmark::State& state) {
  const typename Peer::source source;
  const auto token = source.get_token();
  bench::expose(token);
  for (auto _ : state) {
    auto copy = token;
    bench::expose(copy);
  }
}
BENCHMARK(copy_token<bench::standard>)->Name("token_copy/std");
BENCHMARK(copy_token<bench::shared>)->Name("token_copy/curfew");
BENCHMARK(copy_token<bench::inplace>)->Name("token_copy/curfew_inplace");

}  // namespace

BENCHMARK_MAIN();
