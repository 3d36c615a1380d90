// SPDX-License-Identifier: BSL-1.0
#include <curfew/service/health.hpp>
#include <curfew/service/health_options.hpp>

#include <doctest/doctest.h>

#include <string>
#include <system_error>

using curfew::health_check;
using curfew::health_probe;
using curfew::health_probes;
using curfew::health_result;
using curfew::health_status;
using curfew::stop_token;

TEST_CASE("probes make a set") {
  constexpr health_probes one = health_probe::startup;
  static_assert(one.contains(health_probe::startup));
  static_assert(!one.contains(health_probe::readiness));
  constexpr health_probes two = one | health_probe::liveness;
  static_assert(two.contains(health_probe::startup));
  static_assert(two.contains(health_probe::liveness));
  static_assert(!two.contains(health_probe::readiness));
  constexpr health_probes all =
      health_probe::startup | health_probe::readiness | health_probe::liveness;
  CHECK(all.contains(health_probe::readiness));
}

TEST_CASE("a result has a state and a text") {
  CHECK(health_result().status == health_status::healthy);
  CHECK(health_result::healthy("7 connections").text == "7 connections");
  CHECK(health_result::degraded("slow").status == health_status::degraded);
  CHECK(health_result::unhealthy("gone").status == health_status::unhealthy);
}

TEST_CASE("what a check returns leaves no doubt") {
  static_assert(health_check<bool (*)()>);
  static_assert(health_check<void (*)()>);
  static_assert(health_check<std::error_code (*)()>);
  static_assert(health_check<health_result (*)(stop_token)>);
  static_assert(health_check<void (*)(const stop_token&)>);
  // Is 0 good or bad? And which of the two is a pointer?
  static_assert(!health_check<int (*)()>);
  static_assert(!health_check<const char* (*)()>);
  static_assert(!health_check<std::string (*)()>);
  static_assert(!health_check<bool (*)(int)>);
  static_assert(!health_check<int (*)(stop_token)>);
}
