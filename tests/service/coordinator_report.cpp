// SPDX-License-Identifier: BSL-1.0
//
// What a coordinator's report says, to people and to programs.
#include <curfew/service/coordinator_report.hpp>
#include <curfew/service/detail/json_reader.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace {

using namespace std::chrono_literals;
using curfew::fleet_step;
using curfew::member_fate;
using curfew::member_word;

curfew::member_exchange exchange(fleet_step step, member_word word, std::string text = {}) {
  return {step, 1ms, 20ms, 5s, {word, std::move(text), 4711}};
}

curfew::coordinator_report sample() {
  curfew::coordinator_report r{.change = "deploy-42", .member = "orders", .why = "two\nare open"};
  r.elapsed = 1200ms;
  r.began = std::chrono::system_clock::time_point(1s);
  r.members.push_back({"orders",
                       member_fate::refused,
                       4711,
                       {exchange(fleet_step::prepare, member_word::no, "two\nare \x1b[31mopen")}});
  r.members.push_back({"web",
                       member_fate::in_doubt,
                       4712,
                       {exchange(fleet_step::prepare, member_word::yes),
                        exchange(fleet_step::abort, member_word::silent)}});
  r.members.push_back({.name = "database"});
  return r;
}

}  // namespace

TEST_CASE("a report is a line for the whole and one for each member") {
  CHECK(to_text(sample()) ==
        "nobody is stopped after 1.2 s (change deploy-42): orders: two are open\n"
        "  orders    pid 4711  refused    prepare: no after 20 ms, two are  [31mopen\n"
        "  web       pid 4712  in doubt   prepare: yes after 20 ms; abort: silent after 20 ms of "
        "5 s\n"
        "  database            untouched\n");
}

TEST_CASE("the first line says how it went") {
  curfew::coordinator_report r{.change = "7", .outcome = curfew::fleet_outcome::stopped};
  r.members.push_back({"web", member_fate::stopped, 1, {}});
  const auto first = [&] { return to_text(r).substr(0, to_text(r).find('\n')); };
  CHECK(r.ok());
  CHECK(first() == "stopped after 0 us (change 7)");
  r.members.push_back({"orders", member_fate::died, 2, {}});
  CHECK_FALSE(r.ok());
  CHECK(first() == "all gone after 0 us (change 7)");
  r.members.push_back({"database", member_fate::left, 3, {}});
  r.outcome = curfew::fleet_outcome::partly;
  CHECK_FALSE(r.ok());
  CHECK(first() == "not all are gone after 0 us (change 7)");
}

TEST_CASE("a report is one line of JSON that can be read") {
  curfew::detail::json_value v;
  const std::string text = to_json(sample());
  CHECK(text.find('\n') == text.npos);
  REQUIRE(curfew::detail::read_json(text, v));
  CHECK(v.find("change")->text == "deploy-42");
  CHECK(v.find("outcome")->text == "aborted");
  CHECK_FALSE(v.find("ok")->truth);
  CHECK(v.find("member")->text == "orders");
  CHECK(v.find("why")->text == "two\nare open");
  CHECK(v.find("began")->number == 1'000'000);
  CHECK(v.find("elapsed")->number == 1'200'000);
  REQUIRE(v.find("members")->items.size() == 3);
  const auto& web = v.find("members")->items[1];
  CHECK(web.find("fate")->text == "in doubt");
  CHECK(web.find("pid")->number == 4712);
  REQUIRE(web.find("asked")->items.size() == 2);
  const auto& last = web.find("asked")->items[1];
  CHECK(last.find("step")->text == "abort");
  CHECK(last.find("answer")->text == "silent");
  CHECK(last.find("begins")->number == 1000);
  CHECK(last.find("limit")->number == 5'000'000);
}
