// SPDX-License-Identifier: BSL-1.0
//
// What is the same for every verb.
#include <curfew/service/detail/verb_main.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

#include "doctest/doctest.h"
#include "verb_support.hpp"

namespace {

using namespace std::chrono_literals;
using curfew::service_state;
using test::in;
using test::stage;

constexpr const char* obeyed[] = {"install", "uninstall", "start",  "stop",  "restart",
                                  "reload",  "status",    "render", "doctor"};

}  // namespace

TEST_CASE("help is printed and nothing else is done") {
  for (const char* verb : {"install", "uninstall", "start", "stop", "restart", "reload", "status",
                           "run", "render", "doctor"}) {
    stage web;
    CHECK(web.type(verb + std::string(" --help")) == 0);
    CHECK(web.printed.find("usage: web_server " + std::string(verb)) == 0);
    CHECK(web.complained.empty());
    CHECK(web.services.calls.empty());
    CHECK(web.services.looks == 0);
    CHECK(web.type(verb + std::string(" -h")) == 0);
  }
}

TEST_CASE("help as JSON is one object too") {
  stage web;
  CHECK(web.type("start --help --json") == 0);
  CHECK(web.said(R"("code":0,"done":true,"error":null,"text":"usage: web_server start)"));
  CHECK(web.type("help --json") == 0);
  CHECK(web.said(R"({"verb":"help")"));
  CHECK(web.printed.find('\n') == web.printed.size() - 1);
}

TEST_CASE("the verb help lists the verbs and takes nothing") {
  stage web;
  CHECK(web.type("help") == 0);
  CHECK(web.said("\n  uninstall "));
  CHECK(web.type("help install") == 2);
  CHECK(web.complains("unexpected install"));
  CHECK(web.services.looks == 0);
}

TEST_CASE("a manager has as long for an answer as the command line gives within reason") {
  stage web;
  web.services.now = in(service_state::running);
  web.type("status");
  CHECK(web.services.bounded == 60s);
  web.type("start --timeout 20");
  CHECK(web.services.bounded == 20s);
  web.type("start --timeout 0");
  CHECK(web.services.bounded == 5s);
  web.type("start --timeout 1000");
  CHECK(web.services.bounded == 60s);
}

TEST_CASE("what an interrupt has kept a manager from answering is no failure of it") {
  for (const char* verb : {"install", "uninstall", "start", "stop", "restart", "reload"}) {
    stage web;
    web.services.now = in(service_state::stopped);
    web.services.on_call = [&](const std::string&) {
      web.stop.request_stop({curfew::stop_cause::signal, 15});
      web.services.query_fails = test::fails("systemctl show: has not answered");
    };
    CHECK(web.type(verb) == 143);
    CHECK(web.complains("web: interrupted: "));
  }
}

TEST_CASE("output that is lost makes a success a failure") {
  stage web;
  web.services.now = in(service_state::running);
  web.lost_because = "no space";
  CHECK(web.type("status") == 1);
  CHECK(web.complained ==
        "web_server: some of the output is lost: no space; what nobody can read "
        "is not done: make room, and ask again\n");
  CHECK(web.type("render --unit") == 1);
  CHECK(web.type("status --json") == 1);
  CHECK(web.type("help") == 1);
  web.services.now = in(service_state::stopped);
  CHECK(web.type("status") == 3);
}

TEST_CASE("what others have said reaches no terminal as an order to it") {
  stage web;
  web.services.now = in(service_state::running, "\x1b[2J\xc2\x9b one\ntwo\t\xff\x7f \xc3\xbc");
  web.type("status");
  const std::string no = "\xef\xbf\xbd";
  CHECK(web.said("  note    " + no + "[2J" + no + " one two" + no + no + no + " \xc3\xbc\n"));
  web.services.query_fails = test::fails("bad \x1b]0;title\x07");
  web.type("status");
  CHECK(web.complained == "web: bad " + no + "]0;title" + no + "\n");
  web.services.query_fails = {};
  web.backend.found = {{curfew::severity::error, "a\x1b", "b\r"}};
  web.type("doctor");
  CHECK(web.printed.find_first_of("\x1b\r") == web.printed.npos);
}

TEST_CASE("wrong usage does nothing and says where to read on") {
  for (const char* verb : obeyed) {
    stage web;
    CHECK(web.type(verb + std::string(" --frobnicate")) == 2);
    CHECK(web.complained == "web_server: " + std::string(verb) + " has no option --frobnicate\n" +
                                "see: web_server " + verb + " --help\n");
    CHECK(web.printed.empty());
    CHECK(web.services.looks == 0);
    CHECK(web.services.calls.empty());
  }
}

TEST_CASE("wrong usage is told as JSON to whoever wants JSON") {
  stage web;
  CHECK(web.type("start --json --frobnicate") == 2);
  CHECK(web.complained.empty());
  CHECK(web.said(R"("code":2,"done":false,"error":{"kind":"usage","text":"start has no)"));
}

TEST_CASE("a name from outside is checked before anything is asked") {
  for (const char* verb : obeyed) {
    for (const char* name : {"../x", "a/b", "-x", ".x", "a\nb", "a@b"}) {
      stage web;
      CHECK(web.type(verb + std::string(" --name=") + name) == 2);
      CHECK(web.services.looks == 0);
      CHECK(web.services.calls.empty());
    }
  }
}

TEST_CASE("a declaration with a bad name is no wrong usage") {
  stage web;
  web.spec.name = "a b";
  CHECK(web.type("status") == 1);
  CHECK(web.complains("service name 'a b'"));
}

TEST_CASE("JSON mode says nothing beside the object") {
  for (const char* verb : obeyed) {
    stage web;
    web.services.now = in(service_state::running);
    web.type(verb + std::string(" --json"));
    CHECK(web.complained.empty());
    CHECK(web.printed.find("{\"verb\":\"" + std::string(verb)) == 0);
    CHECK(web.printed.find('\n') == web.printed.size() - 1);
  }
}

#if CURFEW_EXCEPTIONS
TEST_CASE("an exception on the way is a failure like any other") {
  stage web;
  web.services.on_call = [](const std::string&) { throw std::runtime_error("out of handles"); };
  CHECK(web.type("status") == 1);
  CHECK(web.complained == "web: out of handles\n");
  CHECK(web.type("status --json") == 1);
  CHECK(web.said(R"("error":{"kind":"failed","text":"out of handles"})"));
}
#endif
