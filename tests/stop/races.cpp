// SPDX-License-Identifier: BSL-1.0
// Everything at once, in bounded loops: what the thread sanitizer is to look at. Each test says
// what must hold whoever comes first.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::inplace_stop_callback;
using curfew::inplace_stop_source;
using curfew::manual_clock;
using curfew::stop_callback;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::stop_source;
using curfew::stop_token;
using any_callback = stop_callback<std::function<void()>>;

namespace {

constexpr int rounds = 300;

template <class... F>
void at_once(F... work) {
  test::starting_line line{static_cast<int>(sizeof...(F))};
  std::vector<std::thread> threads;
  (threads.emplace_back([&line, own = std::move(work)]() mutable {
    line.await();
    own();
  }),
   ...);
  for (auto& t : threads) t.join();
}

TEST_CASE("a request against a deadline gives one reason and one run") {
  for (int round = 0; round < rounds; ++round) {
    manual_clock clock;
    stop_source s{clock, 1s};
    const stop_source child{s.get_token()};
    std::atomic<int> runs{0};
    const auto count = [&] { runs.fetch_add(1); };
    const stop_callback on_parent(s.get_token(), count);
    const stop_callback on_child(child.get_token(), count);
    bool won = false;
    at_once([&] { clock.advance(1s); },
            [&] {
              won = s.request_stop(stop_reason{stop_cause::signal, 15, 0, -1});
            });
    REQUIRE(runs.load() == 2);
    const auto cause = s.get_token().reason().cause;
    REQUIRE(cause == (won ? stop_cause::signal : stop_cause::deadline));
    REQUIRE(child.get_token().reason().cause == cause);
  }
}

TEST_CASE("a child is made while its parent stops and is stopped either way") {
  for (int round = 0; round < rounds; ++round) {
    stop_source parent;
    std::optional<stop_source> child;
    std::optional<inplace_stop_source> inplace;
    at_once(
        [&] {
          parent.request_stop(stop_reason{stop_cause::control, 5, 0, -1});
        },
        [&] { child.emplace(parent.get_token()); }, [&] { inplace.emplace(parent.get_token()); });
    REQUIRE(child->get_token().reason().code == 5);
    REQUIRE(inplace->get_token().reason().code == 5);
  }
}

TEST_CASE("a child is destroyed while its parent stops") {
  for (int round = 0; round < rounds; ++round) {
    stop_source parent;
    std::vector<std::unique_ptr<stop_source>> children;
    for (int i = 0; i < 6; ++i)
      children.push_back(std::make_unique<stop_source>(
          i < 3 ? parent.get_token() : children[static_cast<std::size_t>(i - 3)]->get_token()));
    at_once([&] { parent.request_stop(); },
            [&] {
              for (const std::size_t i : {std::size_t{1}, std::size_t{5}}) children[i].reset();
            },
            [&] {
              for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) children[i].reset();
            });
    REQUIRE(children[3]->stop_requested());
    REQUIRE(children[4]->stop_requested());
  }
}

TEST_CASE("parent and child are stopped by two threads and every callback runs once") {
  for (int round = 0; round < rounds; ++round) {
    stop_source parent;
    stop_source child{parent.get_token()};
    stop_source grandchild{child.get_token()};
    std::atomic<int> runs{0};
    std::atomic<int> unstopped{0};
    const auto look = [&] {
      runs.fetch_add(1);
      if (!grandchild.stop_requested()) unstopped.fetch_add(1);
    };
    const stop_callback on_parent(parent.get_token(), look);
    const stop_callback on_child(child.get_token(), look);
    const stop_callback on_grandchild(grandchild.get_token(), look);
    at_once([&] { parent.request_stop(); }, [&] { child.request_stop(); },
            [&] { grandchild.request_stop(); });
    REQUIRE(runs.load() == 3);
    REQUIRE(unstopped.load() == 0);
  }
}

TEST_CASE("whoever is answered true or false finds the flag up") {
  for (int round = 0; round < rounds; ++round) {
    stop_source parent;
    stop_source child{parent.get_token()};
    std::atomic<int> wrong{0};
    const auto ask = [&](stop_source& s) {
      s.request_stop();
      if (!s.stop_requested() || s.get_token().reason().cause == stop_cause::none)
        wrong.fetch_add(1);
    };
    at_once([&] { ask(parent); }, [&] { ask(child); }, [&] { ask(child); });
    REQUIRE(wrong.load() == 0);
  }
}

