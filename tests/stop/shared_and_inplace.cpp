// SPDX-License-Identifier: BSL-1.0
// Inplace contexts in a tree: under shared and under inplace parents, with deadlines, and their
// destructor, which waits for a stop that is still inside.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <thread>

using namespace std::chrono_literals;
using curfew::inplace_stop_callback;
using curfew::inplace_stop_source;
using curfew::manual_clock;
using curfew::stop_callback;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::stop_source;

namespace {

const stop_reason why{stop_cause::signal, 15, 4711, 0};

TEST_CASE("an inplace child of a shared parent stops with it") {
  stop_source parent;
  inplace_stop_source child{parent.get_token()};
  inplace_stop_source grandchild{child.get_token()};
  int runs = 0;
  const inplace_stop_callback cb(grandchild.get_token(), [&] { ++runs; });
  CHECK_FALSE(grandchild.stop_requested());
  parent.request_stop(why);
  CHECK(child.get_token().reason() == why);
  CHECK(grandchild.get_token().reason() == why);
  CHECK(runs == 1);
}

TEST_CASE("an inplace child of an inplace parent stops with it and not the other way") {
  inplace_stop_source parent;
  inplace_stop_source child{parent.get_token()};
  child.request_stop(why);
  CHECK_FALSE(parent.stop_requested());
  inplace_stop_source second{parent.get_token()};
  parent.request_stop();
  CHECK(second.stop_requested());
  CHECK(child.get_token().reason() == why);
}

TEST_CASE("an inplace child of a stopped parent is born stopped") {
  stop_source shared;
  inplace_stop_source inplace;
  shared.request_stop(why);
  inplace.request_stop(why);
  CHECK(inplace_stop_source{shared.get_token()}.get_token().reason() == why);
  CHECK(inplace_stop_source{inplace.get_token()}.get_token().reason() == why);
}

TEST_CASE("an inplace child of an empty parent is a root") {
  inplace_stop_source of_shared{curfew::stop_token{}};
  inplace_stop_source of_inplace{curfew::inplace_stop_token{}};
  CHECK(of_shared.request_stop());
  CHECK(of_inplace.request_stop());
}

TEST_CASE("an inplace child keeps its shared parent alive and stoppable by deadline") {
  manual_clock clock;
  auto parent = std::make_unique<stop_source>(clock, 1s);
  inplace_stop_source child{parent->get_token()};
  parent.reset();
  CHECK(child.get_token().remaining() == 1s);
  clock.advance(1s);
  CHECK(child.get_token().reason().cause == stop_cause::deadline);
}

TEST_CASE("inplace contexts have deadlines of their own") {
  manual_clock clock;
  inplace_stop_source root{clock};
  inplace_stop_source a{root.get_token(), 2s};
  inplace_stop_source b{a.get_token(), clock.now() + 1s};
  inplace_stop_source c{b.get_token(), 5s};
  CHECK(c.get_token().remaining() == 1s);
  CHECK(&c.get_token().clock() == &clock);
  clock.advance(1s);
  CHECK(c.get_token().reason().cause == stop_cause::deadline);
  CHECK_FALSE(a.stop_requested());
  clock.advance(1s);
  CHECK(a.stop_requested());
  CHECK_FALSE(root.stop_requested());
}

TEST_CASE("an inplace deadline on the process clock") {
  inplace_stop_source s{5ms};
  CHECK(s.get_token().wait());
  CHECK(s.get_token().reason().cause == stop_cause::deadline);
}

TEST_CASE("inplace contexts go in any order that leaves parents behind") {
  for (int gone = 0; gone < 4; ++gone) {
    stop_source parent;
    std::optional<inplace_stop_source> children[4];
    for (auto& child : children) child.emplace(parent.get_token());
    children[gone].reset();
    children[(gone + 2) % 4].reset();
    children[gone].emplace(parent.get_token());
    parent.request_stop();
    for (const auto& child : children) CHECK((!child || child->stop_requested()));
  }
}

TEST_CASE("an inplace child that goes while it waits for its turn to be fired is not fired") {
  alignas(inplace_stop_source) std::byte room[sizeof(inplace_stop_source)];
  stop_source parent;
  test::order_log log;
  const inplace_stop_source last{parent.get_token()};
  const inplace_stop_callback on_last(last.get_token(), test::note{log, 3});
  auto* const middle = ::new (static_cast<void*>(room)) inplace_stop_source(parent.get_token());
  std::optional<inplace_stop_callback<test::note>> on_middle;
  on_middle.emplace(middle->get_token(), test::note{log, 2});
  const inplace_stop_source first{parent.get_token()};
  const inplace_stop_callback on_first(first.get_token(), [&] {
    log.push_back(1);
    on_middle.reset();
    middle->~inplace_stop_source();
    std::fill_n(room, sizeof room, std::byte{0xff});  // nobody may look there any more
  });
  parent.request_stop();
  CHECK(log == test::order_log{1, 3});
}

TEST_CASE("a stop of the parent may be on its way through an inplace child that goes") {
  for (int round = 0; round < 500; ++round) {
    stop_source parent;
    auto child = std::make_unique<inplace_stop_source>(parent.get_token());
    auto grandchild = std::make_unique<inplace_stop_source>(child->get_token());
    test::starting_line line{2};
    std::thread stopper{[&] {
      line.await();
      parent.request_stop();
    }};
    line.await();
    grandchild.reset();
    child.reset();
    stopper.join();
  }
}

TEST_CASE("the destructor of an inplace source waits for a deadline that is firing") {
  for (int round = 0; round < 500; ++round) {
    manual_clock clock;
    auto s = std::make_unique<inplace_stop_source>(clock, 1s);
    test::starting_line line{2};
    std::thread advancing{[&] {
      line.await();
      clock.advance(1s);
    }};
    line.await();
    s.reset();
    advancing.join();
  }
}

TEST_CASE("an inplace source goes while the process clock is about to fire it") {
  auto& clock = curfew::time_source::process();
  for (int round = 0; round < 1000; ++round) {
    const auto when = clock.now() + std::chrono::microseconds(round % 100);
    inplace_stop_source s{when};
    int runs = 0;
    const inplace_stop_callback cb(s.get_token(), [&] { ++runs; });
    while (clock.now() < when) {
    }
  }
}

TEST_CASE("a callback of an inplace child may run on the stopping thread while others look") {
  for (int round = 0; round < 300; ++round) {
    stop_source parent;
    test::starting_line line{3};
    std::atomic<int> runs{0};
    const auto own_child = [&] {
      line.await();
      for (int i = 0; i < 10; ++i) {
        inplace_stop_source child{parent.get_token()};
        bool ran = false;
        std::optional<inplace_stop_callback<std::function<void()>>> cb;
        cb.emplace(child.get_token(), [&] { ran = true; });
        cb.reset();
        if (ran) runs.fetch_add(1);
        if (ran && !child.stop_requested()) runs.fetch_add(1000);
      }
    };
    std::thread a{own_child};
    std::thread b{own_child};
    line.await();
    parent.request_stop();
    a.join();
    b.join();
    REQUIRE(runs.load() < 1000);
  }
}

TEST_CASE("shared callbacks run for an inplace descendant before those of its shared ancestor") {
  stop_source parent;
  inplace_stop_source child{parent.get_token()};
  test::order_log log;
  const inplace_stop_callback on_child(child.get_token(), test::note{log, 2});
  const stop_callback on_parent(parent.get_token(), test::note{log, 1});
  parent.request_stop();
  CHECK(log == test::order_log{2, 1});
}

}  // namespace
