// SPDX-License-Identifier: BSL-1.0
#include <curfew/release/gate.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::gate;

static_assert(!std::is_copy_constructible_v<gate>);
static_assert(!std::is_move_constructible_v<gate>);
static_assert(!std::is_copy_constructible_v<gate::hold>);
static_assert(std::is_nothrow_move_constructible_v<gate::hold>);
static_assert(std::is_nothrow_move_assignable_v<gate::hold>);
static_assert(!std::is_convertible_v<gate::hold, bool>);
static_assert(noexcept(std::declval<gate&>().enter()));

namespace {

/// A thread that waits on a gate, and what it got.
class waiter {
 public:
  waiter(gate& g, curfew::stop_token token)
      : thread_([this, &g, token] {
          const bool drained = g.wait(token);
          result.store(drained ? 1 : 0);
        }) {}
  ~waiter() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  std::atomic<int> result{-1};

 private:
  std::thread thread_;
};

/// A token that is stopped in the worst moment: right after a waiter asked and was told no.
struct nasty_token {
  struct shared {
    bool stopped = false;
    void (*run)(void*) = nullptr;
    void* argument = nullptr;
  };
  template <class F>
  struct callback_type {
    template <class Init>
    callback_type(const nasty_token& token, Init&& init) : f(std::forward<Init>(init)) {
      token.state->run = [](void* p) { (*static_cast<F*>(p))(); };
      token.state->argument = &f;
    }
    std::remove_const_t<F> f;
  };

  bool stop_requested() const noexcept {
    const bool answer = std::exchange(state->stopped, true);
    if (!answer) state->run(state->argument);
    return answer;
  }

  shared* state;
};

}  // namespace

TEST_CASE("a stop between asking and falling asleep ends the wait") {
  nasty_token::shared state;
  gate g;
  CHECK_FALSE(g.wait(nasty_token{&state}));
}

TEST_CASE("a gate counts its holds") {
  gate g;
  CHECK(g.count() == 0);
  auto a = g.enter();
  {
    auto b = g.enter();
    CHECK(static_cast<bool>(b));
    CHECK(g.count() == 2);
  }
  CHECK(g.count() == 1);
  a.reset();
  CHECK_FALSE(static_cast<bool>(a));
  CHECK(g.count() == 0);
}

TEST_CASE("a hold is moved and never counted twice") {
  gate g;
  auto a = g.enter();
  gate::hold b = std::move(a);
  CHECK_FALSE(static_cast<bool>(a));
  CHECK(static_cast<bool>(b));
  CHECK(g.count() == 1);
  auto c = g.enter();
  c = std::move(b);
  CHECK(g.count() == 1);
  auto& self = c;
  c = std::move(self);
  CHECK(static_cast<bool>(c));
  c = gate::hold();
  CHECK(g.count() == 0);
}

TEST_CASE("after close nobody enters and those inside stay") {
  gate g;
  auto inside = g.enter();
  CHECK_FALSE(g.closed());
  g.close();
  CHECK(g.closed());
  CHECK_FALSE(static_cast<bool>(g.enter()));
  CHECK(g.count() == 1);
  g.close();
  CHECK(static_cast<bool>(inside));
  inside.reset();
  CHECK(g.wait({}));
}

TEST_CASE("waiting on a closed and empty gate returns true at once also with a stopped token") {
  gate g;
  g.close();
  curfew::stop_source stopped;
  stopped.request_stop();
  CHECK(g.wait(stopped.get_token()));
  CHECK(g.wait({}));
}

TEST_CASE("waiting returns false when the token stops before the gate is drained") {
  curfew::stop_source stopped;
  stopped.request_stop();
  gate open;
  CHECK_FALSE(open.wait(stopped.get_token()));
  gate busy;
  auto inside = busy.enter();
  busy.close();
  CHECK_FALSE(busy.wait(stopped.get_token()));
  inside.reset();
  CHECK(busy.wait(stopped.get_token()));
}

TEST_CASE("an empty gate that is open keeps a waiter until it is closed") {
  gate g;
  waiter w(g, {});
  g.enter().reset();
  CHECK(w.result.load() == -1);
  g.close();
  w.join();
  CHECK(w.result.load() == 1);
}

