// SPDX-License-Identifier: BSL-1.0
//
// Command lines that name a verb, and the help that belongs to them.
#include <curfew/service/detail/verb_help.hpp>
#include <curfew/service/detail/verb_line.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "doctest/doctest.h"
#include "verb_support.hpp"

namespace {

using namespace std::chrono_literals;
using curfew::detail::all_verbs;
using curfew::detail::all_verbs_help;
using curfew::detail::changing_verbs;
using curfew::detail::parse_seconds;
using curfew::detail::parse_verb_line;
using curfew::detail::verb;
using curfew::detail::verb_help;
using curfew::detail::verb_line;
using test::typed;
using test::words;

constexpr verb every_verb[] = {verb::install, verb::uninstall, verb::start,  verb::stop,
                               verb::restart, verb::reload,    verb::status, verb::run,
                               verb::render,  verb::doctor};

words own(const verb_line& line) { return {line.own.begin(), line.own.end()}; }

std::string error_of(std::initializer_list<const char*> line) {
  const typed t(line);
  return parse_verb_line(t.words()).error;
}

}  // namespace

TEST_CASE("each verb is known by its word and nothing else is a verb") {
  for (const verb v : every_verb) {
    const std::string word(to_string(v));
    const typed t({"web", word.c_str()});
    CHECK(parse_verb_line(t.words()).what == v);
    CHECK(parse_verb_line(t.words()).error.empty());
  }
  for (const char* word : {"", "Install", "instal", "installs", "--help", "Help", "none"}) {
    const typed t({"web", word});
    CHECK(parse_verb_line(t.words()).what == verb::none);
    CHECK(own(parse_verb_line(t.words())) == words{word});
  }
}

TEST_CASE("an empty command line names no verb") {
  CHECK(parse_verb_line({}).what == verb::none);
  const typed t({"web"});
  CHECK(parse_verb_line(t.words()).what == verb::none);
  CHECK(parse_verb_line(t.words()).own.empty());
}

TEST_CASE("options may stand in any order and in either form") {
  const typed t({"web", "start", "--json", "--name", "a", "--user", "--timeout=2", "--dry-run"});
  const verb_line line = parse_verb_line(t.words());
  CHECK(line.error.empty());
  CHECK(line.json);
  CHECK(line.user);
  CHECK(line.dry_run);
  CHECK(!line.help);
  CHECK(line.name == "a");
  CHECK(line.timeout == 2s);
  CHECK(line.own.empty());
}

TEST_CASE("what follows two dashes belongs to the service") {
  const typed t({"web", "install", "--user", "--", "--name", "b", "--"});
  const verb_line line = parse_verb_line(t.words());
  CHECK(line.has_own);
  CHECK(line.name.empty());
  CHECK(own(line) == words{"--name", "b", "--"});
  const typed none({"web", "install", "--"});
  CHECK(parse_verb_line(none.words()).has_own);
  CHECK(parse_verb_line(none.words()).own.empty());
}

TEST_CASE("run has a name and all that follows it belongs to the program") {
  const typed t({"web", "run", "--name", "a", "--port", "80", "--name", "b"});
  const verb_line line = parse_verb_line(t.words());
  CHECK(line.error.empty());
  CHECK(line.name == "a");
  CHECK(own(line) == words{"--port", "80", "--name", "b"});
  const typed dashes({"web", "run", "--name=a", "--", "--help"});
  CHECK(own(parse_verb_line(dashes.words())) == words{"--help"});
  CHECK(!parse_verb_line(dashes.words()).help);
  const typed json({"web", "run", "--json"});
  CHECK(own(parse_verb_line(json.words())) == words{"--json"});
}

TEST_CASE("what cannot be meant is wrong usage") {
  CHECK(error_of({"web", "start", "--foo"}) == "start has no option --foo");
  CHECK(error_of({"web", "status", "--dry-run"}) == "status has no option --dry-run");
  CHECK(error_of({"web", "start", "--unit"}) == "start has no option --unit");
  CHECK(error_of({"web", "start", "now"}).find("unexpected now") == 0);
  CHECK(error_of({"web", "start", "--name"}) == "--name wants NAME");
  CHECK(error_of({"web", "start", "--name", ""}) == "--name wants NAME");
  CHECK(error_of({"web", "start", "--name="}) == "--name wants NAME");
  CHECK(error_of({"web", "start", "--timeout", "soon"}) == "--timeout wants SECONDS, not soon");
  CHECK(error_of({"web", "start", "--user=yes"}) == "--user takes no value");
  CHECK(error_of({"web", "run", "--name"}) == "--name wants NAME");
  CHECK(error_of({"web", "help", "--name", "x"}) == "help has no option --name");
}

