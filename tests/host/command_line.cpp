// SPDX-License-Identifier: BSL-1.0
//
// SCM rule 19: the image path is quoted and the arguments follow in the same string. Every path and
// argument here goes there and back: through our own split everywhere, on Windows through the
// system's own and through a process as well.
#include <curfew/host/install/command_line.hpp>

#include <string>
#include <vector>

#if CURFEW_WINDOWS
#include "service_support.hpp"

#include <shellapi.h>
#endif

#include "doctest/doctest.h"

using curfew::join_command_line;
using curfew::split_command_line;
using words = std::vector<std::string>;

namespace {

const words paths = {
    R"(C:\app.exe)",
    R"(C:\Program Files\My App\app.exe)",
    R"(C:\Program Files (x86)\a & b\app, v1.0;.exe)",
    R"(C:\two  blanks\ leading\trailing .exe)",
    R"(C:\100%\^caret\'single'\`tick\$x\@\#\!.exe)",
    "C:\\tab\there\\a.exe",
    R"(\\server\share\folder with blanks\app.exe)",
    R"(\\?\C:\very long\app.exe)",
    R"(C:\ends with a backslash\)",
    R"(C:\ends with two\\)",
    R"(C:/forward slashes/app.exe)",
    "C:\\\xc3\xbcml\xc3\xa4ut \xe6\xbc\xa2\xe5\xad\x97\\app.exe",
    R"(app.exe)",
};

const words plain_arguments = {
    "run",
    "--port=80",
    "",
    " ",
    "  ",
    "\t",
    "a b",
    "a\tb",
    "\"",
    "\"\"",
    "\"\"\"",
    "a\"b",
    "\"a b\"",
    "a\"",
    "\"a",
    "\\",
    "\\\\",
    "\\\\\\",
    "\\\"",
    "\\\\\"",
    "\\\\\\\"",
    "a\\",
    "a b\\",
    "a b\\\\",
    "a b\\\"",
    "a\\\\b",
    "a\\ b",
    "\\ ",
    "\\\\ \\\\",
    "C:\\dir with blank\\",
    "x\"y\\\"z ",
    "' '",
    "%NAME%",
    "^&|<>()",
    "$(id)",
    "; rm",
    "*",
    "*.exe",
    "?",
    "a * b",
    "-",
    "--",
    "/install",
    "key=\"v v\"",
    "\n",
    "line\nline",
    "{\"a\":\"b\"}",
    "\\\"\\\" \\\\",
};

const words foreign_arguments = {"\xc3\xbc", "\xe6\xbc\xa2 \xe5\xad\x97", "\xf0\x9f\x94\x94"};

words joined(const std::string& first, const words& rest) {
  words all = {first};
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

words all_arguments() {
  words all = plain_arguments;
  all.insert(all.end(), foreign_arguments.begin(), foreign_arguments.end());
  return all;
}

}  // namespace

TEST_CASE("SCM rule 19 - a path is quoted whatever it contains") {
  for (const std::string& path : paths) {
    CHECK(join_command_line(path, {}) == '"' + path + '"');
    CHECK(split_command_line(join_command_line(path, {})) == words{path});
  }
}

TEST_CASE("every argument is found again by itself and after every path") {
  for (const std::string& argument : all_arguments()) {
    for (const std::string& path : paths) {
      CAPTURE(argument);
      CHECK(split_command_line(join_command_line(path, {argument})) == words{path, argument});
    }
  }
}

TEST_CASE("no argument spoils its neighbour") {
  for (const std::string& one : all_arguments()) {
    for (const std::string& other : all_arguments()) {
      const words both = {one, other, "end"};
      CHECK(split_command_line(join_command_line("x", both)) == joined("x", both));
    }
  }
}

TEST_CASE("what needs no quotes has none") {
  CHECK(join_command_line("a.exe", {"run", "--port=80", R"(C:\x\)"}) ==
        R"("a.exe" run --port=80 C:\x\)");
}

TEST_CASE("backslashes are doubled in front of a quote and nowhere else") {
  CHECK(join_command_line("a", {R"(x\y z)"}) == R"("a" "x\y z")");
  CHECK(join_command_line("a", {R"(x y\)"}) == R"("a" "x y\\")");
  CHECK(join_command_line("a", {R"(x\"y)"}) == R"("a" "x\\\"y")");
  CHECK(join_command_line("a", {""}) == R"("a" "")");
}

TEST_CASE("a line that others have written is split as the system splits it") {
  CHECK(split_command_line("").empty());
  CHECK(split_command_line(R"(C:\Program Files\a.exe x)") ==
        words{R"(C:\Program)", R"(Files\a.exe)", "x"});
  CHECK(split_command_line("a  b\t c ") == words{"a", "b", "c"});
  CHECK(split_command_line(R"(a b"c d"e)") == words{"a", "bc de"});
  CHECK(split_command_line(R"(a "b""c d" e)") == words{"a", "b\"c", "d e"});
  CHECK(split_command_line(R"(a "open end)") == words{"a", "open end"});
  CHECK(split_command_line(R"("a b)") == words{"a b"});
  CHECK(split_command_line(" a") == words{"", "a"});
}

#if CURFEW_WINDOWS

namespace {

words split_by_system(const std::string& line) {
  int count = 0;
  wchar_t** const parts = CommandLineToArgvW(curfew::detail::utf16(line).c_str(), &count);
  words found;
  for (int n = 0; n < count; ++n) found.push_back(curfew::detail::utf8(parts[n]));
  LocalFree(parts);
  return found;
}

}  // namespace

TEST_CASE("the system finds every argument again after every path") {
  for (const std::string& argument : all_arguments()) {
    for (const std::string& path : paths) {
      CAPTURE(argument);
      CHECK(split_by_system(join_command_line(path, {argument})) == words{path, argument});
    }
  }
  CHECK(split_by_system(join_command_line("x", all_arguments())) == joined("x", all_arguments()));
}

TEST_CASE("our split and that of the system agree on lines that others have written") {
  for (const char* line :
       {R"(C:\Program Files\a.exe x)", "a  b\t c ", R"(a b"c d"e)", R"(a "b""c d" e)",
        R"(a "b"""c d" e)", R"(a """b c""" d)", R"(a \"b c\" d)", R"(a \\"b c\\" d)", R"(a """" b)",
        R"(a """"" b)", R"(a "open end)", R"("a b)", " a", R"(a b\"c""d e)", R"(a "\"""" x)"}) {
    CAPTURE(line);
    CHECK(split_command_line(line) == split_by_system(line));
  }
}

TEST_CASE("a process finds every argument again") {
  std::string wanted;
  for (const std::string& a : plain_arguments) {
    wanted += std::to_string(a.size()) + ':' + a + '\n';
  }
  test::process child(join_command_line(test::beside_us("installer_argv.exe"), plain_arguments));
  CHECK(child.output() == wanted);
}

#endif
