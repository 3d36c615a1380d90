// SPDX-License-Identifier: BSL-1.0
//
// The bridge and children made by fork. Not under the thread sanitizer, which delivers no signal to
// the handlers of a child whose parent had threads.
#include <curfew/host/signals.hpp>

#include <optional>

#include "doctest/doctest.h"
#include "support.hpp"

#if CURFEW_POSIX && !CURFEW_TEST_TSAN

#include "posix_support.hpp"

namespace {

using curfew::signal_bridge;
using curfew::stop_source;
using test::plain;
using test::stops;

std::atomic<int> foreign{0};
void foreign_handler(int) { ++foreign; }

}  // namespace

TEST_CASE_FIXTURE(plain, "a child made by fork is ended by the signal and the parent goes on") {
  stop_source source;
  signal_bridge bridge(source);
  for (const int number : {SIGTERM, SIGINT}) {
    CHECK(test::in_child([&] { return raise(number); }) == 1000 + number);
  }
  CHECK(!source.stop_requested());
  raise(SIGTERM);
  CHECK(stops(source.get_token()));
}

TEST_CASE_FIXTURE(plain, "in a child made by fork the handlers from before the bridge work") {
  const test::disposition below(SIGINT, foreign_handler);
  const test::disposition ignored(SIGHUP, SIG_IGN);
  signal_bridge bridge((stop_source()));
  bridge.on(SIGHUP, [] {});
  foreign = 0;
  CHECK(test::in_child([] {
          raise(SIGHUP);
          raise(SIGINT);
          raise(SIGINT);
          return foreign.load();
        }) == 2);
  CHECK(foreign == 0);
}

TEST_CASE_FIXTURE(plain, "a child made by vfork is ended by the signal and the parent goes on") {
  stop_source source;
  signal_bridge bridge(source);
  const pid_t child = vfork();
  if (child == 0) {
    kill(getpid(), SIGTERM);
    _exit(3);
  }
  CHECK(test::wait_for_end(child) == 1000 + SIGTERM);
  CHECK(!source.stop_requested());
  raise(SIGTERM);
  CHECK(stops(source.get_token()));
}

TEST_CASE_FIXTURE(plain, "a child may destroy the bridge that it inherited") {
  stop_source source;
  std::optional<signal_bridge> bridge(std::in_place, source);
  CHECK(test::in_child([&] {
          bridge.reset();
          return test::has_action(SIGTERM, SIG_DFL) ? 3 : 4;
        }) == 3);
  raise(SIGTERM);
  CHECK(stops(source.get_token()));
}

TEST_CASE_FIXTURE(plain, "a child may have a bridge of its own and the parent keeps its") {
  const test::disposition below(SIGINT, foreign_handler);
  stop_source source;
  std::optional<signal_bridge> bridge(std::in_place, source);
  auto child = [&] {
    stop_source own;
    {
      signal_bridge second(own, {.same_press = {}});
      raise(SIGINT);
      if (!stops(own.get_token())) return 10;
      bridge.reset();  // the inherited one takes nothing from it
      raise(SIGTERM);
      if (!stops(second.hurry())) return 11;
    }
    if (!test::has_action(SIGINT, foreign_handler)) return 12;
    return source.stop_requested() ? 13 : 14;
  };
  CHECK(test::in_child(child) == 14);
  CHECK(!source.stop_requested());
  raise(SIGTERM);
  CHECK(stops(source.get_token()));
}

TEST_CASE_FIXTURE(plain, "a bridge of the child does not keep what only the parent asked for") {
  signal_bridge bridge((stop_source()));
  bridge.on(SIGUSR1, [] {});
  auto child = [] {
    signal_bridge own((stop_source()));
    return raise(SIGUSR1);
  };
  CHECK(test::in_child(child) == 1000 + SIGUSR1);
}

TEST_CASE_FIXTURE(plain, "a bridge of the child ends the child at the third signal") {
  signal_bridge bridge((stop_source()));
  auto child = [] {
    signal_bridge own((stop_source()));
    for (;;) raise(SIGTERM);
    return 0;
  };
  CHECK(test::in_child(child) == 128 + SIGTERM);
}

TEST_CASE_FIXTURE(plain, "the third signal ends the process at once whatever thread it meets") {
  auto child = [] {
    signal_bridge bridge((stop_source()));
    std::thread([] {
      for (;;) raise(SIGINT);
    }).join();
    return 0;
  };
  CHECK(test::in_child(child) == 128 + SIGINT);
}

#else

TEST_CASE("these tests are for POSIX systems") { CHECK(true); }

#endif
