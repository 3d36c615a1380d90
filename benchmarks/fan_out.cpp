// SPDX-License-Identifier: BSL-1.0
//
// What does a stop cost for each callback that it runs?
#include "support.hpp"

#include <cstdint>
#include <deque>
#include <vector>

namespace {

/// Of `sources` sources with `callbacks` callbacks each, all are stopped; the time of the stops
/// alone is taken. The callbacks stand side by side in memory, in the order of their registration.
template <class Peer, std::int64_t callbacks, std::int64_t sources>
void stop(benchmark::State& state) {
  while (state.KeepRunningBatch(sources * callbacks)) {
    std::vector<typename Peer::source> all(sources);
    std::deque<typename Peer::template callback<bench::count_up>> registered;
    std::uint64_t calls = 0;
    for (const auto& source : all)
      for (std::int64_t i = 0; i < callbacks; ++i)
        registered.emplace_back(source.get_token(), bench::count_up{&calls});
    state.SetIterationTime(bench::seconds_of([&all] {
      for (auto& source : all) source.request_stop();
    }));
    if (calls != sources * callbacks) return state.SkipWithError("a callback was not run");
  }
}

// Few callbacks need several sources: one stop alone would be too short for the clock.
#define CURFEW_FAN_OUT(work, callbacks, sources)                                            \
  BENCHMARK(stop<bench::standard, callbacks, sources>)->Name(work "/std")->UseManualTime(); \
  BENCHMARK(stop<bench::shared, callbacks, sources>)->Name(work "/curfew")->UseManualTime()
CURFEW_FAN_OUT("stop_1_callback", 1, 100);
CURFEW_FAN_OUT("stop_100_callbacks", 100, 10);
CURFEW_FAN_OUT("stop_10000_callbacks", 10000, 1);
CURFEW_FAN_OUT("stop_1000000_callbacks", 1000000, 1);

}  // namespace

BENCHMARK_MAIN();
