// SPDX-License-Identifier: BSL-1.0
// The order among callbacks at a stop: descendants before ancestors, the newest child first, and
// within one context the newest callback first.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

using namespace std::chrono_literals;
using curfew::stop_callback;
using curfew::stop_source;
using test::note;
using test::order_log;

namespace {

TEST_CASE("the newest callback of a context runs first") {
  stop_source s;
  order_log log;
  const stop_callback a(s.get_token(), note{log, 1});
  const stop_callback b(s.get_token(), note{log, 2});
  const stop_callback c(s.get_token(), note{log, 3});
  s.request_stop();
  CHECK(log == order_log{3, 2, 1});
}

TEST_CASE("a callback that takes the place of an older one is still the newest") {
  stop_source s;
  order_log log;
  std::optional<stop_callback<note>> a;
  a.emplace(s.get_token(), note{log, 1});
  const stop_callback b(s.get_token(), note{log, 2});
  a.reset();
  a.emplace(s.get_token(), note{log, 3});
  s.request_stop();
  CHECK(log == order_log{3, 2});
}

TEST_CASE("descendants run before ancestors and the newest child first") {
  stop_source root;
  stop_source a{root.get_token()};
  stop_source b{root.get_token()};
  stop_source a1{a.get_token()};
  stop_source b1{b.get_token()};
  stop_source b2{b.get_token()};
  order_log log;
  // Registered in an order that is none of the tree's.
  const stop_callback on_b1(b1.get_token(), note{log, 51});
  const stop_callback on_root(root.get_token(), note{log, 1});
  const stop_callback on_a1(a1.get_token(), note{log, 41});
  const stop_callback on_b2(b2.get_token(), note{log, 52});
  const stop_callback on_a(a.get_token(), note{log, 4});
  const stop_callback on_b(b.get_token(), note{log, 5});
  const stop_callback on_root_again(root.get_token(), note{log, 2});
  const stop_callback on_a_again(a.get_token(), note{log, 3});
  root.request_stop();
  CHECK(log == order_log{52, 51, 5, 41, 3, 4, 2, 1});
}

TEST_CASE("the order is the same when a deadline stops the tree") {
  curfew::manual_clock clock;
  stop_source root{clock, 1s};
  stop_source older{root.get_token()};
  stop_source newer{root.get_token()};
  order_log log;
  const stop_callback on_root(root.get_token(), note{log, 1});
  const stop_callback on_newer(newer.get_token(), note{log, 3});
  const stop_callback on_older(older.get_token(), note{log, 2});
  clock.advance(1s);
  CHECK(log == order_log{3, 2, 1});
}

TEST_CASE("a subtree that stopped before is left out") {
  stop_source root;
  stop_source stopped{root.get_token()};
  stop_source below{stopped.get_token()};
  stop_source going{root.get_token()};
  order_log log;
  const stop_callback on_below(below.get_token(), note{log, 3});
  const stop_callback on_going(going.get_token(), note{log, 2});
  const stop_callback on_root(root.get_token(), note{log, 1});
  stopped.request_stop();
  CHECK(log == order_log{3});
  root.request_stop();
  CHECK(log == order_log{3, 2, 1});
}

TEST_CASE("inplace and shared children of one parent keep one order") {
  stop_source root;
  order_log log;
  const curfew::inplace_stop_source first{root.get_token()};
  const stop_source second{root.get_token()};
  const curfew::inplace_stop_source third{root.get_token()};
  const curfew::inplace_stop_callback on_first(first.get_token(), note{log, 1});
  const stop_callback on_second(second.get_token(), note{log, 2});
  const curfew::inplace_stop_callback on_third(third.get_token(), note{log, 3});
  const stop_callback on_root(root.get_token(), note{log, 0});
  root.request_stop();
  CHECK(log == order_log{3, 2, 1, 0});
}

TEST_CASE("a stop asked for inside a callback runs its callbacks there") {
  stop_source outer;
  stop_source other;
  stop_source child_of_other{other.get_token()};
  order_log log;
  const stop_callback on_child(child_of_other.get_token(), note{log, 11});
  const stop_callback on_other(other.get_token(), note{log, 10});
  const stop_callback last(outer.get_token(), note{log, 1});
  const stop_callback nests(outer.get_token(), [&] {
    log.push_back(2);
    other.request_stop();
    log.push_back(3);
  });
  outer.request_stop();
  CHECK(log == order_log{2, 11, 10, 3, 1});
}

TEST_CASE("stops nested a thousand deep through callbacks are all run") {
  constexpr std::size_t deep = 1000;
  std::vector<stop_source> contexts(deep);
  std::vector<std::unique_ptr<stop_callback<std::function<void()>>>> callbacks;
  std::size_t runs = 0;
  for (std::size_t i = 0; i < deep; ++i)
    callbacks.push_back(std::make_unique<stop_callback<std::function<void()>>>(
        contexts[i].get_token(), std::function<void()>{[&, i] {
          ++runs;
          if (i + 1 < deep) contexts[i + 1].request_stop();
        }}));
  contexts[0].request_stop();
  CHECK(runs == deep);
}

TEST_CASE("a callback of a child that stops the parent finds both stopped and each runs once") {
  stop_source parent;
  stop_source child{parent.get_token()};
  order_log log;
  const stop_callback on_parent(parent.get_token(), note{log, 1});
  const stop_callback on_child_older(child.get_token(), note{log, 2});
  const stop_callback on_child(child.get_token(), [&] {
    log.push_back(3);
    CHECK(parent.request_stop());
    CHECK(parent.stop_requested());
    log.push_back(4);
  });
  child.request_stop();
  CHECK(log.front() == 3);
  CHECK(log.size() == 4);
}

TEST_CASE("a callback of the parent that asks a child to stop is told that it has") {
  stop_source parent;
  stop_source child{parent.get_token()};
  bool child_answer = true;
  const stop_callback on_parent(parent.get_token(), [&] { child_answer = child.request_stop(); });
  parent.request_stop();
  CHECK_FALSE(child_answer);
}

}  // namespace
