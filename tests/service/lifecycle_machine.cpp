// SPDX-License-Identifier: BSL-1.0
//
// The rules by which components go up and down, at moments that no thread can be held at: what is
// late, cut or committed is so to the nanosecond.
#include <curfew/service/detail/lifecycle_machine.hpp>

#include "doctest/doctest.h"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using curfew::component_step;
using curfew::lifecycle_event;
using curfew::part_phase;
using curfew::step_outcome;
using curfew::whole_phase;
using curfew::detail::graph_part;
using curfew::detail::index_of;
using curfew::detail::lifecycle_machine;
using curfew::detail::part_graph;
using time_point = curfew::time_source::time_point;

namespace {

using steps = std::initializer_list<component_step>;

/// With ten seconds for each of these steps.
graph_part part_with(steps has) {
  graph_part p;
  for (const component_step s : has) {
    p.has[index_of(s)] = true;
    p.limit[index_of(s)] = 10s;
  }
  return p;
}

constexpr steps up_and_down = {component_step::start, component_step::stop};
constexpr steps all_but_abort = {component_step::start, component_step::prepare,
                                 component_step::resume, component_step::stop};

/// A machine, and what it has done with it.
class desk final : public curfew::detail::machine_desk {
 public:
  /// Each part stands on the one before it.
  explicit desk(const std::vector<graph_part>& parts) : graph_(row_of(parts)), machine(graph_) {
    machine.serve(graph_, *this);
  }

  void ends(std::uint32_t part, component_step s, step_outcome o = step_outcome::done) {
    machine.finished(now, part, s, o, "it failed");
  }
  void passes(curfew::time_source::duration d) { machine.tick(now += d); }
  void come_up() {
    machine.start(now, 15s);
    for (std::uint32_t i = 0; i != graph_.size(); ++i) ends(i, component_step::start);
    REQUIRE(machine.whole() == whole_phase::up);
  }
  [[nodiscard]] bool began(std::uint32_t part, component_step s) const {
    for (const auto& b : begun_)
      if (b.part == part && b.step == s) return true;
    return false;
  }

 private:
  struct beginning {
    std::uint32_t part;
    component_step step;
  };

  static part_graph row_of(const std::vector<graph_part>& parts) {
    part_graph g;
    for (const graph_part& p : parts) {
      const std::uint32_t i = g.add(p);
      if (i != 0) g.link(i, i - 1);
    }
    return g;
  }
  void begin(std::uint32_t part, component_step step, time_point) noexcept override {
    begun_.push_back({part, step});
  }
  void cut(component_step) noexcept override {}
  void hurry(std::uint32_t) noexcept override {}
  void tell(std::uint32_t, const lifecycle_event&) noexcept override {}
  void tell(const lifecycle_event&) noexcept override {}
  void failed(std::uint32_t) noexcept override { has_failed = true; }
  double random() noexcept override { return 0; }

  part_graph graph_;
  std::vector<beginning> begun_;

 public:
  lifecycle_machine machine;
  time_point now = time_point(1h);
  bool has_failed = false;
};

}  // namespace

TEST_CASE("a start that is overdue has failed before it returns") {
  desk d({part_with(up_and_down), part_with(up_and_down)});
  d.machine.start(d.now, 15s);
  d.ends(0, component_step::start);
  for (const auto some : {5s, 4s, 1s}) {
    CHECK(d.machine.whole() == whole_phase::starting);
    d.passes(some);
  }
  CHECK(d.machine.whole() == whole_phase::stopping);
  CHECK(d.machine.rolled_back());
  CHECK(d.machine.culprit() == 1);
  CHECK(d.machine.deadline() == d.now + 15s);
}

TEST_CASE("a start that ends at its limit has failed though nobody had noticed the time") {
  for (const auto took :
       {curfew::time_source::duration(10s - 1ns), curfew::time_source::duration(10s)}) {
    desk d({part_with(up_and_down)});
    d.machine.start(d.now, 15s);
    d.now += took;
    d.ends(0, component_step::start);
    CHECK(d.machine.rolled_back() == (took == 10s));
    CHECK(d.began(0, component_step::stop) == (took == 10s));
  }
}

