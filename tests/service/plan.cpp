// SPDX-License-Identifier: BSL-1.0
//
// Who gets how much of a stop's time.
#include <curfew/service/component.hpp>
#include <curfew/service/detail/part_graph.hpp>
#include <curfew/service/detail/stop_replay.hpp>
#include <curfew/service/plan.hpp>
#include <curfew/service/plan_part.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include "doctest/doctest.h"

namespace {

using namespace std::chrono_literals;
using curfew::make_plan;
using curfew::part_fate;
using curfew::part_share;
using curfew::plan_part;
using curfew::reason_plan;
using curfew::stop_budget;
using curfew::stop_plan;
using duration = curfew::time_source::duration;
using places = std::vector<std::size_t>;

constexpr duration never = (duration::max)();

/// A budget of which the parts have all.
stop_budget budget(duration time) { return {.name = "test", .limit = time, .time = time}; }

reason_plan plan_in(duration time, const std::vector<plan_part>& parts) {
  const std::vector<stop_budget> budgets = {budget(time)};
  return make_plan(parts, budgets).reasons[0];
}

stop_plan plan_of(const std::vector<plan_part>& parts) { return make_plan(parts, {}); }

/// The order in which they start: a, then b, then c.
std::vector<plan_part> three_in_a_row() {
  return {{.name = "a", .start = 1s, .stop = 2s},
          {.name = "b", .after = {0}, .start = 2s, .drain = 4s, .stop = 2s, .abort = 2s},
          {.name = "c", .after = {1}, .start = 3s, .stop = 10s}};
}

std::vector<plan_part> diamond() {
  return {{.name = "base", .start = 1s, .stop = 1s},
          {.name = "quick", .after = {0}, .start = 9s, .stop = 2s},
          {.name = "slow", .after = {0}, .start = 1s, .stop = 7s},
          {.name = "top", .after = {1, 2}, .start = 1s, .stop = 2s}};
}

/// The same numbers each time.
class numbers {
 public:
  explicit numbers(std::uint32_t seed) : state_(seed) {}
  std::uint32_t below(std::uint32_t n) {
    state_ = state_ * 1664525u + 1013904223u;
    return (state_ >> 8) % n;
  }

 private:
  std::uint32_t state_;
};

std::vector<plan_part> random_parts(numbers& n) {
  std::vector<plan_part> parts(1 + n.below(30));
  for (std::size_t i = 0; i != parts.size(); ++i) {
    parts[i].name = std::to_string(i);
    parts[i].drain = std::chrono::milliseconds(n.below(3) * n.below(5000));
    parts[i].stop = std::chrono::milliseconds(n.below(9000));
    parts[i].abort = std::chrono::milliseconds(n.below(2) * n.below(1000));
    for (std::size_t d = 0; d != i; ++d) {
      if (n.below(6) == 0) parts[i].after.push_back(d);
    }
  }
  return parts;
}

duration sum(const part_share& s) { return s.drain + s.stop + s.abort; }

}  // namespace

TEST_CASE("the critical path is the longest and not the sum") {
  const stop_plan plan = plan_of(diamond());
  CHECK(plan.start.parts == places{0, 1, 3});
  CHECK(plan.start.length == 11s);
  CHECK(plan.stop.parts == places{3, 2, 0});
  CHECK(plan.stop.length == 10s);
}

TEST_CASE("the path of a stop has all steps of its parts") {
  CHECK(plan_of(three_in_a_row()).stop.length == 20s);
  CHECK(plan_of(three_in_a_row()).stop.parts == places{2, 1, 0});
}

TEST_CASE("without parts there is nothing to plan") {
  CHECK(plan_of({}).stop.length == 0s);
  CHECK(plan_of({}).start.parts.empty());
  CHECK(plan_in(0s, {}).fits());
}

TEST_CASE("with enough time everybody gets what he declares") {
  const reason_plan r = plan_in(20s, three_in_a_row());
  CHECK(r.fits());
  CHECK(r.shares[2].begins == 0s);
  CHECK(r.shares[1].begins == 10s);
  CHECK(r.shares[0].begins == 18s);
  CHECK(sum(r.shares[1]) == 8s);
}

