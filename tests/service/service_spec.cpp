// SPDX-License-Identifier: BSL-1.0
#include <curfew/host/host_kind.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/service/run.hpp>

#include "doctest/doctest.h"

#include <chrono>

using namespace std::chrono_literals;
using curfew::service_spec;

TEST_CASE("a service has half a minute to start and to stop unless it says otherwise") {
  const service_spec spec{.name = "web"};
  CHECK(spec.start_timeout == 30s);
  CHECK(spec.stop_timeout == 30s);
}

TEST_CASE("timeouts are durations of any type and do not overflow") {
  service_spec spec{.stop_timeout = 1500ms};
  CHECK(spec.stop_timeout == 1500ms);
  spec.stop_timeout = (std::chrono::hours::max)();
  CHECK(spec.stop_timeout == (std::chrono::steady_clock::duration::max)());
  spec.stop_timeout = std::chrono::duration<double>(0.5);
  CHECK(spec.stop_timeout == 500ms);
}

TEST_CASE("a program that nobody else runs is told so") {
  char name[] = "test";
  char* arguments[] = {name, nullptr};
  curfew::host_kind told = curfew::host_kind::scm;
  CHECK(curfew::run({.name = "test"}, 1, arguments, [&](curfew::service& s) { told = s.host(); }) ==
        0);
  CHECK(told == curfew::host_kind::console);
}
