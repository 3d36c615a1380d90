// SPDX-License-Identifier: BSL-1.0
//
// How late is a deadline: 10 000 of them, 100 us apart; from each to the first instruction of what
// runs because of it. The bare peer is a thread that sleeps until one deadline after the other.
#include <curfew/config.hpp>
#include <curfew/stop/stop_token.hpp>

#include "latency.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <latch>
#include <vector>

#if CURFEW_LINUX
#include <sys/prctl.h>
#include <time.h>
#include <thread>
#endif

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

std::vector<clock::time_point> next_deadlines() {
  std::vector<clock::time_point> deadlines(rounds(10'000));
  auto next = clock::now() + 100ms;
  for (auto& deadline : deadlines) deadline = next += 100us;
  return deadlines;
}

void report(benchmark::State& state, latencies& lateness) {
  state.SetIterationTime(lateness.mean() / 1e9);
  state.counters["early"] = lateness.early();
  lateness.report(state);
}

// --- until a callback runs ----------------------------------------------------------------------

struct note {
  clock::time_point& called;
  std::latch& left;
  void operator()() const noexcept {
    called = clock::now();
    left.count_down();
  }
};

struct alarm {
  alarm(clock::time_point at, std::latch& left)
      : deadline(at), source(at), on_stop(source.get_token(), note{called, left}) {}

  clock::time_point deadline;
  clock::time_point called;
  curfew::stop_source source;
  curfew::stop_callback<note> on_stop;
};

void callback(benchmark::State& state) {
  for (auto _ : state) {
    const auto deadlines = next_deadlines();
    std::latch left(static_cast<std::ptrdiff_t>(deadlines.size()));
    std::deque<alarm> alarms;
    for (const auto deadline : deadlines) alarms.emplace_back(deadline, left);
    left.wait();
    latencies lateness;
    for (const auto& alarm : alarms) lateness.add(alarm.called - alarm.deadline);
    report(state, lateness);
  }
}

// --- until a thread that polls sees it ----------------------------------------------------------

void flag(benchmark::State& state) {
  for (auto _ : state) {
    const auto deadlines = next_deadlines();
    std::vector<curfew::stop_source> sources(deadlines.begin(), deadlines.end());
    latencies lateness;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      while (!sources[i].stop_requested()) continue;
      lateness.add(clock::now() - deadlines[i]);
    }
    report(state, lateness);
  }
}

// --- bare ---------------------------------------------------------------------------------------

#if CURFEW_LINUX
void sleep_until(clock::time_point deadline) {
  const std::chrono::nanoseconds since = deadline.time_since_epoch();
  const timespec at{static_cast<time_t>(since / 1s), static_cast<long>((since % 1s).count())};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) != 0) continue;
}

void bare(benchmark::State& state) {
  for (auto _ : state) {
    latencies lateness;
    std::thread sleeper([&lateness] {
      prctl(PR_SET_TIMERSLACK, 1UL);
      for (const auto deadline : next_deadlines()) {
        sleep_until(deadline);
        lateness.add(clock::now() - deadline);
      }
    });
    sleeper.join();
    report(state, lateness);
  }
}
BENCHMARK(bare)->Name("lateness/bare")->UseManualTime()->Iterations(1);
#endif

BENCHMARK(callback)->Name("lateness/curfew")->UseManualTime()->Iterations(1);
BENCHMARK(flag)->Name("lateness_flag/curfew")->UseManualTime()->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
