// SPDX-License-Identifier: BSL-1.0
// Every rule of C++20 <stop_token>, held by ours, and what C++26 adds to stop_token. What a context
// adds (children, deadlines, reasons, waiting) is in the files named for that.
#include <curfew/stop/stop_token.hpp>

#include "doctest/doctest.h"

namespace lib = curfew;
#define TEST_LIB ""

namespace {
constexpr bool moved_over_source_lingers = false;
constexpr bool token_equality_may_throw = false;
constexpr bool state_dies_in_callback = false;
}  // namespace

#include "rules_of_stop_token.hpp"

#include "rules_of_stop_callback.hpp"

namespace {

// C++26: the callback type can be named from the token alone.
static_assert(std::is_same_v<token::callback_type<quiet>, callback<quiet>>);

// Handles are one pointer; a callback adds little to its closure.
struct one_pointer {
  void* p;
  void operator()() const noexcept {}
};
static_assert(sizeof(token) == sizeof(void*));
static_assert(sizeof(source) == sizeof(void*));
static_assert(sizeof(callback<one_pointer>) <= 6 * sizeof(void*));

// What ours add on the stop path cannot fail either.
static_assert(noexcept(std::declval<source&>().request_stop(curfew::stop_reason{})));
static_assert(noexcept(std::declval<const token&>().reason()));
static_assert(noexcept(std::declval<const token&>().deadline()));
static_assert(noexcept(std::declval<const token&>().remaining()));
static_assert(noexcept(std::declval<const token&>().clock()));
static_assert(noexcept(std::declval<callback<quiet>&>().remove()));
static_assert(noexcept(std::declval<callback<quiet>&>().try_remove()));

TEST_CASE("a default token has no reason and no deadline and its clock is the process clock") {
  const curfew::stop_token empty;
  CHECK(empty.reason().cause == curfew::stop_cause::none);
  CHECK(empty.deadline() == curfew::time_source::time_point::max());
  CHECK(empty.remaining() == curfew::time_source::duration::max());
  CHECK(&empty.clock() == &curfew::time_source::process());
}

// A small callback that counts: many of them fit into a vector of optionals.
TEST_CASE("a hundred thousand callbacks run newest first") {
  curfew::stop_source s;
  constexpr int many = 100'000;
  int next = many;
  bool in_order = true;
  struct count_down {
    int* next;
    int number;
    bool* in_order;
    void operator()() const noexcept { *in_order &= --*next == number; }
  };
  const auto callbacks = std::make_unique<std::optional<curfew::stop_callback<count_down>>[]>(many);
  for (int i = 0; i < many; ++i)
    callbacks[static_cast<std::size_t>(i)].emplace(s.get_token(), count_down{&next, i, &in_order});
  s.request_stop();
  CHECK(next == 0);
  CHECK(in_order);
}

}  // namespace
