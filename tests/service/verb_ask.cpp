// SPDX-License-Identifier: BSL-1.0
//
// The verb that asks a running program.
#include <curfew/service/detail/verb_ask.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "control_support.hpp"
#include "doctest/doctest.h"
#include "verb_support.hpp"

namespace {

using curfew::control_answer;
using curfew::control_endpoint;
using curfew::control_request;
using test::stage;

/// A program that runs.
struct running {
  running() { door.open(); }
  control_place_for_a_test place;
  kept_audit audit;
  std::atomic<bool> hangs{false};
  control_endpoint door{{.path = place.path()},
                        [this](const control_request& r) {
                          while (hangs) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                          return r.verb == "prepare"
                                     ? control_answer::refused("db: a backup runs",
                                                               R"({"prepared":false})")
                                     : control_answer::done(R"({"phase":"up"})");
                        },
                        audit};
};

void declare(stage& web, const running& p) {
  web.facts.control_path = [path = p.place.path()] { return path; };
}

}  // namespace

TEST_CASE("an answer is printed as it is and is a success") {
  running p;
  stage web;
  declare(web, p);
  CHECK(web.type("ask status") == 0);
  CHECK(web.printed == "{\"phase\":\"up\"}\n");
  CHECK(web.complained.empty());
}

TEST_CASE("a refusal is a failure that says why") {
  running p;
  stage web;
  declare(web, p);
  CHECK(web.type("ask prepare --change CHG-1") == 1);
  CHECK(web.printed == "{\"prepared\":false}\n");
  CHECK(web.complains("web: db: a backup runs\n"));
  CHECK(p.audit.lines().back() == "allowed prepare for CHG-1");
}

TEST_CASE("the path of another program can be given") {
  running p;
  stage web;
  CHECK(web.type("ask status") == 1);
  CHECK(web.complains("this program declares no control endpoint"));
  CHECK(web.type("ask --path " + p.place.path() + " status") == 0);
  CHECK(web.type("ask status --path " + p.place.path() + "-gone") == 1);
  CHECK(web.complains("web: nobody answers at "));
  CHECK(web.complains(": does it run?\n"));
}

TEST_CASE("with json the answer stands in the report") {
  running p;
  stage web;
  declare(web, p);
  CHECK(web.type("ask status --json") == 0);
  CHECK(web.said(R"("verb":"ask")"));
  CHECK(web.said(R"("answer":{"phase":"up"})"));
  CHECK(web.type("ask prepare --json") == 1);
  CHECK(web.said(R"("error":{"kind":"failed","text":"db: a backup runs"})"));
}

TEST_CASE("an answer that does not come within the timeout is a failure") {
  running p;
  stage web;
  declare(web, p);
  p.hangs = true;
  curfew::stop_source never;
  curfew::detail::program_facts facts = web.facts;
  const test::typed words({"./web", "ask", "status", "--timeout", "0.1"});
  const curfew::detail::verb_call call{web.spec, curfew::detail::parse_verb_line(words.words()),
                                       "web", never.get_token(), facts};
  CHECK(obey_verb(web.backend, call, web) == 1);
  CHECK(web.complains("there was no answer in time"));
  p.hangs = false;
}

TEST_CASE("what is asked must be said and only once") {
  stage web;
  CHECK(web.type("ask") == 2);
  CHECK(web.complains("ask wants an ORDER, such as status"));
  CHECK(web.type("ask status stop") == 2);
  CHECK(web.type("ask status --frobnicate") == 2);
  CHECK(web.type("ask status --change") == 2);
}

TEST_CASE("a watch prints a line for each event until the program ends") {
  auto p = std::make_unique<running>();
  stage web;
  declare(web, *p);
  std::thread end([&] {
    REQUIRE(p->audit.await(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    p->door.write({.kind = curfew::event_kind::ready});
    p->door.close();
  });
  CHECK(web.type("ask watch") == 0);
  end.join();
  CHECK(web.printed.find(R"({"event":"ready")") == 0);
}

TEST_CASE("the help of ask names what may be asked") {
  const std::string text = verb_help(curfew::detail::verb::ask, "web");
  CHECK(text.find("usage: web ask [OPTIONS] ORDER\n") == 0);
  for (const auto* const order : {"status", "health", "plan", "stop", "reload", "pause", "resume",
                                  "prepare", "commit", "abort", "watch"})
    CHECK(text.find(order) != text.npos);
  for (const auto* const option : {"--change NAME", "--path PATH", "--timeout SECONDS", "--json"})
    CHECK(text.find(option) != text.npos);
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    CHECK(text.find('\n', at) - at <= 80);
}
