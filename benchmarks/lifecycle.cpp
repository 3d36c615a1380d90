// SPDX-License-Identifier: BSL-1.0
//
// What does it cost to start and to stop 1000 components on one graph, each: with all their threads
// and wake-ups, and with the rules alone. The peer is what that takes in threads anyway: one for
// each component, which is made, is woken for its start, is woken for its stop, and is joined.
#include <curfew/service/lifecycle.hpp>

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t components = 1000;

/// After whom the i-th component is.
struct chain {
  static std::vector<std::size_t> after(std::size_t i) {
    if (i == 0) return {};
    return {i - 1};
  }
};
struct fan {
  static std::vector<std::size_t> after(std::size_t i) {
    if (i == 0) return {};
    return {0};
  }
};
/// Ten layers; each of a hundred is after two of the layer before.
struct grid {
  static std::vector<std::size_t> after(std::size_t i) {
    if (i < 100) return {};
    return {i - 100, i - i % 100 - 100 + (i + 1) % 100};
  }
};

template <class Shape>
void start_and_stop(benchmark::State& state) {
  std::atomic<std::size_t> up{0};
  while (state.KeepRunningBatch(components)) {
    curfew::lifecycle parts;
    for (std::size_t i = 0; i < components; ++i) {
      curfew::component c;
      for (const std::size_t d : Shape::after(i)) c.after.push_back(std::to_string(d));
      c.start = [&up] { ++up; };
      c.stop = [&up] { --up; };
      parts.add(std::to_string(i), std::move(c));
    }
    if (!parts.start() || up != components || !parts.stop().ok() || up != 0)
      state.SkipWithError("not every component was started and stopped");
  }
}
BENCHMARK(start_and_stop<chain>)->Name("components_chain/curfew")->UseRealTime();
BENCHMARK(start_and_stop<fan>)->Name("components_fan/curfew")->UseRealTime();
BENCHMARK(start_and_stop<grid>)->Name("components_grid/curfew")->UseRealTime();

/// Each wakes the next, as in a chain.
void bare_threads(benchmark::State& state) {
  struct worker {
    std::binary_semaphore starts{0}, stops{0};
    std::thread thread;
  };
  while (state.KeepRunningBatch(components)) {
    std::deque<worker> all(components + 1);
    for (std::size_t i = 0; i < components; ++i) {
      all[i].thread = std::thread([&all, i] {
        all[i].starts.acquire();
        all[i + 1].starts.release();
        all[i].stops.acquire();
        (i == 0 ? all[components] : all[i - 1]).stops.release();
      });
    }
    all[0].starts.release();
    all[components].starts.acquire();
    all[components - 1].stops.release();
    all[components].stops.acquire();
    for (std::size_t i = 0; i < components; ++i) all[i].thread.join();
  }
}
BENCHMARK(bare_threads)->Name("components_chain/threads")->UseRealTime();

/// Does what it is told at once.
class prompt_desk final : public curfew::detail::machine_desk {
 public:
  void begin(std::uint32_t part, curfew::component_step step, time_point) noexcept override {
    begun.push_back({part, step});
  }
  void cut(curfew::component_step) noexcept override {}
  void hurry(std::uint32_t) noexcept override {}
  void tell(std::uint32_t, const curfew::lifecycle_event&) noexcept override {}
  void tell(const curfew::lifecycle_event&) noexcept override {}
  void failed(std::uint32_t) noexcept override {}
  double random() noexcept override { return 0; }

  struct order {
    std::uint32_t part;
    curfew::component_step step;
  };
  std::deque<order> begun;
};

/// As the threads do it: after every piece of news somebody asks when something is due.
void drive(curfew::detail::lifecycle_machine& machine, prompt_desk& desk) {
  for (; !desk.begun.empty(); desk.begun.pop_front()) {
    machine.finished({}, desk.begun.front().part, desk.begun.front().step,
                     curfew::step_outcome::done);
    benchmark::DoNotOptimize(machine.next_due());
  }
}

template <class Shape>
void rules_alone(benchmark::State& state) {
  curfew::detail::part_graph graph;
  for (std::size_t i = 0; i < components; ++i) {
    curfew::detail::graph_part part;
    for (const auto s : {curfew::component_step::start, curfew::component_step::stop}) {
      part.has[curfew::detail::index_of(s)] = true;
      part.limit[curfew::detail::index_of(s)] = std::chrono::seconds(10);
    }
    graph.add(std::move(part));
    for (const std::size_t d : Shape::after(i))
      graph.link(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(d));
  }
  curfew::detail::lifecycle_machine machine(graph);
  prompt_desk desk;
  machine.serve(graph, desk);
  while (state.KeepRunningBatch(components)) {
    machine.start({}, std::chrono::seconds(15));
    drive(machine, desk);
    machine.stop({}, machine.never, {});
    drive(machine, desk);
    if (machine.whole() != curfew::whole_phase::stopped) state.SkipWithError("it has not stopped");
  }
}
BENCHMARK(rules_alone<chain>)->Name("components_rules_chain/curfew");
BENCHMARK(rules_alone<fan>)->Name("components_rules_fan/curfew");
BENCHMARK(rules_alone<grid>)->Name("components_rules_grid/curfew");

}  // namespace

BENCHMARK_MAIN();
