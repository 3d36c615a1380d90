// SPDX-License-Identifier: BSL-1.0
//
// The verbs about how a program ends, and timeouts that follow its parts.
#include <curfew/service/flight_recorder.hpp>
#include <curfew/service/service_main.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "doctest/doctest.h"
#include "verb_support.hpp"

namespace {

using namespace std::chrono_literals;
using curfew::as_planned;
using curfew::plan_part;
using curfew::service;
using curfew::service_main;
using curfew::service_spec;
using test::stage;
using test::typed;
namespace fs = std::filesystem;

std::vector<plan_part> parts() {
  return {{.name = "pool", .start = 5s, .stop = 10s},
          {.name = "listener", .after = {0}, .start = 1s, .drain = 8s, .stop = 2s}};
}

/// A file of its own for each test.
class kept_file {
 public:
  explicit kept_file(const std::string& text = {}) {
    static int count = 0;
    std::string name = "curfew-plan-" + std::to_string(curfew::detail::process_id());
    path_ = fs::temp_directory_path() / (name + "-" + std::to_string(++count));
    if (!text.empty()) std::ofstream(path_, std::ios::binary) << text;
  }
  kept_file(const kept_file&) = delete;
  kept_file& operator=(const kept_file&) = delete;
  ~kept_file() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

void give(stage& web, std::vector<plan_part> p) {
  web.facts.parts = [p = std::move(p)] { return p; };
}

/// Of a run in which each of the parts was stopped in this time.
void record(const std::string& path, std::chrono::nanoseconds each) {
  std::error_code ec;
  curfew::flight_recorder recorder(path, ec);
  REQUIRE(!ec);
  recorder.write({.kind = curfew::event_kind::run_began});
  for (const char* part : {"listener", "pool"}) {
    for (const auto step : {curfew::component_step::drain, curfew::component_step::stop}) {
      recorder.write({.kind = curfew::event_kind::step_ended,
                      .part = part,
                      .step = step,
                      .elapsed = std::chrono::duration_cast<curfew::time_source::duration>(each)});
    }
  }
}

/// A main that says what it is made of.
struct program {
  curfew::time_source::duration* start;
  curfew::time_source::duration* stop;
  std::vector<plan_part> made_of = parts();