TEST_CASE("a start that is overdue while it is to go down anyway is not a failure of its own") {
  graph_part p = part_with(up_and_down);
  p.restart = {.most = 1, .decay = 1h, .delay = 0s};
  desk d({p});
  d.come_up();
  REQUIRE(d.machine.fault(d.now, 0, "it does not work"));
  d.ends(0, component_step::stop);
  REQUIRE(d.machine.phase(0) == part_phase::starting);
  d.machine.want(0, false);
  REQUIRE(d.machine.converge(d.now));
  for (const auto some : {5s, 4s, 1s}) d.passes(some);
  CHECK_FALSE(d.has_failed);
  CHECK(d.machine.failures(0) == 1);
}

TEST_CASE("a prepare that was given up has as long as a stop when all are to go down") {
  desk d({part_with(up_and_down), part_with(all_but_abort)});
  d.come_up();
  REQUIRE(d.machine.prepare(d.now, 30s));
  for (const auto some : {5s, 4s, 1s}) d.passes(some);
  REQUIRE(d.machine.whole() == whole_phase::up);
  REQUIRE(d.machine.phase(1) == part_phase::preparing);  // it hangs, and nobody waits for it
  d.passes(1h);
  CHECK(d.machine.phase(1) == part_phase::preparing);
  d.machine.stop(d.now, d.now + 60s, {});
  CHECK(d.machine.next_due() == d.now + 10s);
  d.passes(10s - 1ns);
  CHECK(d.machine.phase(1) == part_phase::preparing);
  CHECK_FALSE(d.began(0, component_step::stop));
  d.passes(1ns);
  CHECK(d.machine.phase(1) == part_phase::lost);
  CHECK(d.began(0, component_step::stop));  // what it stood on has its time still
}

TEST_CASE("what is prepared can be committed until its lease is over and not then") {
  for (const auto waited :
       {curfew::time_source::duration(30s - 1ns), curfew::time_source::duration(30s)}) {
    desk d({part_with(all_but_abort)});
    d.come_up();
    REQUIRE(d.machine.prepare(d.now, 30s));
    d.ends(0, component_step::prepare);
    REQUIRE(d.machine.whole() == whole_phase::prepared);
    CHECK(d.machine.commit(d.now + waited) == (waited < 30s));
  }
}

TEST_CASE("one that says no has the others resumed") {
  desk d({part_with(all_but_abort), part_with(all_but_abort)});
  d.come_up();
  REQUIRE(d.machine.prepare(d.now, 30s));
  d.ends(1, component_step::prepare);
  d.ends(0, component_step::prepare, step_outcome::vetoed);
  CHECK(d.machine.whole() == whole_phase::resuming);
  CHECK(d.began(1, component_step::resume));
  CHECK_FALSE(d.began(0, component_step::resume));
}

TEST_CASE("one failure more than is allowed fails the whole and those long past do not count") {
  for (const auto between : {1s, 1000s}) {
    graph_part p = part_with(up_and_down);
    p.restart = {.most = 1, .decay = 10s, .delay = 0s};
    desk d({p});
    d.come_up();
    REQUIRE(d.machine.fault(d.now, 0, "it does not work"));
    CHECK_FALSE(d.has_failed);
    d.ends(0, component_step::stop);
    d.ends(0, component_step::start);
    REQUIRE(d.machine.phase(0) == part_phase::up);
    d.passes(between);
    REQUIRE(d.machine.fault(d.now, 0, "it does not work"));
    CHECK(d.has_failed == (between == 1s));
  }
}

TEST_CASE("nothing goes down before what stands on it has gone") {
  desk d({part_with(up_and_down), part_with(up_and_down)});
  d.come_up();
  d.machine.stop(d.now, d.now + 60s, {});
  CHECK(d.began(1, component_step::stop));
  CHECK_FALSE(d.began(0, component_step::stop));
  d.ends(1, component_step::stop);
  CHECK(d.began(0, component_step::stop));
  d.ends(0, component_step::stop);
  CHECK(d.machine.whole() == whole_phase::stopped);
}
