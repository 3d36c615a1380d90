// SPDX-License-Identifier: BSL-1.0
// The clock that a test advances: it fires on the caller's thread what is due, and wakes waiters.
#include <curfew/testing/manual_clock.hpp>

#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using curfew::manual_clock;
using curfew::stop_callback;
using curfew::stop_source;
using curfew::stop_token;

namespace {

static_assert(std::is_base_of_v<curfew::time_source, manual_clock>);
static_assert(!std::is_copy_constructible_v<manual_clock>);

TEST_CASE("a manual clock stands still until it is advanced") {
  manual_clock clock;
  const auto start = clock.now();
  CHECK(start != curfew::time_source::time_point{});
  CHECK(start == manual_clock{}.now());
  CHECK(clock.now() == start);
  clock.advance(3s);
  CHECK(clock.now() == start + 3s);
  clock.advance(0s);
  CHECK(clock.now() == start + 3s);
}

TEST_CASE("two manual clocks do not move each other") {
  manual_clock one;
  manual_clock two;
  const stop_source s{two, 1s};
  one.advance(1h);
  CHECK_FALSE(s.stop_requested());
  CHECK(s.get_token().remaining() == 1s);
}

TEST_CASE("advancing runs the callbacks on the thread that advances") {
  manual_clock clock;
  const stop_source s{clock, 1s};
  std::thread::id ran_on{};
  const stop_callback cb(s.get_token(), [&] { ran_on = std::this_thread::get_id(); });
  std::thread{[&] { clock.advance(1s); }}.join();
  CHECK(ran_on != std::this_thread::get_id());
  CHECK(ran_on != std::thread::id{});
}

TEST_CASE("advancing by forever fires everything that has a deadline") {
  manual_clock clock;
  const stop_source century{clock, 24h * 365 * 100};
  const stop_source never{clock, std::chrono::hours::max()};
  clock.advance(std::chrono::steady_clock::duration::max());
  CHECK(century.stop_requested());
  CHECK(never.get_token().deadline() == curfew::time_source::time_point::max());
}

TEST_CASE("a callback may advance the clock that called it") {
  manual_clock clock;
  const stop_source first{clock, 1s};
  const stop_source second{clock, 2s};
  bool inner_fired = false;
  const stop_callback cb(first.get_token(), [&] {
    clock.advance(1s);
    inner_fired = second.stop_requested();
  });
  clock.advance(1s);
  CHECK(inner_fired);
}

TEST_CASE("many small steps fire each deadline exactly at its step") {
  manual_clock clock;
  const auto start = clock.now();
  std::vector<std::unique_ptr<stop_source>> sources;
  for (int i = 1; i <= 500; ++i) sources.push_back(std::make_unique<stop_source>(clock, i * 777us));
  bool exact = true;
  for (int step = 0; step < 4000; ++step) {
    clock.advance(100us);
    for (int i = 1; i <= 500; ++i)
      exact &= sources[static_cast<std::size_t>(i - 1)]->stop_requested() ==
               (clock.now() >= start + i * 777us);
  }
  CHECK(exact);
}

TEST_CASE("a timed waiter is woken by the advance that reaches its time") {
  manual_clock clock;
  stop_source s{clock};
  std::atomic<bool> done{false};
  bool stopped = true;
  std::thread waiter{[&, t = s.get_token()] {
    stopped = t.wait_until(clock.now() + 10s);
    done.store(true);
  }};
  while (!done.load()) {
    clock.advance(1s);
    std::this_thread::yield();
  }
  waiter.join();
  CHECK_FALSE(stopped);
}

TEST_CASE("a timed waiter is not woken before its time") {
  manual_clock clock;
  const auto until = clock.now() + 10s;
  stop_source s{clock};
  std::atomic<bool> done{false};
  test::gate ready;
  auto woke_at = clock.now();
  std::thread waiter{[&, t = s.get_token()] {
    ready.open();
    t.wait_until(until);
    woke_at = clock.now();
    done.store(true);
  }};
  ready.pass();
  for (int i = 0; i < 9; ++i) {
    clock.advance(1s);
    std::this_thread::sleep_for(1ms);
    CHECK_FALSE(done.load());
  }
  clock.advance(1s);
  waiter.join();
  CHECK(woke_at >= until);
}

TEST_CASE("contexts come and go while another thread advances their clock") {
  manual_clock clock;
  test::starting_line line{3};
  const auto churn = [&] {
    line.await();
    for (int i = 0; i < 3000; ++i) {
      const stop_source s{clock, 1ms + i % 7 * 1ms};
      int runs = 0;
      const stop_callback cb(s.get_token(), [&] { ++runs; });
      curfew::inplace_stop_source child{s.get_token(), 1ms + i % 3 * 1ms};
    }
  };
  std::thread a{churn};
  std::thread b{churn};
  line.await();
  for (int i = 0; i < 3000; ++i) clock.advance(1ms);
  a.join();
  b.join();
}

}  // namespace
