// SPDX-License-Identifier: BSL-1.0
//
// What a lifecycle of a thousand components costs, counted: allocations, and what it does for each.
#include <curfew/service/lifecycle.hpp>

#include "../release/faulty_new.hpp"
#include "doctest/doctest.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::component;
using curfew::component_step;
using curfew::lifecycle;
using curfew::whole_phase;
using curfew::detail::lifecycle_machine;
using curfew::detail::part_graph;

namespace {

constexpr std::size_t many = 1000;

using numbers = std::vector<std::size_t>;

numbers chain(std::size_t i) { return i == 0 ? numbers() : numbers{i - 1}; }
numbers fan(std::size_t i) { return i == 0 ? numbers() : numbers{0}; }
/// Ten layers; each of a hundred is after two of the layer before.
numbers grid(std::size_t i) {
  return i < 100 ? numbers() : numbers{i - 100, i - i % 100 - 100 + (i + 1) % 100};
}

part_graph graph_of(numbers (*after)(std::size_t)) {
  part_graph graph;
  for (std::size_t i = 0; i != many; ++i) {
    curfew::detail::graph_part part;
    for (const auto s : {component_step::start, component_step::drain, component_step::stop}) {
      part.has[curfew::detail::index_of(s)] = true;
      part.limit[curfew::detail::index_of(s)] = 10s;
    }
    graph.add(std::move(part));
    for (const std::size_t d : after(i))
      graph.link(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(d));
  }
  return graph;
}

/// Does what it is told at once, and counts it.
class counting_desk final : public curfew::detail::machine_desk {
 public:
  counting_desk() { begun_.reserve(3 * many); }
  void begin(std::uint32_t part, component_step step, time_point) noexcept override {
    begun_.push_back({part, step});
  }
  void cut(component_step) noexcept override {}
  void hurry(std::uint32_t) noexcept override {}
  void tell(std::uint32_t, const curfew::lifecycle_event&) noexcept override { ++told; }
  void tell(const curfew::lifecycle_event&) noexcept override { ++told; }
  void failed(std::uint32_t) noexcept override {}
  double random() noexcept override { return 0; }

  std::size_t drive(lifecycle_machine& machine) {
    for (std::size_t next = 0; next != begun_.size(); ++next)
      machine.finished({}, begun_[next].first, begun_[next].second, curfew::step_outcome::done);
    return std::exchange(begun_, empty()).size();
  }
  std::size_t told = 0;

 private:
  static std::vector<std::pair<std::uint32_t, component_step>> empty() {
    std::vector<std::pair<std::uint32_t, component_step>> v;
    v.reserve(3 * many);
    return v;
  }
  std::vector<std::pair<std::uint32_t, component_step>> begun_;
};

void declare(lifecycle& parts, numbers (*after)(std::size_t), std::atomic<std::size_t>& up,
             std::size_t count = many) {
  for (std::size_t i = 0; i != count; ++i) {
    component c;
    for (const std::size_t d : after(i)) c.after.push_back(std::to_string(d));
    c.start = [&up] { ++up; };
    c.stop = [&up] { --up; };
    parts.add(std::to_string(i), std::move(c));
  }
}

}  // namespace

TEST_CASE("the rules of a thousand components allocate nothing and take each step once") {
  for (const auto after : {&chain, &fan, &grid}) {
    const part_graph graph = graph_of(after);
    lifecycle_machine machine(graph);
    counting_desk desk;
    machine.serve(graph, desk);
    CHECK(test::allocations_of([&] { machine.start({}, 15s); }) == 0);
    CHECK(desk.drive(machine) == many);
    CHECK(machine.whole() == whole_phase::up);
    CHECK(test::allocations_of([&] { machine.stop({}, machine.never, 0s); }) == 0);
    CHECK(desk.drive(machine) == 2 * many);
    CHECK(machine.whole() == whole_phase::stopped);
    CHECK(desk.told == 6 * many);  // each step begins and ends
  }
}

TEST_CASE("the rules of a thousand components that all hang allocate nothing") {
  const part_graph graph = graph_of(&grid);
  lifecycle_machine machine(graph);
  counting_desk desk;
  machine.serve(graph, desk);
  machine.start({}, 15s);
  desk.drive(machine);
  CHECK(test::allocations_of([&] {
          auto now = lifecycle_machine::time_point();
          machine.stop(now, now + 1min, 1s);
          machine.escalate(now);
          while (machine.whole() != whole_phase::stopped) machine.tick(now = machine.next_due());
          CHECK(now - lifecycle_machine::time_point() <= 1min);
        }) <= 10);  // doctest's own
  CHECK(machine.lost() == many);
}

TEST_CASE("to stop a thousand components takes one allocation each and that is its context") {
  for (const auto after : {&chain, &fan, &grid}) {
    std::atomic<std::size_t> up{0};
    lifecycle parts;
    declare(parts, after, up);
    REQUIRE(parts.start());
    CHECK(up == many);
    const long made = test::allocations_of([&] { CHECK(parts.stop().ok()); });
    CHECK(up == 0);
    CHECK(made <= static_cast<long>(many) + 20);
  }
}

#if CURFEW_EXCEPTIONS  // without them, who gets no memory ends
TEST_CASE("a stop that gets no memory for a context stops all components") {
  for (long n = 0; n != 8; ++n) {
    std::atomic<std::size_t> up{0};
    lifecycle parts;
    declare(parts, &chain, up, 4);
    REQUIRE(parts.start());
    curfew::stop_report report;
    test::failing_allocation(n, [&] { report = parts.stop(); });
    CHECK(report.ok());
    CHECK(up == 0);
  }
}
#endif