TEST_CASE("with too little everybody gets as much less as the others") {
  const reason_plan r = plan_in(10s, three_in_a_row());
  CHECK(!r.fits());
  CHECK(r.shares[2].stop == 5s);
  CHECK(r.shares[1].drain == 2s);
  CHECK(r.shares[1].stop == 1s);
  CHECK(r.shares[1].abort == 1s);
  CHECK(r.shares[0].begins == 9s);
  CHECK(r.shares[0].stop == 1s);
}

TEST_CASE("what becomes of a part depends on what it has") {
  const std::vector<plan_part> parts = {{.name = "drains", .drain = 8s},
                                        {.name = "aborts", .stop = 8s, .abort = 1s},
                                        {.name = "hangs", .stop = 8s},
                                        {.name = "fits", .stop = 4s}};
  const reason_plan r = plan_in(4s, parts);
  CHECK(r.shares[0].fate == part_fate::cut);
  CHECK(r.shares[1].fate == part_fate::aborted);
  CHECK(r.shares[2].fate == part_fate::abandoned);
  CHECK(r.shares[3].fate == part_fate::done);
}

TEST_CASE("a part beside the critical path is not cut with it") {
  const reason_plan r = plan_in(8s, diamond());
  CHECK(r.shares[1].fate == part_fate::done);
  CHECK(r.shares[2].fate == part_fate::abandoned);
}

TEST_CASE("without any time all is abandoned at once") {
  for (const duration t : {duration(0s), duration(-1s)}) {
    const reason_plan r = plan_in(t, diamond());
    for (const part_share& s : r.shares) {
      CHECK(s.fate == part_fate::abandoned);
      CHECK(s.begins == 0s);
      CHECK(sum(s) == 0s);
    }
  }
}

TEST_CASE("a part without limits fits only into a stop without one") {
  const std::vector<plan_part> parts = {{.name = "a", .stop = 1s},
                                        {.name = "b", .after = {0}, .drain = never, .stop = never}};
  CHECK(plan_of(parts).stop.length == never);
  CHECK(plan_in(never, parts).fits());
  const reason_plan r = plan_in(10s, parts);
  CHECK(!r.fits());
  CHECK(r.shares[0].begins <= 10s);
}

TEST_CASE("negative times are none") {
  const std::vector<plan_part> parts = {{.name = "a", .start = -1s, .stop = -5s, .abort = -1s}};
  CHECK(plan_of(parts).stop.length == 0s);
  CHECK(plan_in(0s, parts).fits());
}

TEST_CASE("a dependency that is named twice is one") {
  const std::vector<plan_part> parts = {{.name = "a", .stop = 1s},
                                        {.name = "b", .after = {0, 0}, .stop = 1s}};
  CHECK(plan_of(parts).stop.length == 2s);
  CHECK(plan_of(parts).stop.parts == places{1, 0});
}

#if CURFEW_EXCEPTIONS
TEST_CASE("parts that wait for each other or for nobody are refused") {
  for (const places& after : {places{1}, places{0}, places{7}}) {
    const std::vector<plan_part> parts = {{.name = "a", .after = after},
                                          {.name = "b", .after = {0}}};
    CHECK_THROWS_AS(plan_of(parts), std::system_error);
  }
}
#endif

TEST_CASE("no part begins before those after it or ends past the time whatever the graph") {
  numbers n(42);
  for (int round = 0; round != 300; ++round) {
    const std::vector<plan_part> parts = random_parts(n);
    const duration time = std::chrono::milliseconds(n.below(60000));
    const reason_plan r = plan_in(time, parts);
    CHECK(r.fits() == (plan_of(parts).stop.length <= time));
    for (std::size_t i = 0; i != parts.size(); ++i) {
      const duration end = r.shares[i].begins + sum(r.shares[i]);
      CHECK(end <= time);
      for (const std::size_t d : parts[i].after) CHECK(r.shares[d].begins >= end);
    }
  }
}

