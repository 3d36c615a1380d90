// SPDX-License-Identifier: BSL-1.0
#include <curfew/service/detail/journal.hpp>
#include <curfew/service/detail/report.hpp>

#include "doctest/doctest.h"

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using curfew::outcome;
using curfew::outcome_kind;
using curfew::part_state;
using curfew::stop_cause;
using curfew::time_source;
using curfew::detail::fixed_text;
using curfew::detail::journal;
using curfew::detail::journal_part;

namespace {

constexpr time_source::time_point start{1000s};

void close_one(journal& log, const char* name, time_source::duration began,
               time_source::duration took, part_state state = part_state::closed,
               const char* error = "") {
  log.begin({.name = fixed_text<48>(name), .began = start + began, .limit = 5s}, 0);
  log.end(state, error, start + began + took);
}

}  // namespace

TEST_CASE("text of fixed size is cut between characters") {
  CHECK(fixed_text<4>("abcdef").view() == "abcd");
  CHECK(fixed_text<4>("abc\xc3\xa4").view() == "abc");
  CHECK(fixed_text<5>("abc\xc3\xa4z").view() == "abc\xc3\xa4");
  CHECK(fixed_text<4>("ab").append("cd").append("ef").view() == "abcd");
  CHECK(fixed_text<4>().empty());
}

TEST_CASE("text that is kept cannot break a line or speak to a terminal") {
  CHECK(fixed_text<20>("a\nb\x1b[2Jc\x7f").view() == "a b [2Jc ");
}

TEST_CASE("text that is kept has no commands in eight bits and nothing that is not UTF-8") {
  CHECK(fixed_text<20>("a\xc2\x9b"
                       "31m\x9b"
                       "2J")
            .view() == "a  31m 2J");
  CHECK(fixed_text<20>("\xc2\xa0\xdf\xbf\xe2\x82\xac\xf0\x9f\x94\x94").view() ==
        "\xc2\xa0\xdf\xbf\xe2\x82\xac\xf0\x9f\x94\x94");
  CHECK(fixed_text<20>("\xe0\x82\x9b\xf0\x80\x82\x9b\xc1\x9b").view() == "         ");
  CHECK(fixed_text<20>("\xed\xa0\x80\xf4\x90\x80\x80\xff").view() == "        ");
  CHECK(fixed_text<20>("\xed\x9f\xbf\xf4\x8f\xbf\xbf").view() == "\xed\x9f\xbf\xf4\x8f\xbf\xbf");
  CHECK(fixed_text<20>("cut \xe2\x82").view() == "cut   ");
}

TEST_CASE("a journal knows the part that is open and what it says") {
  journal log;
  CHECK_FALSE(log.read().has_open);
  log.begin({.name = fixed_text<48>("db"), .began = start}, 3);
  log.note("half way");
  const auto c = log.read();
  CHECK(c.has_open);
  CHECK(c.open.name.view() == "db");
  CHECK(c.open.note.view() == "half way");
  CHECK(c.waiting == 3);
}

TEST_CASE("a journal keeps closed parts in order with their times and errors") {
  journal log;
  close_one(log, "a", 0s, 1s);
  close_one(log, "b", 1s, 2s, part_state::failed, "disk full");
  const auto c = log.read();
  REQUIRE(c.closed_count == 2);
  CHECK_FALSE(c.has_open);
  CHECK(c.closed[0].name.view() == "a");
  CHECK(c.closed[1].elapsed == 2s);
  CHECK(c.closed[1].note.view() == "disk full");
}

TEST_CASE("a part that is dropped leaves nothing") {
  journal log;
  log.begin({.name = fixed_text<48>("db"), .began = start}, 0);
  log.drop();
  CHECK_FALSE(log.read().has_open);
  CHECK(log.read().closed_count == 0);
}

TEST_CASE("of many parts the failed and the late and the longest are kept in their order") {
  journal log;
  close_one(log, "late", 0s, 0s, part_state::late);
  for (int i = 0; i != 100; ++i) close_one(log, "quick", 1s, i * 1ms);
  close_one(log, "failed", 2s, 0s, part_state::failed);
  for (int i = 0; i != 100; ++i) close_one(log, "quicker", 3s, 0s);
  const auto c = log.read();
  REQUIRE(c.closed_count == journal::kept);
  CHECK(c.omitted == 202 - journal::kept);
  CHECK(c.untold == 0);
  CHECK(c.closed[0].name.view() == "late");
  CHECK(c.closed[journal::kept - 1].name.view() == "failed");
  CHECK(c.closed[1].elapsed == 90ms);
  CHECK(c.closed[journal::kept - 2].elapsed == 99ms);
}

TEST_CASE("problems name what failed or was late or is open and nothing else") {
  journal log;
  close_one(log, "fine", 0s, 1s);
  close_one(log, "db", 0s, 1s, part_state::failed, "disk full");
  close_one(log, "cache", 0s, 6s, part_state::late);
  const journal_part open{.name = fixed_text<48>("web"),
                          .place = fixed_text<120>("a.cpp:7"),
                          .began = start + 6s,
                          .limit = 5s};
  log.begin(open, 2);
  CHECK(problems("me: ", log.read(), start + 7s) ==
        "me: db: failed after 1 s: disk full\n"
        "me: cache: late, 6 s of 5 s\n"
        "me: web: still open after 1 s of 5 s, registered at a.cpp:7\n"
        "me: 2 more not released\n");
}

TEST_CASE("no failure is untold however many there are") {
  journal log;
  for (int i = 0; i != 20; ++i) close_one(log, "db", 0s, i * 1s, part_state::failed, "disk full");
  for (int i = 0; i != 20; ++i) close_one(log, "fine", 0s, 1s);
  CHECK(log.read().untold == 8);
  const std::string text = problems("me: ", log.read(), start + 7s);
  CHECK(text.starts_with("me: db: failed after 8 s: disk full\n"));
  CHECK(text.ends_with("me: 8 more failed or were late\n"));
}

TEST_CASE("a timeline counts from the stop and shows the open part as long as it has lasted") {
  journal log;
  close_one(log, "a", 1s, 2s);
  log.begin({.name = fixed_text<48>("b"), .began = start + 3s}, 0);
  const auto t = make_timeline(log.read(), start, start + 5s);
  REQUIRE(t.parts.size() == 2);
  CHECK(t.total == 5s);
  CHECK(t.parts[0].began == 1s);
  CHECK(t.parts[1].elapsed == 2s);
  CHECK(t.parts[1].state == part_state::closing);
}

TEST_CASE("the first line says why and how long and what more signals do") {
  CHECK(curfew::detail::first_line("me: ", {stop_cause::signal, 2}, 30s) ==
        "me: stopping: signal SIGINT, at most 30 s; "
        "a second signal hurries it, a third ends it at once\n");
  const auto never = (time_source::duration::max)();
  CHECK(curfew::detail::first_line("", {stop_cause::signal, 2}, never) ==
        "stopping: signal SIGINT; a second signal hurries it, a third ends it at once\n");
  CHECK(curfew::detail::first_line("", {.cause = stop_cause::control, .pid = 7, .uid = 0}, 30s) ==
        "stopping: control from pid 7 (uid 0), at most 30 s; "
        "a signal hurries it, a second one ends it at once\n");
}

TEST_CASE("the last line has the exit code when it is not zero") {
  CHECK(curfew::detail::last_line("me: ", {.reason = {stop_cause::requested}}, 1200ms) ==
        "me: stopped: requested, 1.2 s\n");
  CHECK(curfew::detail::last_line("", {.kind = outcome_kind::failed}, 1s) ==
        "failed, 1 s, exit code 70\n");
}