TEST_CASE("callbacks are registered and removed in no order while a stop comes") {
  for (int round = 0; round < rounds; ++round) {
    stop_source parent;
    stop_source child{parent.get_token()};
    std::atomic<int> wrong{0};
    const auto churn = [&] {
      std::optional<any_callback> held[5];
      std::atomic<int> runs[5] = {};
      for (int i = 0; i < 40; ++i) {
        const int at = i * 3 % 5;
        held[at].reset();
        if (runs[at].load() > 1) wrong.fetch_add(1);
        runs[at].store(0);
        held[at].emplace((i % 2 == 0 ? parent : child).get_token(),
                         [&r = runs[at]] { r.fetch_add(1); });
        if (i % 7 == 0) held[(at + 2) % 5].reset();
      }
    };
    at_once(churn, churn, [&] { parent.request_stop(); });
    REQUIRE(wrong.load() == 0);
  }
}

TEST_CASE("a callback that destroys others races their own destruction elsewhere") {
  for (int round = 0; round < rounds; ++round) {
    stop_source s;
    auto others = std::make_unique<std::optional<any_callback>[]>(4);
    std::atomic<int> owner_of[4] = {};
    const auto take = [&](std::size_t i) {
      if (owner_of[i].exchange(1) == 0) others[i].reset();
    };
    for (std::size_t i = 0; i < 4; ++i) others[i].emplace(s.get_token(), [] {});
    const any_callback destroys(s.get_token(), [&] {
      for (std::size_t i = 0; i < 4; ++i) take(i);
    });
    at_once([&] { s.request_stop(); },
            [&] {
              for (std::size_t i = 4; i-- > 0;) take(i);
            });
  }
}

TEST_CASE("the last handles of a context go on several threads at once") {
  manual_clock clock;
  for (int round = 0; round < rounds; ++round) {
    stop_source s{clock, 1s};
    stop_source copy{s};
    stop_token t = s.get_token();
    stop_source child{t};
    auto cb = std::make_unique<any_callback>(t, [] {});
    at_once([moved = std::move(s)]() mutable { moved = stop_source{curfew::nostopstate}; },
            [moved = std::move(copy)]() mutable { moved.request_stop(); }, [&] { cb.reset(); },
            [moved = std::move(child)]() mutable { moved = stop_source{curfew::nostopstate}; });
    t = stop_token{};
  }
}

TEST_CASE("the last source goes while a callback is registered and a child is made") {
  for (int round = 0; round < rounds; ++round) {
    auto s = std::make_unique<stop_source>();
    const stop_token t = s->get_token();
    int runs = 0;
    at_once([&] { s.reset(); }, [&] { const stop_callback cb(t, [&] { ++runs; }); },
            [&] {
              const stop_token below = stop_source{t}.get_token();
              below.wait();  // nobody can ever stop it
            });
    REQUIRE(runs == 0);
  }
}

TEST_CASE("stop and destruction and registration and a deadline all at once") {
  for (int round = 0; round < rounds; ++round) {
    manual_clock clock;
    stop_source root{clock, 1s};
    auto middle = std::make_unique<stop_source>(root.get_token(), 2s);
    stop_source leaf{middle->get_token()};
    std::atomic<int> runs{0};
    const auto count = [&] { runs.fetch_add(1); };
    const stop_callback on_leaf(leaf.get_token(), count);
    at_once([&] { clock.advance(1s); }, [&] { middle.reset(); },
            [&, t = leaf.get_token()] {
              const inplace_stop_source below{t};
              std::optional<inplace_stop_callback<decltype(count)>> cb;
              cb.emplace(below.get_token(), count);
              cb.reset();
            },
            [&] { root.request_stop(); });
    REQUIRE(leaf.stop_requested());
    REQUIRE(runs.load() >= 1);
    REQUIRE(runs.load() <= 2);
  }
}

TEST_CASE("on the process clock a stop and a deadline and the end of a context at once") {
  auto& clock = curfew::time_source::process();
  for (int round = 0; round < rounds; ++round) {
    const auto when = clock.now() + 30us;
    auto parent = std::make_unique<stop_source>(when);
    auto child = std::make_unique<inplace_stop_source>(parent->get_token(), 1h);
    std::atomic<int> runs{0};
    auto cb = std::make_unique<inplace_stop_callback<std::function<void()>>>(
        child->get_token(), std::function<void()>{[&] { runs.fetch_add(1); }});
    stop_source copy = *parent;
    const auto until_due = [&clock, when] {
      while (clock.now() < when) {
      }
    };
    at_once(
        [&] {
          until_due();
          copy.request_stop();
        },
        [&] {
          until_due();
          parent.reset();
          cb.reset();
          child.reset();
        });
    REQUIRE(runs.load() <= 1);
    REQUIRE(copy.get_token().reason().cause == stop_cause::deadline);
  }
}

}  // namespace
