// SPDX-License-Identifier: BSL-1.0
//
// Latencies as the report wants them: p50, p99 and max, in nanoseconds.
#ifndef CURFEW_BENCHMARKS_LATENCY_HPP
#define CURFEW_BENCHMARKS_LATENCY_HPP

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <vector>

/// How often to do what takes long: a twentieth in the smoke test.
inline std::size_t rounds(std::size_t full) {
  return std::getenv("CURFEW_BENCH_QUICK") != nullptr ? (full + 19) / 20 : full;
}

/// The same as a number of iterations.
inline benchmark::IterationCount iterations(std::size_t full) {
  return static_cast<benchmark::IterationCount>(rounds(full));
}

class latencies {
 public:
  using clock = std::chrono::steady_clock;

  void add(clock::duration d) { samples_.push_back(nanoseconds(d)); }
  void add(benchmark::State& state, clock::duration d) {
    state.SetIterationTime(nanoseconds(d) / 1e9);
    add(d);
  }
  void report(benchmark::State& state);

  [[nodiscard]] double mean() const;
  [[nodiscard]] double early() const;  ///< how many are negative

 private:
  static double nanoseconds(clock::duration d) {
    return std::chrono::duration<double, std::nano>(d).count();
  }

  std::vector<double> samples_;
};

inline void latencies::report(benchmark::State& state) {
  if (samples_.empty()) return;
  std::sort(samples_.begin(), samples_.end());
  state.counters["p50"] = samples_[samples_.size() / 2];
  state.counters["p99"] = samples_[samples_.size() * 99 / 100];
  state.counters["max"] = samples_.back();
}

inline double latencies::mean() const {
  double sum = 0;
  for (const double sample : samples_) sum += sample;
  return sum / static_cast<double>((std::max)(samples_.size(), std::size_t{1}));
}

inline double latencies::early() const {
  const auto negative = [](double sample) { return sample < 0; };
  return static_cast<double>(std::count_if(samples_.begin(), samples_.end(), negative));
}

#endif
