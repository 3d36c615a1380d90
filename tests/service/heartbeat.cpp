// SPDX-License-Identifier: BSL-1.0
#include <curfew/service/health.hpp>
#include <curfew/service/heartbeat.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

using namespace std::chrono_literals;
using curfew::health;
using curfew::health_probe;
using curfew::health_report;
using curfew::health_status;
using curfew::heartbeat;
using curfew::manual_clock;
using curfew::stop_source;

TEST_CASE("a loop lives while it beats in time") {
  manual_clock clock;
  stop_source stop(clock);
  health h(stop.get_token());
  const heartbeat beat = h.add_heartbeat("loop", 10s);
  CHECK(h.ask(health_probe::liveness).ok());
  clock.advance(10s);
  CHECK(h.ask(health_probe::liveness).ok());
  clock.advance(1s);
  const health_report late = h.ask(health_probe::liveness);
  CHECK(late.code() == 503);
  CHECK(late.why == "loop: no beat for 11 s of 10 s");
  CHECK(late.entries.at(0).age == 11s);
  beat.beat();
  CHECK(h.ask(health_probe::liveness).ok());
}

TEST_CASE("a loop that rests need not beat until it has beaten again") {
  manual_clock clock;
  stop_source stop(clock);
  health h(stop.get_token());
  const heartbeat beat = h.add_heartbeat("loop", 10s);
  beat.rest();
  clock.advance(1h);
  CHECK(h.ask(health_probe::liveness).ok());
  beat.beat();
  clock.advance(11s);
  CHECK_FALSE(h.read(health_probe::liveness).ok());
}

TEST_CASE("a loop that is gone without a rest is late for ever") {
  manual_clock clock;
  stop_source stop(clock);
  health h(stop.get_token());
  { [[maybe_unused]] const heartbeat beat = h.add_heartbeat("loop", 10s); }
  clock.advance(11s);
  CHECK_FALSE(h.ask(health_probe::liveness).ok());
}

TEST_CASE("a program that stops lives though its loops have ended") {
  manual_clock clock;
  stop_source stop(clock);
  health h(stop.get_token());
  const heartbeat beat = h.add_heartbeat("loop", 10s);
  clock.advance(1h);
  CHECK_FALSE(h.ask(health_probe::liveness).ok());
  stop.request_stop();
  const health_report r = h.ask(health_probe::liveness);
  CHECK(r.status == health_status::healthy);
  CHECK(r.stopping());
  CHECK(r.why.empty());
  CHECK(r.entries.at(0).status == health_status::unhealthy);
}

TEST_CASE("a heartbeat counts for the probes it is made for") {
  manual_clock clock;
  stop_source stop(clock);
  health h(stop.get_token());
  h.started();
  const heartbeat beat = h.add_heartbeat("queue", 10s, health_probe::readiness);
  clock.advance(11s);
  CHECK(h.ask(health_probe::liveness).ok());
  CHECK_FALSE(h.ask(health_probe::readiness).ok());
}

TEST_CASE("a heartbeat outlives its health and one of nothing does nothing") {
  manual_clock clock;
  heartbeat beat;
  beat.beat();
  beat.rest();
  {
    stop_source stop(clock);
    health h(stop.get_token());
    beat = h.add_heartbeat("loop", 10s);
  }
  beat.beat();
  beat.rest();
}

TEST_CASE("threads beat while others ask") {
  stop_source stop;
  health h(stop.get_token());
  const heartbeat beat = h.add_heartbeat("loop", 1h);
  std::atomic<bool> over{false};
  std::thread loop([&] {
    while (!over) beat.beat();
  });
  for (int i = 0; i != 1000; ++i) {
    const health_report r = h.ask(health_probe::liveness);
    REQUIRE(r.ok());
    REQUIRE(r.entries.at(0).age >= 0s);
  }
  over = true;
  loop.join();
}
