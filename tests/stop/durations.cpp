// SPDX-License-Identifier: BSL-1.0
// Every duration and time point of every type is a right answer: what does not fit saturates.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ratio>

using namespace std::chrono_literals;
using curfew::inplace_stop_source;
using curfew::manual_clock;
using curfew::stop_cause;
using curfew::stop_source;
using clock_duration = curfew::time_source::duration;
using time_point = curfew::time_source::time_point;
using seconds_f = std::chrono::duration<double>;

namespace {

constexpr auto infinite = std::numeric_limits<double>::infinity();

template <class Duration>
time_point deadline_after(manual_clock& clock, Duration d) {
  return stop_source{clock, d}.get_token().deadline();
}

template <class Duration>
bool stopped_after(manual_clock& clock, Duration d) {
  const stop_source s{clock, d};
  return s.stop_requested() && s.get_token().reason().cause == stop_cause::deadline;
}

TEST_CASE("the longest duration of any type means never") {
  manual_clock clock;
  CHECK(deadline_after(clock, std::chrono::hours::max()) == time_point::max());
  CHECK(deadline_after(clock, std::chrono::nanoseconds::max()) == time_point::max());
  CHECK(deadline_after(clock, std::chrono::years::max()) == time_point::max());
  CHECK(deadline_after(clock, clock_duration::max()) == time_point::max());
  CHECK(deadline_after(clock, seconds_f{infinite}) == time_point::max());
  CHECK(deadline_after(clock, seconds_f{1e300}) == time_point::max());
  CHECK(deadline_after(clock, std::chrono::duration<float>{std::numeric_limits<float>::max()}) ==
        time_point::max());
  CHECK(deadline_after(clock, std::chrono::duration<std::uint64_t, std::nano>{~std::uint64_t{0}}) ==
        time_point::max());
  const stop_source s{clock, std::chrono::hours::max()};
  CHECK(s.get_token().remaining() == clock_duration::max());
  CHECK_FALSE(s.stop_requested());
}

TEST_CASE("a duration that has passed stops at once with the cause deadline") {
  manual_clock clock;
  CHECK(stopped_after(clock, 0s));
  CHECK(stopped_after(clock, -1ns));
  CHECK(stopped_after(clock, std::chrono::hours::min()));
  CHECK(stopped_after(clock, clock_duration::min()));
  CHECK(stopped_after(clock, seconds_f{-infinite}));
  CHECK(stopped_after(clock, seconds_f{-1e300}));
  CHECK(stopped_after(clock, seconds_f{std::nan("")}));
  CHECK(stopped_after(clock, seconds_f{-0.0}));
}

TEST_CASE("a century is a century") {
  manual_clock clock;
  const auto century = 24h * 365 * 100;
  const stop_source s{clock, century};
  CHECK(s.get_token().remaining() == century);
  clock.advance(century - 1ns);
  CHECK_FALSE(s.stop_requested());
  clock.advance(1ns);
  CHECK(s.stop_requested());
  const stop_source on_process_clock{century};
  CHECK(on_process_clock.get_token().remaining() > century - 1h);
  CHECK_FALSE(on_process_clock.get_token().wait_for(1ms));
}

TEST_CASE("a duration finer than the clock rounds up so that nothing is early") {
  manual_clock clock;
  const auto now = clock.now();
  CHECK(deadline_after(clock, std::chrono::duration<std::int64_t, std::pico>{1}) > now);
  CHECK(deadline_after(clock, std::chrono::duration<std::int64_t, std::pico>{1500}) == now + 2ns);
  CHECK(deadline_after(clock, std::chrono::duration<double, std::nano>{0.25}) == now + 1ns);
  CHECK(deadline_after(clock, seconds_f{0.5}) == now + 500ms);
}

TEST_CASE("doubles at the very edge of what fits do not wrap") {
  manual_clock clock;
  const double edge = 9223372036.854775807;
  double below = edge;
  double above = edge;
  for (int i = 0; i < 100; ++i) {
    CHECK(deadline_after(clock, seconds_f{below}) > clock.now() + 24h * 365 * 200);
    CHECK(deadline_after(clock, seconds_f{above}) == time_point::max());
    CHECK(stopped_after(clock, seconds_f{-below}));
    CHECK(stopped_after(clock, seconds_f{-above}));
    below = std::nextafter(below, 0.0);
    above = std::nextafter(above, infinite);
  }
}

TEST_CASE("narrow and unsigned representations are what they say") {
  manual_clock clock;
  const auto now = clock.now();
  CHECK(deadline_after(clock, std::chrono::duration<std::int8_t>{std::int8_t{127}}) == now + 127s);
  CHECK(deadline_after(clock, std::chrono::duration<unsigned>{7u}) == now + 7s);
  CHECK(deadline_after(clock, std::chrono::duration<std::uint16_t, std::ratio<3600>>{
                                  std::uint16_t{65535}}) == now + 65535h);
  CHECK(deadline_after(clock, std::chrono::duration<long double>{2.0L}) == now + 2s);
  CHECK(deadline_after(clock, std::chrono::duration<std::int64_t, std::ratio<1, 3>>{3}) ==
        now + 1s);
}

TEST_CASE("a deadline near the end of time saturates") {
  manual_clock clock;
  clock.advance(clock_duration::max() - clock.now().time_since_epoch() - 1h);
  CHECK(deadline_after(clock, 2h) == time_point::max());
  CHECK(deadline_after(clock, 59min) == clock.now() + 59min);
}

TEST_CASE("time points of any precision are taken") {
  manual_clock clock;
  using std::chrono::steady_clock;
  using std::chrono::time_point_cast;
  const stop_source root{clock};
  const auto child_at = [&](auto when) { return stop_source{root.get_token(), when}; };
  const auto whole = time_point_cast<std::chrono::hours>(clock.now()) + 5h;
  CHECK(child_at(whole).get_token().deadline() == whole);
  const std::chrono::time_point<steady_clock, seconds_f> far_off{seconds_f{1e30}};
  CHECK(child_at(far_off).get_token().deadline() == time_point::max());
  const std::chrono::time_point<steady_clock, seconds_f> no_number{seconds_f{std::nan("")}};
  CHECK(child_at(no_number).stop_requested());
  const std::chrono::time_point<steady_clock, std::chrono::duration<std::int64_t, std::pico>> fine{
      std::chrono::duration<std::int64_t, std::pico>{1}};
  CHECK(child_at(fine).stop_requested());
}

TEST_CASE("the ends of time as time points") {
  const stop_source never{time_point::max()};
  CHECK_FALSE(never.stop_requested());
  CHECK(never.get_token().remaining() == clock_duration::max());
  const stop_source always{time_point::min()};
  CHECK(always.stop_requested());
  CHECK(always.get_token().reason().cause == stop_cause::deadline);
  CHECK(always.get_token().deadline() == time_point::min());
  CHECK(always.get_token().remaining() <= 0s);
  const stop_source epoch{time_point{}};
  CHECK(epoch.stop_requested());
  manual_clock clock;
  const stop_source root{clock};
  CHECK(stop_source{root.get_token(), time_point::min()}.stop_requested());
  CHECK_FALSE(stop_source{root.get_token(), time_point::max()}.stop_requested());
}

TEST_CASE("inplace sources take the same durations") {
  manual_clock clock;
  const inplace_stop_source never{clock, std::chrono::hours::max()};
  CHECK(never.get_token().deadline() == time_point::max());
  const inplace_stop_source zero{clock, 0ms};
  CHECK(zero.stop_requested());
  const inplace_stop_source passed{-1h};
  CHECK(passed.get_token().reason().cause == stop_cause::deadline);
  const inplace_stop_source double_seconds{clock, seconds_f{0.5}};
  CHECK(double_seconds.get_token().remaining() == 500ms);
  const inplace_stop_source at{time_point::min()};
  CHECK(at.stop_requested());
}

TEST_CASE("an advance by any duration saturates too") {
  manual_clock clock;
  clock.advance(seconds_f{0.25});
  CHECK(clock.now() == manual_clock{}.now() + 250ms);
  clock.advance(std::chrono::hours::max());
  CHECK(clock.now() == time_point::max());
  clock.advance(std::chrono::hours::max());
  CHECK(clock.now() == time_point::max());
}

}  // namespace
