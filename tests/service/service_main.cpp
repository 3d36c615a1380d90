// SPDX-License-Identifier: BSL-1.0
//
// Programs with verbs, as far as nothing of the system is changed by them.
#include <curfew/service/service_main.hpp>

#include <string>
#include <vector>

#include "doctest/doctest.h"
#include "verb_support.hpp"

namespace {

using curfew::names_verb;
using curfew::own_arguments;
using curfew::service;
using curfew::service_main;
using test::typed;
using test::words;

words own(std::initializer_list<const char*> line) {
  typed t(line);
  const auto found = own_arguments(t.argc(), t.argv());
  return {found.begin(), found.end()};
}

bool named(std::initializer_list<const char*> line) {
  typed t(line);
  return names_verb(t.argc(), t.argv());
}

/// The exit code, and whether main was called and as whom.
struct result {
  int code = -1;
  std::string name = "main was not called";
};

result enter(std::initializer_list<const char*> line) {
  typed t(line);
  result r;
  const auto main = [&r](service& s) {
    r.name = s.spec().name;
    return 5;
  };
  r.code = service_main({.name = "declared"}, t.argc(), t.argv(), main);
  return r;
}

}  // namespace

TEST_CASE("a verb is the first argument and no other") {
  CHECK(named({"web", "install"}));
  CHECK(named({"web", "run", "x"}));
  CHECK(!named({"web"}));
  CHECK(!named({"web", "--port", "install"}));
  CHECK(!named({"web", "--help"}));
  CHECK(!named({}));
  CHECK(!names_verb(0, nullptr));
}

TEST_CASE("without a verb all arguments belong to the program") {
  CHECK(own({"web"}).empty());
  CHECK(own({"web", "a", "--", "--name", "b"}) == words{"a", "--", "--name", "b"});
  CHECK(own_arguments(0, nullptr).empty());
}

TEST_CASE("with run they are what is not its name") {
  CHECK(own({"web", "run"}).empty());
  CHECK(own({"web", "run", "--name", "x", "a", "b"}) == words{"a", "b"});
  CHECK(own({"web", "run", "--name=x", "--", "--name", "y"}) == words{"--name", "y"});
  CHECK(own({"web", "run", "--", "--", "a"}) == words{"--", "a"});
  CHECK(own({"web", "run", "--port", "80"}) == words{"--port", "80"});
}

TEST_CASE("with another verb they are what follows two dashes") {
  CHECK(own({"web", "install", "--user"}).empty());
  CHECK(own({"web", "install", "--name", "x", "--", "a", "b"}) == words{"a", "b"});
  CHECK(own({"web", "status", "--json", "--"}).empty());
}

TEST_CASE("own arguments are those of argv itself") {
  typed t({"web", "run", "a"});
  CHECK(own_arguments(t.argc(), t.argv()).data() == t.argv() + 2);
}

TEST_CASE("without a verb it is run") {
  CHECK(enter({"web"}).code == 5);
  CHECK(enter({"web", "--port", "80"}).name == "declared");
}

TEST_CASE("the verb run calls main under the name that was given") {
  CHECK(enter({"web", "run"}).code == 5);
  CHECK(enter({"web", "run"}).name == "declared");
  CHECK(enter({"web", "run", "--name", "other", "x"}).name == "other");
}

TEST_CASE("a program that is asked for help lists its verbs") {
  for (const char* word : {"--help", "-h", "help"}) {
    CHECK(enter({"web", word}).code == 0);
    CHECK(enter({"web", word}).name == "main was not called");
  }
  CHECK(enter({"web", "--port", "--help"}).name == "declared");
  CHECK(own({"web", "--help"}) == words{"--help"});
  CHECK(own({"web", "help"}).empty());
}

TEST_CASE("no other verb calls main") {
  for (const char* verb : {"install", "uninstall", "start", "stop", "restart", "reload", "status",
                           "render", "doctor", "run"}) {
    const result r = enter({"web", verb, "--help"});
    CHECK(r.code == 0);
    CHECK(r.name == "main was not called");
  }
}

TEST_CASE("wrong usage does not call main") {
  CHECK(enter({"web", "run", "--name"}).code == 2);
  CHECK(enter({"web", "run", "--name", "a/b"}).code == 2);
  CHECK(enter({"web", "start", "--frobnicate"}).code == 2);
  CHECK(enter({"web", "start", "--frobnicate"}).name == "main was not called");
}

TEST_CASE("main may return nothing") {
  typed t({"web"});
  bool called = false;
  CHECK(service_main({.name = "web"}, t.argc(), t.argv(), [&](service&) { called = true; }) == 0);
  CHECK(called);
}
