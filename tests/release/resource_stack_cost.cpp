// SPDX-License-Identifier: BSL-1.0
// What a resource stack costs, counted: readings of the clock and allocations. And that whoever
// sees the times still sees the right ones.
#include <curfew/release/resource_stack.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "faulty_new.hpp"

#include <array>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::release_entry;
using curfew::release_outcome;
using curfew::resource_stack;
using duration = resource_stack::duration;
using durations = std::vector<duration>;

namespace {

/// A second passes at each reading. Its timers never fire.
class counting_clock final : public curfew::time_source {
 public:
  time_point now() const noexcept override { return time_point(std::chrono::seconds(++readings)); }
  mutable int readings = 0;

 private:
  bool arm(curfew::detail::timer_entry&, std::error_code&) noexcept override { return true; }
  void disarm(curfew::detail::timer_entry&) noexcept override {}
};

/// Takes a second before and after each entry, and notes what the entry is said to have taken.
class slow_listener : public curfew::release_observer {
 public:
  explicit slow_listener(curfew::manual_clock& clock) noexcept : clock_(clock) {}
  void on_start(const release_entry&) noexcept override { clock_.advance(1s); }
  void on_late(const release_entry&) noexcept override { ++late; }
  void on_done(const release_entry& e) noexcept override {
    clock_.advance(1s);
    limits.push_back(e.limit);
    times.push_back(e.elapsed);
  }

  durations limits, times;
  int late = 0;

 private:
  curfew::manual_clock& clock_;
};

void defer_three(resource_stack& stack) {
  for (int i = 0; i < 3; ++i) stack.defer("part", [] {});
}

}  // namespace

// --- readings of the clock ----------------------------------------------------------------------

TEST_CASE("a release reads the clock once an entry and once at its start") {
  counting_clock clock;
  resource_stack stack(clock);
  defer_three(stack);
  CHECK(clock.readings == 0);
  const auto report = stack.release(1h);
  CHECK(clock.readings == 4);
  for (const auto& e : report) CHECK(e.elapsed == 1s);
}

TEST_CASE("a token costs no reading of the clock and stops exactly when its entry becomes late") {
  counting_clock clock;
  std::vector<std::chrono::steady_clock::time_point> deadlines;
  resource_stack stack(clock);
  stack.defer("second", [&](curfew::inplace_stop_token t) { deadlines.push_back(t.deadline()); },
              {1s});
  stack.defer("first", [&](curfew::stop_token t) { deadlines.push_back(t.deadline()); }, {2s});
  const auto report = stack.release();
  CHECK(clock.readings == 3);
  REQUIRE(deadlines.size() == 2);
  CHECK(deadlines[0].time_since_epoch() == 3s);  // it began at 1 s
  CHECK(deadlines[1].time_since_epoch() == 3s);  // it began at 2 s, and ended at 3 s
  CHECK(report.begin()->outcome == release_outcome::released);
  CHECK(std::next(report.begin())->outcome == release_outcome::late);
}

TEST_CASE("a release of nothing reads no clock") {
  counting_clock clock;
  resource_stack stack(clock);
  CHECK(stack.release(1h).empty());
  CHECK(clock.readings == 0);
}

TEST_CASE("a stack that is destroyed or replaced and that nobody observes reads no clock") {
  counting_clock clock;
  {
    resource_stack stack(clock), other(clock);
    defer_three(stack);
    defer_three(other);
    stack.emplace<std::string>("string");
    stack.defer("hurried", [](curfew::stop_token) {});
    stack = std::move(other);
    CHECK(stack.size() == 3);
  }
  CHECK(clock.readings == 0);
}

// --- the right times ----------------------------------------------------------------------------

TEST_CASE("each entry is told its own time and nobody that of the observer") {
  curfew::manual_clock clock;
  slow_listener ear(clock);
  resource_stack stack(clock);
  stack.observe(&ear);
  stack.defer("second", [&] { clock.advance(20s); });
  stack.defer("first", [&] { clock.advance(10s); });
  durations reported;
  for (const auto& e : stack.release()) reported.push_back(e.elapsed);
  CHECK(reported == durations{10s, 20s});
  CHECK(ear.times == reported);
}

TEST_CASE("the time that an observer takes counts for the budget of those that follow") {
  curfew::manual_clock clock;
  slow_listener ear(clock);
  resource_stack stack(clock);
  stack.observe(&ear);
  defer_three(stack);
  stack.release(10s);
  CHECK(ear.limits == durations{10s, 8s, 6s});
}

TEST_CASE("what a limit was when its entry began is when its token stops and its observer hears") {
  curfew::manual_clock clock;
  slow_listener ear(clock);
  resource_stack stack(clock);
  stack.observe(&ear);
  stack.defer("slow",
              [&](curfew::stop_token hurry) {
                CHECK(hurry.remaining() == 5s);
                clock.advance(5s - 1ns);
                CHECK(ear.late == 0);
                clock.advance(1ns);
                CHECK(ear.late == 1);
                CHECK(hurry.stop_requested());
              },
              {5s});
  CHECK(stack.release().begin()->outcome == release_outcome::late);
}

TEST_CASE("an observer is told the times also when the stack is destroyed") {
  curfew::manual_clock clock;
  slow_listener ear(clock);
  {
    resource_stack stack(clock);
    stack.observe(&ear);
    stack.defer("second", [&] { clock.advance(3s); }, {3s});
    stack.defer("first", [&] { clock.advance(2s); });
  }
  CHECK(ear.times == durations{2s, 3s});
  CHECK(ear.late == 1);
}

