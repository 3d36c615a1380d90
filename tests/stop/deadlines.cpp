// SPDX-License-Identifier: BSL-1.0
// Contexts with a deadline, on a clock that the test advances. The process's clock and its thread
// are in timer.cpp, being asked late is in late.cpp, odd durations are in durations.cpp.
#include <curfew/stop/detail/expiring.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using curfew::manual_clock;
using curfew::stop_callback;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::stop_source;
using curfew::stop_token;
using time_point = curfew::time_source::time_point;

namespace {

TEST_CASE("a deadline stops its context at its time and not before") {
  manual_clock clock;
  const stop_source s{clock, 10ms};
  const stop_token t = s.get_token();
  CHECK(t.deadline() == clock.now() + 10ms);
  CHECK(t.remaining() == 10ms);
  clock.advance(10ms - 1ns);
  CHECK_FALSE(t.stop_requested());
  CHECK(t.remaining() == 1ns);
  clock.advance(1ns);
  CHECK(t.stop_requested());
  CHECK(t.reason().cause == stop_cause::deadline);
  CHECK(t.remaining() <= 0ns);
}

TEST_CASE("a deadline stops the whole subtree with the cause deadline") {
  manual_clock clock;
  stop_source parent{clock, 1s};
  stop_source child{parent.get_token()};
  int runs = 0;
  const stop_callback cb(child.get_token(), [&] { ++runs; });
  clock.advance(1s);
  CHECK(child.get_token().reason().cause == stop_cause::deadline);
  CHECK(runs == 1);
}

TEST_CASE("the deadline of a child does not stop its parent") {
  manual_clock clock;
  stop_source parent{clock};
  stop_source child{parent.get_token(), 1s};
  stop_source grandchild{child.get_token()};
  clock.advance(1s);
  CHECK(grandchild.stop_requested());
  CHECK_FALSE(parent.stop_requested());
}

TEST_CASE("the deadline of a context is the earliest of its own and its ancestors") {
  manual_clock clock;
  stop_source root{clock};
  stop_source far_off{root.get_token(), 9s};
  stop_source nearer{far_off.get_token(), clock.now() + 4s};
  stop_source no_sooner{nearer.get_token(), 5s};
  stop_source plain{no_sooner.get_token()};
  CHECK(root.get_token().deadline() == time_point::max());
  CHECK(far_off.get_token().remaining() == 9s);
  CHECK(nearer.get_token().remaining() == 4s);
  CHECK(no_sooner.get_token().remaining() == 4s);
  CHECK(plain.get_token().deadline() == clock.now() + 4s);
  clock.advance(4s);
  CHECK(plain.get_token().reason().cause == stop_cause::deadline);
  CHECK(nearer.stop_requested());
  CHECK_FALSE(far_off.stop_requested());
}

TEST_CASE("a deadline stays what it was after the stop") {
  manual_clock clock;
  stop_source s{clock, 5s};
  const time_point when = s.get_token().deadline();
  s.request_stop();
  CHECK(s.get_token().deadline() == when);
  clock.advance(6s);
  CHECK(s.get_token().deadline() == when);
  CHECK(s.get_token().reason().cause == stop_cause::requested);
}

TEST_CASE("a stop before the deadline keeps its own reason") {
  manual_clock clock;
  stop_source s{clock, 1s};
  int runs = 0;
  const stop_callback cb(s.get_token(), [&] { ++runs; });
  CHECK(s.request_stop(stop_reason{stop_cause::signal, 15, 0, -1}));
  clock.advance(2s);
  CHECK(s.get_token().reason().cause == stop_cause::signal);
  CHECK(runs == 1);
}

TEST_CASE("a deadline fires although every source of its context is gone") {
  manual_clock clock;
  const stop_token t = stop_source{clock, 1s}.get_token();
  CHECK(t.stop_possible());
  clock.advance(1s);
  CHECK(t.stop_requested());
  CHECK(t.reason().cause == stop_cause::deadline);
  CHECK(t.stop_possible());
}

TEST_CASE("a deadline fires as long as a callback or a child lives") {
  manual_clock clock;
  int runs = 0;
  const stop_callback cb(stop_source{clock, 1s}.get_token(), [&] { ++runs; });
  const stop_source child{stop_source{clock, 2s}.get_token()};
  clock.advance(1s);
  CHECK(runs == 1);
  CHECK_FALSE(child.stop_requested());
  clock.advance(1s);
  CHECK(child.stop_requested());
}

TEST_CASE("a callback registered after the source went runs at the deadline") {
  manual_clock clock;
  int runs = 0;
  const stop_token t = stop_source{clock, 1s}.get_token();
  const stop_callback cb(t, [&] { ++runs; });
  CHECK(runs == 0);
  clock.advance(1s);
  CHECK(runs == 1);
}

TEST_CASE("a pending deadline of an ancestor keeps a stop possible and a fired one too") {
  manual_clock clock;
  const stop_token t = stop_source{stop_source{clock, 1s}.get_token()}.get_token();
  CHECK(t.stop_possible());
  clock.advance(1s);
  CHECK(t.stop_requested());
  CHECK(t.stop_possible());
}

TEST_CASE("a context that goes before its deadline leaves nothing to fire") {
  manual_clock clock;
  int runs = 0;
  for (int i = 0; i < 100; ++i) {
    const stop_source s{clock, 1s};
    const stop_callback cb(s.get_token(), [&] { ++runs; });
  }
  clock.advance(2s);
  CHECK(runs == 0);
}

TEST_CASE("all flags that are due are up before the first callback runs") {
  manual_clock clock;
  const stop_source one{clock, 1s};
  const stop_source other{clock, 1s};
  const stop_source not_due{clock, 1s + 1ns};
  int calls = 0;
  bool both_up = true;
  const auto look = [&] {
    ++calls;
    both_up &= one.stop_requested() && other.stop_requested() && !not_due.stop_requested();
  };
  const stop_callback on_one(one.get_token(), look);
  const stop_callback on_other(other.get_token(), look);
  clock.advance(2s);
  CHECK(calls == 2);
  CHECK(both_up);
}

TEST_CASE("deadlines that come together run their callbacks in the order of the deadlines") {
  manual_clock clock;
  const int order[] = {7, 2, 5, 0, 6, 1, 4, 3};
  for (const auto step : {curfew::time_source::duration{1ns}, curfew::time_source::duration{1h}}) {
    test::order_log log;
    std::vector<stop_source> sources;
    std::vector<std::unique_ptr<stop_callback<test::note>>> callbacks;
    for (const int n : order) {
      sources.emplace_back(clock, 1s + n * step);
      callbacks.push_back(std::make_unique<stop_callback<test::note>>(sources.back().get_token(),
                                                                      test::note{log, n}));
    }
    clock.advance(24h);
    CHECK(log == test::order_log{0, 1, 2, 3, 4, 5, 6, 7});
  }
}

// Comes round late, and finds everything due at once.
class sluggish_clock final : public curfew::time_source {
 public:
  time_point now() const noexcept override { return time_point{} + std::chrono::hours(1) + late_; }
  void come_round(duration late) noexcept {
    late_ += late;
    curfew::detail::fire_queue queue;
    curfew::detail::expire_due(lock_, armed_, queue);
    curfew::detail::fire_all(queue);
  }

