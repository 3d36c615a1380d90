// SPDX-License-Identifier: BSL-1.0
#include <curfew/stop/deadline_text.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#if !TEST_THREAD_SANITIZER  // which has an operator new of its own
#include "counted_new.hpp"
#endif

#include <curfew/stop/detail/jitter.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <ratio>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using curfew::manual_clock;
using curfew::parse_timeout;
using curfew::stop_source;
using curfew::timeout_text;
using curfew::to_timeout_text;
using duration = curfew::time_source::duration;

namespace {

static_assert(parse_timeout("250m") == 250ms);
static_assert(parse_timeout("1H") == 1h);
static_assert(!parse_timeout(""));

bool is_well_formed(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return false;
  if (std::string_view("HMSmun").find(text.back()) == std::string_view::npos) return false;
  return text.substr(0, text.size() - 1).find_first_not_of("0123456789") == std::string_view::npos;
}

// What holds of every duration there and back.
void goes_round(duration d) {
  const std::string text = to_timeout_text(d);
  CAPTURE(text);
  CAPTURE(d.count());
  CHECK(is_well_formed(text));
  const std::optional<duration> back = parse_timeout(text);
  CHECK(back);
  if (!back) return;
  const duration lost = d - *back;
  CHECK(lost >= 0s);
  CHECK(lost.count() <= d.count() / 100'000);
  if (d < 100ms) CHECK(lost == 0s);
  CHECK(to_timeout_text(*back) == text);
}

}  // namespace

TEST_CASE("a duration is told in the largest unit that says it all") {
  CHECK(to_timeout_text(1h) == "1H");
  CHECK(to_timeout_text(90min) == "90M");
  CHECK(to_timeout_text(60s) == "1M");
  CHECK(to_timeout_text(5s) == "5S");
  CHECK(to_timeout_text(250ms) == "250m");
  CHECK(to_timeout_text(1500us) == "1500u");
  CHECK(to_timeout_text(1ns) == "1n");
  CHECK(to_timeout_text(99'999'999ns) == "99999999n");
  CHECK(to_timeout_text(24h * 365) == "8760H");
}

TEST_CASE("what eight digits cannot hold is rounded down") {
  CHECK(to_timeout_text(100'000'001ns) == "100m");
  CHECK(to_timeout_text(100'001'999ns) == "100001u");
  CHECK(to_timeout_text(99'999'999'999ns) == "99999999u");
  CHECK(to_timeout_text(100s - 1ns) == "99999999u");
  CHECK(to_timeout_text(100s + 1ns) == "100S");
  CHECK(to_timeout_text(99'999'999ms + 999us) == "99999999m");
  CHECK(to_timeout_text(99'999'999s + 999ms) == "99999999S");
  CHECK(to_timeout_text(100'000'001s) == "1666666M");
  CHECK(to_timeout_text(duration::max() - 1ns) == "2562047H");
}

TEST_CASE("no time is zero nanoseconds and no limit is no text") {
  CHECK(to_timeout_text(0s) == "0n");
  CHECK(to_timeout_text(-1ns) == "0n");
  CHECK(to_timeout_text(duration::min()) == "0n");
  CHECK(to_timeout_text(std::chrono::hours::min()) == "0n");
  CHECK(to_timeout_text(duration::max()) == "");
  CHECK(to_timeout_text(std::chrono::hours::max()) == "");
  CHECK(to_timeout_text(std::chrono::duration<double>(1e300)) == "");
}

TEST_CASE("what is finer than the clock is rounded down as well") {
  using nanos = std::chrono::duration<double, std::nano>;
  CHECK(to_timeout_text(nanos(0.25)) == "0n");
  CHECK(to_timeout_text(nanos(1.999)) == "1n");
  CHECK(to_timeout_text(nanos(2.0)) == "2n");
  CHECK(to_timeout_text(std::chrono::duration<std::int64_t, std::pico>(1999)) == "1n");
  CHECK(to_timeout_text(std::chrono::duration<std::int64_t, std::ratio<1, 3>>(1)) == "333333u");
  CHECK(to_timeout_text(std::chrono::duration<double>(-0.5)) == "0n");
  CHECK(to_timeout_text(std::chrono::duration<double>(std::nan(""))) == "0n");
  CHECK(to_timeout_text(std::chrono::duration<std::uint8_t>(std::uint8_t{200})) == "200S");
}

TEST_CASE("every duration comes back no longer and hardly shorter") {
  for (std::int64_t n = 1; n <= 20'000; ++n) goes_round(duration(n));
  for (std::int64_t power = 1; power <= 100'000'000'000'000'000; power *= 10) {
    for (std::int64_t digit = 1; digit <= 9; ++digit) {
      for (std::int64_t by = -2; by <= 2; ++by)
        if (digit * power + by > 0) goes_round(duration(digit * power + by));
    }
  }
  for (const duration unit :
       {duration(1us), duration(1ms), duration(1s), duration(1min), duration(1h)}) {
    for (const std::int64_t count : {1, 59, 60, 61, 999, 1000, 1001, 99'999, 2'500'000}) {
      for (std::int64_t by = -1; by <= 1; ++by) goes_round(unit * count + duration(by));
    }
  }
}

TEST_CASE("durations of all magnitudes drawn at random go round") {
  curfew::detail::small_random random(1);
  for (int i = 0; i < 200'000; ++i) {
    const auto most = std::uint64_t{0x7fff'ffff'ffff'fffe} >> random.up_to(62);
    goes_round(duration(static_cast<std::int64_t>(random.up_to(most - 1) + 1)));
  }
}

TEST_CASE("every unit is read") {
  CHECK(parse_timeout("7H") == 7h);
  CHECK(parse_timeout("7M") == 7min);
  CHECK(parse_timeout("7S") == 7s);
  CHECK(parse_timeout("7m") == 7ms);
  CHECK(parse_timeout("7u") == 7us);
  CHECK(parse_timeout("7n") == 7ns);
  CHECK(parse_timeout("0n") == 0s);
  CHECK(parse_timeout("0H") == 0s);
  CHECK(parse_timeout("00000007S") == 7s);
  CHECK(parse_timeout("99999999m") == 99'999'999ms);
  CHECK(parse_timeout("99999999S") == 99'999'999s);
  CHECK(parse_timeout("99999999M") == 99'999'999min);
}

TEST_CASE("hours that the clock cannot hold are never") {
  CHECK(parse_timeout("2562047H") == 2'562'047h);
  CHECK(parse_timeout("2562048H") == duration::max());
  CHECK(parse_timeout("99999999H") == duration::max());
}

TEST_CASE("what is malformed is not read") {
  for (const std::string_view text :
       {"",     "S",   "7",    "7s",   "7h",  "7x",   "7 S",        " 7S",        "7S ",
        "+7S",  "-7S", "7.5S", "0x7S", "7SS", "S7",   "123456789S", "000000007S", "1234567890",
        "7\tS", "7Sn", "m",    "7N",   "7U",  "1e3S", "infinity",   "\xc2\xb5",   "7\xc2\xb5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_timeout(text));
  }
  CHECK_FALSE(parse_timeout(std::string_view("7S\0", 3)));
  CHECK_FALSE(parse_timeout(std::string_view("\0S", 2)));
  CHECK_FALSE(parse_timeout(std::string_view()));
}

TEST_CASE("of all texts of two bytes those of a digit and a unit are read") {
  int read = 0;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char text[] = {static_cast<char>(first), static_cast<char>(second)};
      read += parse_timeout(std::string_view(text, 2)) ? 1 : 0;
    }
  }
  CHECK(read == 10 * 6);
}

TEST_CASE("one wrong byte anywhere spoils a text") {
  const std::string good = "12345678m";
  CHECK(parse_timeout(good));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = good;
      text[at] = static_cast<char>(byte);
      CHECK(parse_timeout(text).has_value() == is_well_formed(text));
    }
  }
}

TEST_CASE("a token tells what it has left") {
  manual_clock clock;
  const stop_source source{clock, 5s};
  const stop_source child{source.get_token(), 1h};
  CHECK(timeout_text(source.get_token()) == "5S");
  CHECK(timeout_text(child.get_token()) == "5S");
  clock.advance(4750ms);
  CHECK(timeout_text(source.get_token()) == "250m");
  clock.advance(250ms - 1ns);
  CHECK(timeout_text(source.get_token()) == "1n");
  clock.advance(1ns);
  CHECK(timeout_text(source.get_token()) == "0n");
  clock.advance(1h);
  CHECK(timeout_text(source.get_token()) == "0n");
  const curfew::inplace_stop_source inplace{clock, 90s};
  CHECK(timeout_text(inplace.get_token()) == "90S");
}

TEST_CASE("a token without a deadline tells nothing and a stopped one that nothing is left") {
  CHECK(timeout_text(curfew::stop_token{}) == "");
  CHECK(timeout_text(curfew::inplace_stop_token{}) == "");
  stop_source source;
  CHECK(timeout_text(source.get_token()) == "");
  source.request_stop();
  CHECK(timeout_text(source.get_token()) == "0n");
  stop_source timed{1h};
  timed.request_stop();
  CHECK(timeout_text(timed.get_token()) == "0n");
}

TEST_CASE("the far side stops no later than the near one") {
  manual_clock clock;
  const stop_source here{clock, 123'456'789'123ns};
  const auto left = parse_timeout(timeout_text(here.get_token()));
  CHECK(left);
  if (!left) return;
  const stop_source there{clock, *left};
  CHECK(there.get_token().deadline() <= here.get_token().deadline());
  CHECK(there.get_token().deadline() > here.get_token().deadline() - 1ms);
}

#if !TEST_THREAD_SANITIZER
TEST_CASE("neither way allocates") {
  manual_clock clock;
  const stop_source source{clock, 99'999'999ms};
  const test::allocation_tally tally;
  const std::string text = timeout_text(source.get_token());
  const auto back = parse_timeout(text);
  const auto made = tally.made();
  CHECK(made == 0);
  CHECK(text == "99999999m");
  CHECK(back == 99'999'999ms);
}
#endif
