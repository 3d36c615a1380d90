// SPDX-License-Identifier: BSL-1.0
//
// Plans of scripted steps.
#include <curfew/host/install/apply_plan.hpp>
#include <curfew/host/install/install_step.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include "doctest/doctest.h"

namespace {

using curfew::apply_outcome;
using curfew::apply_plan;
using curfew::apply_report;
using curfew::failure;
using curfew::install_plan;
using curfew::install_step;
using curfew::stop_source;

struct script {
  std::vector<std::string> calls;
  install_plan plan;

  install_step& add(const std::string& what, failure applying = {}, failure undoing = {}) {
    const auto tells = [this](std::string call, failure result) {
      return [this, call, result] {
        calls.push_back(call);
        return result;
      };
    };
    plan.push_back({what, what + "-old", what + "-new", false, tells(what, applying),
                    tells("undo " + what, undoing)});
    return plan.back();
  }
};

using words = std::vector<std::string>;

std::vector<apply_outcome> outcomes(const apply_report& r) {
  std::vector<apply_outcome> all;
  for (const auto& s : r.steps) all.push_back(s.outcome);
  return all;
}

failure failed(const char* text) { return {failure::kind_type::failed, text}; }
failure later() { return {failure::kind_type::not_in_time, "held"}; }
failure unsupported() { return {failure::kind_type::not_supported, "error 124"}; }

}  // namespace

TEST_CASE("a plan is applied in its order") {
  script s;
  s.add("a");
  s.add("b");
  const apply_report r = apply_plan(s.plan);
  CHECK(r.ok());
  CHECK(r.changed());
  CHECK(!r.half_done());
  CHECK(s.calls == words{"a", "b"});
  CHECK(outcomes(r) == std::vector{apply_outcome::applied, apply_outcome::applied});
  CHECK(r.steps[1].what == "b");
  CHECK(r.steps[1].from == "b-old");
  CHECK(r.steps[1].to == "b-new");
}

TEST_CASE("an empty plan changes nothing and is done") {
  const apply_report r = apply_plan({});
  CHECK(r.ok());
  CHECK(!r.changed());
}

TEST_CASE("a required step that fails undoes in reverse all that were applied") {
  script s;
  s.add("a");
  s.add("b");
  s.add("c", failed("no room"));
  s.add("d");
  const apply_report r = apply_plan(s.plan);
  CHECK(!r.ok());
  CHECK(r.why.text == "no room");
  CHECK(!r.interrupted);
  CHECK(!r.changed());
  CHECK(s.calls == words{"a", "b", "c", "undo b", "undo a"});
  CHECK(outcomes(r) == std::vector{apply_outcome::undone, apply_outcome::undone,
                                   apply_outcome::failed, apply_outcome::not_reached});
  CHECK(r.steps[2].text == "no room");
}

TEST_CASE("an optional step that is not supported is told of and the rest goes on") {
  script s;
  s.add("a", unsupported()).optional = true;
  s.add("b");
  const apply_report r = apply_plan(s.plan);
  CHECK(r.ok());
  CHECK(s.calls == words{"a", "b"});
  CHECK(outcomes(r) == std::vector{apply_outcome::not_supported, apply_outcome::applied});
  CHECK(r.steps[0].text == "error 124");
}

TEST_CASE("an optional step that fails for another reason undoes all") {
  using kind = failure::kind_type;
  for (const kind k : {kind::failed, kind::needs_rights, kind::not_installed}) {
    script s;
    s.add("a");
    s.add("b", {k, "odd"}).optional = true;
    s.add("c");
    const apply_report r = apply_plan(s.plan);
    CHECK(r.why.kind == k);
    CHECK(s.calls == words{"a", "b", "undo a"});
    CHECK(outcomes(r) ==
          std::vector{apply_outcome::undone, apply_outcome::failed, apply_outcome::not_reached});
  }
}

TEST_CASE("what was not applied is not undone") {
  script s;
  s.add("a", unsupported()).optional = true;
  s.add("b");
  s.add("c", unsupported());
  const apply_report r = apply_plan(s.plan);
  CHECK(r.why.kind == failure::kind_type::not_supported);
  CHECK(s.calls == words{"a", "b", "c", "undo b"});
  CHECK(r.steps[0].outcome == apply_outcome::not_supported);
}

