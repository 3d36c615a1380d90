// SPDX-License-Identifier: BSL-1.0
// Asked late, a context answers rightly: once a deadline has passed, whoever asks is told so, even
// when no timer has come round to it yet. The clock here has timers that never come round.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <atomic>
#include <chrono>
#include <system_error>
#include <thread>

using namespace std::chrono_literals;
using curfew::stop_callback;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::stop_source;
using curfew::stop_token;

namespace {

// Time passes on it, and that is all.
class timerless_clock final : public curfew::time_source {
 public:
  time_point now() const noexcept override { return time_point{} + now_.load(); }
  void pass(duration d) noexcept { now_.store(now_.load() + d); }

 private:
  bool arm(curfew::detail::timer_entry&, std::error_code&) noexcept override { return true; }
  void disarm(curfew::detail::timer_entry&) noexcept override {}
  std::atomic<duration> now_{duration{1h}};
};

TEST_CASE("a stop asked for after the deadline says deadline") {
  timerless_clock clock;
  stop_source s{clock, 1s};
  clock.pass(1s);
  CHECK_FALSE(s.stop_requested());  // polling is one load: it does not look at the clock
  s.request_stop(stop_reason{stop_cause::signal, 15, 0, -1});
  CHECK(s.get_token().reason().cause == stop_cause::deadline);
  CHECK(s.get_token().reason().code == 0);
}

TEST_CASE("a stop asked for one moment before the deadline keeps its reason") {
  timerless_clock clock;
  stop_source s{clock, 1s};
  clock.pass(1s - 1ns);
  CHECK(s.request_stop(stop_reason{stop_cause::signal, 15, 0, -1}));
  clock.pass(1h);
  CHECK(s.get_token().reason().cause == stop_cause::signal);
}

TEST_CASE("callbacks of a stop asked for after the deadline run once and find that reason") {
  auto& clock = curfew::time_source::process();
  for (int round = 0; round < 200; ++round) {
    const auto when = clock.now() + 20us;
    stop_source s{when};
    stop_source child{s.get_token()};
    test::gate both_ran;
    std::atomic<int> runs{0};
    const auto look = [&] {
      const bool right = child.get_token().reason().cause == stop_cause::deadline;
      if (runs.fetch_add(right ? 1 : 100) == 1) both_ran.open();
    };
    const stop_callback on_parent(s.get_token(), look);
    const stop_callback on_child(child.get_token(), look);
    while (clock.now() < when) {
    }
    (round % 2 == 0 ? s : child).request_stop();
    both_ran.pass();
    REQUIRE(runs.load() == 2);
  }
}

TEST_CASE("the reason of a passed deadline is there for the asking and then the flag is up") {
  timerless_clock clock;
  stop_source s{clock, 1s};
  clock.pass(2s);
  CHECK(s.get_token().reason().cause == stop_cause::deadline);
  CHECK(s.stop_requested());
  CHECK_FALSE(s.request_stop());
}

TEST_CASE("asking for the remaining time of a passed deadline puts the flag up") {
  timerless_clock clock;
  const stop_source s{clock, 1s};
  clock.pass(2s);
  CHECK(s.get_token().remaining() <= 0s);
  CHECK(s.stop_requested());
}

TEST_CASE("every wait returns at once after the deadline and says stopped") {
  timerless_clock clock;
  const stop_source a{clock, 1s};
  const stop_source b{clock, 1s};
  const stop_source c{clock, 1s};
  clock.pass(1s);
  CHECK(a.get_token().wait());
  CHECK(b.get_token().wait_for(1h));
  CHECK(c.get_token().wait_until(clock.now() - 1s));
  CHECK(a.stop_requested());
  CHECK(b.stop_requested());
  CHECK(c.stop_requested());
}

TEST_CASE("a child asked late puts the flag up on the owner of the deadline and down to itself") {
  timerless_clock clock;
  stop_source root{clock};
  stop_source owner{root.get_token(), 1s};
  stop_source middle{owner.get_token()};
  stop_source asked{middle.get_token(), 5s};
  clock.pass(2s);
  CHECK(asked.get_token().reason().cause == stop_cause::deadline);
  CHECK(asked.stop_requested());
  CHECK(middle.stop_requested());
  CHECK(owner.stop_requested());
  CHECK_FALSE(root.stop_requested());
  CHECK(owner.get_token().reason().cause == stop_cause::deadline);
}

TEST_CASE("a stop of a child after the deadline of its parent says deadline") {
  timerless_clock clock;
  stop_source parent{clock, 1s};
  stop_source child{parent.get_token()};
  clock.pass(1s);
  child.request_stop(stop_reason{stop_cause::fault, 3, 0, -1});
  CHECK(child.get_token().reason().cause == stop_cause::deadline);
  CHECK(parent.stop_requested());
  CHECK(parent.get_token().reason().cause == stop_cause::deadline);
}

TEST_CASE("a stop of a parent after the deadline of its child says both truths") {
  timerless_clock clock;
  stop_source parent{clock};
  stop_source child{parent.get_token(), 1s};
  clock.pass(1s);
  CHECK(child.get_token().reason().cause == stop_cause::deadline);
  CHECK(parent.request_stop(stop_reason{stop_cause::fault, 3, 0, -1}));
  CHECK(parent.get_token().reason().cause == stop_cause::fault);
  CHECK(child.get_token().reason().cause == stop_cause::deadline);
}

TEST_CASE("a stop of a parent tells a child whose deadline nobody has noticed of that") {
  timerless_clock clock;
  stop_source parent{clock, 5s};
  stop_source early{parent.get_token(), 1s};
  stop_source below{early.get_token()};
  stop_source same{parent.get_token(), 9s};
  clock.pass(2s);
  CHECK(parent.request_stop(stop_reason{stop_cause::fault, 3, 0, -1}));
  CHECK(early.get_token().reason().cause == stop_cause::deadline);
  CHECK(below.get_token().reason().cause == stop_cause::deadline);
  CHECK(same.get_token().reason().cause == stop_cause::fault);
}

TEST_CASE("a child made of a parent whose deadline has passed is born stopped") {
  timerless_clock clock;
  stop_source parent{clock, 1s};
  clock.pass(1s);
  stop_source child{parent.get_token()};
  CHECK(child.get_token().reason().cause == stop_cause::deadline);
  CHECK(child.stop_requested());
}

TEST_CASE("an inplace context answers late as rightly as a shared one") {
  timerless_clock clock;
  curfew::inplace_stop_source owner{clock, 1s};
  curfew::inplace_stop_source child{owner.get_token()};
  clock.pass(1s);
  child.request_stop(stop_reason{stop_cause::fault, 3, 0, -1});
  CHECK(child.get_token().reason().cause == stop_cause::deadline);
  CHECK(owner.get_token().reason().cause == stop_cause::deadline);
}

TEST_CASE("noticing a deadline runs no callback because that is left to the timer") {
  timerless_clock clock;
  stop_source s{clock, 1s};
  int runs = 0;
  const stop_callback cb(s.get_token(), [&] { ++runs; });
  clock.pass(1s);
  CHECK(s.get_token().reason().cause == stop_cause::deadline);
  CHECK_FALSE(s.request_stop());
  CHECK(runs == 0);
  const stop_callback late(s.get_token(), [&] { runs += 10; });
  CHECK(runs == 10);
}

TEST_CASE("on the process clock a stop asked for after the deadline says deadline") {
  auto& clock = curfew::time_source::process();
  for (int round = 0; round < 200; ++round) {
    const auto when = clock.now() + 20us;
    stop_source s{when};
    stop_source child{s.get_token()};
    while (clock.now() < when) {
    }
    child.request_stop(stop_reason{stop_cause::fault, 3, 0, -1});
    REQUIRE(child.get_token().reason().cause == stop_cause::deadline);
    REQUIRE(s.get_token().reason().cause == stop_cause::deadline);
    REQUIRE(s.stop_requested());
  }
}

TEST_CASE("on the process clock no deadline is early") {
  auto& clock = curfew::time_source::process();
  for (int round = 0; round < 200; ++round) {
    const auto when = clock.now() + std::chrono::microseconds(round);
    const stop_source s{when};
    while (!s.stop_requested()) std::this_thread::yield();
    REQUIRE(clock.now() >= when);
    REQUIRE(s.get_token().reason().cause == stop_cause::deadline);
  }
}

}  // namespace
