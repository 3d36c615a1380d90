// SPDX-License-Identifier: BSL-1.0
// The rules of C++26 inplace_stop_token, never_stop_token and the concepts over stop tokens, and
// what ours add. Contexts of either kind under each other are in shared_and_inplace.cpp.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

using curfew::inplace_stop_callback;
using curfew::inplace_stop_source;
using curfew::inplace_stop_token;
using curfew::never_stop_token;
using curfew::stop_token;
using any_callback = inplace_stop_callback<std::function<void()>>;

namespace {

// -------------------------------------------------------------- what compiles, and what does not

static_assert(std::is_nothrow_default_constructible_v<inplace_stop_token>);
static_assert(std::is_trivially_copyable_v<inplace_stop_token>);
static_assert(std::is_nothrow_copy_constructible_v<inplace_stop_token>);
static_assert(std::is_nothrow_swappable_v<inplace_stop_token>);
static_assert(sizeof(inplace_stop_token) == sizeof(void*));
static_assert(
    noexcept(std::declval<inplace_stop_token&>().swap(std::declval<inplace_stop_token&>())));
static_assert(noexcept(std::declval<const inplace_stop_token&>().stop_requested()));
static_assert(noexcept(std::declval<const inplace_stop_token&>().stop_possible()));

static_assert(std::is_nothrow_default_constructible_v<inplace_stop_source>);
static_assert(!std::is_copy_constructible_v<inplace_stop_source>);
static_assert(!std::is_move_constructible_v<inplace_stop_source>);
static_assert(!std::is_copy_assignable_v<inplace_stop_source>);
static_assert(!std::is_move_assignable_v<inplace_stop_source>);
static_assert(inplace_stop_source::stop_possible());
static_assert(noexcept(inplace_stop_source::stop_possible()));
static_assert(noexcept(std::declval<const inplace_stop_source&>().get_token()));
static_assert(noexcept(std::declval<const inplace_stop_source&>().stop_requested()));
static_assert(noexcept(std::declval<inplace_stop_source&>().request_stop()));
static_assert(std::is_same_v<inplace_stop_token,
                             decltype(std::declval<const inplace_stop_source&>().get_token())>);

// A source can be a global that is there before any code runs, and so can a token.
constinit inplace_stop_source at_namespace_scope;
constinit inplace_stop_token empty_at_namespace_scope;
constexpr inplace_stop_token empty_constant;
static_assert(empty_constant == inplace_stop_token{});

struct quiet {
  quiet() = default;
  quiet(const quiet&) noexcept(false) {}
  quiet(quiet&&) noexcept {}
  explicit quiet(int) noexcept(false) {}
  void operator()() const noexcept {}
};
using quiet_callback = inplace_stop_callback<quiet>;
static_assert(std::is_same_v<quiet_callback::callback_type, quiet>);
static_assert(!std::is_copy_constructible_v<quiet_callback>);
static_assert(!std::is_move_constructible_v<quiet_callback>);
static_assert(!std::is_copy_assignable_v<quiet_callback>);
static_assert(!std::is_move_assignable_v<quiet_callback>);
static_assert(std::is_constructible_v<quiet_callback, inplace_stop_token, int>);
static_assert(!std::is_constructible_v<quiet_callback, inplace_stop_token, void*>);
static_assert(!std::is_constructible_v<quiet_callback, stop_token, quiet>);
static_assert(std::is_nothrow_constructible_v<quiet_callback, inplace_stop_token, quiet>);
static_assert(!std::is_nothrow_constructible_v<quiet_callback, inplace_stop_token, int>);
static_assert(std::is_same_v<decltype(inplace_stop_callback(std::declval<inplace_stop_token>(),
                                                            std::declval<quiet&>())),
                             quiet_callback>);
static_assert(std::is_same_v<inplace_stop_token::callback_type<quiet>, quiet_callback>);

// ----------------------------------------------------------------------------------- the concepts

static_assert(curfew::stoppable_token<stop_token>);
static_assert(curfew::stoppable_token<inplace_stop_token>);
static_assert(curfew::stoppable_token<never_stop_token>);
static_assert(!curfew::stoppable_token<int>);
static_assert(!curfew::stoppable_token<curfew::stop_source>);
static_assert(!curfew::unstoppable_token<stop_token>);
static_assert(!curfew::unstoppable_token<inplace_stop_token>);
static_assert(curfew::unstoppable_token<never_stop_token>);
static_assert(
    std::is_same_v<curfew::stop_callback_for_t<stop_token, quiet>, curfew::stop_callback<quiet>>);
static_assert(
    std::is_same_v<curfew::stop_callback_for_t<inplace_stop_token, quiet>, quiet_callback>);
static_assert(std::is_same_v<curfew::stop_callback_for_t<never_stop_token, quiet>,
                             never_stop_token::callback_type<quiet>>);

// A token must say noexcept, must be comparable and must name its callbacks.
struct forgetful : inplace_stop_token {
  bool stop_requested() const { return false; }
};
static_assert(!curfew::stoppable_token<forgetful>);
struct nameless {
  bool stop_requested() const noexcept { return false; }
  bool stop_possible() const noexcept { return false; }
  bool operator==(const nameless&) const = default;
};
static_assert(!curfew::stoppable_token<nameless>);

static_assert(!never_stop_token::stop_requested());
static_assert(!never_stop_token::stop_possible());
static_assert(never_stop_token{} == never_stop_token{});
static_assert(
    std::is_nothrow_constructible_v<never_stop_token::callback_type<quiet>, never_stop_token, int>);

TEST_CASE("a callback on a token that never stops takes anything and runs nothing") {
  bool ran = false;
  const auto f = [&] { ran = true; };
  [[maybe_unused]] const curfew::stop_callback_for_t<never_stop_token, decltype(f)> cb(
      never_stop_token{}, f);
  CHECK_FALSE(ran);
}

// --------------------------------------------------------------------------- tokens and sources

TEST_CASE("a default inplace token has no source") {
  const inplace_stop_token empty;
  CHECK_FALSE(empty.stop_possible());
  CHECK_FALSE(empty.stop_requested());
  CHECK(empty == empty_at_namespace_scope);
  CHECK(empty.reason().cause == curfew::stop_cause::none);
  CHECK(empty.deadline() == curfew::time_source::time_point::max());
}

TEST_CASE("inplace tokens are equal when they name one source and swap") {
  inplace_stop_source a;
  inplace_stop_source b;
  inplace_stop_token first = a.get_token();
  inplace_stop_token second = b.get_token();
  CHECK(first == a.get_token());
  CHECK(first != second);
  first.swap(second);
  CHECK(first == b.get_token());
  using std::swap;
  swap(first, second);
  CHECK(first == a.get_token());
}

TEST_CASE("only the first request to an inplace source answers true") {
  inplace_stop_source s;
  const inplace_stop_token t = s.get_token();
  CHECK(t.stop_possible());
  CHECK_FALSE(s.stop_requested());
  CHECK(s.request_stop());
  CHECK_FALSE(s.request_stop());
  CHECK(s.stop_requested());
  CHECK(t.stop_requested());
  CHECK(t.stop_possible());
}

TEST_CASE("a source at namespace scope works as any other") {
  bool ran = false;
  const inplace_stop_callback cb(at_namespace_scope.get_token(), [&] { ran = true; });
  CHECK(at_namespace_scope.request_stop());
  CHECK(ran);
  CHECK(at_namespace_scope.get_token().reason().cause == curfew::stop_cause::requested);
}

// -------------------------------------------------------------------------------------- callbacks

TEST_CASE("an inplace callback runs once at the stop and newest first") {
  inplace_stop_source s;
  test::order_log log;
  const inplace_stop_callback first(s.get_token(), test::note{log, 1});
  const inplace_stop_callback second(s.get_token(), test::note{log, 2});
  { const inplace_stop_callback gone(s.get_token(), test::note{log, 3}); }
  CHECK(s.request_stop());
  CHECK_FALSE(s.request_stop());
  CHECK(log == test::order_log{2, 1});
}

TEST_CASE("an inplace callback on a stopped or empty token runs at once or never") {
  inplace_stop_source s;
  s.request_stop();
  test::order_log log;
  const inplace_stop_callback late(s.get_token(), test::note{log, 1});
  const inplace_stop_callback never(inplace_stop_token{}, test::note{log, 2});
  CHECK(log == test::order_log{1});
}

TEST_CASE("inplace callbacks destroy each other and themselves") {
  inplace_stop_source s;
  test::order_log log;
  std::optional<any_callback> oldest;
  std::optional<any_callback> middle;
  std::optional<any_callback> newest;
  oldest.emplace(s.get_token(), [&] { log.push_back(1); });
  middle.emplace(s.get_token(), [&] {
    auto& kept = log;
    oldest.reset();
    middle.reset();
    kept.push_back(2);
  });
  newest.emplace(s.get_token(), [&] { log.push_back(3); });
  s.request_stop();
  CHECK(log == test::order_log{3, 2});
}

TEST_CASE("the destructor of an inplace callback waits for it on another thread") {
  inplace_stop_source s;
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

TEST_CASE("an inplace source may go as soon as the last callback is seen to have run") {
  for (int round = 0; round < 500; ++round) {
    auto s = std::make_unique<inplace_stop_source>();
    test::gate ran;
    auto cb = std::make_unique<any_callback>(s->get_token(), [&] { ran.open(); });
    std::thread stopper{[&stopped = *s] { stopped.request_stop(); }};
    ran.pass();
    cb.reset();
    s.reset();  // the request may still be on its way out
    stopper.join();
  }
}

}  // namespace
