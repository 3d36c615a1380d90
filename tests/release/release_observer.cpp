// SPDX-License-Identifier: BSL-1.0
#include <curfew/release/release_observer.hpp>
#include <curfew/release/resource_stack.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::release_entry;
using curfew::release_outcome;
using curfew::resource_stack;

namespace {

/// What was heard, in order: "start a", "late a", "done a".
class listener : public curfew::release_observer {
 public:
  void on_start(const release_entry& e) noexcept override { note("start ", e); }
  void on_late(const release_entry& e) noexcept override {
    late_line = e.place.line;
    note("late ", e);
  }
  void on_done(const release_entry& e) noexcept override {
    note("done ", e);
    outcomes.push_back(e.outcome);
  }

  std::vector<std::string> heard;
  std::vector<release_outcome> outcomes;
  std::uint_least32_t late_line = 0;

 private:
  void note(const char* what, const release_entry& e) {
    heard.push_back(what + std::string(e.name));
  }
};

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("an observer hears of each entry before and after it is released") {
  listener ear;
  resource_stack stack;
  stack.observe(&ear);
  stack.emplace<int>("a", 1);
  stack.defer("b", [&] { ear.heard.push_back("b runs"); });
  stack.release();
  CHECK(ear.heard == lines{"start b", "b runs", "done b", "start a", "done a"});
}

TEST_CASE("a late entry is named while it is late with the place where it was registered") {
  curfew::manual_clock clock;
  listener ear;
  resource_stack stack(clock);
  stack.observe(&ear);
  stack.defer("older", [] {});
  const auto line = __LINE__ + 1;
  stack.defer("slow",
              [&] {
                clock.advance(1s);
                CHECK(ear.heard == lines{"start slow"});
                clock.advance(1s);
                CHECK(ear.heard == lines{"start slow", "late slow"});
                CHECK(ear.late_line == line);
                clock.advance(1h);
              },
              {2s});
  stack.release();
  CHECK(ear.heard == lines{"start slow", "late slow", "done slow", "start older", "done older"});
  CHECK(ear.outcomes == std::vector{release_outcome::late, release_outcome::released});
}

TEST_CASE("an object whose destructor overruns the budget is named too") {
  curfew::manual_clock clock;
  struct slow {
    ~slow() { clock.advance(5s); }
    curfew::manual_clock& clock;
  };
  listener ear;
  resource_stack stack(clock);
  stack.observe(&ear);
  stack.emplace<slow>("object", clock);
  stack.release(3s);
  CHECK(ear.heard == lines{"start object", "late object", "done object"});
}

TEST_CASE("an entry that became late after the whole was hurried is named too") {
  curfew::manual_clock clock;
  curfew::stop_source second_signal;
  listener ear;
  resource_stack stack(clock);
  stack.observe(&ear);
  stack.defer("slow",
              [&](curfew::stop_token hurry) {
                second_signal.request_stop();
                CHECK(hurry.stop_requested());
                CHECK(ear.heard == lines{"start slow"});
                clock.advance(2s);
                CHECK(ear.heard == lines{"start slow", "late slow"});
              },
              {2s});
  stack.release(1h, second_signal.get_token());
}

TEST_CASE("an entry that is hurried but not late is not named") {
  curfew::stop_source second_signal;
  second_signal.request_stop();
  listener ear;
  resource_stack stack;
  stack.observe(&ear);
  stack.defer("a", [](curfew::stop_token hurry) { CHECK(hurry.stop_requested()); });
  CHECK(stack.release(1h, second_signal.get_token()).ok());
  CHECK(ear.heard == lines{"start a", "done a"});
}

TEST_CASE("an entry that begins after the budget is named as late at once") {
  curfew::manual_clock clock;
  listener ear;
  resource_stack stack(clock);
  stack.observe(&ear);
  stack.defer("a", [] {});
  stack.release(0s);
  CHECK(ear.heard == lines{"start a", "late a", "done a"});
}

TEST_CASE("on the process clock a late entry is named by another thread while it runs") {
  struct : curfew::release_observer {
    void on_late(const release_entry& e) noexcept override {
      CHECK(e.name == "stuck");
      thread = std::this_thread::get_id();
      named.store(true);
    }
    std::atomic<bool> named{false};
    std::thread::id thread;
  } ear;
  resource_stack stack;
  stack.observe(&ear);
  stack.defer("stuck",
              [&] {
                while (!ear.named) std::this_thread::yield();
              },
              {50ms});
  const auto report = stack.release();
  CHECK(report.begin()->outcome == release_outcome::late);
  CHECK(ear.thread != std::this_thread::get_id());
}

TEST_CASE("the late notice of one entry never comes after that entry is done") {
  struct : curfew::release_observer {
    void on_start(const release_entry& e) noexcept override { running.store(&e); }
    void on_late(const release_entry& e) noexcept override {
      if (running.load() != &e) strays.fetch_add(1);
    }
    void on_done(const release_entry&) noexcept override { running.store(nullptr); }
    std::atomic<const release_entry*> running{nullptr};
    std::atomic<int> strays{0};
  } ear;
  resource_stack stack;
  stack.observe(&ear);
  for (int i = 0; i < 300; ++i)
    stack.defer("racer",
                [] {
                  const auto until = std::chrono::steady_clock::now() + 100us;
                  while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
                },
                {100us});
  CHECK(stack.release().size() == 300);
  CHECK(ear.strays.load() == 0);
}

TEST_CASE("an observer moves along with the entries and can be taken away") {
  listener ear;
  resource_stack first;
  first.observe(&ear);
  first.defer("a", [] {});
  resource_stack second = std::move(first);
  first.defer("unheard", [] {});
  first.release();
  second.release();
  CHECK(ear.heard == lines{"start a", "done a"});
  second.defer("b", [] {});
  second.observe(nullptr);
  second.release();
  CHECK(ear.heard.size() == 2);
}
