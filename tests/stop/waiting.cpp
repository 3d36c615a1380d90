// SPDX-License-Identifier: BSL-1.0
// Waiting on a token: until it is stopped, until a time, or until a stop has become impossible.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using curfew::inplace_stop_source;
using curfew::manual_clock;
using curfew::stop_callback;
using curfew::stop_source;
using curfew::stop_token;

namespace {

// Runs f on another thread, returns what it returned. `while_it_waits` runs here in the meantime,
// most often after it has begun to wait.
template <class F, class G>
bool in_thread(F f, G while_it_waits) {
  bool answer = false;
  test::gate ready;
  std::thread waiter{[&] {
    ready.open();
    answer = f();
  }};
  ready.pass();
  std::this_thread::sleep_for(1ms);
  while_it_waits();
  waiter.join();
  return answer;
}

TEST_CASE("a stopped token does not wait") {
  stop_source s;
  s.request_stop();
  CHECK(s.get_token().wait());
  CHECK(s.get_token().wait_for(1h));
  CHECK(s.get_token().wait_until(std::chrono::steady_clock::now() + 1h));
  CHECK(s.get_token().wait_for(0s));
}

TEST_CASE("a token that cannot stop does not wait and says so") {
  CHECK_FALSE(stop_token{}.wait());
  const stop_token orphan = stop_source{}.get_token();
  CHECK_FALSE(orphan.wait());
  CHECK_FALSE(orphan.wait_for(std::chrono::hours::max()));
  CHECK_FALSE(orphan.wait_until(curfew::time_source::time_point::max()));
  CHECK_FALSE(curfew::inplace_stop_token{}.wait());
}

TEST_CASE("a stop wakes a waiter of each kind") {
  for (int kind = 0; kind < 3; ++kind) {
    stop_source s;
    const stop_token t = s.get_token();
    const auto wait = [&] {
      return kind == 0   ? t.wait()
             : kind == 1 ? t.wait_for(1h)
                         : t.wait_until(std::chrono::steady_clock::now() + 1h);
    };
    CHECK(in_thread(wait, [&] { s.request_stop(); }));
  }
}

TEST_CASE("a stop of an ancestor wakes a waiter") {
  stop_source root;
  stop_source child{root.get_token()};
  const stop_source grandchild{child.get_token()};
  CHECK(in_thread([&] { return grandchild.get_token().wait(); }, [&] { root.request_stop(); }));
}

TEST_CASE("a waiter is awake before any callback has run") {
  stop_source s;
  test::gate woken;
  const stop_callback cb(s.get_token(), [&] { woken.pass(); });
  CHECK(in_thread(
      [&, t = s.get_token()] {
        const bool stopped = t.wait();
        woken.open();
        return stopped;
      },
      [&] { s.request_stop(); }));
}

TEST_CASE("a stop wakes every waiter") {
  stop_source s;
  stop_source child{s.get_token()};
  std::atomic<int> woken{0};
  std::vector<std::thread> waiters;
  for (int i = 0; i < 16; ++i)
    waiters.emplace_back([&woken, i, t = (i % 2 == 0 ? s : child).get_token()] {
      if (i % 4 < 2 ? t.wait() : t.wait_for(1h)) woken.fetch_add(1);
    });
  std::this_thread::sleep_for(1ms);
  s.request_stop();
  for (auto& w : waiters) w.join();
  CHECK(woken.load() == 16);
}

TEST_CASE("a deadline of the process clock wakes a waiter") {
  const stop_source s{5ms};
  CHECK(s.get_token().wait());
  CHECK(s.get_token().reason().cause == curfew::stop_cause::deadline);
  const stop_source other{5ms};
  CHECK(other.get_token().wait_for(1h));
  const stop_source parent{5ms};
  const stop_source child{parent.get_token(), 1h};
  CHECK(child.get_token().wait());
}

TEST_CASE("a deadline of a manual clock wakes a waiter") {
  manual_clock clock;
  const stop_source s{clock, 1s};
  CHECK(in_thread([&] { return s.get_token().wait(); }, [&] { clock.advance(1s); }));
  const stop_source other{clock, 1s};
  CHECK(in_thread([&] { return other.get_token().wait_for(1h); }, [&] { clock.advance(1s); }));
}

TEST_CASE("a wait with a limit ends at the limit and says not stopped") {
  const stop_source s;
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(s.get_token().wait_for(2ms));
  CHECK(std::chrono::steady_clock::now() - start >= 2ms);
  const auto until = std::chrono::steady_clock::now() + 2ms;
  CHECK_FALSE(s.get_token().wait_until(until));
  CHECK(std::chrono::steady_clock::now() >= until);
}

TEST_CASE("a wait whose limit has passed looks once and does not wait") {
  const stop_source s;
  CHECK_FALSE(s.get_token().wait_for(0s));
  CHECK_FALSE(s.get_token().wait_for(-1h));
  CHECK_FALSE(s.get_token().wait_for(std::chrono::hours::min()));
  CHECK_FALSE(s.get_token().wait_until(std::chrono::steady_clock::now() - 1h));
  CHECK_FALSE(s.get_token().wait_until(curfew::time_source::time_point::min()));
}

TEST_CASE("a limit on a manual clock ends when the clock says so") {
  manual_clock clock;
  const stop_source s{clock};
  const auto until = clock.now() + 5s;
  CHECK_FALSE(
      in_thread([&] { return s.get_token().wait_until(until); }, [&] { clock.advance(5s); }));
}

TEST_CASE("a limit of forever waits for the stop") {
  stop_source s;
  CHECK(in_thread([&] { return s.get_token().wait_for(std::chrono::hours::max()); },
                  [&] { s.request_stop(); }));
  stop_source other;
  CHECK(in_thread(
      [&] { return other.get_token().wait_until(curfew::time_source::time_point::max()); },
      [&] { other.request_stop(); }));
}

TEST_CASE("a waiter gives up when the last source goes") {
  auto s = std::make_unique<stop_source>();
  auto copy = std::make_unique<stop_source>(*s);
  const stop_token t = s->get_token();
  CHECK_FALSE(in_thread([&] { return t.wait(); },
                        [&] {
                          s.reset();
                          copy.reset();
                        }));
  auto other = std::make_unique<stop_source>();
  const stop_token u = other->get_token();
  CHECK_FALSE(
      in_thread([&] { return u.wait_for(std::chrono::hours::max()); }, [&] { other.reset(); }));
}

TEST_CASE("a waiter with a limit gives up when the last source goes on either clock") {
  manual_clock clock;
  for (auto* source_of_time :
       {&curfew::time_source::process(), static_cast<curfew::time_source*>(&clock)}) {
    auto s = std::make_unique<stop_source>(*source_of_time);
    const stop_token t = s->get_token();
    CHECK_FALSE(in_thread([&] { return t.wait_for(1h); }, [&] { s.reset(); }));
  }
}

TEST_CASE("a waiter gives up when the last source is assigned over or moved over") {
  stop_source s;
  const stop_token t = s.get_token();
  CHECK_FALSE(in_thread([&] { return t.wait(); }, [&] { s = stop_source{}; }));
  const stop_token u = s.get_token();
  const stop_source other;
  CHECK_FALSE(in_thread([&] { return u.wait(); }, [&] { s = other; }));
}

TEST_CASE("a waiter on a child gives up when the last source of the parent goes") {
  auto root = std::make_unique<stop_source>();
  auto child = std::make_unique<stop_source>(root->get_token());
  const stop_token t = stop_source{child->get_token()}.get_token();
  CHECK_FALSE(in_thread([&] { return t.wait(); },
                        [&] {
                          child.reset();
                          root.reset();
                        }));
}

TEST_CASE("a waiter on a child goes on while the child has a source of its own") {
  auto parent = std::make_unique<stop_source>();
  stop_source child{parent->get_token()};
  CHECK(in_thread([&] { return child.get_token().wait(); },
                  [&] {
                    parent.reset();
                    std::this_thread::sleep_for(1ms);
                    child.request_stop();
                  }));
}

TEST_CASE("a waiter goes on while a deadline is pending although no source is left") {
  manual_clock clock;
  auto s = std::make_unique<stop_source>(clock, 1s);
  const stop_token t = stop_source{s->get_token()}.get_token();
  CHECK(in_thread([&] { return t.wait(); },
                  [&] {
                    s.reset();
                    std::this_thread::sleep_for(1ms);
                    clock.advance(1s);
                  }));
}

TEST_CASE("many waiters deep in a tree give up together") {
  auto root = std::make_unique<stop_source>();
  std::vector<stop_token> leaves;
  for (int i = 0; i < 8; ++i) {
    stop_token t = root->get_token();
    for (int depth = 0; depth < i; ++depth) t = stop_source{t}.get_token();
    leaves.push_back(t);
  }
  std::atomic<int> gave_up{0};
  std::vector<std::thread> waiters;
  for (const auto& t : leaves)
    waiters.emplace_back([&, t] {
      if (!t.wait()) gave_up.fetch_add(1);
    });
  std::this_thread::sleep_for(1ms);
  root.reset();
  for (auto& w : waiters) w.join();
  CHECK(gave_up.load() == 8);
}

TEST_CASE("an inplace token waits as a shared one does") {
  inplace_stop_source s;
  CHECK_FALSE(s.get_token().wait_for(1ms));
  CHECK(in_thread([&] { return s.get_token().wait(); }, [&] { s.request_stop(); }));
  manual_clock clock;
  inplace_stop_source timed{clock, 1s};
  CHECK(in_thread([&] { return timed.get_token().wait(); }, [&] { clock.advance(1s); }));
}

TEST_CASE("a stop is never lost between the look and the sleep") {
  for (int round = 0; round < 2000; ++round) {
    stop_source s;
    std::thread waiter{[t = s.get_token()] { t.wait(); }};
    s.request_stop();
    waiter.join();
  }
}

TEST_CASE("the end of the last source is never lost between the look and the sleep") {
  for (int round = 0; round < 2000; ++round) {
    auto s = std::make_unique<stop_source>();
    auto child = std::make_unique<stop_source>(s->get_token());
    std::thread waiter{[t = child->get_token()] { t.wait(); }};
    std::thread drops{[&] { child.reset(); }};
    s.reset();
    drops.join();
    waiter.join();
  }
}

}  // namespace
