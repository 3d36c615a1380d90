// SPDX-License-Identifier: BSL-1.0
#include <curfew/host/posix/ready_descriptor.hpp>

#include <doctest/doctest.h>

#if CURFEW_POSIX

#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

using curfew::ready_descriptor;

namespace {

// A pipe of a supervisor's; the program has the other end.
class supervisor {
 public:
  supervisor() {
    int ends[2] = {};
    REQUIRE(pipe(ends) == 0);
    ours_ = ends[0];
    theirs = ends[1];
    setenv(ready_descriptor::variable, std::to_string(theirs).c_str(), 1);
  }
  ~supervisor() {
    hang_up();
    unsetenv(ready_descriptor::variable);
  }
  void hang_up() {
    if (ours_ >= 0) close(ours_);
    ours_ = -1;
  }
  // All until its end, or what is there now.
  std::string heard(bool to_the_end) {
    fcntl(ours_, F_SETFL, to_the_end ? 0 : O_NONBLOCK);
    std::string text;
    char byte = 0;
    while (read(ours_, &byte, 1) == 1) text += byte;
    return text;
  }

  int theirs = -1;

 private:
  int ours_ = -1;
};

std::error_code error_of(const char* value) {
  setenv(ready_descriptor::variable, value, 1);
  std::error_code ec;
  const ready_descriptor pipe(ec);
  CHECK_FALSE(pipe.is_awaited());
  CHECK(std::getenv(ready_descriptor::variable) == nullptr);
  return ec;
}

}  // namespace

TEST_CASE("a supervisor hears a newline and the end of the pipe once the service is ready") {
  supervisor s;
  std::error_code ec;
  ready_descriptor pipe(ec);
  CHECK_FALSE(ec);
  CHECK(pipe.is_awaited());
  CHECK(s.heard(false).empty());
  pipe.tell();
  pipe.tell();
  CHECK(s.heard(true) == "\n");
  CHECK_FALSE(pipe.is_awaited());
}

TEST_CASE("a service that ends before it is ready says nothing and closes the pipe") {
  supervisor s;
  std::error_code ec;
  { const ready_descriptor pipe(ec); }
  CHECK(s.heard(true).empty());
}

TEST_CASE("no child finds the pipe") {
  const supervisor s;
  std::error_code ec;
  const ready_descriptor pipe(ec);
  CHECK(std::getenv(ready_descriptor::variable) == nullptr);
  CHECK((fcntl(s.theirs, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a supervisor that has gone is no end by a signal") {
  supervisor s;
  std::error_code ec;
  ready_descriptor pipe(ec);
  s.hang_up();
  pipe.tell();
  CHECK_FALSE(pipe.is_awaited());
}

TEST_CASE("many threads that are ready tell it once") {
  supervisor s;
  std::error_code ec;
  ready_descriptor pipe(ec);
  std::vector<std::thread> threads;
  for (int i = 0; i != 4; ++i) threads.emplace_back([&] { pipe.tell(); });
  for (std::thread& t : threads) t.join();
  CHECK(s.heard(true) == "\n");
}

TEST_CASE("what names no open pipe is an error and what is not named is none") {
  for (const char* value : {"", "three", "3x", "-1", "2", "1", "99999999999"})
    CHECK(error_of(value) == std::errc::invalid_argument);
  CHECK(error_of("987") == std::errc::bad_file_descriptor);
  std::error_code ec = std::make_error_code(std::errc::io_error);
  const ready_descriptor nobody(ec);
  CHECK_FALSE(ec);
  CHECK_FALSE(nobody.is_awaited());
}

#else

TEST_CASE("there are no such supervisors on this system") { CHECK(CURFEW_POSIX == 0); }

#endif
