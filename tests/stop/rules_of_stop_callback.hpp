// SPDX-License-Identifier: BSL-1.0
// The rules of C++20 std::stop_callback, written once and run for curfew and for std: see
// rules_of_stop_token.hpp, which is included first and says what `lib` is.
#pragma once

#include "doctest/doctest.h"
#include "support.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

namespace {

template <class F>
using callback = lib::stop_callback<F>;
using any_callback = lib::stop_callback<std::function<void()>>;

struct quiet {
  quiet() = default;
  quiet(const quiet&) noexcept(false) {}
  quiet(quiet&&) noexcept {}
  explicit quiet(int) noexcept(false) {}
  explicit quiet(char*) noexcept {}
  void operator()() const noexcept {}
};
static_assert(std::is_same_v<callback<quiet>::callback_type, quiet>);
static_assert(std::is_same_v<callback<quiet&>::callback_type, quiet&>);
static_assert(!std::is_copy_constructible_v<callback<quiet>>);
static_assert(!std::is_move_constructible_v<callback<quiet>>);
static_assert(!std::is_copy_assignable_v<callback<quiet>>);
static_assert(!std::is_move_assignable_v<callback<quiet>>);
static_assert(std::is_nothrow_destructible_v<callback<quiet>>);
// It takes whatever its function object can be made from, and throws only when that throws.
static_assert(std::is_constructible_v<callback<quiet>, token, int>);
static_assert(std::is_constructible_v<callback<quiet>, const token&, int>);
static_assert(!std::is_constructible_v<callback<quiet>, token, std::string>);
static_assert(!std::is_constructible_v<callback<quiet>, token>);
static_assert(std::is_nothrow_constructible_v<callback<quiet>, token, quiet>);
static_assert(std::is_nothrow_constructible_v<callback<quiet>, const token&, quiet>);
static_assert(std::is_nothrow_constructible_v<callback<quiet>, token, char*>);
static_assert(!std::is_nothrow_constructible_v<callback<quiet>, token, const quiet&>);
static_assert(!std::is_nothrow_constructible_v<callback<quiet>, token, int>);
static_assert(!std::is_nothrow_constructible_v<callback<quiet>, const token&, int>);
template <class C, class... A>
concept made_implicitly = requires(void (&take)(const C&), A&&... a) {
  take({std::forward<A>(a)...});
};
static_assert(!made_implicitly<callback<quiet>, token, quiet>, "its constructor is explicit");
// The deduction guide: the function object by value, from a token of either value category.
static_assert(
    std::is_same_v<decltype(lib::stop_callback(std::declval<token>(), std::declval<quiet&>())),
                   callback<quiet>>);
static_assert(std::is_same_v<decltype(lib::stop_callback(std::declval<const token&>(),
                                                         std::declval<const quiet&>())),
                             callback<quiet>>);
static_assert(
    std::is_same_v<decltype(lib::stop_callback(std::declval<token>(), std::declval<void (&)()>())),
                   callback<void (*)()>>);

TEST_CASE(TEST_LIB "a callback runs once at the stop and not before") {
  source s;
  int runs = 0;
  const lib::stop_callback cb(s.get_token(), [&] { ++runs; });
  CHECK(runs == 0);
  s.request_stop();
  CHECK(runs == 1);
  s.request_stop();
  CHECK(runs == 1);
}

TEST_CASE(TEST_LIB "callbacks run on the stopping thread before its request returns") {
  source s;
  std::thread::id ran_on{};
  const lib::stop_callback cb(s.get_token(), [&] { ran_on = std::this_thread::get_id(); });
  std::thread::id stopper{};
  std::thread{[&] {
    stopper = std::this_thread::get_id();
    s.request_stop();
    CHECK(ran_on == stopper);
  }}.join();
  CHECK(ran_on == stopper);
}

TEST_CASE(TEST_LIB "a callback sees the stop that called it") {
  source s;
  bool seen = false;
  bool asked_again = true;
  const lib::stop_callback cb(s.get_token(), [&] {
    seen = s.stop_requested() && s.get_token().stop_requested();
    asked_again = s.request_stop();
  });
  CHECK(s.request_stop());
  CHECK(seen);
  CHECK_FALSE(asked_again);
}

TEST_CASE(TEST_LIB "a callback of a stopped token runs in its constructor on that thread") {
  source s;
  s.request_stop();
  std::thread::id ran_on{};
  const lib::stop_callback cb(s.get_token(), [&] { ran_on = std::this_thread::get_id(); });
  CHECK(ran_on == std::this_thread::get_id());
}

TEST_CASE(TEST_LIB "a callback registered by a callback runs in its constructor") {
  source s;
  bool inner_ran = false;
  bool ran_inside = false;
  const lib::stop_callback outer(s.get_token(), [&] {
    const lib::stop_callback inner(s.get_token(), [&] { inner_ran = true; });
    ran_inside = inner_ran;
  });
  s.request_stop();
  CHECK(ran_inside);
}

TEST_CASE(TEST_LIB "a callback on a token that cannot stop is never run") {
  int runs = 0;
  const auto count = [&] { ++runs; };
  const lib::stop_callback on_empty(token{}, count);
  token orphan;
  {
    const source s;
    orphan = s.get_token();
  }
  const lib::stop_callback on_orphan(orphan, count);
  const lib::stop_callback on_moved_orphan(std::move(orphan), count);
  CHECK(runs == 0);
}

TEST_CASE(TEST_LIB "a callback that is gone is not run") {
  source s;
  int runs = 0;
  {
    const lib::stop_callback cb(s.get_token(), [&] { ++runs; });
  }
  s.request_stop();
  CHECK(runs == 0);
}

TEST_CASE(TEST_LIB "callbacks go in any order and the others still run") {
  for (int first = 0; first < 3; ++first)
    for (int second = 0; second < 3; ++second) {
      source s;
      int runs[3] = {};
      std::optional<any_callback> callbacks[3];
      for (int i = 0; i < 3; ++i) callbacks[i].emplace(s.get_token(), [&runs, i] { ++runs[i]; });
      callbacks[first].reset();
      callbacks[second].reset();
      s.request_stop();
      for (int i = 0; i < 3; ++i) CHECK(runs[i] == (i != first && i != second ? 1 : 0));
    }
}

TEST_CASE(TEST_LIB "a callback may destroy any other one that has not run") {
  for (int destroyer = 0; destroyer < 4; ++destroyer)
    for (int victim = 0; victim < 4; ++victim) {
      if (victim == destroyer) continue;
      source s;
      bool destroyed = false;
      int ran_after_destruction = 0;
      int others = 0;
      std::optional<any_callback> callbacks[4];
      for (int i = 0; i < 4; ++i)
        callbacks[i].emplace(s.get_token(), [&, i] {
          if (i == destroyer) {
            callbacks[victim].reset();
            destroyed = true;
          } else if (i == victim) {
            ran_after_destruction += destroyed ? 1 : 0;
          } else {
            ++others;
          }
        });
      s.request_stop();
      CHECK(destroyed);
      CHECK(ran_after_destruction == 0);
      CHECK(others == 2);
    }
}

TEST_CASE(TEST_LIB "a callback may destroy itself") {
  source s;
  int runs = 0;
  std::optional<any_callback> before;
  std::optional<any_callback> self;
  std::optional<any_callback> after;
  before.emplace(s.get_token(), [&] { ++runs; });
  self.emplace(s.get_token(), [&] {
    int& counter = runs;  // the closure dies with the callback
    self.reset();
    ++counter;
  });
  after.emplace(s.get_token(), [&] { ++runs; });
  s.request_stop();
  CHECK(runs == 3);
  CHECK_FALSE(self.has_value());
}

TEST_CASE(TEST_LIB "a callback may destroy itself and the last source and token") {
  if (state_dies_in_callback) return;
  auto s = std::make_unique<source>();
  std::optional<any_callback> self;
  bool ran = false;
  self.emplace(s->get_token(), [&] {
    bool& flag = ran;
    auto& owner = s;
    self.reset();
    owner.reset();
    flag = true;
  });
  s->request_stop();
  CHECK(ran);
}

TEST_CASE(TEST_LIB "the destructor waits for a callback that runs on another thread") {
  source s;
  test::gate entered;
  test::gate leave;
  std::atomic<bool> finished{false};
  auto cb = std::make_unique<any_callback>(s.get_token(), [&] {
    entered.open();
    leave.pass();
    finished.store(true);
  });
  std::thread stopper{[&] { s.request_stop(); }};
  entered.pass();
  std::thread opener{[&] { leave.open(); }};
  cb.reset();
  CHECK(finished.load());
  opener.join();
  stopper.join();
}

TEST_CASE(TEST_LIB "the destructor does not wait for the callback of another") {
  source s;
  test::gate entered;
  test::gate leave;
  std::optional<any_callback> bystander;
  bystander.emplace(s.get_token(), [] {});  // older and younger than the one that runs
  const any_callback busy(s.get_token(), [&] {
    entered.open();
    leave.pass();
  });
  std::optional<any_callback> younger;
  younger.emplace(s.get_token(), [] {});
  std::thread stopper{[&] { s.request_stop(); }};
  entered.pass();
  bystander.reset();  // would never return
  younger.reset();
  leave.open();
  stopper.join();
}

TEST_CASE(TEST_LIB "registering does not wait for a callback that runs") {
  source s;
  test::gate entered;
  test::gate leave;
  const any_callback busy(s.get_token(), [&] {
    entered.open();
    leave.pass();
  });
  std::thread stopper{[&] { s.request_stop(); }};
  entered.pass();
  bool ran_here = false;
  const lib::stop_callback late(s.get_token(), [&] { ran_here = true; });
  CHECK(ran_here);
  CHECK_FALSE(s.request_stop());
  leave.open();
  stopper.join();
}

TEST_CASE(TEST_LIB "a callback runs after its token and every other token is gone") {
  source s;
  int runs = 0;
  std::optional<any_callback> cb;
  {
    const token t = s.get_token();
    cb.emplace(t, [&] { ++runs; });
  }
  s.request_stop();
  CHECK(runs == 1);
}

TEST_CASE(TEST_LIB "a callback outlives its source") {
  auto s = std::make_unique<source>();
  int runs = 0;
  const lib::stop_callback cb(s->get_token(), [&] { ++runs; });
  s.reset();
  CHECK(runs == 0);
}

// What the function object is called as, what it is made from, and when it dies.

struct by_category {
  int& called;
  void operator()() & { called = 1; }
  void operator()() const& { called = 2; }
  void operator()() && { called = 3; }
};

TEST_CASE(TEST_LIB "a function object held by value is called as an rvalue") {
  source s;
  int called = 0;
  const callback<by_category> cb(s.get_token(), by_category{called});
  s.request_stop();
  CHECK(called == 3);
}

TEST_CASE(TEST_LIB "a function object held by reference is called as what the reference names") {
  source s;
  int called[3] = {};
  by_category a{called[0]};
  const by_category b{called[1]};
  by_category c{called[2]};
  const callback<by_category&> as_lvalue(s.get_token(), a);
  const callback<const by_category&> as_const(s.get_token(), b);
  const callback<by_category&&> as_rvalue(s.get_token(), std::move(c));
  s.request_stop();
  CHECK(called[0] == 1);
  CHECK(called[1] == 2);
  CHECK(called[2] == 3);
}

TEST_CASE(TEST_LIB "the result of a callback is discarded") {
  source s;
  const lib::stop_callback cb(s.get_token(), [] { return std::string{"not wanted"}; });
  CHECK(s.request_stop());
}

void stop_counter_function() {}

TEST_CASE(TEST_LIB "a function pointer is a callback") {
  source s;
  const lib::stop_callback cb(s.get_token(), stop_counter_function);
  CHECK(s.request_stop());
}

TEST_CASE(TEST_LIB "a callback that only moves is taken by move") {
  source s;
  auto owned = std::make_unique<int>(1);
  int* const seen = owned.get();
  const lib::stop_callback cb(s.get_token(), [p = std::move(owned)] { *p = 2; });
  s.request_stop();
  CHECK(*seen == 2);
}

TEST_CASE(TEST_LIB "the function object lives until the callback does whether it ran or not") {
  for (const bool stop : {false, true}) {
    source s;
    const auto held = std::make_shared<int>(0);
    {
      const lib::stop_callback cb(s.get_token(), [held] {});
      if (stop) s.request_stop();
      CHECK(held.use_count() == 2);
    }
    CHECK(held.use_count() == 1);
  }
}

TEST_CASE(TEST_LIB "a token given by rvalue need not be moved from and never dangles") {
  source s;
  token t = s.get_token();
  int runs = 0;
  const lib::stop_callback cb(std::move(t), [&] { ++runs; });
  s.request_stop();
  CHECK(runs == 1);
}

#if CURFEW_EXCEPTIONS
template <class F>
void any_from(const token& t) {
  const callback<F> never_made(t, 1);
}

TEST_CASE(TEST_LIB "a function object that cannot be made leaves nothing registered") {
  struct refuses {
    explicit refuses(int) { throw std::runtime_error("no"); }
    void operator()() const noexcept {}
  };
  source s;
  CHECK_THROWS_AS(any_from<refuses>(s.get_token()), std::runtime_error);
  CHECK(s.request_stop());
}
#endif

TEST_CASE(TEST_LIB "registration racing a stop runs each callback exactly once") {
  for (int round = 0; round < 300; ++round) {
    source s;
    test::starting_line line{3};
    std::atomic<int> runs{0};
    const auto registers = [&] {
      line.await();
      for (int i = 0; i < 20; ++i) {
        std::optional<any_callback> cb;
        int mine = 0;
        cb.emplace(s.get_token(), [&] {
          ++mine;
          runs.fetch_add(1);
        });
        cb.reset();
        if (mine > 1) runs.fetch_add(1000);
      }
    };
    std::thread a{registers};
    std::thread b{registers};
    line.await();
    s.request_stop();
    a.join();
    b.join();
    REQUIRE(runs.load() < 1000);
  }
}

TEST_CASE(TEST_LIB "a callback kept across a racing stop has run when both threads are done") {
  for (int round = 0; round < 300; ++round) {
    source s;
    test::starting_line line{2};
    int runs = 0;
    std::optional<any_callback> cb;
    std::thread stopper{[&] {
      line.await();
      s.request_stop();
    }};
    line.await();
    cb.emplace(s.get_token(), [&] { ++runs; });
    stopper.join();
    REQUIRE(runs == 1);
  }
}

}  // namespace
