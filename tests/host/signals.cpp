// SPDX-License-Identifier: BSL-1.0
//
// The bridge on every system, with scripted signals.
#include <curfew/host/signals.hpp>

#include <memory>
#include <optional>
#include <string>

#include "doctest/doctest.h"
#include "support.hpp"

namespace {

using curfew::signal_bridge;
using curfew::signal_options;
using curfew::stop_callback;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::stop_source;
using test::arrive;
using test::stops;

}  // namespace

TEST_CASE("a signal becomes a stop with its reason") {
  stop_source source;
  signal_bridge bridge(source);
  CHECK(!source.stop_requested());
  arrive(SIGINT, 4711);
  REQUIRE(stops(source.get_token()));
  CHECK(source.get_token().reason() == stop_reason{stop_cause::signal, SIGINT, 4711});
  CHECK(!bridge.hurry().stop_requested());
}

TEST_CASE("the second signal stops the hurry token with its own reason") {
  stop_source source;
  signal_bridge bridge(source);
  arrive(SIGINT, 1);
  arrive(SIGINT, 2);
  REQUIRE(stops(bridge.hurry()));
  CHECK(bridge.hurry().reason().pid == 2);
  REQUIRE(stops(source.get_token()));
  CHECK(source.get_token().reason().pid == 1);
}

TEST_CASE("a stop that no signal asked for makes the first signal a hurry") {
  stop_source source;
  signal_bridge bridge(source);
  bridge.stopping();
  source.request_stop();
  arrive(SIGINT);
  CHECK(stops(bridge.hurry()));
}

TEST_CASE("functions that are dropped have finished and no other is taken") {
  stop_source source;
  signal_bridge bridge(source);
  test::latch inside(1);
  bool finished = false;
  bridge.on(SIGINT, [&] {
    inside.count_down();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    finished = true;
  });
  arrive(SIGINT);
  inside.wait();
  bridge.drop_functions();
  CHECK(finished);
  std::error_code ec;
  bridge.on(
      SIGINT, [] {}, ec);
  CHECK(ec == std::errc::operation_canceled);
  arrive(SIGINT);  // which stops again
  CHECK(stops(source.get_token()));
}

TEST_CASE("a bridge that has settled counts signals and runs nothing") {
  stop_source source;
  {
    signal_bridge bridge(source);
    bridge.settle();
    using answer = curfew::detail::signal_inbox::answer;
    CHECK(arrive(SIGINT) == answer::noted);
    CHECK(arrive(SIGINT) == answer::noted);
    CHECK(arrive(SIGINT) == answer::end);
    CHECK(!bridge.hurry().stop_requested());
  }
  CHECK(!source.stop_requested());
  signal_bridge next(source);
  arrive(SIGINT);
  CHECK(stops(source.get_token()));
}

TEST_CASE("a stop callback that blocks does not hold up the hurry") {
  stop_source source;
  signal_bridge bridge(source);
  test::latch inside(1);
  test::latch go_on(1);
  stop_callback blocks(source.get_token(), [&] {
    inside.count_down();
    go_on.wait();
  });
  arrive(SIGINT);
  inside.wait();
  arrive(SIGINT);
  CHECK(stops(bridge.hurry()));
  go_on.count_down();
}

TEST_CASE("a function that blocks holds up neither the stop nor the hurry") {
  stop_source source;
  test::latch inside(1);
  test::latch go_on(1);
  signal_bridge bridge(source, signal_options{.stop_on = {}});
  bridge.on(SIGINT, [&] {
    inside.count_down();
    go_on.wait();
  });
  arrive(SIGINT);
  inside.wait();
  curfew::detail::desk.inbox.ending({stop_cause::console, 2});
  CHECK(stops(source.get_token()));
  curfew::detail::desk.inbox.ending({stop_cause::console, 2});
  CHECK(stops(bridge.hurry()));
  go_on.count_down();
}

TEST_CASE("a third signal is told to end while everything else blocks") {
  stop_source source;
  signal_bridge bridge(source);
  test::latch inside(2);
  test::latch go_on(1);
  auto block = [&] {
    inside.count_down();
    go_on.wait();
  };
  stop_callback first(source.get_token(), block);
  stop_callback second(bridge.hurry(), block);
  arrive(SIGINT);
  arrive(SIGINT);
  inside.wait();
  CHECK(arrive(SIGINT) == curfew::detail::signal_inbox::answer::end);
  go_on.count_down();
}

TEST_CASE("a function runs on a thread of the bridge and is no press") {
  std::thread::id where;
  stop_reason why;
  test::latch ran(1);
  stop_source source;
  signal_bridge bridge(source);
  bridge.on(SIGINT, [&](const stop_reason& reason) {
    where = std::this_thread::get_id();
    why = reason;
    ran.count_down();
  });
  arrive(SIGINT, 5);
  ran.wait();
  CHECK(where != std::this_thread::get_id());
  CHECK(why.pid == 5);
  bridge.off(SIGINT);
  CHECK(!source.stop_requested());
}

