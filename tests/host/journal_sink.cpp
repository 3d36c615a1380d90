// SPDX-License-Identifier: BSL-1.0
//
// Lines for the journal: their prefixes, and readers that do not read.
#include <curfew/config.hpp>

#include "doctest/doctest.h"

#if CURFEW_LINUX

#include <curfew/host/posix/journal_sink.hpp>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>

#include "posix_support.hpp"

namespace {

using curfew::journal_sink;
using curfew::severity;
using curfew::detail::is_journal;

/// The two ends of what stderr may be.
struct channel {
  enum class kind { socket, pipe };

  explicit channel(kind k = kind::socket) {
    if (k == kind::socket) REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    if (k == kind::pipe) REQUIRE(pipe(ends) == 0);
  }
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  ~channel() {
    hang_up();
    close(ends[1]);
  }
  void hang_up() {
    if (ends[0] != -1) close(ends[0]);
    ends[0] = -1;
  }
  [[nodiscard]] int writing() const { return ends[1]; }

  /// What has been written so far.
  std::string read_all() {
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    std::string text;
    char bytes[65536];
    for (ssize_t n = 0; (n = read(ends[0], bytes, sizeof bytes)) > 0;)
      text.append(bytes, static_cast<std::size_t>(n));
    return text;
  }
  void fill() const {
    const int flags = fcntl(ends[1], F_GETFL);
    fcntl(ends[1], F_SETFL, flags | O_NONBLOCK);
    const std::string page(4096, 'x');
    while (write(ends[1], page.data(), page.size()) > 0) {
    }
    while (write(ends[1], page.data(), 1) > 0) {
    }
    fcntl(ends[1], F_SETFL, flags);
  }

  int ends[2] = {-1, -1};
};

std::string written(severity level, std::string_view text) {
  channel c;
  journal_sink sink(c.writing());
  sink.write(level, text);
  return c.read_all();
}

std::string name_of(int fd, int add = 0) {
  struct stat s = {};
  fstat(fd, &s);
  return std::to_string(s.st_dev) + ":" + std::to_string(s.st_ino + static_cast<ino_t>(add));
}

}  // namespace

TEST_CASE("POSIX rule 42 - each line begins with its priority") {
  CHECK(written(severity::error, "down") == "<3>down\n");
  CHECK(written(severity::warning, "late") == "<4>late\n");
  CHECK(written(severity::notice, "up") == "<5>up\n");
  CHECK(written(severity::info, "so") == "<6>so\n");
  CHECK(written(severity::debug, "x = 1") == "<7>x = 1\n");
}

TEST_CASE("POSIX rule 42 - a text of several lines has a prefix on each of them") {
  CHECK(written(severity::error, "one\ntwo\n\n<0>three\n") == "<3>one\n<3>two\n<3><0>three\n");
  CHECK(written(severity::error, "").empty());
  CHECK(written(severity::error, "\n\n").empty());
}

TEST_CASE("what cannot be printed becomes blanks and UTF-8 stays") {
  CHECK(written(severity::info, std::string_view("a\tb\x1b[2J\r\0c\x7f", 11)) ==
        "<6>a b [2J  c \n");
  CHECK(written(severity::info, "caf\xc3\xa9 \xff!") == "<6>caf\xc3\xa9  !\n");
}

TEST_CASE("a line that is too long goes on in another one of the same priority") {
  const std::string text(5000, 'x');
  std::string seen = written(severity::warning, text + "\nlast");
  std::string joined;
  std::size_t count = 0;
  for (std::size_t end = 0; (end = seen.find('\n')) != seen.npos; seen.erase(0, end + 1)) {
    CHECK(seen.substr(0, 3) == "<4>");
    joined += seen.substr(3, end - 3);
    ++count;
  }
  CHECK(joined == text + "last");
  CHECK(count == 4);
}

TEST_CASE("the journal is known by the device and inode of the stream") {
  const channel c;
  const channel other;
  const std::string name = name_of(c.writing());
  CHECK(is_journal(c.writing(), name.c_str()));
  CHECK_FALSE(is_journal(other.writing(), name.c_str()));
  CHECK_FALSE(is_journal(c.writing(), name_of(c.writing(), 1).c_str()));
  CHECK_FALSE(is_journal(-1, name.c_str()));
  CHECK_FALSE(is_journal(c.writing(), nullptr));
  for (const auto& nonsense : {std::string(), std::string(":"), name + ":", name + " ", " " + name,
                               "-" + name, name.substr(0, name.find(':')), std::string("a:b")}) {
    CHECK_FALSE(is_journal(c.writing(), nonsense.c_str()));
  }
}

TEST_CASE("POSIX rule 42 - stderr is the journal until it is redirected") {
  const channel c;
  const std::string name = name_of(c.writing());
  const int answer = test::in_child([&] {
    dup2(c.writing(), 2);
    const bool before = curfew::detail::stderr_is_journal(name.c_str());
    dup2(open("/dev/null", O_WRONLY), 2);
    return (before ? 1 : 0) + (curfew::detail::stderr_is_journal(name.c_str()) ? 2 : 0);
  });
  CHECK(answer == 1);
}

TEST_CASE("a reader that does not read holds up nothing and gets the next line when it reads") {
  for (const auto kind : {channel::kind::socket, channel::kind::pipe}) {
    channel c(kind);
    c.fill();
    journal_sink sink(c.writing());
    sink.write(severity::info, "lost");
    sink.write(severity::info, "lost as well");
    const std::string before = c.read_all();
    CHECK(before.find("lost") == before.npos);
    errno = 4711;
    sink.write(severity::info, "heard");
    CHECK(errno == 4711);
    CHECK(c.read_all() == "<6>heard\n");
  }
}

TEST_CASE("a reader that has gone is no signal and no hang") {
  const test::disposition plain(SIGPIPE, SIG_DFL);
  for (const auto kind : {channel::kind::socket, channel::kind::pipe}) {
    const int answer = test::in_child([&] {
      channel c(kind);
      journal_sink sink(c.writing());
      shutdown(c.ends[0], SHUT_RD);  // between the look for a reader and the writing to him
      if (kind == channel::kind::socket) sink.write(severity::error, "nobody hears this");
      c.hang_up();
      sink.write(severity::error, "nor this");
      return 3;
    });
    CHECK(answer == 3);
  }
}

TEST_CASE("lines of several threads do not mix") {
  for (const auto kind : {channel::kind::socket, channel::kind::pipe}) {
    channel c(kind);
    journal_sink sink(c.writing());
    constexpr std::size_t each = 200;
    const std::string text(1500, 'x');
    std::vector<std::thread> writers;
    for (int i = 0; i < 3; ++i) {
      writers.emplace_back([&] {
        for (std::size_t n = 0; n < each; ++n) sink.write(severity::info, text);
      });
    }
    const std::string line = "<6>" + text + "\n";
    const std::size_t whole = 3 * each * line.size();
    std::string seen;
    char bytes[65536];
    while (seen.size() < whole) {
      const ssize_t n = read(c.ends[0], bytes, sizeof bytes);
      REQUIRE(n > 0);
      seen.append(bytes, static_cast<std::size_t>(n));
    }
    for (auto& w : writers) w.join();
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < seen.size(); at += line.size())
      wrong += seen.compare(at, line.size(), line) == 0 ? 0u : 1u;
    CHECK(wrong == 0);
  }
}

#else

TEST_CASE("these tests are for Linux") { CHECK(true); }

#endif
