// SPDX-License-Identifier: BSL-1.0
#include <curfew/service/detail/json_reader.hpp>
#include <curfew/service/health_report.hpp>
#include <curfew/stop/reason.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using curfew::health_detail;
using curfew::health_entry;
using curfew::health_probe;
using curfew::health_reply;
using curfew::health_report;
using curfew::health_status;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::detail::json_value;

namespace {

health_report sample() {
  health_report r{.probe = health_probe::readiness,
                  .status = health_status::unhealthy,
                  .why = "database: \"no\"\nroute",
                  .stop = {stop_cause::signal, 15, 4711, -1}};
  r.entries.push_back({.name = "database",
                       .status = health_status::unhealthy,
                       .text = "\"no\"\nroute \xff",
                       .elapsed = 1500us,
                       .age = 2s});
  r.entries.push_back({.name = "cache", .optional = true});
  return r;
}

std::string text_of(const json_value& object, const char* name) {
  const json_value* const member = object.find(name);
  return member != nullptr ? member->text : "missing";
}

}  // namespace

TEST_CASE("what can serve is answered with 200 and what cannot with 503") {
  health_report r;
  CHECK(r.code() == 503);
  CHECK_FALSE(r.ok());
  r.status = health_status::degraded;
  CHECK(r.code() == 200);
  r.status = health_status::healthy;
  CHECK(r.code() == 200);
  r.status = health_status::unknown;
  CHECK(r.code() == 503);
}

TEST_CASE("a report without entries is JSON") {
  const health_reply a = reply(health_report{.status = health_status::healthy});
  CHECK(a.code == 200);
  CHECK(std::string(a.content_type) == "application/json");
  CHECK(a.body ==
        R"({"probe":"readiness","status":"healthy","why":"","stopping":null,"checks":[]})");
}

TEST_CASE("a report whose texts are hostile is JSON that reads back") {
  const health_reply a = reply(sample());
  CHECK(a.code == 503);
  json_value all;
  REQUIRE(curfew::detail::read_json(a.body, all));
  CHECK(text_of(all, "probe") == "readiness");
  CHECK(text_of(all, "status") == "unhealthy");
  CHECK(text_of(all, "why") == "database: \"no\"\nroute");
  CHECK(text_of(all, "stopping") == "signal SIGTERM from pid 4711");
  const json_value* const entries = all.find("checks");
  REQUIRE(entries != nullptr);
  REQUIRE(entries->items.size() == 2);
  CHECK(text_of(entries->items[0], "name") == "database");
  CHECK(text_of(entries->items[0], "text") == "\"no\"\nroute \xef\xbf\xbd");
  CHECK(entries->items[0].find("elapsed_us")->number == 1500);
  CHECK(entries->items[0].find("age_us")->number == 2'000'000);
  CHECK_FALSE(entries->items[0].find("optional")->truth);
  CHECK(text_of(entries->items[1], "status") == "unknown");
  CHECK(entries->items[1].find("optional")->truth);
}

TEST_CASE("a reply for everybody names nothing") {
  CHECK(reply(sample(), health_detail::status).body ==
        R"({"probe":"readiness","status":"unhealthy"})");
}

TEST_CASE("a report is one line that can be printed") {
  health_report r{.status = health_status::healthy};
  CHECK(to_string(r) == "ok");
  r.status = health_status::degraded;
  r.why = "cache: slow";
  CHECK(to_string(r) == "degraded: cache: slow");
  r.status = health_status::unhealthy;
  r.why = "a\n\x1b[2Jb";
  CHECK(to_string(r) == "unavailable: a  [2Jb");
  r.why.clear();
  CHECK(to_string(r) == "unavailable: no reason is given");
}

TEST_CASE("probes and states have names") {
  CHECK(std::string(to_string(health_probe::startup)) == "startup");
  CHECK(std::string(to_string(health_probe::liveness)) == "liveness");
  CHECK(std::string(to_string(health_status::degraded)) == "degraded");
  CHECK(std::string(to_string(health_status::unknown)) == "unknown");
}
