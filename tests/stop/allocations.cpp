// SPDX-License-Identifier: BSL-1.0
// What contexts cost in memory: one block a shared context whatever it carries, of at most 128
// bytes; none for an inplace one; nothing for polling, waiting, stopping, registering; and nothing
// left behind by a child that goes.
#include "doctest/doctest.h"
#include "support.hpp"

// The thread sanitizer of clang has an operator new of its own, which cannot be replaced.
#if !TEST_THREAD_SANITIZER

#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "counted_new.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <thread>

using namespace std::chrono_literals;
using curfew::inplace_stop_callback;
using curfew::inplace_stop_source;
using curfew::linked;
using curfew::manual_clock;
using curfew::stop_callback;
using curfew::stop_reason;
using curfew::stop_source;
using curfew::stop_token;
using test::allocation_tally;

namespace {

// More than 120 bytes where pointers have 8 leave the malloc of glibc its slow way only.
constexpr std::size_t largest_block = 15 * 8;

// The process's timer may allocate when it starts; it is done with that, and with the context that
// started it, when all of it has been given back.
void start_the_timer() {
  const allocation_tally tally;
  CHECK(stop_source{1us}.get_token().wait());
  while (tally.left() != 0) std::this_thread::yield();
}

template <class Make>
void costs_one_block(Make make) {
  const allocation_tally tally;
  {
    const stop_source s = make();
    CHECK(tally.made() == 1);
    CHECK(tally.largest() <= largest_block);
    const stop_token t = s.get_token();
    const stop_source copy = s;  // NOLINT
    CHECK(tally.made() == 1);
  }
  CHECK(tally.left() == 0);
}

TEST_CASE("a shared context is one block whatever it carries") {
  start_the_timer();
  manual_clock clock;
  stop_source parent;
  const stop_source on_clock{clock};
  costs_one_block([] { return stop_source{}; });
  costs_one_block([] { return stop_source{1h}; });
  costs_one_block([] { return stop_source{std::chrono::steady_clock::now() + 1h}; });
  costs_one_block([&] { return stop_source{clock, 1h}; });
  costs_one_block([&] { return stop_source{parent.get_token()}; });
  costs_one_block([&] { return stop_source{parent.get_token(), 1h}; });
  costs_one_block([&] { return stop_source{on_clock.get_token(), clock.now() + 1h}; });
  costs_one_block([&] {
    stop_source s{parent.get_token(), 1h};
    s.request_stop(stop_reason{curfew::stop_cause::signal, 15, 4711, 1000});
    return s;
  });
}

TEST_CASE("a linked context is one block") {
  stop_source a;
  stop_source b;
  stop_source c;
  const allocation_tally tally;
  {
    const stop_source both = linked(a.get_token(), b.get_token());
    CHECK(tally.made() == 1);
    const stop_source all = linked(a.get_token(), b.get_token(), c.get_token());
    CHECK(tally.made() == 2);
  }
  CHECK(tally.left() == 0);
}

TEST_CASE("a source without a state allocates nothing") {
  const allocation_tally tally;
  const stop_source none{curfew::nostopstate};
  const stop_token t = none.get_token();
  CHECK(tally.made() == 0);
}

TEST_CASE("an inplace context allocates nothing whatever it carries") {
  start_the_timer();
  manual_clock clock;
  stop_source parent;
  const allocation_tally tally;
  inplace_stop_source root;
  inplace_stop_source timed{1h};
  inplace_stop_source on_clock{clock, 1h};
  inplace_stop_source under_shared{parent.get_token(), 1h};
  inplace_stop_source under_inplace{root.get_token(), std::chrono::steady_clock::now() + 1h};
  int runs = 0;
  {
    const inplace_stop_callback cb(under_inplace.get_token(), [&] { ++runs; });
    root.request_stop(stop_reason{curfew::stop_cause::signal, 15, 4711, 1000});
  }
  parent.request_stop();
  clock.advance(1h);
  CHECK(tally.made() == 0);
  CHECK(runs == 1);
}

TEST_CASE("using a context allocates nothing") {
  start_the_timer();
  stop_source s{1h};
  const stop_token t = s.get_token();
  std::thread stopper;
  test::gate go;
  stopper = std::thread{[&] {
    go.pass();
    s.request_stop();
  }};
  const allocation_tally tally;
  int runs = 0;
  {
    stop_callback removed(t, [&] { ++runs; });
    removed.remove();
    stop_callback tried(t, [&] { ++runs; });
    CHECK(tried.try_remove());
  }
  const stop_callback cb(t, [&] { ++runs; });
  CHECK_FALSE(t.wait_for(1us));
  go.open();
  CHECK(t.wait());
  CHECK(t.reason().cause == curfew::stop_cause::requested);
  CHECK(t.remaining() > 0s);
  const stop_callback late(t, [&] { ++runs; });
  CHECK(tally.made() == 0);
  stopper.join();
  CHECK(runs == 2);
}

TEST_CASE("a child that goes leaves nothing behind in a parent that stays") {
  start_the_timer();
  stop_source parent;
  const allocation_tally tally;
  for (int i = 0; i < 1000; ++i) {
    const stop_source child{parent.get_token()};
    const stop_source timed{child.get_token(), 1h};
    const stop_source both = linked(parent.get_token(), child.get_token());
    const inplace_stop_source inplace{timed.get_token()};
    const stop_callback cb(both.get_token(), [] {});
  }
  CHECK(tally.made() == 3000);
  CHECK(tally.left() == 0);
}

TEST_CASE(
    "a parent does not keep its children and a child keeps its parent no longer than it lives") {
  const allocation_tally tally;
  {
    auto parent = std::make_unique<stop_source>();
    auto child = std::make_unique<stop_source>(parent->get_token());
    child.reset();
    CHECK(tally.left() == 2);  // the parent's handle and its block
    child = std::make_unique<stop_source>(parent->get_token());
    parent.reset();
    CHECK(tally.left() == 3);  // the child's handle, its block and the block of its parent
  }
  CHECK(tally.left() == 0);
}

TEST_CASE("a stopped or fired context leaves nothing behind either") {
  manual_clock clock;
  const allocation_tally tally;
  for (int i = 0; i < 100; ++i) {
    stop_source s{clock, 1s};
    stop_source child{s.get_token()};
    const stop_token t = child.get_token();
    if (i % 2 == 0) clock.advance(1s);
    if (i % 3 == 0) child.request_stop();
    if (i % 5 == 0) s.request_stop();
  }
  CHECK(tally.left() == 0);
}

TEST_CASE("tokens and callbacks alone keep a context and no longer") {
  const allocation_tally tally;
  {
    std::optional<stop_token> t;
    t.emplace(stop_source{1h}.get_token());
    CHECK(tally.left() == 1);
    t.reset();
    CHECK(tally.left() == 0);
  }
}

TEST_CASE("the blocks of a chain of a hundred thousand all come back") {
  const allocation_tally tally;
  {
    stop_source root;
    stop_source last{root.get_token()};
    for (int i = 0; i < 100'000; ++i) last = stop_source{last.get_token()};
    CHECK(tally.left() == 100'002);
    CHECK(tally.largest() <= largest_block);
  }
  CHECK(tally.left() == 0);
}

}  // namespace

#else

TEST_CASE("allocations are not counted under the thread sanitizer") {}

#endif
