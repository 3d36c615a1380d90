// SPDX-License-Identifier: BSL-1.0
//
// The assertions of GoogleTest without its test runner: what they would print is looked at here.
#include <curfew/interop/googletest.hpp>

#include "doctest/doctest.h"

#if !defined(CURFEW_TEST_NEIGHBOUR)

TEST_CASE("skipped - GoogleTest is not installed") { MESSAGE("install libgtest-dev"); }

#else

#include "box_programs.hpp"

#define GTEST_DONT_DEFINE_FAIL 1  // doctest has one
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <type_traits>

static_assert(std::is_convertible_v<curfew::box_answer, testing::AssertionResult>);
static_assert(!std::is_convertible_v<curfew::box_answer, bool>);

namespace {

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("values are printed as text") {
  CHECK(testing::PrintToString(curfew::stop_reason{curfew::stop_cause::signal, 15, 4711}) ==
        "signal SIGTERM from pid 4711");
  CHECK(testing::PrintToString(curfew::stop_cause::deadline) == "deadline");
  CHECK(testing::PrintToString(curfew::release_outcome::failed) == "failed");
  CHECK(testing::PrintToString(curfew::host_kind::systemd) == "systemd");
  CHECK(testing::PrintToString(curfew::detail::scm_state::running) == "running");
  CHECK(testing::PrintToString(curfew::release_report()) == "nothing to release");
  CHECK(testing::PrintToString(7) == "7");
}

TEST_CASE("what an assertion says of two reasons") {
  const curfew::stop_reason wanted{curfew::stop_cause::deadline};
  const curfew::stop_reason got{curfew::stop_cause::requested, 7};
  const testing::AssertionResult compared =
      testing::internal::EqHelper::Compare("wanted", "got", wanted, got);
  CHECK(contains(compared.failure_message(), "Which is: deadline"));
  CHECK(contains(compared.failure_message(), "Which is: requested 7"));
}

TEST_CASE("a box that does as hoped passes") {
  curfew::host_in_a_box box;
  box.start(programs::web(), programs::serve);
  CHECK(testing::AssertionResult(curfew::became_ready(box)));
  box.signal(SIGTERM);
  CHECK(testing::AssertionResult(curfew::ended_with(box, 0)));
}

TEST_CASE("a box that does not tells its story") {
  curfew::host_in_a_box box;
  box.start(programs::web(), programs::give_up);
  const testing::AssertionResult ready(curfew::became_ready(box));
  CHECK_FALSE(ready);
  CHECK(contains(ready.failure_message(), "not ready; it has ended"));
  CHECK(contains(ready.failure_message(), "told: web: the port is taken"));
  const testing::AssertionResult ended(curfew::ended_with(box, 0));
  CHECK(contains(ended.failure_message(), "exit code 3 instead of 0"));
}

#endif
