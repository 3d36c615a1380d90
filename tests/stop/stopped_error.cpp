// SPDX-License-Identifier: BSL-1.0
#include <curfew/stop/stopped_error.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <system_error>

TEST_CASE("a deadline is told as a timeout and everything else as a cancellation") {
  const curfew::stopped_error late({.cause = curfew::stop_cause::deadline});
  CHECK(late.code() == std::errc::timed_out);
  const curfew::stopped_error asked({.cause = curfew::stop_cause::requested});
  CHECK(asked.code() == std::errc::operation_canceled);
}

TEST_CASE("the reason travels with the error and stands in its text") {
  const curfew::stopped_error e({.cause = curfew::stop_cause::signal, .code = 15, .pid = 4711});
  CHECK(e.reason().pid == 4711);
  CHECK(std::string(e.what()).find(to_string(e.reason())) != std::string::npos);
}
