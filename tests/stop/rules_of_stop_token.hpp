// SPDX-License-Identifier: BSL-1.0
// The rules of C++20 <stop_token>, one test a rule, written once and run twice
// (those of stop_callback are in rules_of_stop_callback.hpp): with `lib` meaning
// curfew (stop_token.cpp) and with `lib` meaning std (rules_of_std.cpp). So what we demand of
// ourselves is what the standard's own implementation does, and the two cannot drift apart.
//
// Whoever includes it has defined TEST_LIB (the titles' first words), the namespace alias `lib`,
// and these switches, true where an implementation is known to break the rule:
//   moved_over_source_lingers   a source that was moved over still counts as a source
//   token_equality_may_throw    operator== of two tokens is not noexcept
//   state_dies_in_callback      a callback that destroys every handle frees what its caller uses
#pragma once

#include "doctest/doctest.h"
#include "support.hpp"

#include <memory>
#include <thread>
#include <type_traits>
#include <utility>

namespace {

using source = lib::stop_source;
using token = lib::stop_token;

// ---------------------------------------------------------------- what compiles, and what does not

static_assert(std::is_nothrow_default_constructible_v<token>);
static_assert(std::is_nothrow_copy_constructible_v<token>);
static_assert(std::is_nothrow_move_constructible_v<token>);
static_assert(std::is_nothrow_copy_assignable_v<token>);
static_assert(std::is_nothrow_move_assignable_v<token>);
static_assert(std::is_nothrow_destructible_v<token>);
static_assert(std::is_nothrow_swappable_v<token>);
static_assert(noexcept(std::declval<token&>().swap(std::declval<token&>())));
static_assert(noexcept(std::declval<const token&>().stop_requested()));
static_assert(noexcept(std::declval<const token&>().stop_possible()));
static_assert(token_equality_may_throw ||
              noexcept(std::declval<const token&>() == std::declval<const token&>()));
static_assert(std::is_same_v<bool, decltype(std::declval<const token&>().stop_requested())>);
static_assert(std::is_same_v<bool, decltype(std::declval<const token&>().stop_possible())>);
static_assert(!std::is_constructible_v<token, source>);
static_assert(!std::is_convertible_v<source, token>);

static_assert(std::is_default_constructible_v<source>);
static_assert(std::is_nothrow_constructible_v<source, lib::nostopstate_t>);
static_assert(!std::is_convertible_v<lib::nostopstate_t, source>);
static_assert(std::is_nothrow_copy_constructible_v<source>);
static_assert(std::is_nothrow_move_constructible_v<source>);
static_assert(std::is_nothrow_copy_assignable_v<source>);
static_assert(std::is_nothrow_move_assignable_v<source>);
static_assert(std::is_nothrow_destructible_v<source>);
static_assert(std::is_nothrow_swappable_v<source>);
static_assert(noexcept(std::declval<source&>().swap(std::declval<source&>())));
static_assert(noexcept(std::declval<const source&>().get_token()));
static_assert(noexcept(std::declval<const source&>().stop_possible()));
static_assert(noexcept(std::declval<const source&>().stop_requested()));
static_assert(noexcept(std::declval<source&>().request_stop()));
static_assert(noexcept(std::declval<const source&>() == std::declval<const source&>()));
static_assert(std::is_same_v<bool, decltype(std::declval<source&>().request_stop())>);
static_assert(std::is_same_v<token, decltype(std::declval<const source&>().get_token())>);

static_assert(std::is_empty_v<lib::nostopstate_t>);
static_assert(std::is_same_v<const lib::nostopstate_t, decltype(lib::nostopstate)>);
template <class T>
concept made_from_braces = requires(void (&take)(T)) {
  take({});
};
static_assert(!made_from_braces<lib::nostopstate_t>, "its default constructor is explicit");

// ---------------------------------------------------------------------------------------- tokens

TEST_CASE(TEST_LIB "a default token has no state and never will") {
  const token empty;
  CHECK_FALSE(empty.stop_possible());
  CHECK_FALSE(empty.stop_requested());
  CHECK(empty == token{});
  CHECK_FALSE(empty != token{});
}

TEST_CASE(TEST_LIB "a copy of a token is equal and shares the state") {
  source s;
  const token first = s.get_token();
  const token second{first};  // NOLINT: the copy is the subject
  CHECK(first == second);
  s.request_stop();
  CHECK(first.stop_requested());
  CHECK(second.stop_requested());
}

TEST_CASE(TEST_LIB "a token that was moved from is empty") {
  source s;
  token from = s.get_token();
  const token to{std::move(from)};
  CHECK_FALSE(from.stop_possible());  // NOLINT: the state after the move is the subject
  CHECK_FALSE(from.stop_requested());
  CHECK(from == token{});
  CHECK(to == s.get_token());
}

TEST_CASE(TEST_LIB "assignment replaces the state of a token") {
  source a;
  source b;
  token t = a.get_token();
  t = b.get_token();
  CHECK(t == b.get_token());
  token u;
  u = t;
  CHECK(u == t);
  u = std::move(t);
  CHECK(u == b.get_token());
  CHECK_FALSE(t.stop_possible());  // NOLINT
  u = token{};
  CHECK_FALSE(u.stop_possible());
  CHECK(b.get_token().stop_possible());
}

TEST_CASE(TEST_LIB "assigning a token to itself changes nothing") {
  source s;
  token t = s.get_token();
  token& same = t;
  t = same;
  CHECK(t == s.get_token());
  t = std::move(same);
  CHECK(t == s.get_token());
}

TEST_CASE(TEST_LIB "tokens swap their states") {
  source s;
  token full = s.get_token();
  token empty;
  full.swap(empty);
  CHECK_FALSE(full.stop_possible());
  CHECK(empty == s.get_token());
  using std::swap;
  swap(full, empty);
  CHECK(full == s.get_token());
  full.swap(full);
  CHECK(full == s.get_token());
}

TEST_CASE(TEST_LIB "tokens are equal when they share a state and only then") {
  source a;
  source b;
  CHECK(a.get_token() == a.get_token());
  CHECK(a.get_token() != b.get_token());
  CHECK(a.get_token() != token{});
  CHECK(source{lib::nostopstate}.get_token() == token{});
}

// ------------------------------------------------------------------------------------
// stop_possible

TEST_CASE(TEST_LIB "a stop is possible while a source exists") {
  auto first = std::make_unique<source>();
  const token t = first->get_token();
  CHECK(t.stop_possible());
  auto second = std::make_unique<source>(*first);
  first.reset();
  CHECK(t.stop_possible());
  second.reset();
  CHECK_FALSE(t.stop_possible());
  CHECK_FALSE(t.stop_requested());
}

TEST_CASE(TEST_LIB "a stop that happened stays possible when the last source is gone") {
  token t;
  {
    source s;
    t = s.get_token();
    s.request_stop();
  }
  CHECK(t.stop_possible());
  CHECK(t.stop_requested());
}

TEST_CASE(TEST_LIB "a moved source still counts once") {
  std::unique_ptr<source> to;
  token t;
  {
    source from;
    t = from.get_token();
    to = std::make_unique<source>(std::move(from));
  }
  CHECK(t.stop_possible());
  to.reset();
  CHECK_FALSE(t.stop_possible());
}

TEST_CASE(TEST_LIB "assigning over the last source makes a stop impossible") {
  source s;
  const token by_copy = s.get_token();
  const source other;
  s = other;
  CHECK_FALSE(by_copy.stop_possible());
  CHECK(s == other);

  source moved_over;
  const token by_move = moved_over.get_token();
  moved_over = source{};
  CHECK(by_move.stop_possible() == moved_over_source_lingers);
  const token last = moved_over.get_token();
  moved_over = source{lib::nostopstate};
  CHECK(last.stop_possible() == moved_over_source_lingers);
}

TEST_CASE(TEST_LIB "assigning a source to itself keeps it") {
  source s;
  const token t = s.get_token();
  source& same = s;
  s = same;
  CHECK(t.stop_possible());
  s = std::move(same);
  CHECK(t.stop_possible());
  CHECK(s.stop_possible());
  CHECK(s.request_stop());
}

// ---------------------------------------------------------------------------------------- sources

TEST_CASE(TEST_LIB "a new source can stop and has not been stopped") {
  source s;
  CHECK(s.stop_possible());
  CHECK_FALSE(s.stop_requested());
  CHECK(s.get_token().stop_possible());
}

TEST_CASE(TEST_LIB "a source without a state does nothing") {
  source s{lib::nostopstate};
  CHECK_FALSE(s.stop_possible());
  CHECK_FALSE(s.stop_requested());
  CHECK_FALSE(s.request_stop());
  CHECK_FALSE(s.stop_requested());
  CHECK_FALSE(s.get_token().stop_possible());
  const source copy = s;  // NOLINT
  CHECK(copy == s);
  CHECK(s != source{});
}

TEST_CASE(TEST_LIB "a source that was moved from has no state") {
  source from;
  const source to{std::move(from)};
  CHECK_FALSE(from.stop_possible());  // NOLINT
  CHECK_FALSE(from.request_stop());
  CHECK(from.get_token() == token{});
  CHECK(to.stop_possible());
  CHECK_FALSE(to.stop_requested());
}

TEST_CASE(TEST_LIB "copies of a source stop the same state") {
  source a;
  source b = a;
  CHECK(a == b);
  CHECK(b.request_stop());
  CHECK(a.stop_requested());
  CHECK_FALSE(a.request_stop());
  source c;
  CHECK(a != c);
  c = a;
  CHECK(c.stop_requested());
}

TEST_CASE(TEST_LIB "sources swap their states") {
  source stopped;
  stopped.request_stop();
  source fresh;
  const token of_fresh = fresh.get_token();
  stopped.swap(fresh);
  CHECK(fresh.stop_requested());
  CHECK_FALSE(stopped.stop_requested());
  using std::swap;
  swap(stopped, fresh);
  CHECK(stopped.stop_requested());
  CHECK(fresh.get_token() == of_fresh);
  source none{lib::nostopstate};
  swap(none, fresh);
  CHECK_FALSE(fresh.stop_possible());
  CHECK(of_fresh.stop_possible());
}

TEST_CASE(TEST_LIB "only the first request answers true") {
  source s;
  const token t = s.get_token();
  CHECK(s.request_stop());
  CHECK_FALSE(s.request_stop());
  CHECK(t.stop_requested());
  CHECK(s.stop_requested());
  CHECK(s.stop_possible());
}

TEST_CASE(TEST_LIB "of many threads that ask exactly one is answered true") {
  for (int round = 0; round < 200; ++round) {
    source s;
    test::starting_line line{3};
    std::atomic<int> winners{0};
    const auto ask = [&] {
      line.await();
      if (s.request_stop()) winners.fetch_add(1);
    };
    std::thread a{ask};
    std::thread b{ask};
    ask();
    a.join();
    b.join();
    REQUIRE(winners.load() == 1);
  }
}

TEST_CASE(TEST_LIB "what was written before the request is seen by whoever sees the stop") {
  for (int round = 0; round < 200; ++round) {
    source s;
    int plain = 0;
    std::thread reader{[t = s.get_token(), &plain] {
      while (!t.stop_requested()) std::this_thread::yield();
      plain += 1;  // a data race unless the request synchronizes with the poll
    }};
    plain = 41;
    s.request_stop();
    reader.join();
    REQUIRE(plain == 42);
  }
}

}  // namespace
