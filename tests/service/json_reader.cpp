// SPDX-License-Identifier: BSL-1.0
//
// JSON that is read back, and what is refused.
#include <curfew/service/detail/json.hpp>
#include <curfew/service/detail/json_reader.hpp>

#include <cstdint>
#include <string>

#include "doctest/doctest.h"

namespace {

using curfew::detail::json_value;
using curfew::detail::json_writer;
using curfew::detail::read_json;

bool reads(const std::string& text) {
  json_value v;
  return read_json(text, v);
}

}  // namespace

TEST_CASE("what a writer writes is read back as it was") {
  std::string odd = "a\"b\\c\n\t\r\x01\x7f \xc3\xbc";
  json_writer json;
  json.begin('{').member("n", std::int64_t{-9007199254740993}).member("t", true);
  json.member("s", odd).key("l").begin('[').value(0).value(nullptr).value("").end();
  json.key(odd).begin('{').end().end();
  json_value v;
  REQUIRE(read_json(json.take(), v));
  CHECK(v.find("n")->number == -9007199254740993);
  CHECK(v.find("t")->truth);
  CHECK(v.find("s")->text == odd);
  CHECK(v.find("l")->items.size() == 3);
  CHECK(v.find("l")->items[1].what == json_value::kind::null);
  CHECK(v.find(odd)->what == json_value::kind::object);
  CHECK(v.find("x") == nullptr);
}

TEST_CASE("white space may stand between values and not in them") {
  CHECK(reads(" { \"a\" :\t[ 1 ,\r\n2 ] } \n"));
  CHECK(!reads("{\"a\":tr ue}"));
  CHECK(!reads("1 2"));
}

TEST_CASE("what is no JSON is refused") {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "[1",
                           "[1,]",
                           "[,1]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\" 1}",
                           "\"",
                           "\"\\\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u00g0\"",
                           "\"a\nb\"",
                           "\"\xff\"",
                           "\"\xc3\"",
                           "nul",
                           "truee",
                           "+1",
                           "01",
                           "-",
                           "--1",
                           "1.5",
                           "1e3",
                           "99999999999999999999",
                           "NaN",
                           "'a'",
                           "[1]]",
                           "{\"a\":1,\"a\":2}",
                           "\"\\u00fc\""}) {
    CAPTURE(text);
    CHECK(!reads(text));
  }
}

TEST_CASE("nesting and objects have an end") {
  CHECK(reads(std::string(32, '[') + std::string(32, ']')));
  CHECK(!reads(std::string(33, '[') + std::string(33, ']')));
  CHECK(!reads(std::string(1000000, '[')));
  const auto object = [](int members) {
    std::string text = "{";
    for (int i = 0; i != members; ++i) {
      text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":1";
    }
    return text + "}";
  };
  CHECK(reads(object(64)));
  CHECK(!reads(object(65)));
}

TEST_CASE("a text that is cut anywhere is refused or whole") {
  const std::string text = R"({"a":[1,-20,"x\ny",{"b":null}],"c":false})";
  for (std::size_t n = 0; n != text.size(); ++n) CHECK(!reads(text.substr(0, n)));
  CHECK(reads(text));
}
