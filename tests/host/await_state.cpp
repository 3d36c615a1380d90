// SPDX-License-Identifier: BSL-1.0
//
// Waiting for a scripted service on clocks that a test moves.
#include <curfew/host/install/await_state.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <chrono>
#include <thread>
#include <vector>

#include "doctest/doctest.h"
#include "leaping_clock.hpp"
#include "scripted_manager.hpp"
#include "support.hpp"

namespace {

using namespace std::chrono_literals;
using curfew::await_end;
using curfew::await_result;
using curfew::await_state;
using curfew::ended_states;
using curfew::service_state;
using curfew::service_status;
using curfew::state_set;
using curfew::stop_source;
using test::in;

using duration = curfew::time_source::duration;
constexpr state_set running = {service_state::running};

service_status starting(std::uint32_t moves, duration hint) {
  service_status s = in(service_state::starting);
  s.moves = moves;
  s.hint = hint;
  return s;
}

/// A service that begins as `now` and is looked at on a clock that leaps.
struct scene {
  test::scripted_manager manager;
  test::leaping_clock clock;
  stop_source stop{clock};
  std::vector<duration> looks;

  explicit scene(service_status now) {
    manager.now = now;
    manager.on_call = [this](const std::string&) { looks.push_back(clock.passed()); };
  }
  await_result wait(state_set goal, duration limit = 10min) {
    return await_state(manager, "web", goal, limit, stop.get_token());
  }
  /// What the manager answers from then on.
  void at(duration when, service_status status) {
    manager.on_call = [this, when, status, before = manager.on_call](const std::string& what) {
      before(what);
      if (clock.passed() >= when && manager.next.empty()) manager.next.push_back(status);
    };
  }
};

}  // namespace

TEST_CASE("a service that is there already is looked at once") {
  scene s(in(service_state::running));
  const await_result r = s.wait(running);
  CHECK(r.end == await_end::reached);
  CHECK(r.status.pid == 4711);
  CHECK(r.elapsed == 0s);
  CHECK(s.manager.looks == 1);
}

TEST_CASE("the first second is looked at every 50 to 250 ms") {
  scene s(in(service_state::starting));
  s.at(900ms, in(service_state::running));
  const await_result r = s.wait(running);
  CHECK(r.end == await_end::reached);
  CHECK(r.elapsed == s.clock.passed());
  REQUIRE(s.looks.size() > 4);
  CHECK(s.looks[1] == 50ms);
  CHECK(s.looks[2] == 100ms);
  CHECK(s.looks[3] == 150ms);
  for (std::size_t i = 1; i < s.looks.size(); ++i) {
    CHECK(s.looks[i] - s.looks[i - 1] >= 50ms);
    CHECK(s.looks[i] - s.looks[i - 1] <= 250ms);
  }
}

TEST_CASE("SCM rule 22 - after the first second it polls at a tenth of the hint from 1 to 10 s") {
  struct {
    duration hint, wanted;
  } const table[] = {{0s, 1s}, {5s, 1s}, {30s, 3s}, {100s, 10s}, {1h, 10s}, {24h * 365 * 290, 10s}};
  for (const auto& row : table) {
    scene s(starting(1, row.hint));
    s.at(30s, in(service_state::running));
    CHECK(s.wait(running).end == await_end::reached);
    std::vector<duration> pauses;
    for (std::size_t i = 1; i < s.looks.size(); ++i) {
      if (s.looks[i - 1] >= 1s) pauses.push_back(s.looks[i] - s.looks[i - 1]);
    }
    REQUIRE(pauses.size() >= 3);
    for (const duration p : pauses) CHECK(p == row.wanted);
  }
}

TEST_CASE("SCM rule 22 - it gives up when the checkpoint stops for 80 s and the hint") {
  scene s(starting(7, 20s));
  const await_result r = s.wait(running, 1h);
  CHECK(r.end == await_end::stuck);
  CHECK(r.status.state == service_state::starting);
  CHECK(r.elapsed > 100s);
  CHECK(r.elapsed <= 103s);
}

TEST_CASE("a checkpoint that rises keeps the wait alive past 80 s") {
  scene s(starting(1, 20s));
  s.manager.on_call = [&](const std::string&) {
    ++s.manager.now.moves;
    if (s.clock.passed() >= 5min) s.manager.now = in(service_state::running);
  };
  const await_result r = s.wait(running, 1h);
  CHECK(r.end == await_end::reached);
  CHECK(r.elapsed >= 5min);
}

TEST_CASE("a service that tells nothing of how it moves has all of the limit") {
  scene s(in(service_state::starting));
  const await_result r = s.wait(running, 5min);
  CHECK(r.end == await_end::not_in_time);
  CHECK(r.elapsed == 5min);
}

