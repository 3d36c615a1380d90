// SPDX-License-Identifier: BSL-1.0
// Why a context stopped: the first reason wins, everywhere, and it is there before anyone looks.
#include <curfew/stop/reason.hpp>
#include <curfew/stop/stop_token.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <string>
#include <thread>
#include <type_traits>

using curfew::stop_callback;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::stop_source;
using curfew::stop_token;

namespace {

static_assert(std::is_trivially_copyable_v<stop_reason>);
static_assert(std::is_aggregate_v<stop_reason>);
static_assert(stop_reason{}.cause == stop_cause::none);
static_assert(stop_reason{}.code == 0);
static_assert(stop_reason{}.pid == 0);
static_assert(stop_reason{}.uid == -1);

TEST_CASE("a context that has not stopped has no reason") {
  const stop_source s;
  CHECK(s.get_token().reason().cause == stop_cause::none);
}

TEST_CASE("a plain request has the cause requested") {
  stop_source s;
  s.request_stop();
  CHECK(s.get_token().reason().cause == stop_cause::requested);
  stop_source other;
  other.request_stop(stop_reason{});
  CHECK(other.get_token().reason().cause == stop_cause::requested);
}

TEST_CASE("a reason without a cause keeps its code") {
  stop_source s;
  stop_reason only_code;
  only_code.code = 42;
  only_code.pid = 7;
  s.request_stop(only_code);
  CHECK(s.get_token().reason().cause == stop_cause::requested);
  CHECK(s.get_token().reason().code == 42);
  CHECK(s.get_token().reason().pid == 7);
}

TEST_CASE("the first reason wins") {
  stop_source s;
  CHECK(s.request_stop(stop_reason{stop_cause::signal, 2, 100, 0}));
  CHECK_FALSE(s.request_stop(stop_reason{stop_cause::fault, 1, 200, 1}));
  CHECK(s.get_token().reason() == stop_reason{stop_cause::signal, 2, 100, 0});
}

TEST_CASE("a child that stopped first keeps its own reason") {
  stop_source parent;
  stop_source child{parent.get_token()};
  stop_source grandchild{child.get_token()};
  child.request_stop(stop_reason{stop_cause::fault, 1, 0, -1});
  parent.request_stop(stop_reason{stop_cause::signal, 15, 0, -1});
  CHECK(child.get_token().reason().code == 1);
  CHECK(grandchild.get_token().reason().code == 1);
  CHECK(parent.get_token().reason().code == 15);
}

TEST_CASE("large values of a reason arrive whole") {
  stop_source s;
  stop_source child{s.get_token()};
  const stop_reason big{stop_cause::service_control, -2147483647 - 1, 9223372036854775807,
                        4294967294};
  s.request_stop(big);
  CHECK(child.get_token().reason() == big);
}

TEST_CASE("the reason is there for every callback of the tree") {
  stop_source parent;
  stop_source child{parent.get_token()};
  int seen = 0;
  const auto look = [&] {
    seen += child.get_token().reason().code + parent.get_token().reason().code;
  };
  const stop_callback on_parent(parent.get_token(), look);
  const stop_callback on_child(child.get_token(), look);
  parent.request_stop(stop_reason{stop_cause::control, 10, 0, -1});
  CHECK(seen == 40);
}

TEST_CASE("whoever sees the stop sees the whole reason") {
  for (int round = 0; round < 300; ++round) {
    stop_source s;
    stop_source child{s.get_token()};
    stop_reason seen;
    std::thread reader{[t = child.get_token(), &seen] {
      while (!t.stop_requested()) std::this_thread::yield();
      seen = t.reason();
    }};
    s.request_stop(stop_reason{stop_cause::signal, 15, 4711, 12});
    reader.join();
    REQUIRE(seen == stop_reason{stop_cause::signal, 15, 4711, 12});
  }
}

TEST_CASE("of two requests at once exactly the one answered true is the reason") {
  for (int round = 0; round < 300; ++round) {
    stop_source s;
    test::starting_line line{2};
    bool first_won = false;
    std::thread first{[&] {
      line.await();
      first_won = s.request_stop(stop_reason{stop_cause::control, 1, 1, 1});
    }};
    line.await();
    const bool second_won = s.request_stop(stop_reason{stop_cause::control, 2, 2, 2});
    first.join();
    REQUIRE(first_won != second_won);
    const std::int64_t winner = first_won ? 1 : 2;
    REQUIRE(s.get_token().reason() ==
            stop_reason{stop_cause::control, static_cast<int>(winner), winner, winner});
  }
}

TEST_CASE("a reason can be read by people") {
  CHECK(to_string(stop_reason{stop_cause::signal, 15, 4711, -1}) == "signal SIGTERM from pid 4711");
  CHECK(to_string(stop_reason{}).find("none") == 0);
  CHECK(to_string(stop_reason{stop_cause::deadline, 0, 0, -1}) == "deadline");
  const std::string full = to_string(stop_reason{stop_cause::requested, 3, 1, 2});
  CHECK(full.find("requested 3") == 0);
  CHECK(full.find("pid 1") != std::string::npos);
  CHECK(full.find('2') != std::string::npos);
  CHECK(to_string(stop_reason{stop_cause::signal, 64, 0, -1}) == "signal 64");
  for (int cause = 0; cause <= static_cast<int>(stop_cause::fault); ++cause)
    CHECK_FALSE(to_string(stop_reason{static_cast<stop_cause>(cause), 0, 0, -1}).empty());
  CHECK_FALSE(to_string(stop_reason{static_cast<stop_cause>(99), 0, 0, -1}).empty());
}

#if CURFEW_EXCEPTIONS
TEST_CASE("a stopped token throws its reason and a running one does not") {
  stop_source s;
  const stop_token t = s.get_token();
  t.throw_if_stopped();
  stop_token{}.throw_if_stopped();
  s.request_stop(stop_reason{stop_cause::signal, 15, 4711, -1});
  try {
    t.throw_if_stopped();
    FAIL("it did not throw");
  } catch (const curfew::stopped_error& e) {
    CHECK(e.reason() == stop_reason{stop_cause::signal, 15, 4711, -1});
    CHECK(e.code() == std::errc::operation_canceled);
  }
  CHECK_THROWS_AS(t.throw_if_stopped(), std::system_error);
}
#endif

}  // namespace