  int operator()(service& s) const {
    *start = s.spec().start_timeout;
    *stop = s.spec().stop_timeout;
    return 0;
  }
  [[nodiscard]] std::vector<plan_part> parts() const { return made_of; }
};

struct result {
  int code = -1;
  curfew::time_source::duration start = -1s, stop = -1s;
};

result enter(const service_spec& spec, std::initializer_list<const char*> line,
             std::vector<plan_part> made_of = parts()) {
  typed t(line);
  result r;
  r.code = service_main(spec, t.argc(), t.argv(), program{&r.start, &r.stop, std::move(made_of)});
  return r;
}

}  // namespace

TEST_CASE("a plan says for every reason who gets how much") {
  stage web;
  give(web, parts());
  CHECK(web.type("plan") == 0);
  CHECK(web.said("  stop   20 s  listener -> pool\n"));
  CHECK(web.said(
      "console-close, console-logoff, console-shutdown: 3.8 s for parts, which take 20 s\n"));
  CHECK(web.said("  fits\n"));
  CHECK(web.complained.empty());
  CHECK(web.services.calls.empty());
}

TEST_CASE("a plan for one reason fails when the stop does not fit") {
  stage web;
  give(web, parts());
  CHECK(web.type("plan --reason ctrl-c") == 0);
  CHECK(!web.said("console-close"));
  CHECK(web.type("plan --reason console-close") == 1);
  CHECK(web.said("does not fit: "));
  CHECK(web.type("plan --reason never") == 2);
  CHECK(web.complains("there is no reason never, but: ctrl-c, sigterm, console-close"));
  CHECK(web.type("drill --reason never") == 2);
}

TEST_CASE("a program that does not say what it is made of is one part") {
  stage web;
  web.spec.stop_timeout = 10s;
  CHECK(web.type("plan --reason sigterm") == 0);
  CHECK(web.said("  main  at once  -      9 s   -\n"));
  CHECK(web.type("plan --reason scm-shutdown") == 0);
  web.spec.stop_timeout = std::chrono::hours::max();
  CHECK(web.type("plan --reason sigterm") == 0);
  CHECK(web.type("plan --reason scm-shutdown") == 1);
}

TEST_CASE("the limits of this system are those of the plan") {
  stage web;
  give(web, parts());
  web.facts.limits.grace = 12s;
  CHECK(web.type("plan --reason pod") == 1);
  CHECK(web.said("this system's limit"));
}

TEST_CASE("a plan that was kept is compared with what it is now") {
  stage web;
  give(web, parts());
  REQUIRE(web.type("plan --json") == 0);
  const kept_file kept(web.printed);
  CHECK(web.type("plan --diff " + kept.path()) == 0);
  CHECK(web.said("web: the plan is as it was\n"));
  std::vector<plan_part> longer = parts();
  longer[0].stop = 11s;
  give(web, longer);
  CHECK(web.type("plan --diff " + kept.path()) == 0);
  CHECK(web.said("  ~ pool, stop: 10 s -> 11 s\n"));
  CHECK(web.said("and no worse\n"));
  longer[0].stop = 50s;
  give(web, longer);
  CHECK(web.type("plan --diff " + kept.path()) == 1);
  CHECK(web.said("web: the plan is worse\n"));
  CHECK(web.type("plan --json --diff " + kept.path()) == 1);
  CHECK(web.said(R"("difference":{"worse":true,"lines":["~ pool, stop: 10 s -> 50 s")"));
}

TEST_CASE("a file that holds no plan is told and no difference") {
  stage web;
  give(web, parts());
  const kept_file none, odd("{}");
  CHECK(web.type("plan --diff " + none.path()) == 1);
  CHECK(web.complains("web: " + none.path() + " cannot be read: "));
  CHECK(web.type("plan --diff " + odd.path()) == 1);
  CHECK(web.complains(odd.path() + " holds no plan: it has no proper version"));
  CHECK(web.type("plan --diff") == 2);
}

#if CURFEW_EXCEPTIONS
TEST_CASE("parts that cannot be are told and no plan") {
  stage web;
  give(web, {{.name = "a", .after = {1}}, {.name = "b", .after = {0}}});
  CHECK(web.type("plan") == 1);
  CHECK(web.complains("web: a plan of parts that wait for each other"));
  CHECK(enter({.name = "web", .stop_timeout = as_planned}, {"web"}, {{.name = "a", .after = {0}}})
            .code == curfew::exit_code_failed);
}
#endif

TEST_CASE("a drill and the last run need a recording and say so") {
  stage web;
  give(web, parts());
  for (const char* verb : {"drill", "last"}) {
    CHECK(web.type(verb) == 1);
    CHECK(web.complains("web: this program keeps no recording: its main has no recording()"));
  }
  const kept_file none;
  web.facts.recording = [&] { return none.path(); };
  CHECK(web.type("drill --reason pod") == 1);
  CHECK(web.complains("web: " + none.path() + " cannot be read: "));
  CHECK(web.type("last --json") == 1);
  CHECK(web.said(R"("done":false)"));
}

TEST_CASE("a drill replays what was recorded") {
  stage web;
  give(web, parts());
  const kept_file file;
  web.facts.recording = [&] { return file.path(); };
  record(file.path(), 500ms);
  CHECK(web.type("drill --reason console-close") == 0);
  CHECK(web.said("console-close: would be done in 1.5 s of 3.8 s\n"));
  record(file.path(), 2s);
  CHECK(web.type("drill --reason console-close") == 1);
  CHECK(web.said("abandoned\n"));
  CHECK(web.type("drill") == 0);
  CHECK(web.said("ctrl-c: would be done in 6 s of 29 s\n"));
  CHECK(web.type("drill --json --reason pod") == 0);
  CHECK(web.said(R"("drills":[{"reason":"pod","ok":true,)"));
}

TEST_CASE("the last run is told from its recording") {
  stage web;
  const kept_file file;
  web.facts.recording = [&] { return file.path(); };
  record(file.path(), 1s);
  CHECK(web.type("last") == 0);
  CHECK(web.said("the last run"));
  CHECK(web.type("last --json") == 0);
  CHECK(web.said(R"("recording":{"live":false,"runs":[{)"));
}

TEST_CASE("the exit codes are one table") {
  stage web;
  CHECK(web.type("codes") == 0);
  CHECK(web.printed == curfew::exit_codes_text());
  CHECK(web.type("codes --json") == 0);
  CHECK(web.said("\"codes\":" + curfew::exit_codes_json()));
}

TEST_CASE("timeouts that are planned follow the parts") {
  const service_spec spec{.name = "web", .start_timeout = as_planned, .stop_timeout = as_planned};
  for (const auto& line : {std::initializer_list<const char*>{"web"}, {"web", "run"}}) {
    const result r = enter(spec, line);
    CHECK(r.code == 0);
    CHECK(r.stop == 21s);
    CHECK(r.start == curfew::detail::with_end(6s));
  }
  CHECK(enter({.name = "web", .stop_timeout = 3s}, {"web"}).stop == 3s);
}

TEST_CASE("a main without parts has the usual timeouts") {
  typed t({"web"});
  curfew::time_source::duration stop{};
  const auto main = [&](service& s) { stop = s.spec().stop_timeout; };
  CHECK(service_main({.name = "web", .stop_timeout = as_planned}, t.argc(), t.argv(), main) == 0);
  CHECK(stop == service_spec{}.stop_timeout);
}

TEST_CASE("each of these verbs has a help that fits a terminal") {
  for (const auto v : {curfew::detail::verb::plan, curfew::detail::verb::drill,
                       curfew::detail::verb::codes, curfew::detail::verb::last}) {
    const std::string text = verb_help(v, "web");
    CHECK(text.find("usage: web " + std::string(to_string(v)) + " [OPTIONS]") == 0);
    CHECK(text.find("--json") != text.npos);
    CHECK(text.find("--name") == text.npos);
    CHECK(text.find("exit code: 0 done, 1 failed, 2 usage") != text.npos);
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      CHECK(text.find('\n', at) - at <= 80);
    }
  }
}
