// SPDX-License-Identifier: BSL-1.0
#include "library.hpp"
#include "units.hpp"

#include <curfew/curfew.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <thread>

#include "doctest/doctest.h"

using namespace std::chrono_literals;
using curfew::stop_cause;

namespace {

constexpr curfew::stop_reason asked{stop_cause::control, 7};

struct count_up {
  std::atomic<int>& calls;
  void operator()() const noexcept { ++calls; }
};
using counting_callback = curfew::stop_callback<count_up>;

}  // namespace

TEST_CASE("two translation units share one process clock") {
  CHECK(second_unit::process_clock() == &curfew::time_source::process());
}

TEST_CASE("a context of one translation unit stops its child in another") {
  curfew::stop_source parent;
  CHECK(second_unit::child_stops_with(parent));
}

TEST_CASE("a unit that is built without exceptions works beside the others") {
  CHECK(other_mode::deadline_stops_a_context());
}

TEST_CASE("a stop of the program reaches a child that the library made") {
  curfew::stop_source program;
  const curfew::stop_source child = library::child(program.get_token());
  CHECK_FALSE(library::stop_requested(child.get_token()));
  program.request_stop(asked);
  CHECK(library::stop_requested(child.get_token()));
  CHECK(library::reason(child.get_token()) == asked);
}

TEST_CASE("a stop by the library reaches a child of the program") {
  curfew::stop_source root = library::root();
  const curfew::stop_source child{root.get_token()};
  CHECK(library::request_stop(root, asked));
  CHECK(child.get_token().reason() == asked);
}

TEST_CASE("callbacks of both sides run and can be removed by either") {
  curfew::stop_source program;
  std::atomic<int> calls = 0;
  library::listener* const kept = library::listen(program.get_token(), calls);
  library::listener* const forgotten = library::listen(program.get_token(), calls);
  const counting_callback own{program.get_token(), count_up{calls}};
  library::forget(forgotten);
  CHECK(library::request_stop(program, {}));
  CHECK(calls == 2);
  library::forget(kept);
}

TEST_CASE("a callback of the program may forget one of the library") {
  curfew::stop_source source = library::root();
  std::atomic<int> calls = 0;
  library::listener* const older = library::listen(source.get_token(), calls);
  const auto forget = [older]() noexcept { library::forget(older); };
  const curfew::stop_callback<decltype(forget)> newer{source.get_token(), forget};
  library::request_stop(source, {});
  CHECK(calls == 0);
}

TEST_CASE("a deadline that the library armed stops and wakes the program") {
  const curfew::stop_source program;
  const curfew::stop_source child = library::child(program.get_token(), 1ms);
  CHECK(child.get_token().wait());
  CHECK(child.get_token().reason().cause == stop_cause::deadline);
  CHECK_FALSE(program.get_token().stop_requested());
}

TEST_CASE("a deadline that the program armed stops and wakes the library") {
  const curfew::stop_source root = library::root();
  const curfew::stop_source child{root.get_token(), 1ms};
  CHECK(library::wait(child.get_token()));
  CHECK(library::reason(child.get_token()).cause == stop_cause::deadline);
}

TEST_CASE("a stop wakes a thread that waits in the library") {
  curfew::stop_source program;
  bool woken = false;
  std::thread waiter{[&] { woken = library::wait(program.get_token()); }};
  program.request_stop();
  waiter.join();
  CHECK(woken);
}

TEST_CASE("a clock of the program drives a deadline of the library") {
  curfew::manual_clock clock;
  const curfew::stop_source root = library::root(clock);
  const curfew::stop_source child = library::child(root.get_token(), 5ms);
  std::atomic<int> calls = 0;
  library::listener* const registered = library::listen(child.get_token(), calls);
  clock.advance(4ms);
  CHECK(calls == 0);
  clock.advance(1ms);
  CHECK(calls == 1);
  CHECK(child.get_token().reason().cause == stop_cause::deadline);
  library::forget(registered);
}

TEST_CASE("an armed deadline of the library goes with its context") {
  const curfew::stop_source program;
  for (int i = 0; i != 1000; ++i) {
    const curfew::stop_source armed = library::child(program.get_token(), std::chrono::hours{1});
    CHECK(armed.stop_possible());
  }
}

TEST_CASE("a token of the program and one of the library can be linked") {
  const curfew::stop_source program;
  curfew::stop_source root = library::root();
  const curfew::stop_source both = curfew::linked(program.get_token(), root.get_token());
  library::request_stop(root, asked);
  CHECK(both.get_token().reason() == asked);
}
