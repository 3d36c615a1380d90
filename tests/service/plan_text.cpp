// SPDX-License-Identifier: BSL-1.0
//
// Plans as text and as JSON.
#include <curfew/service/detail/table_text.hpp>
#include <curfew/service/plan_text.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "doctest/doctest.h"

namespace {

using namespace std::chrono_literals;
using curfew::make_plan;
using curfew::plan_part;
using curfew::service_spec;
using curfew::stop_budgets;
using curfew::stop_plan;
using curfew::system_limits;
using curfew::verdict_text;

std::vector<plan_part> parts() {
  return {{.name = "config", .start = 1s, .stop = 2s},
          {.name = "cache", .after = {0}, .start = 8s, .stop = 5s},
          {.name = "listener",
           .after = {1},
           .place = {"main.cpp", 12},
           .start = 1s,
           .drain = 10s,
           .stop = 2s,
           .abort = 1s}};
}

stop_plan plan_of(const service_spec& spec, const system_limits& system = {}) {
  return make_plan(parts(), stop_budgets(spec, system));
}

std::string verdict(const char* reason, const service_spec& spec,
                    const system_limits& system = {}) {
  const stop_plan plan = plan_of(spec, system);
  return verdict_text(plan, *plan.find(reason));
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("columns are as wide as their widest cell and no line ends with blanks") {
  CHECK(curfew::detail::table_text({{"a", "b"}, {"long", "", "x"}, {"\xc3\xbc", "y", ""}}) ==
        "  a     b\n  long     x\n  \xc3\xbc     y\n");
  CHECK(curfew::detail::table_text({}).empty());
}

TEST_CASE("what fits is said to fit") {
  CHECK(verdict("ctrl-c", {.stop_timeout = 30s}) == "fits");
  CHECK(
      has(to_text(plan_of({.stop_timeout = 30s})), "  stop   20 s  listener -> cache -> config\n"));
}

TEST_CASE("what does not fit is named with what it gets and with a remedy") {
  CHECK(verdict("ctrl-c", {.stop_timeout = 11s}) ==
        "does not fit: cache gets 2.5 s of 5 s, config gets 1 s of 2 s, listener gets 6.5 s of "
        "13 s; declare a stop_timeout of 21 s, or lower the limits of listener -> cache -> config "
        "by 10 s");
}

TEST_CASE("a remedy is one that helps on the system that sets the limit") {
  const service_spec spec{.stop_timeout = 60s};
  CHECK(has(verdict("console-close", spec), "; lower the limits of listener"));
  CHECK(has(verdict("scm-shutdown", spec), "; declare a preshutdown_timeout of 27 s and a stop_"));
  CHECK(
      has(verdict("pod", spec, {.grace = 10s}), "; render the pod anew with a stop_timeout of 21"));
  CHECK(has(verdict("pod", {.stop_timeout = 9s}), "; declare a stop_timeout of 21 s"));
  const stop_plan early =
      plan_of({.stop_timeout = 21s, .preshutdown_timeout = std::chrono::seconds(27)});
  CHECK(early.find("scm-preshutdown")->fits());
  CHECK(plan_of({.stop_timeout = 21s}).find("ctrl-c")->fits());
}

TEST_CASE("a part without a limit is asked for one") {
  const std::vector<plan_part> endless = {{.name = "a", .stop = std::chrono::nanoseconds::max()}};
  const stop_plan plan = make_plan(endless, stop_budgets({.stop_timeout = 10s}));
  CHECK(has(verdict_text(plan, *plan.find("ctrl-c")), "; give a limits"));
}

TEST_CASE("of many parts that are cut the worst are named") {
  std::vector<plan_part> many;
  for (int i = 0; i != 9; ++i) many.push_back({.name = std::to_string(i), .stop = 9s, .abort = 1s});
  many.push_back({.name = "hangs", .stop = 9s});
  const stop_plan plan = make_plan(many, stop_budgets({.stop_timeout = 5s}));
  const std::string text = verdict_text(plan, *plan.find("ctrl-c"));
  CHECK(has(text, "does not fit: hangs gets 4.5 s of 9 s, 0 gets "));
  CHECK(has(text, " and 7 more; "));
}

TEST_CASE("reasons that leave the same time share a table") {
  const std::string text = to_text(plan_of({.stop_timeout = 30s}));
  CHECK(
      has(text,
          "\nconsole-close, console-logoff, console-shutdown: 3.8 s for parts, which take 20 s\n"));
  CHECK(count(text, "  part ") == 3);
  CHECK(count(text, "assumed: another system's limit") == 4);
}

TEST_CASE("with a reason there is a table for that one only") {
  const std::string text = to_text(plan_of({.stop_timeout = 30s}), "pod");
  CHECK(count(text, "  part ") == 1);
  CHECK(has(text, "\npod: 29 s for parts, which take 20 s\n"));
  CHECK(!has(text, "ctrl-c"));
}

TEST_CASE("parts stand in the order in which they are stopped") {
  const std::string text = to_text(plan_of({.stop_timeout = 30s}), "pod");
  CHECK(text.find("  listener  at once  10 s") < text.find("  cache     13 s"));
  CHECK(text.find("  cache     13 s") < text.find("  config    18 s"));
}

TEST_CASE("of a long path the ends are shown") {
  std::vector<plan_part> row;
  for (std::size_t i = 0; i != 1000; ++i) {
    row.push_back({.name = "p" + std::to_string(i), .stop = 1ms});
    if (i != 0) row.back().after = {i - 1};
  }
  const std::string text = to_text(make_plan(row, {}));
  CHECK(has(text,
            "p999 -> p998 -> p997 -> p996 -> p995 -> p994 -> ... -> p5 -> p4 -> p3 -> p2 -> "
            "p1 -> p0\n"));
}

TEST_CASE("a plan in JSON has times in microseconds and null for no limit") {
  const std::string json = to_json(plan_of({.stop_timeout = 30s}));
  CHECK(has(json,
            R"({"name":"listener","after":["cache"],"start":1000000,"drain":10000000,)"
            R"("stop":2000000,"abort":1000000,"optional":false,"file":"main.cpp","line":12})"));
  CHECK(has(json, R"("stop":{"length":20000000,"path":["listener","cache","config"]})"));
  CHECK(has(json, R"({"reason":"ctrl-c","basis":"none","granted":null,"usable":null,)"
                  R"("limit":30000000,"time":29000000,"fits":true,"verdict":"fits",)"));
  CHECK(json.find('\n') == json.npos);
}

TEST_CASE("a plan of a thousand parts is as long as its parts and not as their product") {
  std::vector<plan_part> many;
  for (int i = 0; i != 1000; ++i) many.push_back({.name = "part " + std::to_string(i), .stop = 1s});
  const stop_plan plan = make_plan(many, stop_budgets({.stop_timeout = 30s}));
  CHECK(to_json(plan).size() < 1000 * 11 * 120);
  CHECK(count(to_text(plan), "\n") < 3100);
}
