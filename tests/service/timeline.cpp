// SPDX-License-Identifier: BSL-1.0
#include <curfew/service/timeline.hpp>

#include "doctest/doctest.h"

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using curfew::bars;
using curfew::live_line;
using curfew::part_state;
using curfew::time_source;
using curfew::timeline;
using curfew::timeline_part;
using curfew::timeline_style;
using curfew::to_text;

namespace {

constexpr auto no_limit = (time_source::duration::max)();

timeline_part part(const char* name, time_source::duration began, time_source::duration elapsed,
                   part_state state = part_state::closed) {
  return {.name = name, .began = began, .elapsed = elapsed, .state = state};
}

}  // namespace

TEST_CASE("durations read as people say them and are never rounded up") {
  CHECK(to_text(0s) == "0 us");
  CHECK(to_text(9999us) == "9999 us");
  CHECK(to_text(10ms) == "10 ms");
  CHECK(to_text(999'999us) == "999 ms");
  CHECK(to_text(1s) == "1 s");
  CHECK(to_text(1299ms) == "1.2 s");
  CHECK(to_text(30s) == "30 s");
  CHECK(to_text(59'999ms) == "59.9 s");
  CHECK(to_text(125s) == "2 min 5 s");
  CHECK(to_text(3h) == "3 h 0 min");
  CHECK(to_text(no_limit) == "no limit");
}

TEST_CASE("a live line has the name and the time and the limit and what it says of itself") {
  const timeline_part p{.name = "db-pool", .elapsed = 1200ms, .limit = 5s, .note = "14 left"};
  CHECK(live_line(p, {}) == "closing db-pool  1.2 s of 5 s  14 left");
  const timeline_part q{.name = "db-pool", .elapsed = 1200ms};
  CHECK(live_line(q, {}) == "closing db-pool  1.2 s");
}

TEST_CASE("a live line is cut to one column less than the terminal between characters") {
  const timeline_part p{.name = "\xc3\xa4\xc3\xb6\xc3\xbc", .elapsed = 1s};
  CHECK(live_line(p, {.width = 11}) == "closing \xc3\xa4\xc3\xb6");
  CHECK(live_line(p, {.width = 1}).empty());
  CHECK(live_line(p, {.width = 0}).empty());
}

TEST_CASE("a live line past its limit has the colour of what is late") {
  const timeline_style style{.colour = true};
  timeline_part p{.name = "x", .elapsed = 1s, .limit = 2s};
  CHECK(live_line(p, style).starts_with("\x1b[36m"));
  p.elapsed = 2s;
  CHECK(live_line(p, style).starts_with("\x1b[33m"));
  CHECK(live_line(p, style).ends_with("\x1b[0m"));
}

TEST_CASE("bars stand where a part began and are as long as it took") {
  const timeline t{.parts = {part("main", 0s, 1s), part("db-pool", 1s, 3s, part_state::late),
                             part("cache", 4s, 0s)},
                   .total = 4s};
  CHECK(bars(t, {.width = 45}) ==
        "  main     ===         1 s\n"
        "  db-pool     =======  3 s  late\n"
        "  cache             =  0 us\n");
}

TEST_CASE("bars say what failed and what is still open and what is not shown") {
  const timeline t{
      .parts = {part("a", 0s, 2s, part_state::failed), part("b", 2s, 2s, part_state::closing)},
      .total = 4s,
      .omitted = 7};
  CHECK(bars(t, {.width = 42}) ==
        "  a     =====       2 s  failed\n"
        "  b          =====  2 s  still open\n"
        "  and 7 shorter\n");
}

TEST_CASE("bars use block characters and colours where they may") {
  const timeline t{.parts = {part("a", 0s, 1s)}, .total = 1s};
  const std::string text = bars(t, {.width = 42, .colour = true, .unicode = true});
  CHECK(text.find("\x1b[32m\xe2\x96\x88") != text.npos);
  CHECK(text.find('=') == text.npos);
}

TEST_CASE("bars fit any terminal that has room for the names") {
  const timeline t{.parts = {part("a name that is far too long to be shown", 0s, 59'900ms)},
                   .total = 59'900ms};
  for (const std::size_t width : {62u, 80u, 200u}) CHECK(bars(t, {.width = width}).size() <= width);
  CHECK(bars(t, {.width = 80}).find("a name that is far too l  ") != std::string::npos);
}

TEST_CASE("parts outside the scale are drawn at its ends") {
  const timeline t{.parts = {part("a", 9s, 9s), part("b", -1s, 0s)}, .total = 0s};
  CHECK(bars(t, {.width = 42}) ==
        "  a              =  9 s\n"
        "  b     =           0 us\n");
}

TEST_CASE("no part makes no bars") { CHECK(bars({}, {}).empty()); }