TEST_CASE("more time is never worse for anybody") {
  numbers n(7);
  for (int round = 0; round != 100; ++round) {
    const std::vector<plan_part> parts = random_parts(n);
    const duration time = std::chrono::milliseconds(n.below(30000));
    const reason_plan less = plan_in(time, parts), more = plan_in(time + 5s, parts);
    for (std::size_t i = 0; i != parts.size(); ++i) {
      CHECK(more.shares[i].fate <= less.shares[i].fate);
    }
  }
}

TEST_CASE("the chains of a plan are those that a lifecycle divides time by") {
  numbers n(3);
  for (int round = 0; round != 50; ++round) {
    const std::vector<plan_part> parts = random_parts(n);
    curfew::detail::part_graph graph;
    for (const plan_part& p : parts) {
      curfew::detail::graph_part g;
      const auto set = [&](curfew::component_step s, duration d) {
        g.limit[curfew::detail::index_of(s)] = d;
        g.has[curfew::detail::index_of(s)] = true;
      };
      set(curfew::component_step::drain, p.drain);
      set(curfew::component_step::stop, p.stop);
      set(curfew::component_step::abort, p.abort);
      const std::uint32_t i = graph.add(g);
      for (const std::size_t d : p.after) graph.link(i, static_cast<std::uint32_t>(d));
    }
    const curfew::detail::part_chains chains(parts);
    const std::vector<duration> theirs = graph.chains();
    for (std::size_t i = 0; i != parts.size(); ++i) {
      CHECK(chains.behind(i) + curfew::detail::declared_times(parts[i]).sum() == theirs[i]);
    }
  }
}

TEST_CASE("a long row of parts is planned without recursion") {
  std::vector<plan_part> parts(100000);
  for (std::size_t i = 0; i != parts.size(); ++i) {
    parts[i].stop = 1ms;
    if (i != 0) parts[i].after = {i - 1};
  }
  CHECK(plan_of(parts).stop.length == 100s);
  CHECK(plan_in(100s, parts).fits());
  CHECK(!plan_in(99s, parts).fits());
}

TEST_CASE("timeouts that are planned are the paths and a reserve") {
  using curfew::as_planned;
  const curfew::service_spec spec{.start_timeout = as_planned, .stop_timeout = as_planned};
  const std::vector<plan_part> parts = three_in_a_row();
  const curfew::service_spec r = resolve_timeouts(spec, parts);
  CHECK(r.stop_timeout == 21s);
  CHECK(r.start_timeout == curfew::detail::with_end(6s));
  CHECK(make_plan(parts, stop_budgets(r)).find("ctrl-c")->fits());
  CHECK(resolve_timeouts(spec, {}).stop_timeout == curfew::service_spec{}.stop_timeout);
  CHECK(resolve_timeouts({.stop_timeout = 3s}, parts).stop_timeout == 3s);
}

TEST_CASE("a timeout that is planned has time for all to stay up first") {
  const curfew::service_spec spec{.stop_timeout = curfew::as_planned};
  const std::vector<plan_part> parts = three_in_a_row();
  for (const auto duck : {1ms, 5000ms, 3600000ms}) {
    const curfew::service_spec r = resolve_timeouts(spec, parts, duck);
    const auto plan = make_plan(parts, stop_budgets(r, {}, duck));
    CHECK(plan.find("systemd-stop")->fits());
    CHECK(plan.find("pod")->fits());
    const auto before = make_plan(parts, stop_budgets(resolve_timeouts(spec, parts), {}, duck));
    CHECK_FALSE(before.find("systemd-stop")->fits());
  }
}

TEST_CASE("a reason is found by its name") {
  const std::vector<stop_budget> budgets = {budget(1s)};
  const stop_plan plan = make_plan(diamond(), budgets);
  CHECK(plan.find("test") == &plan.reasons[0]);
  CHECK(plan.find("other") == nullptr);
}
