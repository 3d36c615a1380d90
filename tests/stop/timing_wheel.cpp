// SPDX-License-Identifier: BSL-1.0
// The timing wheel against a sorted list: whatever is inserted, removed and advanced over, the same
// entries come out at the same ticks, none early and none left behind.
#include <curfew/stop/detail/timing_wheel.hpp>

#include "doctest/doctest.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

using curfew::detail::clock_duration;
using curfew::detail::clock_time_point;
using curfew::detail::timer_entry;
using curfew::detail::timing_wheel;
using tick = timing_wheel::tick;

namespace {

clock_time_point at_ns(std::int64_t ns) {
  return clock_time_point{std::chrono::duration_cast<clock_duration>(std::chrono::nanoseconds{ns})};
}

// An entry and the tick at which it has to come out: the first at which its deadline has passed, or
// the next one if it had passed when it was armed.
struct entry : timer_entry {
  tick due = 0;
};

struct rig {
  timing_wheel wheel;
  std::vector<std::unique_ptr<entry>> entries;
  std::vector<entry*> armed;
  std::mt19937_64 random;
  std::int64_t now = 0;

  explicit rig(std::uint64_t seed) : random(seed) {}

  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  }

  void arm(std::int64_t ns) {
    entries.push_back(std::make_unique<entry>());
    entry& e = *entries.back();
    e.deadline = at_ns(ns);
    e.due = std::max(timing_wheel::tick_of(e.deadline), passed() + 1);
    wheel.insert(e);
    armed.push_back(&e);
  }

  void disarm_any() {
    if (armed.empty()) return;
    const auto i = static_cast<std::size_t>(below(static_cast<std::int64_t>(armed.size())));
    curfew::detail::unlink_timer(*armed[i]);
    armed.erase(armed.begin() + static_cast<std::ptrdiff_t>(i));
  }

  tick passed() const { return timing_wheel::passed(at_ns(now)); }

  // Exactly what is due comes out, and none of it before its deadline.
  bool advance(std::int64_t ns) {
    now = ns;
    timer_entry* due = nullptr;
    wheel.advance(passed(), due);
    bool right = true;
    while (due != nullptr) {
      timer_entry& e = *due;
      curfew::detail::unlink_timer(e);
      right &= e.deadline <= at_ns(now);
      const auto found = std::find(armed.begin(), armed.end(), &e);
      right &= found != armed.end() && (*found)->due <= passed();
      if (found != armed.end()) armed.erase(found);
    }
    for (const entry* e : armed) right &= e->due > passed();
    return right;
  }

  // The wheel never sleeps past its earliest entry, and never not at all.
  bool wakes_in_time() {
    const tick next = wheel.next();
    if (armed.empty()) return true;  // an idle wake is allowed
    const auto first = std::min_element(armed.begin(), armed.end(),
                                        [](auto* a, auto* b) { return a->due < b->due; });
    return next <= (*first)->due && next > passed();
  }
};

TEST_CASE("a wheel agrees with a list on near and far deadlines in any order") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    rig r(seed);
    r.advance(r.below(1'000'000'000'000'000));
    const std::int64_t spreads[] = {5'000,         300'000,         50'000'000,
                                    4'000'000'000, 900'000'000'000, 400'000'000'000'000'000};
    bool right = true;
    for (int step = 0; step < 400; ++step) {
      const std::int64_t spread = spreads[r.below(6)];
      const auto dice = r.below(10);
      if (dice < 5) r.arm(r.now + r.below(spread) - spread / 10);
      if (dice == 5) r.disarm_any();
      if (dice > 5) right &= r.advance(r.now + r.below(spread));
      right &= r.wakes_in_time();
    }
    REQUIRE(right);
  }
}

TEST_CASE("driven by its own wakes a wheel delivers everything within a tick") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    rig r(seed);
    r.advance(r.below(1'000'000'000'000));
    for (int i = 0; i < 300; ++i) r.arm(r.now + r.below(std::int64_t{1} << r.below(50)));
    int wakes = 0;
    bool right = true;
    while (!r.armed.empty() && wakes < 100'000) {
      const auto next = timing_wheel::time_of(r.wheel.next());
      const std::int64_t ns =
          std::chrono::duration_cast<std::chrono::nanoseconds>(next.time_since_epoch()).count();
      right &= ns > r.now;
      right &= r.advance(ns);
      ++wakes;
    }
    REQUIRE(right);
    REQUIRE(wakes <= 300 * 10);
  }
}

TEST_CASE("the ends of time stay in the wheel and come out of it") {
  rig r(1);
  r.advance(1'000'000);
  r.arm(std::chrono::nanoseconds::max().count());
  r.arm(std::chrono::nanoseconds::max().count() - 5'000'000);
  r.arm(-5);
  r.arm(0);
  CHECK(r.wakes_in_time());
  CHECK(r.advance(1'000'000 + 2 * 4096));
  CHECK(r.armed.size() == 2);
  CHECK(r.advance(std::chrono::nanoseconds::max().count() - 4096));
  CHECK(r.armed.size() == 1);
}

}  // namespace