TEST_CASE("after off the signal stops again") {
  stop_source source;
  signal_bridge bridge(source);
  bridge.on(SIGINT, [] {});
  bridge.off(SIGINT);
  arrive(SIGINT);
  CHECK(stops(source.get_token()));
}

TEST_CASE("a function that was replaced or taken away is gone") {
  signal_bridge bridge((stop_source()));
  const auto alive = std::make_shared<int>();
  bridge.on(SIGINT, [alive] {});
  CHECK(alive.use_count() == 2);
  bridge.on(SIGINT, [alive] {});
  CHECK(alive.use_count() == 2);
  bridge.off(SIGINT);
  CHECK(alive.use_count() == 1);
}

TEST_CASE("a function may replace itself and take itself away") {
  std::atomic<int> second{0};
  std::atomic<int> first{0};
  stop_source source;
  signal_bridge bridge(source);
  bridge.on(SIGINT, [&] {
    bridge.on(SIGINT, [&] {
      bridge.off(SIGINT);
      ++second;
    });
    ++first;
  });
  arrive(SIGINT);
  CHECK(test::becomes([&] { return first == 1; }));
  arrive(SIGINT);
  CHECK(test::becomes([&] { return second == 1; }));
  arrive(SIGINT);
  CHECK(stops(source.get_token()));
  CHECK(first + second == 2);
}

TEST_CASE("a second bridge is refused and the first goes on") {
  stop_source source;
  signal_bridge bridge(source);
  std::error_code ec;
  signal_bridge second(stop_source(), ec);
  CHECK(ec == std::errc::device_or_resource_busy);
  CHECK(!second.hurry().stop_requested());
  second.on(
      SIGINT, [] {}, ec);
  CHECK(ec);
  second.off(SIGINT);
  arrive(SIGINT);
  CHECK(stops(source.get_token()));
}

#if CURFEW_EXCEPTIONS
TEST_CASE("the error of a second bridge says what to do") {
  signal_bridge bridge((stop_source()));
  try {
    signal_bridge second((stop_source()));
    FAIL("not refused");
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::device_or_resource_busy);
    CHECK(std::string(error.what()).find("make it in main") != std::string::npos);
  }
}

TEST_CASE("a signal that cannot be had is refused by an exception") {
  signal_bridge bridge((stop_source()));
  CHECK_THROWS_AS(bridge.on(-1, [] {}), std::system_error);
  const signal_options wrong{.stop_on = {500}};
  CHECK_THROWS_AS(signal_bridge(stop_source(), wrong), std::system_error);
}
#endif

TEST_CASE("bridges may follow one another and each starts afresh") {
  for (int i = 0; i < 20; ++i) {
    stop_source source;
    signal_bridge bridge(source);
    arrive(SIGINT, i + 1);
    REQUIRE(stops(source.get_token()));
    REQUIRE(source.get_token().reason().pid == i + 1);
    REQUIRE(!bridge.hurry().stop_requested());
  }
}

TEST_CASE("a signal that came before the destruction still stops") {
  for (int i = 0; i < 100; ++i) {
    stop_source source;
    {
      signal_bridge bridge(source);
      arrive(SIGINT);
    }
    REQUIRE(source.stop_requested());
  }
}

TEST_CASE("the hurry and the end still work while the destructor waits for a stop callback") {
  stop_source source;
  std::optional<signal_bridge> bridge(std::in_place, source);
  const auto hurry = bridge->hurry();
  bool hurried = false;
  stop_callback waits(source.get_token(), [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // for the destructor to begin
    arrive(SIGINT);
    hurried = stops(hurry);
  });
  arrive(SIGINT);
  bridge.reset();
  CHECK(hurried);
}

TEST_CASE("numbers that are no signal are refused") {
  std::error_code ec;
  signal_bridge wrong(stop_source(), signal_options{.stop_on = {SIGINT, 1000}}, ec);
  CHECK(ec == std::errc::invalid_argument);
  signal_bridge bridge(stop_source(), ec);
  REQUIRE(!ec);
  for (const int number : {0, -1, 128, 65536}) {
    bridge.on(
        number, [] {}, ec);
    CHECK(ec == std::errc::invalid_argument);
    bridge.off(number);
  }
}

TEST_CASE("a bridge for a source without a context does no harm") {
  const stop_source none(curfew::nostopstate);
  signal_bridge bridge(none);
  arrive(SIGINT);
  arrive(SIGINT);
  CHECK(stops(bridge.hurry()));
}

TEST_CASE("only the end of a console has a limit") {
  signal_bridge bridge((stop_source()));
  CHECK(bridge.allowed({stop_cause::signal, SIGINT}) == curfew::time_source::duration::max());
#if CURFEW_WINDOWS
  CHECK(bridge.allowed({stop_cause::console, 2}) > std::chrono::seconds(0));
  CHECK(bridge.allowed({stop_cause::console, 2}) < std::chrono::hours(1));
#endif
}
