// SPDX-License-Identifier: BSL-1.0
//
// The event log of Windows. Wine takes events and stores none, so what is tested is what goes in.
#include <curfew/config.hpp>

#include "doctest/doctest.h"

#if CURFEW_WINDOWS

#include <curfew/host/windows/event_log.hpp>

#include <array>
#include <string>

namespace {

using curfew::event_log_sink;
using curfew::severity;

std::string plain(std::string_view text) {
  std::array<char, 4000> room;
  return std::string(curfew::detail::plain_event_text(text, room));
}

}  // namespace

TEST_CASE("the type of an event follows the severity") {
  using curfew::detail::event_type;
  CHECK(event_type(severity::error) == 1);
  CHECK(event_type(severity::warning) == 2);
  CHECK(event_type(severity::notice) == 4);
  CHECK(event_type(severity::info) == 4);
  CHECK(event_type(severity::debug) == 4);
}

TEST_CASE("a text has neither places to fill in nor control characters but the ends of lines") {
  CHECK(plain("100 % of 5%1") == "100 %  of 5% 1");
  CHECK(plain("a\nb\tc\rd\x1b[0m\x7f") == "a\nb\tc d [0m ");
  CHECK(plain("caf\xc3\xa9") == "caf\xc3\xa9");
  CHECK(plain(std::string(2000, '%')).size() == 4000);
}

TEST_CASE("events are taken whatever their text is") {
  event_log_sink log("curfew-test-\xc3\xa9");
  REQUIRE(log.is_open());
  for (const auto level : {severity::error, severity::warning, severity::info}) {
    log.write(level, "plain");
    log.write(level, "");
    log.write(level, "caf\xc3\xa9 %1 \xff invalid");
    log.write(level, std::string(100'000, '%'));
    log.write(level, std::string(1999, 'x') + "\xf0\x9f\x94\x94");
  }
  CHECK(log.lost() == 0);
}

TEST_CASE("a source whose name is no text is not opened and its events are counted as lost") {
  event_log_sink log("\xff");
  CHECK_FALSE(log.is_open());
  log.write(severity::error, "nobody hears this");
  CHECK(log.lost() == 1);
}

#else

TEST_CASE("these tests are for Windows") { CHECK(true); }

#endif
