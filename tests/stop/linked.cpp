// SPDX-License-Identifier: BSL-1.0
// A context with several parents stops when the first of them does.
#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using curfew::linked;
using curfew::manual_clock;
using curfew::stop_callback;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::stop_source;
using curfew::stop_token;

namespace {

TEST_CASE("a linked context stops with whichever parent stops first") {
  for (std::size_t first = 0; first < 3; ++first) {
    std::vector<stop_source> parents(3);
    const stop_source both =
        linked(parents[0].get_token(), parents[1].get_token(), parents[2].get_token());
    const stop_reason why{stop_cause::control, static_cast<int>(first) + 1, 0, -1};
    CHECK_FALSE(both.stop_requested());
    parents[first].request_stop(why);
    CHECK(both.get_token().reason() == why);
    for (auto& p : parents) p.request_stop(stop_reason{stop_cause::fault, 9, 0, -1});
    CHECK(both.get_token().reason() == why);
  }
}

TEST_CASE("a linked context may be stopped by itself and its parents go on") {
  stop_source a;
  stop_source b;
  stop_source both = linked(a.get_token(), b.get_token());
  CHECK(both.request_stop());
  CHECK_FALSE(a.stop_requested());
  CHECK_FALSE(b.stop_requested());
}

TEST_CASE("a link to a stopped parent is born stopped") {
  stop_source a;
  stop_source b;
  b.request_stop(stop_reason{stop_cause::fault, 5, 0, -1});
  const stop_source both = linked(a.get_token(), b.get_token());
  CHECK(both.get_token().reason().code == 5);
}

TEST_CASE("empty parents of a link count for nothing") {
  stop_source a;
  stop_source with_empty = linked(stop_token{}, a.get_token());
  a.request_stop();
  CHECK(with_empty.stop_requested());
  stop_source root = linked(stop_token{}, stop_token{});
  CHECK(root.stop_possible());
  CHECK(root.request_stop());
}

TEST_CASE("one parent may be linked twice") {
  stop_source a;
  int runs = 0;
  { const stop_source gone = linked(a.get_token(), a.get_token()); }
  const stop_source twice = linked(a.get_token(), a.get_token());
  const stop_callback cb(twice.get_token(), [&] { ++runs; });
  a.request_stop();
  CHECK(twice.stop_requested());
  CHECK(runs == 1);
}

TEST_CASE("a diamond runs each callback once and below first") {
  stop_source top;
  stop_source left{top.get_token()};
  stop_source right{top.get_token()};
  const stop_source bottom = linked(left.get_token(), right.get_token());
  test::order_log log;
  const stop_callback on_top(top.get_token(), test::note{log, 1});
  const stop_callback on_left(left.get_token(), test::note{log, 2});
  const stop_callback on_right(right.get_token(), test::note{log, 3});
  bool bottom_first = false;
  const stop_callback on_bottom(bottom.get_token(), [&] {
    bottom_first = log.empty();
    log.push_back(4);
  });
  top.request_stop();
  CHECK(log.size() == 4);
  CHECK(log.back() == 1);
  CHECK(bottom_first);
}

TEST_CASE("a link says the earliest deadline of its parents") {
  manual_clock clock;
  const stop_source sooner{clock, 5s};
  const stop_source later{clock, 9s};
  const stop_source both = linked(later.get_token(), sooner.get_token());
  CHECK(both.get_token().deadline() == sooner.get_token().deadline());
  CHECK(both.get_token().remaining() == 5s);
  CHECK(&both.get_token().clock() == &clock);
  clock.advance(5s);
  CHECK(both.get_token().reason().cause == stop_cause::deadline);
  CHECK_FALSE(later.stop_requested());
}

TEST_CASE("a stop of a link is possible while it is in any parent") {
  auto a = std::make_unique<stop_source>();
  auto b = std::make_unique<stop_source>();
  const stop_token t = linked(a->get_token(), b->get_token()).get_token();
  CHECK(t.stop_possible());
  a.reset();
  CHECK(t.stop_possible());
  b.reset();
  CHECK_FALSE(t.stop_possible());
}

TEST_CASE("a waiter on a link gives up when the last of the parents cannot stop") {
  auto a = std::make_unique<stop_source>();
  auto b = std::make_unique<stop_source>();
  const stop_token t = linked(a->get_token(), b->get_token()).get_token();
  bool stopped = true;
  std::thread waiter{[&] { stopped = t.wait(); }};
  a.reset();
  b.reset();
  waiter.join();
  CHECK_FALSE(stopped);
}

TEST_CASE("a link goes from the lists of all its parents") {
  stop_source a;
  stop_source b;
  for (int i = 0; i < 1000; ++i) const stop_source gone = linked(a.get_token(), b.get_token());
  CHECK(a.request_stop());
  CHECK(b.request_stop());
}

#if CURFEW_EXCEPTIONS
TEST_CASE("parents on two clocks cannot be linked") {
  manual_clock one;
  manual_clock two;
  const stop_source a{one};
  const stop_source b{two};
  CHECK_THROWS_AS(static_cast<void>(linked(a.get_token(), b.get_token())), std::system_error);
}
#endif

TEST_CASE("two parents stopped by two threads agree on one reason") {
  for (int round = 0; round < 300; ++round) {
    stop_source a;
    stop_source b;
    const stop_source both = linked(a.get_token(), b.get_token());
    std::atomic<int> runs{0};
    int code_seen = 0;
    const stop_callback cb(both.get_token(), [&] {
      code_seen = both.get_token().reason().code;
      runs.fetch_add(1);
    });
    test::starting_line line{2};
    std::thread other{[&] {
      line.await();
      a.request_stop(stop_reason{stop_cause::control, 1, 0, -1});
    }};
    line.await();
    b.request_stop(stop_reason{stop_cause::control, 2, 0, -1});
    other.join();
    REQUIRE(runs.load() == 1);
    REQUIRE(code_seen != 0);
    REQUIRE(both.get_token().reason().code == code_seen);
  }
}

TEST_CASE("a link destroyed while both parents stop") {
  for (int round = 0; round < 300; ++round) {
    stop_source a;
    stop_source b;
    auto both = std::make_unique<stop_source>(linked(a.get_token(), b.get_token()));
    test::starting_line line{3};
    std::thread first{[&] {
      line.await();
      a.request_stop();
    }};
    std::thread second{[&] {
      line.await();
      b.request_stop();
    }};
    line.await();
    both.reset();
    first.join();
    second.join();
  }
}

}  // namespace