TEST_CASE("the first error is told and the rest is read all the same") {
  const typed t({"web", "start", "--foo", "--bar", "--json"});
  const verb_line line = parse_verb_line(t.words());
  CHECK(line.error == "start has no option --foo");
  CHECK(line.json);
}

TEST_CASE("an option is no value of another one unless it is put there with an equals sign") {
  for (const char* option : {"--name", "--timeout"}) {
    const typed t({"web", "stop", option, "--json"});
    const verb_line line = parse_verb_line(t.words());
    CHECK(line.error.find(std::string(option) + " wants ") == 0);
    CHECK(line.json);
  }
  const typed t({"web", "stop", "--name=--json"});
  CHECK(parse_verb_line(t.words()).name == "--json");
}

TEST_CASE("only verbs that wait have a limit for it") {
  for (const verb v : every_verb) {
    const bool waits = v == verb::uninstall || v == verb::start || v == verb::stop ||
                       v == verb::restart || v == verb::reload;
    const std::string word(to_string(v));
    const typed t({"web", word.c_str(), "--timeout", "1"});
    CHECK(parse_verb_line(t.words()).timeout.has_value() == waits);
    CHECK((verb_help(v, "web").find("--timeout") != std::string::npos) == waits);
  }
}

TEST_CASE("seconds are whole or have a part") {
  CHECK(parse_seconds("0") == 0s);
  CHECK(parse_seconds("30") == 30s);
  CHECK(parse_seconds("0.5") == 500ms);
  CHECK(parse_seconds("1.25") == 1250ms);
  CHECK(parse_seconds("2.0000001") == 2s);
  CHECK(parse_seconds("99999999999999999999") == (curfew::time_source::duration::max)());
  for (const char* wrong : {"", "-1", "1s", ".5", "5.", "1.2.3", "1,5", " 1", "0x1", "1e3", "."}) {
    CHECK(!parse_seconds(wrong).has_value());
  }
}

TEST_CASE("every verb has a help of its own that names its options and exit codes") {
  for (const verb v : every_verb) {
    const std::string text = verb_help(v, "web");
    CHECK(text.find("usage: web " + std::string(to_string(v)) + " [OPTIONS]") == 0);
    CHECK(text.find("--name NAME") != text.npos);
    CHECK(text.find("--help") != text.npos);
    CHECK(text.find("exit code: ") != text.npos);
    CHECK((text.find("--dry-run") != text.npos) == changing_verbs.contains(v));
    CHECK((text.find("--json") != text.npos) == (v != verb::run));
    CHECK((text.find("--kubernetes") != text.npos) == (v == verb::render));
    CHECK((text.find("-- ARGS...") != text.npos) == (v == verb::install || v == verb::render));
    CHECK(text.find("\t") == text.npos);
    CHECK(all_verbs.contains(v));
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      CHECK(text.find('\n', at) - at <= 80);
    }
  }
}

TEST_CASE("the help of status tells what its exit codes mean") {
  const std::string text = verb_help(verb::status, "web");
  CHECK(text.find("0 running, 3 not running, 4 not installed") != text.npos);
  CHECK(text.find("2 usage") != text.npos);
}

TEST_CASE("missing rights and interrupts are the exit codes of verbs that change something") {
  for (const verb v : every_verb) {
    const std::string text = verb_help(v, "web");
    CHECK((text.find("77 needs") != text.npos) == changing_verbs.contains(v));
    CHECK((text.find("130 interrupted") != text.npos) == changing_verbs.contains(v));
  }
}

TEST_CASE("the help of all verbs has a line for each of them") {
  const std::string text = all_verbs_help("web");
  CHECK(text.find("usage: web VERB [OPTIONS]\n") == 0);
  for (const verb v : every_verb) {
    CHECK(text.find("\n  " + std::string(to_string(v)) + "  ") != text.npos);
  }
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    CHECK(text.find('\n', at) - at <= 80);
  }
}
