// SPDX-License-Identifier: BSL-1.0
// Contexts that are made before main and destroyed after it, some of them with a deadline pending
// and one whose deadline passes meanwhile. What is tested is that the program ends as it should.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include "doctest/doctest.h"

#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>

using namespace std::chrono_literals;
using curfew::inplace_stop_source;
using curfew::stop_callback;
using curfew::stop_source;

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

// Destroyed last of all: it still makes deadlines, and they still come true.
struct uses_the_timer_when_it_goes {
  ~uses_the_timer_when_it_goes() {
    demand(stop_source{1ms}.get_token().wait());
    inplace_stop_source child{stop_source{1h}.get_token(), 1ms};
    demand(child.get_token().wait());
  }
} last_to_go;

constinit inplace_stop_source made_before_all_code;
stop_source pending{1h};
stop_source child_of_pending{pending.get_token(), 30min};
inplace_stop_source inplace_pending{pending.get_token(), 1h};
stop_source fires_at_exit{pending.get_token(), 1h};
stop_callback on_pending(pending.get_token(), [] {});

struct fires_while_it_goes {
  stop_source s{2ms};
  stop_callback<std::function<void()>> cb{s.get_token(), [] { std::this_thread::sleep_for(1ms); }};
  ~fires_while_it_goes() { std::this_thread::sleep_for(2ms); }
} goes_early;

TEST_CASE("contexts made before main work in main") {
  CHECK_FALSE(pending.stop_requested());
  CHECK_FALSE(made_before_all_code.stop_requested());
  CHECK(child_of_pending.get_token().deadline() < pending.get_token().deadline());
  CHECK(goes_early.s.get_token().wait());
}

TEST_CASE("a deadline armed in main outlives main") {
  static const stop_source armed_in_main{1ms};
  static const stop_source far_off{1h};
  CHECK_FALSE(far_off.stop_requested());
}

TEST_CASE("contexts of a thread go with the thread") {
  std::thread{[] {
    thread_local stop_source s{1h};
    thread_local stop_source child{s.get_token(), 1ms};
    CHECK(child.get_token().wait());
  }}.join();
}

}  // namespace