TEST_CASE("an observer that comes during the destruction hears of the entries that are left") {
  curfew::manual_clock clock;
  slow_listener ear(clock);
  {
    resource_stack stack(clock);
    stack.defer("third", [&] { clock.advance(3s); });
    stack.defer("second", [&] { clock.advance(2s); });
    stack.defer("first", [&] {
      clock.advance(1s);
      stack.observe(&ear);
    });
  }
  CHECK(ear.times == durations{2s, 3s});
}

TEST_CASE("an entry keeps its limit when the stack is destroyed") {
  curfew::manual_clock clock;
  std::vector<curfew::stop_cause> causes;
  const auto slow = [&](curfew::stop_token hurry) {
    clock.advance(5s - 1ns);
    CHECK_FALSE(hurry.stop_requested());
    clock.advance(1ns);
    causes.push_back(hurry.reason().cause);
  };
  {
    resource_stack stack(clock);
    stack.defer("unlimited", slow);
    stack.defer("second", slow, {5s});
    stack.defer("first", slow, {5s});
  }
  CHECK(causes == std::vector{curfew::stop_cause::deadline, curfew::stop_cause::deadline,
                              curfew::stop_cause::none});
}

TEST_CASE("an entry that begins after the budget is hurried without any timer") {
  counting_clock clock;
  resource_stack stack(clock);
  int hurried = 0;
  const auto look = [&](auto hurry) {
    // In this order: who asks for the reason has the clock asked as well.
    hurried += hurry.stop_requested() && hurry.reason().cause == curfew::stop_cause::deadline;
  };
  stack.defer("inplace", [&](curfew::inplace_stop_token hurry) { look(hurry); });
  stack.defer("shared", [&](curfew::stop_token hurry) { look(hurry); });
  stack.release(0s);
  CHECK(hurried == 2);
}

TEST_CASE("no limit is no deadline whatever the clock says") {
  curfew::manual_clock clock(curfew::time_source::time_point(-1h));
  int unlimited = 0;
  const auto look = [&](curfew::stop_token hurry) {
    unlimited += hurry.deadline() == curfew::time_source::time_point::max();
  };
  {
    resource_stack stack(clock);
    stack.defer("reported", look);
    stack.release();
    stack.defer("unseen", look);
  }
  CHECK(unlimited == 2);
}

TEST_CASE("what is registered and asked for while a stack is destroyed is as in any release") {
  std::vector<int> log;
  {
    resource_stack stack;
    stack.defer("oldest", [&] { log.push_back(1); });
    stack.defer("newest", [&] {
      log.push_back(2);
      stack.defer("late comer", [&] { log.push_back(3); });
      CHECK(stack.size() == 2);
      CHECK(stack.release().empty());
    });
  }
  CHECK(log == std::vector{2, 3, 1});
}

TEST_CASE("a replaced stack releases before it takes over and is whole afterwards") {
  std::vector<int> log;
  resource_stack stack, other;
  stack.defer("old", [&] { log.push_back(1); });
  other.defer("new", [&] { log.push_back(2); });
  stack = std::move(other);
  CHECK(log == std::vector{1});
  other.defer("again", [&] { log.push_back(3); });
  stack.defer("newest", [&] { log.push_back(4); });
  CHECK(stack.release().size() == 2);
  CHECK(other.release().size() == 1);
  CHECK(log == std::vector{1, 4, 2, 3});
}

#if CURFEW_EXCEPTIONS

TEST_CASE("an error that nobody will read is given back before the next entry") {
  const auto witness = std::make_shared<int>(1);
  long alive = 0;
  {
    resource_stack stack;
    stack.defer("reader", [&] { alive = witness.use_count(); });
    stack.defer("fails", [&] { throw witness; });
  }
  CHECK(alive == 1);
}

#endif

// --- allocations --------------------------------------------------------------------------------

TEST_CASE("a thousand small closures cost eight allocations at most and their release none") {
  int released = 0;
  std::optional<resource_stack> stack(std::in_place);
  const auto defer_all = [&] {
    for (int i = 0; i < 1000; ++i) stack->defer("entry", [&released] { ++released; });
  };
  CHECK(test::allocations_of(defer_all) <= 8);
  CHECK(test::allocations_of([&] { stack->release(); }) == 0);
  CHECK(test::allocations_of(defer_all) <= 8);
  CHECK(test::allocations_of([&] { stack.reset(); }) == 0);
  CHECK(released == 2000);
}

TEST_CASE("closures of three words cost no allocation of their own") {
  int released = 0;
  resource_stack stack;
  const std::array<int*, 3> words{&released, &released, &released};
  const long made = test::allocations_of([&] {
    for (int i = 0; i < 1000; ++i) stack.defer("entry", [words] { ++*words[2]; });
  });
  CHECK(made <= 9);
  stack.release();
  CHECK(released == 1000);
}

TEST_CASE("what fills a block to its last byte is followed by one in the next block") {
  for (std::size_t length = 1; length < 1500; ++length) {
    std::vector<std::string> names{std::string(length, 'a'), std::string(length, 'b'), "c"};
    resource_stack stack;
    for (const auto& name : names) stack.defer(name, [] {});
    auto expected = names.rbegin();
    for (const auto& e : stack.release()) CHECK(e.name == *expected++);
  }
}
