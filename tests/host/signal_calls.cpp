// SPDX-License-Identifier: BSL-1.0
#include <curfew/host/detail/signal_calls.hpp>

#include <functional>
#include <memory>
#include <thread>

#include "doctest/doctest.h"
#include "support.hpp"

namespace {

using curfew::stop_cause;
using curfew::stop_reason;
using curfew::detail::signal_call_of;
using curfew::detail::signal_calls;

/// Counts how many copies of a function's state live.
struct counted {
  explicit counted(int& n) : lives(&n) { ++*lives; }
  counted(const counted& other) : lives(other.lives) { ++*lives; }
  counted& operator=(const counted&) = delete;
  ~counted() { --*lives; }
  int* lives;
};

void set(signal_calls& calls, int signal, std::function<void()> f) {
  auto* fresh = f ? new signal_call_of<std::function<void()>>(std::move(f)) : nullptr;
  calls.retire(signal, calls.exchange(signal, fresh));
}

}  // namespace

TEST_CASE("a function may take the reason or nothing") {
  signal_calls calls;
  stop_reason seen;
  auto with = [&](const stop_reason& r) { seen = r; };
  static_cast<void>(calls.exchange(1, new signal_call_of<decltype(with)>(with)));
  int runs = 0;
  set(calls, 2, [&] { ++runs; });
  calls.run({stop_cause::signal, 1, 5});
  calls.run({stop_cause::signal, 2});
  calls.run({stop_cause::signal, 3});
  CHECK(seen == stop_reason{stop_cause::signal, 1, 5});
  CHECK(runs == 1);
}

TEST_CASE("a replaced function is gone when replacing returns") {
  signal_calls calls;
  int lives = 0;
  set(calls, 1, [c = counted(lives)] {});
  CHECK(lives == 1);
  set(calls, 1, nullptr);
  CHECK(lives == 0);
}

TEST_CASE("a function that replaces itself lives until it returns") {
  signal_calls calls;
  int lives = 0;
  int lives_inside = 0;
  set(calls, 1, [&, c = counted(lives)] {
    set(calls, 1, [] {});
    set(calls, 1, nullptr);
    lives_inside = lives;
  });
  calls.run({stop_cause::signal, 1});
  CHECK(lives_inside == 1);
  CHECK(lives == 0);
}

TEST_CASE("a function that replaces the function of another signal does not wait for itself") {
  signal_calls calls;
  int runs = 0;
  set(calls, 2, [&] { runs += 100; });
  set(calls, 1, [&] { set(calls, 2, [&] { ++runs; }); });
  calls.run({stop_cause::signal, 1});
  calls.run({stop_cause::signal, 2});
  CHECK(runs == 1);
}

TEST_CASE("replacing waits for the function that is running on another thread") {
  signal_calls calls;
  test::latch started(1);
  test::latch go_on(1);
  std::atomic<bool> finished{false};
  set(calls, 1, [&] {
    started.count_down();
    go_on.wait();
    finished = true;
  });
  std::thread runner([&] { calls.run({stop_cause::signal, 1}); });
  started.wait();
  std::thread releaser([&] { go_on.count_down(); });
  set(calls, 1, nullptr);
  CHECK(finished);
  releaser.join();
  runner.join();
}

TEST_CASE("functions replaced while signals come run whole or not at all") {
  signal_calls calls;
  std::atomic<bool> done{false};
  std::thread runner([&] {
    while (!done) calls.run({stop_cause::signal, 1});
  });
  for (int i = 0; i < 2000; ++i) {
    auto alive = std::make_shared<int>(i);
    set(calls, 1, [alive, i] { REQUIRE(*alive == i); });
  }
  set(calls, 1, nullptr);
  done = true;
  runner.join();
}
