// SPDX-License-Identifier: BSL-1.0
// How long a context lives: as long as a source, a token, a callback or a child of it, whichever of
// them goes last, on whichever thread, and not longer.
#include "doctest/doctest.h"
#include "support.hpp"

// The thread sanitizer of clang has an operator new of its own, which cannot be replaced.
#if !TEST_THREAD_SANITIZER || !defined(__clang__)

#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "counted_new.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

using namespace std::chrono_literals;
using curfew::manual_clock;
using curfew::stop_callback;
using curfew::stop_source;
using curfew::stop_token;
using test::allocation_tally;

namespace {

struct count {
  int& runs;
  void operator()() const noexcept { ++runs; }
};
using callback = stop_callback<count>;

// Everything that keeps a context: one of each, and two callbacks.
struct household {
  static constexpr int members = 5;

  manual_clock clock;
  stop_source root{clock};
  int runs = 0;
  std::optional<stop_source> source{std::in_place, root.get_token(), 1h};
  std::optional<stop_token> token{source->get_token()};
  std::optional<callback> older{std::in_place, *token, count{runs}};
  std::optional<callback> newer{std::in_place, *token, count{runs}};
  std::optional<stop_source> child{std::in_place, *token};

  void leave(int member) {
    if (member == 0) source.reset();
    if (member == 1) token.reset();
    if (member == 2) older.reset();
    if (member == 3) newer.reset();
    if (member == 4) child.reset();
  }
};

template <class F>
void in_every_order(F f) {
  std::array<int, household::members> order{0, 1, 2, 3, 4};
  do f(order);
  while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a context ends with the last that keeps it in every order") {
  in_every_order([](const auto& order) {
    household h;
    const allocation_tally tally;
    for (int member : order) {
      CHECK(tally.left() > -2);  // the context and its child
      h.leave(member);
    }
    CHECK(tally.left() == -2);
    CHECK(h.runs == 0);
  });
}

// The callbacks that have run still keep the context, since they look at it when they go.
TEST_CASE("a context that was stopped ends with the last that keeps it in every order") {
  for (int stop_after = 0; stop_after <= household::members; ++stop_after) {
    in_every_order([stop_after](const auto& order) {
      household h;
      const allocation_tally tally;
      int left = 0;
      int expected = 2;
      for (int member : order) {
        if (left++ == stop_after) h.root.request_stop();
        if (left <= stop_after && (member == 2 || member == 3)) --expected;
        h.leave(member);
      }
      CHECK(tally.left() == -2);
      CHECK(h.runs == (stop_after == household::members ? 0 : expected));
    });
  }
}

TEST_CASE("a context ends with the last that keeps it after its deadline too") {
  in_every_order([](const auto& order) {
    household h;
    h.clock.advance(1h);
    CHECK(h.runs == 2);
    const allocation_tally tally;
    for (int member : order) h.leave(member);
    CHECK(tally.left() == -2);
  });
}

TEST_CASE("a context that only a callback keeps is stopped from above and by its deadline") {
  manual_clock clock;
  const allocation_tally tally;
  {
    stop_source root(clock);
    int runs = 0;
    const callback below(stop_source{root.get_token()}.get_token(), count{runs});
    const callback timed(stop_source{root.get_token(), 1s}.get_token(), count{runs});
    clock.advance(1s);
    CHECK(runs == 1);
    root.request_stop();
    CHECK(runs == 2);
  }
  CHECK(tally.left() == 0);
}

TEST_CASE("the last that keep a context go at the same moment") {
  constexpr int rounds = 500;
  for (int round = 0; round < rounds; ++round) {
    household h;
    const bool stops = round % 3 == 0;
    const allocation_tally tally;
    h.leave(round % household::members);
    {
      test::starting_line line(household::members + 1);
      const auto one = [&](int member) {
        line.await();
        h.leave(member);
      };
      std::array<std::thread, household::members> threads;
      for (int member = 0; member < household::members; ++member)
        threads[static_cast<std::size_t>(member)] = std::thread(one, member);
      line.await();
      if (stops) h.root.request_stop();
      for (std::thread& t : threads) t.join();
    }
    REQUIRE(h.runs <= 2);
    REQUIRE(tally.left() == -2);
  }
}

// One callback on a source that nobody else has is the commonest life of all.
TEST_CASE("a source with one callback leaves nothing behind") {
  const allocation_tally tally;
  for (int i = 0; i < 100; ++i) {
    int runs = 0;
    stop_source s;
    const callback cb(s.get_token(), count{runs});
    if (i % 2 == 0) s.request_stop();
    CHECK(runs == (i + 1) % 2);
  }
  CHECK(tally.left() == 0);
}

}  // namespace

#else

TEST_CASE("lives are not counted under the thread sanitizer of clang") {}

#endif
