// SPDX-License-Identifier: BSL-1.0
//
// What does it cost to register a callback and to remove it?
#include "support.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace {

using bench::count_up;

template <class Peer>
using callback = typename Peer::template callback<count_up>;

std::uint64_t calls = 0;  // stays 0: nothing is stopped here

template <class Peer>
void register_one(const typename Peer::token& token) {
  callback<Peer> one(token, count_up{&calls});
  bench::expose(one);
}

template <class Peer>
void one_thread(benchmark::State& state) {
  const typename Peer::source source;
  const auto token = source.get_token();
  for (auto _ : state) register_one<Peer>(token);
}
BENCHMARK(one_thread<bench::standard>)->Name("callback/std");
BENCHMARK(one_thread<bench::shared>)->Name("callback/curfew");
BENCHMARK(one_thread<bench::inplace>)->Name("callback/curfew_inplace");

template <class Peer>
void one_source(benchmark::State& state) {
  static const typename Peer::source source;
  const auto token = source.get_token();
  bench::on_each_thread(state, [&token] { register_one<Peer>(token); });
}
#define CURFEW_TWO_THREADS(work, name) BENCHMARK(work)->Name(name)->Threads(2)->UseManualTime()
CURFEW_TWO_THREADS(one_source<bench::standard>, "callback_2_threads_one_source/std");
CURFEW_TWO_THREADS(one_source<bench::shared>, "callback_2_threads_one_source/curfew");
CURFEW_TWO_THREADS(one_source<bench::inplace>, "callback_2_threads_one_source/curfew_inplace");

/// The threads share no source. All sources are made by one thread, one after the other and turn by
/// turn for each of the two, as by a program that then starts its workers. Several each, because
/// with one it would be luck whether the two stand in one cache line.
template <class Peer>
void own_source(benchmark::State& state) {
  static const typename Peer::source sources[8];
  std::vector<typename Peer::token> own;
  for (auto i = static_cast<std::size_t>(state.thread_index()); i < 8; i += 2)
    own.push_back(sources[i].get_token());
  std::size_t turn = 0;
  bench::on_each_thread(state, [&own, &turn] { register_one<Peer>(own[turn++ % 4]); });
}
CURFEW_TWO_THREADS(own_source<bench::standard>, "callback_2_threads_own_source/std");
CURFEW_TWO_THREADS(own_source<bench::shared>, "callback_2_threads_own_source/curfew");

template <class Peer>
void beside_1000(benchmark::State& state) {
  const typename Peer::source source;
  const auto token = source.get_token();
  std::deque<callback<Peer>> held;
  while (held.size() < 1000) held.emplace_back(token, count_up{&calls});
  for (auto _ : state) register_one<Peer>(token);
}
BENCHMARK(beside_1000<bench::standard>)->Name("callback_1000_held/std");
BENCHMARK(beside_1000<bench::shared>)->Name("callback_1000_held/curfew");

/// As requests that come and go: the oldest is removed, then a new one registered.
template <class Peer>
void replace_oldest(benchmark::State& state) {
  const typename Peer::source source;
  const auto token = source.get_token();
  std::vector<std::optional<callback<Peer>>> held(1000);
  for (auto& one : held) one.emplace(token, count_up{&calls});
  std::size_t oldest = 0;
  for (auto _ : state) {
    held[oldest].emplace(token, count_up{&calls});
    if (++oldest == held.size()) oldest = 0;
  }
}
BENCHMARK(replace_oldest<bench::standard>)->Name("callback_oldest_of_1000/std");
BENCHMARK(replace_oldest<bench::shared>)->Name("callback_oldest_of_1000/curfew");

}  // namespace

BENCHMARK_MAIN();
