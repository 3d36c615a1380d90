// SPDX-License-Identifier: BSL-1.0
//
// render and doctor on a scripted system.
#include <curfew/service/detail/verb_inspect.hpp>

#include <string>

#include "doctest/doctest.h"
#include "verb_support.hpp"

namespace {

using curfew::severity;
using test::fails;
using test::stage;

}  // namespace

TEST_CASE("one form is rendered alone and as it would be in a file") {
  stage web;
  CHECK(web.type("render --unit") == 0);
  CHECK(web.printed == "form: unit\nargs: 2\n");
  CHECK(web.type("render --scm") == 0);
  CHECK(web.printed == "form: scm\nargs: 2\n");
  CHECK(web.type("render --kubernetes -- a b c") == 0);
  CHECK(web.printed == "form: kubernetes\nargs: 3\n");
  CHECK(web.services.calls.empty());
}

TEST_CASE("render without a form is for the manager of this system and for Kubernetes") {
  stage web;
  const std::string own = CURFEW_WINDOWS != 0 ? "scm" : "unit";
  CHECK(web.type("render") == 0);
  CHECK(web.printed == "# ---- " + own + "\nform: " + own +
                           "\nargs: 2\n\n# ---- kubernetes\nform: kubernetes\nargs: 2\n");
}

TEST_CASE("render as JSON has the text of each form") {
  stage web;
  CHECK(web.type("render --unit --scm --json") == 0);
  CHECK(web.said(R"("rendered":{"unit":"form: unit\nargs: 2\n","scm":"form: scm\nargs: 2\n"})"));
}

TEST_CASE("what cannot be rendered is a failure") {
  stage web;
  web.backend.render_fails = fails("no words for it");
  CHECK(web.type("render") == 1);
  CHECK(web.complained == "web: no words for it\n");
  web.spec.description = "two\nlines";
  CHECK(web.type("render") == 1);
}

TEST_CASE("a doctor who finds nothing says so") {
  stage web;
  CHECK(web.type("doctor") == 0);
  CHECK(web.printed == "web: nothing found that is wrong\n");
}

TEST_CASE("each finding has its fix below it") {
  stage web;
  web.backend.found = {{severity::error, "the path is not quoted", "web install"},
                       {severity::warning, "anybody may write it", ""}};
  CHECK(web.type("doctor") == 1);
  CHECK(web.printed ==
        "web: 2 findings\n"
        "  error    the path is not quoted\n"
        "           fix: web install\n"
        "  warning  anybody may write it\n");
}

TEST_CASE("a doctor fails for errors alone") {
  stage web;
  web.backend.found = {{severity::warning, "one day", "now"}};
  CHECK(web.type("doctor") == 0);
  CHECK(web.said("web: 1 finding\n"));
  CHECK(web.type("doctor --json") == 0);
  CHECK(web.said(R"("findings":[{"level":"warning","what":"one day","fix":"now"}])"));
}

TEST_CASE("what install would refuse is a finding") {
  stage web;
  web.spec.account = "-x";
  CHECK(web.type("doctor") == 1);
  CHECK(web.said("web: 1 finding\n  error    account"));
}
