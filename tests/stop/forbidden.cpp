// SPDX-License-Identifier: BSL-1.0
// What must not compile.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"

#include <chrono>
#include <type_traits>
#include <utility>

namespace {

using curfew::inplace_stop_callback;
using curfew::inplace_stop_source;
using curfew::inplace_stop_token;
using curfew::manual_clock;
using curfew::stop_callback;
using curfew::stop_source;
using curfew::stop_token;
using std::is_constructible_v;
using std::is_convertible_v;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

struct nothing {
  void operator()() const noexcept {}
};

// A point in the time of another clock is no deadline, and a number is no duration.
using wall_time = system_clock::time_point;
static_assert(is_constructible_v<stop_source, steady_clock::time_point>);
static_assert(!is_constructible_v<stop_source, wall_time>);
static_assert(!is_constructible_v<stop_source, stop_token, wall_time>);
static_assert(!is_constructible_v<inplace_stop_source, wall_time>);
static_assert(!is_constructible_v<inplace_stop_source, stop_token, wall_time>);
static_assert(!is_constructible_v<inplace_stop_source, inplace_stop_token, wall_time>);
static_assert(!is_constructible_v<stop_source, int>);
static_assert(!is_constructible_v<stop_source, stop_token, int>);
static_assert(!is_constructible_v<inplace_stop_source, int>);

template <class Token, class When>
concept can_wait_until = requires(const Token& t, When w) {
  t.wait_until(w);
};
template <class Token, class Length>
concept can_wait_for = requires(const Token& t, Length d) {
  t.wait_for(d);
};
static_assert(can_wait_until<stop_token, steady_clock::time_point>);
static_assert(!can_wait_until<stop_token, wall_time>);
static_assert(!can_wait_until<inplace_stop_token, wall_time>);
static_assert(can_wait_for<stop_token, std::chrono::duration<double>>);
static_assert(!can_wait_for<stop_token, int>);

// A shared context may outlive an inplace one, so it cannot stand under it.
static_assert(!is_constructible_v<stop_source, inplace_stop_token>);
static_assert(!is_constructible_v<stop_source, inplace_stop_token, milliseconds>);
static_assert(is_constructible_v<inplace_stop_source, stop_token>);
static_assert(is_constructible_v<inplace_stop_source, inplace_stop_token>);
static_assert(is_constructible_v<inplace_stop_source, stop_token, milliseconds>);
static_assert(
    is_constructible_v<inplace_stop_source, inplace_stop_token, steady_clock::time_point>);
static_assert(is_constructible_v<inplace_stop_source, manual_clock&, milliseconds>);

// Nothing becomes a context without being asked to.
static_assert(!is_convertible_v<stop_token, stop_source>);
static_assert(!is_convertible_v<milliseconds, stop_source>);
static_assert(!is_convertible_v<steady_clock::time_point, stop_source>);
static_assert(!is_convertible_v<manual_clock&, stop_source>);
static_assert(!is_convertible_v<stop_token, inplace_stop_source>);
static_assert(!is_convertible_v<inplace_stop_token, inplace_stop_source>);
static_assert(!is_convertible_v<milliseconds, inplace_stop_source>);
static_assert(!is_constructible_v<stop_source, manual_clock>);
static_assert(!is_constructible_v<stop_source, const manual_clock&>);

// Tokens of the two kinds are strangers.
static_assert(!is_constructible_v<stop_token, inplace_stop_token>);
static_assert(!is_constructible_v<inplace_stop_token, stop_token>);
static_assert(!is_constructible_v<stop_callback<nothing>, inplace_stop_token, nothing>);
static_assert(!is_constructible_v<inplace_stop_callback<nothing>, stop_token, nothing>);

// A callback stays where it is, and so does an inplace source and a clock.
static_assert(!std::is_copy_constructible_v<stop_callback<nothing>>);
static_assert(!std::is_move_constructible_v<stop_callback<nothing>>);
static_assert(!std::is_copy_constructible_v<inplace_stop_source>);
static_assert(!std::is_move_constructible_v<inplace_stop_source>);
static_assert(!std::is_copy_constructible_v<manual_clock>);
static_assert(!std::is_copy_assignable_v<manual_clock>);

// A token only looks.
template <class Token>
concept can_request = requires(Token& t) {
  t.request_stop();
};
static_assert(!can_request<stop_token>);
static_assert(!can_request<inplace_stop_token>);

TEST_CASE("what must not compile does not") {
  CHECK(is_constructible_v<stop_source, milliseconds>);
}

}  // namespace
