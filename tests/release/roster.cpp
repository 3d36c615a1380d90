// SPDX-License-Identifier: BSL-1.0
#include <curfew/release/roster.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "faulty_new.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::roster;
using curfew::roster_holder;

static_assert(!std::is_copy_constructible_v<roster<4>::hold>);
static_assert(std::is_nothrow_move_constructible_v<roster<4>::hold>);
static_assert(!std::is_convertible_v<roster<4>::hold, bool>);
static_assert(noexcept(std::declval<roster<4>&>().enter("")));

namespace {

template <std::size_t N>
std::string text_of(const roster<N>& r, std::size_t size = 200) {
  std::vector<char> text(size);
  return std::string(r.describe(text));
}

template <std::size_t N>
std::vector<std::string> names_of(const roster<N>& r) {
  roster_holder found[16];
  const std::size_t size = r.holders(found);
  std::vector<std::string> names;
  for (std::size_t i = 0; i != size; ++i) names.emplace_back(found[i].name.view());
  return names;
}

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("those inside are named with the time that they have been there") {
  curfew::manual_clock clock;
  roster<> r(clock);
  CHECK(text_of(r) == "nobody in flight");
  auto slow = r.enter("GET /slow");
  clock.advance(3s);
  auto quick = r.enter("GET /");
  clock.advance(249ms);
  CHECK(text_of(r) == "2 in flight: GET /slow 3.2 s, GET / 249 ms");
  clock.advance(2min);
  slow.reset();
  CHECK(text_of(r) == "1 in flight: GET / 120 s");
}

TEST_CASE("a holder keeps the place of the source where it entered") {
  curfew::manual_clock clock;
  roster<> r(clock);
  const auto hold = r.enter("a");
  const unsigned line = __LINE__ - 1;
  clock.advance(7ms);
  roster_holder found[2];
  REQUIRE(r.holders(found) == 1);
  CHECK(std::string_view(found[0].place.file).ends_with("roster.cpp"));
  CHECK(found[0].place.line == line);
  CHECK(found[0].elapsed == 7ms);
}

TEST_CASE("holders come oldest first also when places are used again") {
  roster<3> r;
  auto a = r.enter("a"), b = r.enter("b"), c = r.enter("c");
  a.reset();
  auto d = r.enter("d");
  b.reset();
  auto e = r.enter("e");
  CHECK(names_of(r) == names{"c", "d", "e"});
  roster_holder found[2];
  CHECK(r.holders(found) == 2);
  CHECK(found[0].name.view() == "c");
  CHECK(r.holders({}) == 0);
}

TEST_CASE("when the table is full a hold counts and has no name") {
  roster<2> r;
  auto a = r.enter("a"), b = r.enter("b"), c = r.enter("c");
  CHECK(static_cast<bool>(c));
  CHECK_FALSE(c.named());
  CHECK(r.count() == 3);
  CHECK(text_of(r) == "3 in flight: a 0 ms, b 0 ms, and 1 more");
  a.reset();
  auto d = r.enter("d");
  CHECK(d.named());
  CHECK(names_of(r) == names{"b", "d"});
  c.reset();
  CHECK(r.count() == 2);
}

TEST_CASE("a closed roster gives empty holds and waits as its gate does") {
  curfew::manual_clock clock;
  roster<> r(clock);
  auto inside = r.enter("late");
  r.close();
  CHECK(r.closed());
  CHECK_FALSE(static_cast<bool>(r.enter("too late")));
  const curfew::stop_source limit(clock, 0s);
  CHECK_FALSE(r.wait(limit.get_token()));
  CHECK(names_of(r) == names{"late"});
  std::thread leaves([h = std::move(inside)]() mutable { h.reset(); });
  CHECK(r.wait({}));
  CHECK(text_of(r) == "nobody in flight");
  leaves.join();
}

TEST_CASE("a roster hold is moved and never counted twice") {
  roster<> r;
  auto a = r.enter("a");
  auto b = std::move(a);
  CHECK_FALSE(static_cast<bool>(a));
  CHECK_FALSE(a.named());
  CHECK(r.count() == 1);
  auto c = r.enter("c");
  c = std::move(b);
  CHECK(names_of(r) == names{"a"});
  auto& self = c;
  c = std::move(self);
  CHECK(r.count() == 1);
  c = roster<>::hold();
  CHECK(r.count() == 0);
}

TEST_CASE("a name is cut at a whole character and cannot break a line") {
  roster<> r;
  const std::string wide = std::string(46, 'x') + "\xc3\xa4";
  const std::string fits = std::string(45, 'x') + "\xc3\xa4";
  auto a = r.enter(wide), b = r.enter(fits), c = r.enter("GET /\n\x1b[0m\x7f"), d = r.enter("");
  CHECK(names_of(r) == names{std::string(46, 'x'), fits, "GET /??[0m?", ""});
}

TEST_CASE("a name cannot speak to a terminal in control characters of two bytes either") {
  roster<> r;
  const std::string last = std::string(45, 'x') + "\xc2\x85";
  auto a = r.enter(
           "\xc2\x9b"
           "31m\xc2\x85\xc2\xa0\xc2\xbf"),
       b = r.enter(last), c = r.enter("\xc2");
  CHECK(names_of(r) == names{"??31m??\xc2\xa0\xc2\xbf", std::string(45, 'x') + "??", "\xc2"});
}

TEST_CASE("a description fits its room and counts those that do not") {
  curfew::manual_clock clock;
  roster<> r(clock);
  std::vector<roster<>::hold> holds;
  for (int i = 0; i != 6; ++i) holds.push_back(r.enter("0123456789"));
  CHECK(text_of(r) ==
        "6 in flight: 0123456789 0 ms, 0123456789 0 ms, 0123456789 0 ms, 0123456789 0 ms, and 2 "
        "more");
  CHECK(text_of(r, 80) == "6 in flight: 0123456789 0 ms, 0123456789 0 ms, and 4 more");
  CHECK(text_of(r, 30) == "6 in flight");
  CHECK(text_of(r, 12) == "6 in flight");
  CHECK(text_of(r, 11).empty());
  CHECK(text_of(r, 1).empty());
  CHECK(r.describe({}).empty());
  for (std::size_t size = 1; size != 120; ++size) {
    std::vector<char> text(size + 1, '#');
    const std::string_view found = r.describe(std::span(text.data(), size));
    CHECK(found.size() < size);
    CHECK(text[found.size()] == '\0');
    CHECK(text[size] == '#');
  }
}

TEST_CASE("entering describing and leaving allocate nothing") {
  roster<2> r;
  char text[100];
  CHECK(test::allocations_of([&] {
          const auto a = r.enter("a"), b = r.enter("b"), c = r.enter("c");
          static_cast<void>(r.describe(text));
        }) == 0);
}

TEST_CASE("who describes while others come and go sees whole names in order") {
  roster<4> r;
  std::atomic<bool> over{false};
  std::vector<std::thread> workers;
  for (const char* name : {"aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd", "eeeeeeee"}) {
    workers.emplace_back([&r, &over, name] {
      while (!over.load()) static_cast<void>(r.enter(name).named());
    });
  }
  for (int i = 0; i < 2000; ++i) {
    roster_holder found[4];
    const std::size_t size = r.holders(found);
    CHECK(size <= 4);
    for (std::size_t k = 0; k != size; ++k) {
      const auto name = found[k].name.view();
      CHECK(name.size() == 8);
      CHECK(name.find_first_not_of(name[0]) == name.npos);
      CHECK((k == 0 || found[k - 1].elapsed >= 0ns));
    }
    CHECK(text_of(r).find("in flight") != std::string::npos);
  }
  over = true;
  for (auto& w : workers) w.join();
  CHECK(r.count() == 0);
  CHECK(names_of(r).empty());
}

TEST_CASE("a roster may be destroyed as soon as the wait returns") {
  for (int round = 0; round < 1000; ++round) {
    auto r = std::make_unique<roster<2>>();
    std::thread worker([h = r->enter("a")]() mutable { h.reset(); });
    r->close();
    CHECK(r->wait({}));
    r.reset();
    worker.join();
  }
}
