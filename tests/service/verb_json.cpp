// SPDX-License-Identifier: BSL-1.0
//
// The JSON writer, and what --json tells.
#include <curfew/service/detail/json.hpp>
#include <curfew/service/detail/verb_json.hpp>

#include <clocale>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "doctest/doctest.h"
#include "verb_support.hpp"

namespace {

using curfew::detail::json_number;
using curfew::detail::json_string;
using curfew::detail::json_writer;
using curfew::detail::verb;
using curfew::detail::verb_json;
using curfew::detail::verb_line;
using curfew::detail::verb_report;
using namespace std::string_literals;

}  // namespace

TEST_CASE("an empty object and an empty array") {
  json_writer json;
  CHECK(json.begin('{').end().take() == "{}");
  CHECK(json.take().empty());
  CHECK(json_writer().begin('[').end().take() == "[]");
}

TEST_CASE("members and elements are divided by commas at every depth") {
  json_writer json;
  json.begin('{').member("a", 1).key("b").begin('[').value(2).begin('[').end().begin('{').end();
  json.value("x").end().key("c").begin('{').member("d", true).member("e", false).end();
  json.member("f", nullptr).end();
  CHECK(json.take() == R"({"a":1,"b":[2,[],{},"x"],"c":{"d":true,"e":false},"f":null})");
}

TEST_CASE("texts of every kind are strings and not numbers or truths") {
  json_writer json;
  const std::string text = "s";
  json.begin('[').value(text).value("c").value(std::string_view("v")).end();
  CHECK(json.take() == R"(["s","c","v"])");
}

TEST_CASE("what would end or break a string is escaped") {
  CHECK(json_string("a\"b\\c") == R"("a\"b\\c")");
  CHECK(json_string("\n\r\t") == R"("\n\r\t")");
  CHECK(json_string("\x01\x1f\x7f\0"s) == R"("\u0001\u001f\u007f\u0000")");
  CHECK(json_string("/") == R"("/")");
}

TEST_CASE("well-formed UTF-8 stays as it is") {
  for (const char* text : {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbf"}) {
    CHECK(json_string(text) == '"' + std::string(text) + '"');
  }
}

TEST_CASE("bytes that are no character become one that says so") {
  const std::string bad = "\xef\xbf\xbd";
  CHECK(json_string("a\xff"
                    "b") == "\"a" + bad + "b\"");
  CHECK(json_string("\x80") == '"' + bad + '"');
  CHECK(json_string("\xc0\xaf") == '"' + bad + bad + '"');                      // overlong
  CHECK(json_string("\xe0\x80\x80") == '"' + bad + bad + bad + '"');            // overlong
  CHECK(json_string("\xed\xa0\x80") == '"' + bad + bad + bad + '"');            // a surrogate
  CHECK(json_string("\xf4\x90\x80\x80") == '"' + bad + bad + bad + bad + '"');  // too high
  CHECK(json_string("\xe2\x82") == '"' + bad + bad + '"');                      // cut off
  CHECK(json_string("\xc3\"") == '"' + bad + "\\\"\"");
}

TEST_CASE("numbers are told exactly") {
  json_writer json;
  json.begin('[').value((std::numeric_limits<std::int64_t>::min)());
  json.value((std::numeric_limits<std::uint64_t>::max)()).value(0).end();
  CHECK(json.take() == "[-9223372036854775808,18446744073709551615,0]");
  CHECK(json_number(0.5) == "0.5");
  CHECK(json_number(-3) == "-3");
  CHECK(std::stod(json_number(0.1)) == 0.1);
  CHECK(std::stod(json_number(1e300)) == 1e300);
  CHECK(json_number(std::numeric_limits<double>::infinity()) == "null");
  CHECK(json_number(std::numeric_limits<double>::quiet_NaN()) == "null");
}

TEST_CASE("a locale with another decimal point changes no number") {
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"}) {
    if (std::setlocale(LC_NUMERIC, name) != nullptr) break;
  }
  CHECK(json_number(1.5) == "1.5");
  std::setlocale(LC_NUMERIC, "C");
}

TEST_CASE("what is always there is there for a verb that has said nothing") {
  verb_line line;
  line.what = verb::start;
  CHECK(verb_json(line, "web", verb_report{}) ==
        R"({"verb":"start","service":"web","code":0,"done":true,"error":null})");
}

TEST_CASE("a failure has a kind and a text") {
  verb_line line;
  line.what = verb::stop;
  verb_report r;
  r.code = 77;
  r.why = {curfew::failure::kind_type::needs_rights, "needs root: use sudo"};
  CHECK(verb_json(line, "web", r) ==
        R"({"verb":"stop","service":"web","code":77,"done":false,)"
        R"("error":{"kind":"needs_rights","text":"needs root: use sudo"}})");
}

TEST_CASE("every verb prints one object on one line and nothing beside it") {
  for (const char* typed : {"install", "start", "reload", "restart", "status", "render", "doctor",
                            "stop", "uninstall", "uninstall", "start --foo", "install --dry-run"}) {
    test::stage web;
    web.services.now = test::in(curfew::service_state::running, "all \"well\"\n");
    if (typed == "install"s) web.services.now = test::in(curfew::service_state::not_installed);
    web.type(typed + " --json"s);
    CHECK(web.complained.empty());
    REQUIRE(!web.printed.empty());
    CHECK(web.printed.front() == '{');
    CHECK(web.printed.find("}\n") == web.printed.size() - 2);
    CHECK(web.printed.find('\n') == web.printed.size() - 1);
  }
}
