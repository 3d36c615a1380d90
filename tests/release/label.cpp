// SPDX-License-Identifier: BSL-1.0
#include <curfew/release/label.hpp>

#include "doctest/doctest.h"

#include <string>
#include <string_view>
#include <type_traits>

namespace {

curfew::label seen_through(curfew::label name) { return name; }

curfew::label passed_on(curfew::label name) { return seen_through(name); }

struct named_thing {
  operator std::string_view() const { return "thing"; }
};

bool is_this_file(const curfew::label& l) {
  return std::string_view(l.place.file) == std::string_view(__FILE__);
}

}  // namespace

TEST_CASE("a label is made from any kind of string") {
  char buffer[] = "buffer";
  const char* pointer = buffer;
  const std::string text = "string";
  CHECK(seen_through("literal").text == "literal");
  CHECK(seen_through(buffer).text == "buffer");
  CHECK(seen_through(pointer).text == "buffer");
  CHECK(seen_through(text).text == "string");
  CHECK(seen_through(std::string_view("view")).text == "view");
  CHECK(seen_through(named_thing()).text == "thing");
}

TEST_CASE("a label is not made from what is no string") {
  CHECK_FALSE(std::is_convertible_v<int, curfew::label>);
  CHECK_FALSE(std::is_convertible_v<void*, curfew::label>);
}

TEST_CASE("a null pointer and an empty string name nothing") {
  const char* none = nullptr;
  CHECK(seen_through(none).text.empty());
  CHECK(seen_through("").text.empty());
  CHECK(seen_through(std::string()).text.empty());
}

TEST_CASE("a label keeps zero bytes inside its text") {
  CHECK(seen_through(std::string("a\0b", 3)).text.size() == 3);
}

TEST_CASE("a label notes the file and line of the call for each kind of string") {
  const std::string text = "string";
  const auto literal = seen_through("literal"), string = seen_through(text),
             view = seen_through(std::string_view(text));
  const std::uint_least32_t here = __LINE__;
  CHECK(is_this_file(literal));
  CHECK(is_this_file(string));
  CHECK(is_this_file(view));
  CHECK(literal.place.line == here - 2);
  CHECK(string.place.line == here - 2);
  CHECK(view.place.line == here - 1);
}

TEST_CASE("a label that is passed on keeps the place where it was made") {
  const auto l = passed_on("name");
  CHECK(l.place.line == __LINE__ - 1);
}

TEST_CASE("a label made by hand can carry another place") {
  const auto l = seen_through(curfew::label("name", "other.cpp", 7));
  CHECK(std::string_view(l.place.file) == "other.cpp");
  CHECK(l.place.line == 7);
}
