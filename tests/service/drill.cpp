// SPDX-License-Identifier: BSL-1.0
//
// Stops that are tried on paper.
#include <curfew/service/drill.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "doctest/doctest.h"

namespace {

using namespace std::chrono_literals;
using curfew::component_step;
using curfew::drill;
using curfew::drill_report;
using curfew::measured_step;
using curfew::part_fate;
using curfew::plan_part;
using curfew::stop_budget;
using duration = curfew::time_source::duration;

std::vector<plan_part> parts() {
  return {{.name = "pool", .stop = 10s},
          {.name = "listener", .after = {0}, .drain = 10s, .stop = 10s, .abort = 1s}};
}

stop_budget budget(duration time) { return {.name = "pod", .limit = time, .time = time}; }

drill_report in(duration time, const std::vector<measured_step>& measured) {
  return drill(parts(), budget(time), measured);
}

}  // namespace

TEST_CASE("a drill takes as long as was measured and not as is declared") {
  const drill_report r = in(31s, {{"pool", component_step::stop, 1s, 3},
                                  {"listener", component_step::drain, 2s, 3},
                                  {"listener", component_step::stop, 10ms, 3}});
  CHECK(r.ok());
  CHECK(r.ended == 3010ms);
  CHECK(r.parts[0].share.begins == 2010ms);
  CHECK(to_text(r).find("pod: would be done in 3 s of 31 s\n") == 0);
  CHECK(to_text(r).find("never measured") == std::string::npos);
}

TEST_CASE("a drill says for how long all stay up before it") {
  stop_budget b = budget(31s);
  b.lame_duck = 5s;
  const std::string text = to_text(drill(parts(), b, {}));
  CHECK(text.find(" of 31 s, after 5 s in which all stay up\n") != std::string::npos);
}

TEST_CASE("what was never measured takes as long as is declared and is named") {
  const drill_report r =
      in(31s, {{"pool", component_step::stop, 1s, 0}, {"listener", component_step::stop, 10ms, 3}});
  CHECK(r.ended == 20010ms);
  CHECK(!r.parts[0].measured);
  CHECK(!r.parts[1].measured);
  CHECK(to_text(r).find("never measured, so as long as declared: pool, listener\n") !=
        std::string::npos);
}

TEST_CASE("a step that is not declared any more takes no time") {
  const drill_report r = in(31s, {{"pool", component_step::drain, 9s, 3},
                                  {"pool", component_step::stop, 1s, 3},
                                  {"gone", component_step::stop, 9s, 3},
                                  {"pool", component_step::start, 9s, 3},
                                  {"listener", component_step::drain, 0s, 1},
                                  {"listener", component_step::stop, 0s, 1}});
  CHECK(r.ended == 1s);
  CHECK(r.parts[0].measured);
}

TEST_CASE("the longest of several measurements counts and none is negative") {
  CHECK(in(31s, {{"pool", component_step::stop, 1s, 3},
                 {"pool", component_step::stop, 2s, 1},
                 {"listener", component_step::drain, -5s, 1},
                 {"listener", component_step::stop, 0s, 1}})
            .ended == 2s);
}

TEST_CASE("who takes longer than his share is cut short and costs the others no more") {
  const drill_report r = in(6200ms, {{"listener", component_step::drain, 5s, 1},
                                     {"listener", component_step::stop, 1s, 1},
                                     {"pool", component_step::stop, 10s, 1}});
  CHECK(!r.ok());
  CHECK(r.parts[1].share.drain == 2s);
  CHECK(r.parts[1].share.fate == part_fate::cut);
  CHECK(r.parts[0].share.begins == 3s);
  CHECK(r.parts[0].share.stop == 3200ms);  // what the listener has left is there for the pool
  CHECK(r.parts[0].share.fate == part_fate::abandoned);
  CHECK(r.ended == 6200ms);
  const std::string text = to_text(r);
  CHECK(text.find("pod: would end after 6.2 s of 6.2 s, with 2 cut short\n") == 0);
  CHECK(text.find("10 s, gets 3.2 s  abandoned\n") != text.npos);
}

TEST_CASE("a stop that hangs is followed by its abort and takes that long more") {
  const drill_report r = in(31s, {{"listener", component_step::drain, 1s, 1},
                                  {"listener", component_step::stop, 1h, 1},
                                  {"pool", component_step::stop, 1s, 1}});
  CHECK(r.parts[1].share.fate == part_fate::aborted);
  CHECK(r.parts[0].share.begins == 12s);
  CHECK(r.ended == 13s);
}

TEST_CASE("a drill in JSON says what takes how long and gets how much") {
  const std::string json = to_json(in(6200ms, {{"pool", component_step::stop, 10s, 1}}));
  CHECK(json.find(R"({"reason":"pod","ok":false,"ended":6200000,"time":6200000,"parts":[)") == 0);
  CHECK(json.find(R"({"name":"pool","measured":true,)") != json.npos);
  CHECK(json.find(R"("fate":"aborted"})") != json.npos);
}