TEST_CASE("the last hold wakes every waiter") {
  gate g;
  auto first = g.enter();
  auto last = g.enter();
  waiter a(g, {}), b(g, {}), c(g, {});
  g.close();
  first.reset();
  CHECK(a.result.load() == -1);
  last.reset();
  a.join();
  b.join();
  c.join();
  CHECK(a.result.load() + b.result.load() + c.result.load() == 3);
}

TEST_CASE("a stop wakes the waiter whose token it is and no other") {
  gate g;
  auto inside = g.enter();
  g.close();
  curfew::stop_source one, two;
  waiter a(g, one.get_token()), b(g, two.get_token());
  one.request_stop();
  a.join();
  CHECK(a.result.load() == 0);
  CHECK(b.result.load() == -1);
  inside.reset();
  b.join();
  CHECK(b.result.load() == 1);
}

TEST_CASE("a deadline ends the wait on the clock of the token") {
  curfew::manual_clock clock;
  gate g;
  auto inside = g.enter();
  g.close();
  curfew::stop_source limit(clock, 5s);
  waiter w(g, limit.get_token());
  clock.advance(5s - 1ns);
  CHECK(w.result.load() == -1);
  clock.advance(1ns);
  w.join();
  CHECK(w.result.load() == 0);
}

TEST_CASE("a deadline on the process clock ends the wait") {
  gate g;
  auto inside = g.enter();
  g.close();
  curfew::stop_source limit(5ms);
  CHECK_FALSE(g.wait(limit.get_token()));
}

TEST_CASE("a wait takes tokens of other kinds") {
  gate g;
  curfew::inplace_stop_source source;
  source.request_stop();
  CHECK_FALSE(g.wait(source.get_token()));
  g.close();
  CHECK(g.wait(curfew::never_stop_token()));
}

TEST_CASE("what was done under a hold is seen by the waiter and a refused one sees the close") {
  for (int round = 0; round < 200; ++round) {
    gate g;
    int work = 0, written_before_close = 0;
    auto hold = g.enter();
    std::thread worker([&, h = std::move(hold)]() mutable {
      ++work;
      h.reset();
    });
    std::thread refused([&] {
      while (g.enter()) std::this_thread::yield();
      CHECK(written_before_close == 1);
    });
    written_before_close = 1;
    g.close();
    CHECK(g.wait({}));
    CHECK(work == 1);
    worker.join();
    refused.join();
  }
}

TEST_CASE("a gate may be destroyed as soon as the wait returns") {
  for (int round = 0; round < 2000; ++round) {
    auto g = std::make_unique<gate>();
    std::thread worker([h = g->enter()]() mutable { h.reset(); });
    g->close();
    CHECK(g->wait({}));
    g.reset();
    worker.join();
  }
}

TEST_CASE("a gate may be destroyed as soon as its count is zero without a wait") {
  for (int round = 0; round < 2000; ++round) {
    auto g = std::make_unique<gate>();
    std::thread worker([h = g->enter()]() mutable { h.reset(); });
    g->close();
    while (g->count() != 0) std::this_thread::yield();
    g.reset();
    worker.join();
  }
}

TEST_CASE("no wake is lost between entering and leaving and closing and stopping") {
  for (int round = 0; round < 300; ++round) {
    gate g;
    curfew::stop_source source;
    std::atomic<int> entered{0}, done{0};
    std::vector<std::thread> workers;
    for (int i = 0; i < 3; ++i)
      workers.emplace_back([&] {
        while (auto h = g.enter()) {
          entered.fetch_add(1);
          done.fetch_add(1);
        }
      });
    waiter drained(g, {}), stopped(g, source.get_token());
    std::thread stopper([&] { source.request_stop(); });
    std::thread closer([&] { g.close(); });
    drained.join();
    CHECK(drained.result.load() == 1);
    CHECK(entered.load() == done.load());
    CHECK(g.count() == 0);
    stopped.join();
    stopper.join();
    closer.join();
    for (auto& w : workers) w.join();
  }
}

#if CURFEW_POSIX

TEST_CASE("a gate that is destroyed with holds out ends the program and names their number") {
  const auto words = test::last_words([] {
    auto g = std::make_unique<gate>();
    static gate::hold a = g->enter(), b = g->enter();
    g.reset();
  });
  CHECK(words.find("destroyed with 2 of its holds still out") != std::string::npos);
}

#endif
