// SPDX-License-Identifier: BSL-1.0
// Very deep and very wide trees on a small stack: stopping, asking and destroying are loops, and
// each costs what its size says and no more.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::inplace_stop_callback;
using curfew::inplace_stop_source;
using curfew::linked;
using curfew::manual_clock;
using curfew::stop_callback;
using curfew::stop_cause;
using curfew::stop_source;
using curfew::stop_token;

namespace {

constexpr int deep = TEST_THREAD_SANITIZER ? 200'000 : 1'000'000;
constexpr std::size_t wide = 100'000;

// Runs f where recursion over a long chain would end the program.
template <class F>
void shallowly(F f) {
  REQUIRE(test::on_small_stack(f));
}

// The last link of a chain under `parent`; nothing but the next link holds each of them.
stop_source chain_under(stop_token parent, int links = deep) {
  stop_source last{std::move(parent)};
  for (int i = 1; i < links; ++i) last = stop_source{last.get_token()};
  return last;
}

TEST_CASE("a chain of a million contexts stops and goes on a small stack") {
  bool stopped = false;
  shallowly([&] {
    stop_source root;
    const stop_source last = chain_under(root.get_token());
    root.request_stop();
    stopped = last.stop_requested();
  });
  CHECK(stopped);
}

TEST_CASE("a chain of a million contexts that never stopped goes on a small stack") {
  shallowly([] {
    stop_source root;
    { const stop_source last = chain_under(root.get_token()); }
    root.request_stop();
  });
}

TEST_CASE("a chain of a million contexts each with its source stops and goes from either end") {
  for (const bool from_the_root : {true, false}) {
    bool all = true;
    shallowly([&] {
      std::deque<stop_source> chain(1);
      for (int i = 1; i < deep; ++i) chain.emplace_back(chain.back().get_token());
      chain.front().request_stop();
      for (const auto& s : chain) all &= s.stop_requested();
      while (from_the_root && !chain.empty()) chain.pop_front();
    });
    CHECK(all);
  }
}

TEST_CASE("the bottom of a chain of a million answers every question on a small stack") {
  manual_clock clock;
  bool answers = true;
  shallowly([&] {
    auto root = std::make_unique<stop_source>(clock, 5s);
    const stop_token t = chain_under(root->get_token()).get_token();
    answers &= t.stop_possible();
    answers &= t.remaining() == 5s;
    answers &= t.reason().cause == stop_cause::none;
    root.reset();
    answers &= t.stop_possible();
    clock.advance(5s);
    answers &= t.stop_requested() && t.reason().cause == stop_cause::deadline;
  });
  CHECK(answers);
}

TEST_CASE("a waiter at the bottom of a chain of a million gives up when the root goes") {
  bool stopped = true;
  shallowly([&] {
    auto root = std::make_unique<stop_source>();
    const stop_token t = chain_under(root->get_token()).get_token();
    std::thread waiter{[&] { stopped = t.wait(); }};
    root.reset();
    waiter.join();
  });
  CHECK_FALSE(stopped);
}

TEST_CASE("callbacks along a chain of a million run from the bottom up") {
  int next = deep;
  bool in_order = true;
  struct count_down {
    int* next;
    bool* in_order;
    int number;
    void operator()() const noexcept { *in_order &= --*next == number; }
  };
  shallowly([&] {
    std::deque<stop_source> chain(1);
    std::deque<stop_callback<count_down>> callbacks;
    for (int i = 0; i < deep; ++i) {
      callbacks.emplace_back(chain.back().get_token(), count_down{&next, &in_order, i});
      chain.emplace_back(chain.back().get_token());
    }
    chain.front().request_stop();
  });
  CHECK(next == 0);
  CHECK(in_order);
}

TEST_CASE("a chain of a million inplace contexts stops and goes on a small stack") {
  for (const bool shared_root : {true, false}) {
    bool stopped = false;
    shallowly([&] {
      stop_source shared;
      std::deque<inplace_stop_source> chain;
      if (shared_root) chain.emplace_back(shared.get_token());
      if (!shared_root) chain.emplace_back();
      for (int i = 1; i < deep; ++i) chain.emplace_back(chain.back().get_token());
      shared_root ? shared.request_stop() : chain.front().request_stop();
      stopped = chain.back().stop_requested();
      while (!chain.empty()) chain.pop_back();  // a child goes before its parent
    });
    CHECK(stopped);
  }
}

TEST_CASE("a chain of linked contexts stops and goes on a small stack") {
  constexpr int links = deep / 4;
  bool stopped = false;
  shallowly([&] {
    stop_source root;
    stop_source side;
    stop_source last = linked(root.get_token(), side.get_token());
    for (int i = 1; i < links; ++i) last = linked(last.get_token(), side.get_token());
    root.request_stop();
    stopped = last.stop_requested();
  });
  CHECK(stopped);
}

TEST_CASE("a ladder of diamonds stops each context once") {
  // Every rung is a child of both contexts of the rung above: 2 to the 40th paths lead down.
  constexpr int rungs = 40;
  stop_source root;
  stop_source left{root.get_token()};
  stop_source right{root.get_token()};
  int runs = 0;
  const auto count = [&] { ++runs; };
  std::deque<stop_callback<decltype(count)>> callbacks;
  for (int i = 0; i < rungs; ++i) {
    const stop_token a = left.get_token();
    const stop_token b = right.get_token();
    left = linked(a, b);
    right = linked(a, b);
    callbacks.emplace_back(left.get_token(), count);
    callbacks.emplace_back(right.get_token(), count);
  }
  CHECK(left.get_token().stop_possible());
  CHECK(left.get_token().deadline() == curfew::time_source::time_point::max());
  root.request_stop();
  CHECK(runs == 2 * rungs);
}

TEST_CASE("a hundred thousand siblings stop and each says why") {
  stop_source parent;
  std::vector<stop_source> children;
  children.reserve(wide);
  for (std::size_t i = 0; i < wide; ++i) children.emplace_back(parent.get_token());
  parent.request_stop(curfew::stop_reason{stop_cause::control, 7, 0, -1});
  bool all = true;
  for (const auto& child : children) all &= child.get_token().reason().code == 7;
  CHECK(all);
}

TEST_CASE("a hundred thousand siblings go in an order of no order") {
  stop_source parent;
  std::vector<std::unique_ptr<stop_source>> children(wide);
  for (auto& child : children) child = std::make_unique<stop_source>(parent.get_token());
  for (std::size_t i = 0, at = 0; i < wide; ++i, at = (at + 61'803) % wide) {
    children[at].reset();
    if (i % 3 == 0) children[at] = std::make_unique<stop_source>(parent.get_token());
  }
  parent.request_stop();
  std::size_t left = 0;
  for (const auto& child : children)
    if (child != nullptr && child->stop_requested()) ++left;
  CHECK(left == wide / 3 + 1);
}

TEST_CASE("a hundred thousand children of an inplace parent with a callback each") {
  inplace_stop_source parent;
  std::deque<inplace_stop_source> children;
  std::deque<inplace_stop_callback<test::note>> callbacks;
  test::order_log log;
  for (int i = 0; i < static_cast<int>(wide); ++i) {
    children.emplace_back(parent.get_token());
    callbacks.emplace_back(children.back().get_token(), test::note{log, i});
  }
  parent.request_stop();
  bool newest_first = log.size() == wide;
  for (std::size_t i = 0; i < log.size(); ++i)
    newest_first &= log[i] == static_cast<int>(wide - 1 - i);
  CHECK(newest_first);
}

TEST_CASE("thousands of deadlines fire in their order") {
  manual_clock clock;
  std::vector<stop_source> sources;
  std::deque<stop_callback<test::note>> callbacks;
  test::order_log log;
  constexpr std::size_t many = 5'000;
  for (std::size_t i = 0, at = 0; i < many; ++i, at = (at + 3'001) % many) {
    sources.emplace_back(clock, std::chrono::microseconds(at) + 1us);
    callbacks.emplace_back(sources.back().get_token(), test::note{log, static_cast<int>(at)});
  }
  clock.advance(1s);
  bool in_order = log.size() == many;
  for (std::size_t i = 0; i < log.size(); ++i) in_order &= log[i] == static_cast<int>(i);
  CHECK(in_order);
}

}  // namespace
