// SPDX-License-Identifier: BSL-1.0
//
// What is the same for every verb.
#include <curfew/service/detail/verb_main.hpp>

#include <stdexcept>
#include <string>

#include "doctest/doctest.h"
#include "verb_support.hpp"

namespace {

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
