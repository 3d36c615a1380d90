// SPDX-License-Identifier: BSL-1.0
#include <curfew/service/control_client.hpp>
#include <curfew/stop/stop_token.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "control_support.hpp"

using namespace std::chrono_literals;
using curfew::control_answer;
using curfew::control_client;
using curfew::control_endpoint;
using curfew::control_request;
using curfew::detail::json_member;

TEST_CASE("a program that does not run is an error that says so") {
  control_place_for_a_test place;
  std::error_code ec;
  const control_client c(place.path(), a_minute(), ec);
  CHECK(ec == std::errc::no_such_file_or_directory);
#if CURFEW_EXCEPTIONS
  CHECK_THROWS_AS(control_client(place.path(), a_minute()), std::system_error);
#endif
}

TEST_CASE("an answer that does not come in time ends the wait and is no refusal") {
  control_place_for_a_test place;
  kept_audit audit;
  std::atomic<bool> let_go{false};
  control_endpoint door(
      {.path = place.path()},
      [&](const control_request&) {
        while (!let_go) std::this_thread::sleep_for(1ms);
        return control_answer::done();
      },
      audit);
  door.open();
  control_client c(place.path(), a_minute());
  const curfew::stop_source limit(50ms);
  const control_answer a = c.ask("stop", limit.get_token());
  CHECK_FALSE(a.ok);
  CHECK_FALSE(a.answered);
  CHECK(a.error == "there was no answer in time");
  CHECK_FALSE(c.ask("status", a_minute()).answered);  // the late answer is not taken for this one
  let_go = true;
}

TEST_CASE("a token that is stopped already waits for nothing") {
  control_place_for_a_test place;
  kept_audit audit;
  control_endpoint door(
      {.path = place.path()}, [](const control_request&) { return control_answer::done(); }, audit);
  door.open();
  curfew::stop_source stopped;
  stopped.request_stop();
  std::error_code ec;
  const control_client none(place.path(), stopped.get_token(), ec);
  CHECK(ec == std::errc::timed_out);
  control_client c(place.path(), a_minute());
  CHECK_FALSE(c.ask("status", stopped.get_token()).answered);
}

TEST_CASE("a program that ends while it is asked is no refusal") {
  control_place_for_a_test place;
  kept_audit audit;
  auto door = std::make_unique<control_endpoint>(
      curfew::control_options{.path = place.path()},
      [](const control_request&) { return control_answer::done(); }, audit);
  door->open();
  control_client c(place.path(), a_minute());
  CHECK(c.ask("status", a_minute()).ok);
  door.reset();
  const control_answer a = c.ask("status", a_minute());
  CHECK_FALSE(a.answered);
  CHECK(a.error == "the connection was closed without an answer");
}

TEST_CASE("a watch ends when its function has seen enough or its time is over") {
  control_place_for_a_test place;
  kept_audit audit;
  control_endpoint door(
      {.path = place.path()}, [](const control_request&) { return control_answer::done(); }, audit);
  door.open();
  std::atomic<bool> over{false};
  std::thread events([&] {
    while (!over) {
      door.write({.kind = curfew::event_kind::ready});
      std::this_thread::sleep_for(1ms);
    }
  });
  int seen = 0;
  control_client c(place.path(), a_minute());
  CHECK(c.watch([&](std::string_view) { return ++seen < 3; }, a_minute()).ok);
  CHECK(seen == 3);
  over = true;
  events.join();
  control_client d(place.path(), a_minute());
  const curfew::stop_source limit(50ms);
  CHECK(d.watch([](std::string_view) {}, limit.get_token()).ok);
}

#if CURFEW_EXCEPTIONS
TEST_CASE("a watch whose function throws is over and no event is taken for an answer") {
  control_place_for_a_test place;
  kept_audit audit;
  control_endpoint door(
      {.path = place.path()}, [](const control_request&) { return control_answer::done(); }, audit);
  door.open();
  control_client c(place.path(), a_minute());
  std::thread events([&] {
    for (int i = 0; i != 100; ++i) {
      door.write({.kind = curfew::event_kind::ready});
      std::this_thread::sleep_for(1ms);
    }
  });
  CHECK_THROWS_AS(static_cast<void>(c.watch(
                      [](std::string_view) { throw std::runtime_error("no"); }, a_minute())),
                  std::runtime_error);
  events.join();
  CHECK(c.ask("status", a_minute()).error == "the connection was closed without an answer");
}
#endif

TEST_CASE("who may not watch is told so and gets no events") {
  control_place_for_a_test place;
  kept_audit audit;
  control_endpoint door(
      {.path = place.path(),
       .policy = [](const control_request&) { return curfew::control_decision::deny("no"); }},
      [](const control_request&) { return control_answer::done(); }, audit);
  door.open();
  control_client c(place.path(), a_minute());
  CHECK(c.watch([](std::string_view) { CHECK(false); }, a_minute()).error == "no");
}

TEST_CASE("members are found beside numbers and brackets of every kind") {
  const std::string text = R"({"a" : -1.5e-7, "b":{"ok":[1,"]}"]},"ok":true ,"c":"\"","d":null})";
  CHECK(json_member(text, "a") == "-1.5e-7");
  CHECK(json_member(text, "b") == R"({"ok":[1,"]}"]})");
  CHECK(json_member(text, "ok") == "true");
  CHECK(json_member(text, "c") == R"("\"")");
  CHECK(json_member(text, "d") == "null");
  CHECK(json_member(text, "e").empty());
  for (const char* const torn : {"", "{", "{\"a", "{\"a\":", "{\"a\":{", "{\"a\":\"x", "[1]", "x"})
    CHECK(json_member(torn, "a").empty());
}

TEST_CASE("an answer of nonsense is not taken for one") {
  for (const char* const text : {"", "{}", "[]", "{\"ok\":1}", "{\"ok\":\"true\"}", "\xff"}) {
    const control_answer a = curfew::detail::read_answer(text);
    CHECK_FALSE(a.ok);
    CHECK_FALSE(a.answered);
  }
}

TEST_CASE("what is put into an answer is JSON or it is left out") {
  using curfew::detail::is_one_value;
  for (const char* const good :
       {"0", "-1.5e+3", "1E9", "true", "null", "\"\"", "{}", "[ ]",
        R"({"a":[1,{"b":"]}"}],"c":0.25})", "[ \"\\u00e9\\n\\\"\", \"\xc3\xa9\" ]", " [1 , 2] "})
    CHECK_MESSAGE(is_one_value(good), good);
  for (const char* const bad :
       {"",        " ",           "OK",       "nan",      "-",
        "01",      "1.",          ".5",       "1e",       "+1",
        "{]",      "[}",          "{\"a\"}",  "{\"a\":}", "{,}",
        "[1,]",    "[1 2]",       "1 2",      "\"a",      "\"a\\",
        "\"\\x\"", "\"\\u12g4\"", "\"a\nb\"", "\"\xff\"", "\"\xed\xa0\x80\"",
        "tru",     "truex",       "{\"a\":1", "[",        "{\"a\":1}}"})
    CHECK_FALSE_MESSAGE(is_one_value(bad), bad);
  CHECK(is_one_value(std::string(64, '[') + std::string(64, ']')));
  CHECK_FALSE(is_one_value(std::string(100000, '[')));
  CHECK(curfew::detail::answer_text(control_answer::done("OK")) ==
        R"({"curfew":1,"ok":true,"answer":null})");
}
