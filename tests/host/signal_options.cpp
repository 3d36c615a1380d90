// SPDX-License-Identifier: BSL-1.0
#include <curfew/host/signal_options.hpp>

#include "doctest/doctest.h"

using curfew::signal_set;

TEST_CASE("a set contains the signals put in and no others") {
  constexpr signal_set set = {SIGINT, SIGTERM, 64, 127};
  static_assert(set.contains(SIGINT) && set.contains(SIGTERM) && set.contains(64));
  static_assert(set.contains(127) && !set.contains(63) && !set.contains(65) && !set.contains(0));
  static_assert(set.valid());
}

TEST_CASE("a signal can be taken out of a set again") {
  signal_set set = {SIGINT, SIGTERM};
  set.erase(SIGINT);
  CHECK(!set.contains(SIGINT));
  CHECK(set == signal_set{SIGTERM});
}

TEST_CASE("a number that is no signal makes the set invalid and is contained in none") {
  for (const int wrong : {0, -1, 128, 100000}) {
    const signal_set set = {SIGINT, wrong};
    CHECK(!set.valid());
    CHECK(!set.contains(wrong));
    CHECK(set.contains(SIGINT));
  }
}

TEST_CASE("by default interrupt and terminate stop then hurry then end") {
  constexpr curfew::signal_options options;
  CHECK(options.stop_on == signal_set{SIGINT, SIGTERM});
  CHECK(options.first == curfew::press::stop);
  CHECK(options.second == curfew::press::hurry);
  CHECK(options.third == curfew::press::end);
  CHECK(!options.in_service);
}
