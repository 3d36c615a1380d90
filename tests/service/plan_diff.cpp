// SPDX-License-Identifier: BSL-1.0
//
// What has become of a plan.
#include <curfew/service/plan_diff.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "doctest/doctest.h"

namespace {

using namespace std::chrono_literals;
using curfew::compare;
using curfew::make_plan;
using curfew::plan_difference;
using curfew::plan_part;
using curfew::read_plan;
using curfew::service_spec;
using curfew::stop_plan;

std::vector<plan_part> parts() {
  return {{.name = "config", .start = 1s, .stop = 2s},
          {.name = "cache", .after = {0}, .start = 8s, .stop = 5s},
          {.name = "listener", .after = {1}, .start = 1s, .drain = 10s, .stop = 2s, .abort = 1s}};
}

stop_plan plan_of(const std::vector<plan_part>& p, const service_spec& spec = {}) {
  return make_plan(p, stop_budgets(spec));
}

bool has(const plan_difference& d, const std::string& line) {
  return std::find(d.lines.begin(), d.lines.end(), line) != d.lines.end();
}

std::string error_of(const std::string& json) {
  std::string error;
  CHECK(!read_plan(json, error).has_value());
  return error;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a plan is read back as it was") {
  std::string error;
  std::vector<plan_part> p = parts();
  p.push_back({.name = "endless \"\n", .stop = std::chrono::nanoseconds::max(), .optional = true});
  const stop_plan plan = plan_of(p);
  for (const std::string& text :
       {to_json(plan), "{\"verb\":\"plan\",\"plan\":" + to_json(plan) + "}"}) {
    const auto kept = read_plan(text, error);
    REQUIRE(kept.has_value());
    CHECK(error.empty());
    CHECK(compare(*kept, plan).lines.empty());
    CHECK(kept->stop.length == plan.stop.length);
    CHECK(kept->parts[3].optional);
  }
}

TEST_CASE("what is no plan is refused and told") {
  const std::string good = to_json(plan_of(parts()));
  CHECK(error_of("") == "it is no JSON");
  CHECK(error_of("[]") == "it has no proper version");
  CHECK(error_of("{}") == "it has no proper version");
  CHECK(error_of(R"({"plan":7})") == "it has no proper version");
  CHECK(error_of(R"({"version":2,"parts":[],"reasons":[]})") == "it has another version");
  CHECK(error_of(R"({"version":1,"parts":{},"reasons":[]})") == "it has no proper parts");
  CHECK(error_of(R"({"version":1,"parts":[1],"reasons":[]})") == "it has no proper name");
  CHECK(error_of(replaced(good, "\"after\":[\"config\"]", "\"after\":[\"x\"]")) ==
        "it has no part x");
  CHECK(error_of(replaced(good, "\"after\":[]", "\"after\":[\"listener\"]")) ==
        "its parts wait for each other");
  CHECK(error_of(replaced(good, "\"name\":\"cache\"", "\"name\":\"config\"")) ==
        "it names a part twice");
  CHECK(error_of(replaced(good, "\"stop\":2000000", "\"stop\":-1")) == "its stop is negative");
  CHECK(error_of(replaced(good, "\"time\":29000000", "\"time\":\"29\"")) ==
        "it has no proper time");
  CHECK(error_of(good.substr(0, good.size() / 2)) == "it is no JSON");
}

TEST_CASE("parts that come and go and limits that change are told") {
  std::vector<plan_part> p = parts();
  p[0].stop = 3s;
  p[1] = {.name = "pool", .after = {0}, .start = 8s, .stop = 5s};
  p[2].optional = true;
  const plan_difference d = compare(plan_of(parts()), plan_of(p));
  CHECK(has(d, "~ config, stop: 2 s -> 3 s"));
  CHECK(has(d, "+ part pool"));
  CHECK(has(d, "- part cache"));
  CHECK(has(d, "~ listener, after: cache -> pool"));
  CHECK(has(d, "~ listener: required -> optional"));
  CHECK(has(d, "~ stop: listener -> cache -> config, 20 s -> listener -> pool -> config, 21 s"));
}

TEST_CASE("a stop that does not fit any more is worse") {
  const stop_plan now = plan_of(parts(), {.stop_timeout = 10s});
  const plan_difference d = compare(plan_of(parts(), {.stop_timeout = 30s}), now);
  CHECK(d.worse);
  CHECK(has(d, "~ ctrl-c, for parts: 29 s -> 9 s"));
  CHECK(has(d, "~ ctrl-c: fits -> does not fit"));
  CHECK(has(d, "~ ctrl-c, config: done -> abandoned"));
  CHECK(has(d, "~ ctrl-c, listener: done -> aborted"));
}

TEST_CASE("a stop that fits now is no worse") {
  const plan_difference d =
      compare(plan_of(parts(), {.stop_timeout = 10s}), plan_of(parts(), {.stop_timeout = 30s}));
  CHECK(!d.worse);
  CHECK(has(d, "~ ctrl-c: does not fit -> fits"));
}

TEST_CASE("a stop that takes longer and still fits is no worse") {
  std::vector<plan_part> p = {{.name = "a", .stop = 1s}};
  const stop_plan before = plan_of(p);
  p[0].stop = 2s;
  const plan_difference d = compare(before, plan_of(p));
  CHECK(!d.worse);
  CHECK(!d.lines.empty());
}

TEST_CASE("a new part or a new reason that does not fit is worse") {
  std::vector<plan_part> p = parts();
  p.push_back({.name = "slow", .stop = 1h});
  CHECK(compare(plan_of(parts()), plan_of(p)).worse);
  const stop_plan more = plan_of(parts(), {.preshutdown_timeout = 1s});
  const plan_difference d = compare(plan_of(parts()), more);
  CHECK(d.worse);
  CHECK(has(d, "+ reason scm-preshutdown: does not fit"));
  CHECK(has(d, "- reason scm-shutdown"));
}

TEST_CASE("the order in which parts are declared makes no difference") {
  const std::vector<plan_part> ab = {{.name = "a", .stop = 1s}, {.name = "b", .stop = 2s}};
  const std::vector<plan_part> ba = {{.name = "b", .stop = 2s}, {.name = "a", .stop = 1s}};
  CHECK(compare(plan_of(ab), plan_of(ba)).lines.empty());
}