TEST_CASE("the last look is at the limit and not after it") {
  scene s(starting(1, 1h));
  const await_result r = s.wait(running, 3s);
  CHECK(r.end == await_end::not_in_time);
  CHECK(s.looks.back() == 3s);
  CHECK(r.elapsed == 3s);
}

TEST_CASE("no time at all is one look") {
  scene s(in(service_state::starting));
  CHECK(s.wait(running, 0s).end == await_end::not_in_time);
  CHECK(s.manager.looks == 1);
}

TEST_CASE("no limit is no limit") {
  scene s(in(service_state::starting));
  s.at(100h, in(service_state::running));
  CHECK(s.wait(running, (duration::max)()).end == await_end::reached);
}

TEST_CASE("a service that fails on its way has ended at once") {
  for (const service_state end : {service_state::failed, service_state::stopped}) {
    scene s(in(service_state::starting));
    s.at(50ms, in(end));
    const await_result r = s.wait(running);
    CHECK(r.end == await_end::ended);
    CHECK(r.status.state == end);
    CHECK(r.elapsed == 50ms);
  }
}

TEST_CASE("a service that has not begun yet is given the first second") {
  scene late(in(service_state::stopped));
  late.at(300ms, in(service_state::running));
  CHECK(late.wait(running).end == await_end::reached);
  scene never(in(service_state::failed));
  const await_result r = never.wait(running);
  CHECK(r.end == await_end::ended);
  CHECK(r.elapsed >= 1s);
  CHECK(r.elapsed < 2s);
}

TEST_CASE("a service that is to end may end in either way") {
  for (const service_state end :
       {service_state::failed, service_state::stopped, service_state::not_installed}) {
    scene s(in(service_state::stopping));
    s.at(200ms, in(end));
    CHECK(s.wait(ended_states).end == await_end::reached);
  }
}

TEST_CASE("a manager that cannot be asked ends the wait with its reason") {
  scene s(in(service_state::starting));
  s.manager.query_fails = test::fails("the bus is closed");
  const await_result r = s.wait(running);
  CHECK(r.end == await_end::failed);
  CHECK(r.why.text == "the bus is closed");
}

TEST_CASE("a stop ends the wait and says in which state the service is left") {
  scene s(in(service_state::starting));
  s.manager.on_call = [&](const std::string&) {
    if (s.clock.passed() >= 400ms) s.stop.request_stop();
  };
  const await_result r = s.wait(running);
  CHECK(r.end == await_end::interrupted);
  CHECK(r.status.state == service_state::starting);
  CHECK(s.manager.calls.empty());
}

TEST_CASE("an observer sees each look but the last") {
  scene s(in(service_state::starting));
  s.at(100ms, in(service_state::running));
  std::vector<service_state> seen;
  const auto see = [&](const service_status& status, duration) { seen.push_back(status.state); };
  const await_result r = await_state(s.manager, "web", running, 1min, s.stop.get_token(), see);
  CHECK(r.end == await_end::reached);
  CHECK(seen == std::vector{service_state::starting, service_state::starting});
}

TEST_CASE("a token without a source waits all the same") {
  test::scripted_manager manager;
  manager.now = in(service_state::starting);
  manager.next = {in(service_state::starting), in(service_state::running)};
  CHECK(await_state(manager, "web", running, 1min).end == await_end::reached);
  CHECK(manager.looks == 2);
}

TEST_CASE("a wait on a manual clock sleeps until that is advanced or somebody stops it") {
  curfew::manual_clock clock;
  stop_source stop(clock);
  test::scripted_manager manager;
  manager.now = in(service_state::starting);
  test::latch looked(1);
  manager.on_call = [&](const std::string&) { looked.count_down(); };
  await_result r;
  std::thread waiter([&] { r = await_state(manager, "web", running, 1min, stop.get_token()); });
  looked.wait();
  stop.request_stop();
  waiter.join();
  CHECK(r.end == await_end::interrupted);
  CHECK(manager.looks == 1);
}

TEST_CASE("a look that a stop has cut short is an interrupt") {
  scene s(in(service_state::starting));
  s.manager.on_call = [&](const std::string&) {
    if (s.clock.passed() < 2s) return;
    s.stop.request_stop();
    s.manager.query_fails = test::fails("has not answered");
  };
  const await_result r = await_state(s.manager, "web", running, 1h, s.stop.get_token());
  CHECK(r.end == await_end::interrupted);
  CHECK(r.status.state == service_state::starting);
  CHECK(!r.why);
}