 private:
  bool arm(curfew::detail::timer_entry& e, std::error_code&) noexcept override {
    curfew::detail::link_timer(e, armed_);
    return true;
  }
  void disarm(curfew::detail::timer_entry& e) noexcept override {
    if (e.slot != nullptr) curfew::detail::unlink_timer(e);
  }

  duration late_{0};
  curfew::detail::spin_lock lock_;
  curfew::detail::timer_entry* armed_ = nullptr;
};

TEST_CASE("deadlines that are noticed together come in their order all the same") {
  sluggish_clock clock;
  test::order_log log;
  std::vector<stop_source> sources;
  std::vector<std::unique_ptr<stop_callback<test::note>>> callbacks;
  for (const int n : {7, 2, 5, 0, 6, 1, 4, 3, 8}) {
    sources.emplace_back(clock, 1s + n * 1ns);
    callbacks.push_back(std::make_unique<stop_callback<test::note>>(sources.back().get_token(),
                                                                    test::note{log, n}));
  }
  clock.come_round(1h);
  CHECK(log == test::order_log{0, 1, 2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("one advance over many deadlines shows each callback the time of its own") {
  manual_clock clock;
  const auto start = clock.now();
  const stop_source first{clock, 1s};
  const stop_source second{clock, 2s};
  std::vector<curfew::time_source::duration> seen;
  const auto look = [&] { seen.push_back(clock.now() - start); };
  const stop_callback on_first(first.get_token(), look);
  const stop_callback on_second(second.get_token(), look);
  clock.advance(1h);
  CHECK(seen == std::vector<curfew::time_source::duration>{1s, 2s});
  CHECK(clock.now() == start + 1h);
}

TEST_CASE("a child whose deadline is not earlier stops with its parent and by the same reason") {
  manual_clock clock;
  stop_source parent{clock, 1s};
  stop_source same{parent.get_token(), 1s};
  stop_source later{parent.get_token(), 2s};
  clock.advance(1s);
  CHECK(same.get_token().reason().cause == stop_cause::deadline);
  CHECK(later.get_token().reason().cause == stop_cause::deadline);
}

TEST_CASE("a later deadline of a child holds when the sources of the parent are gone") {
  manual_clock clock;
  const stop_token t = stop_source{stop_source{clock, 1s}.get_token(), 2s}.get_token();
  CHECK(t.remaining() == 1s);
  clock.advance(1s);
  CHECK(t.stop_requested());
}

TEST_CASE("a callback may make and destroy contexts with deadlines on the clock that fired") {
  manual_clock clock;
  const stop_source s{clock, 1s};
  auto due_with_it = std::make_unique<stop_source>(clock, 1s);
  std::optional<stop_source> made;
  bool born_stopped = false;
  const stop_callback cb(s.get_token(), [&] {
    due_with_it.reset();
    made.emplace(clock, 1s);
    born_stopped = stop_source(clock, 0s).stop_requested();
  });
  clock.advance(1s);
  CHECK(born_stopped);
  REQUIRE(made.has_value());
  CHECK_FALSE(made->stop_requested());
  clock.advance(1s);
  CHECK(made->stop_requested());
}

TEST_CASE("a child of a clock inherits it and may be given a point of its time") {
  manual_clock clock;
  stop_source root{clock};
  CHECK(&root.get_token().clock() == &clock);
  stop_source child{root.get_token()};
  CHECK(&child.get_token().clock() == &clock);
  stop_source timed{child.get_token(), clock.now() + 3s};
  CHECK(timed.get_token().remaining() == 3s);
}

#if CURFEW_EXCEPTIONS
TEST_CASE("a token stopped by its deadline throws timed out") {
  manual_clock clock;
  const stop_source s{clock, 1s};
  clock.advance(1s);
  try {
    s.get_token().throw_if_stopped();
    FAIL("it did not throw");
  } catch (const curfew::stopped_error& e) {
    CHECK(e.reason().cause == stop_cause::deadline);
    CHECK(e.code() == std::errc::timed_out);
  }
}
#endif

}  // namespace
