// SPDX-License-Identifier: BSL-1.0
#include <curfew/service/control_policy.hpp>

#include <doctest/doctest.h>

using curfew::control_decision;
using curfew::control_request;
using curfew::default_policy;

TEST_CASE(
    "by default the same user and administrators may do everything and nobody else anything") {
  for (const auto* const verb : {"status", "stop", "commit", "watch", "no such verb", ""}) {
    CHECK(default_policy({.same_user = true, .verb = verb}).allowed);
    CHECK(default_policy({.administrator = true, .verb = verb}).allowed);
    CHECK_FALSE(default_policy({.verb = verb}).allowed);
  }
}

TEST_CASE("who is denied by default is told who may ask") {
  CHECK(
      default_policy({.caller = {.pid = 7, .uid = 1000}}).why ==
      "you may not ask: only the user of this program and administrators may; ask as one of these");
}

TEST_CASE("a caller whom the system does not know is nobody") {
  CHECK_FALSE(default_policy(control_request{}).allowed);
}

TEST_CASE("a decision that nobody has made is a denial") {
  CHECK_FALSE(control_decision{}.allowed);
  CHECK(control_decision::allow().allowed);
  CHECK_FALSE(control_decision::deny("no").allowed);
}
