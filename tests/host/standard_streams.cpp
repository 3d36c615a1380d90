// SPDX-License-Identifier: BSL-1.0
//
// Processes without standard streams.
#include <curfew/host/standard_streams.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "doctest/doctest.h"

namespace {

using curfew::detail::fill_standard_streams;
using curfew::detail::missing_streams;

const std::string programs = CURFEW_TEST_PROGRAM_DIR;

std::string take(const std::string& file) {
  std::ifstream in(file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  in.close();
  std::remove(file.c_str());
  return text;
}

std::string seen(const std::string& missing) {
  return "missing " + missing +
         "\nabove 1\ngood 11\nprinted 1\nraw 44\nend of input 1\nagain 000\n";
}

}  // namespace

TEST_CASE("where all streams are there nothing is missing") {
  CHECK(fill_standard_streams() == missing_streams{});
}

#if CURFEW_POSIX

#include <sys/stat.h>

#include "posix_support.hpp"

namespace {

/// Runs the program with some of its descriptors closed; the others are /dev/null.
std::string run_without(const std::string& closed) {
  const std::string file = programs + "/proc_streams_" + closed + ".txt";
  const std::string program = programs + "/proc_streams";
  const int code = test::in_child([&] {
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; ++fd) dup2(nothing, fd);
    for (const char fd : closed) close(fd - '0');
    execl(program.c_str(), program.c_str(), "run", file.c_str(), nullptr);
    return 126;
  });
  CHECK(code == 0);
  return take(file);
}

bool same_as_nothing(int fd) {
  struct stat a = {};
  struct stat b = {};
  return fstat(fd, &a) == 0 && stat("/dev/null", &b) == 0 && a.st_rdev == b.st_rdev;
}

}  // namespace

TEST_CASE("streams that do not exist are nothing and no other file takes their place") {
  CHECK(run_without("") == seen("000"));
  CHECK(run_without("012") == seen("111"));
  CHECK(run_without("0") == seen("100"));
  CHECK(run_without("1") == seen("010"));
  CHECK(run_without("2") == seen("001"));
  CHECK(run_without("02") == seen("101"));
}

TEST_CASE("descriptors that were filled are passed on to children and errno stays") {
  const int answer = test::in_child([] {
    for (int fd = 0; fd < 3; ++fd) close(fd);
    errno = 4711;
    if (fill_standard_streams() != missing_streams{true, true, true}) return 1;
    if (errno != 4711) return 2;
    for (int fd = 0; fd < 3; ++fd) {
      if (!same_as_nothing(fd) || fcntl(fd, F_GETFD) != 0) return 3;
    }
    return fcntl(3, F_GETFD) == -1 || !same_as_nothing(3) ? 0 : 4;
  });
  CHECK(answer == 0);
}

#else

TEST_CASE("in a process that was started without handles the streams swallow what they get") {
  const std::string file = programs + "/proc_streams.txt";
  const std::string command = "\"\"" + programs + "/proc_streams.exe\" without \"" + file + "\"\"";
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(take(file) == seen("111"));
}

#endif