TEST_CASE("a step that is done but not in force yet is not undone and the rest is applied") {
  script s;
  s.add("a");
  s.add("b", later());
  s.add("c");
  const apply_report r = apply_plan(s.plan);
  CHECK(!r.ok());
  CHECK(r.unfinished());
  CHECK(r.changed());
  CHECK(!r.half_done());
  CHECK(r.why.kind == failure::kind_type::not_in_time);
  CHECK(s.calls == words{"a", "b", "c"});
  CHECK(outcomes(r) ==
        std::vector{apply_outcome::applied, apply_outcome::unfinished, apply_outcome::applied});
  CHECK(r.steps[1].text == "held");
}

TEST_CASE("after a step that cannot be taken back neither a failure nor a stop undoes") {
  stop_source stop;
  script s;
  s.add("a");
  s.add("b", later());
  s.add("c").apply = [&] {
    stop.request_stop();
    return failure{};
  };
  s.add("d", failed("no room"));
  const apply_report r = apply_plan(s.plan, stop.get_token());
  CHECK(s.calls == words{"a", "b", "d"});
  CHECK(r.why.text == "held");
  CHECK(!r.interrupted);
  CHECK(r.steps[3].outcome == apply_outcome::failed);
}

TEST_CASE("an undo that fails is told of and the others are undone") {
  script s;
  s.add("a");
  s.add("b", {}, failed("locked"));
  s.add("c");
  s.add("d", failed("no room"));
  const apply_report r = apply_plan(s.plan);
  CHECK(s.calls == words{"a", "b", "c", "d", "undo c", "undo b", "undo a"});
  CHECK(r.half_done());
  CHECK(r.changed());
  CHECK(r.steps[1].outcome == apply_outcome::undo_failed);
  CHECK(r.steps[1].text == "locked");
  CHECK(r.steps[0].outcome == apply_outcome::undone);
}

TEST_CASE("a stop is noticed between two steps and undoes them") {
  stop_source stop;
  script s;
  s.add("a");
  s.add("b").apply = [&] {
    stop.request_stop();
    return failure{};
  };
  s.add("c");
  const apply_report r = apply_plan(s.plan, stop.get_token());
  CHECK(!r.ok());
  CHECK(r.interrupted);
  CHECK(!r.why);
  CHECK(s.calls == words{"a", "undo b", "undo a"});
  CHECK(outcomes(r) ==
        std::vector{apply_outcome::undone, apply_outcome::undone, apply_outcome::not_reached});
}

TEST_CASE("a stop during the last step comes too late to undo") {
  stop_source stop;
  script s;
  s.add("a").apply = [&] {
    stop.request_stop();
    return failure{};
  };
  CHECK(apply_plan(s.plan, stop.get_token()).ok());
}

TEST_CASE("a plan that is stopped before it begins does nothing") {
  stop_source stop;
  stop.request_stop();
  script s;
  s.add("a");
  const apply_report r = apply_plan(s.plan, stop.get_token());
  CHECK(r.interrupted);
  CHECK(s.calls.empty());
}

TEST_CASE("steps without functions are applied and undone by doing nothing") {
  script s;
  s.plan.push_back({"a", "", "new"});
  s.add("b", failed("no room"));
  const apply_report r = apply_plan(s.plan);
  CHECK(r.steps[0].outcome == apply_outcome::undone);
}

#if CURFEW_EXCEPTIONS
TEST_CASE("an exception out of a step is its failure and out of an undo does not end the undoing") {
  script s;
  s.add("a");
  s.add("b").undo = []() -> failure { throw 1; };
  s.add("c").apply = []() -> failure { throw std::runtime_error("no memory for it"); };
  const apply_report r = apply_plan(s.plan);
  CHECK(r.why.text == "no memory for it");
  CHECK(r.steps[1].outcome == apply_outcome::undo_failed);
  CHECK(r.steps[0].outcome == apply_outcome::undone);
}
#endif

TEST_CASE("outcomes have names") {
  CHECK(to_string(apply_outcome::not_reached) == std::string("not reached"));
  CHECK(to_string(apply_outcome::applied) == std::string("applied"));
  CHECK(to_string(apply_outcome::unfinished) == std::string("unfinished"));
  CHECK(to_string(apply_outcome::not_supported) == std::string("not supported"));
  CHECK(to_string(apply_outcome::failed) == std::string("failed"));
  CHECK(to_string(apply_outcome::undone) == std::string("undone"));
  CHECK(to_string(apply_outcome::undo_failed) == std::string("undo failed"));
}
