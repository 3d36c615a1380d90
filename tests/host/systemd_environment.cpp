// SPDX-License-Identifier: BSL-1.0
//
// What systemd says in the environment, to this process and to ones that a test starts.
#include <curfew/config.hpp>

#include "doctest/doctest.h"

#if CURFEW_LINUX

#include <curfew/host/systemd/environment.hpp>
#include <curfew/host/systemd/listen_fds.hpp>
#include <curfew/host/systemd/systemd_link.hpp>

#include "posix_support.hpp"

#include <chrono>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace std::chrono_literals;
using curfew::passed_descriptors;
using curfew::read_systemd_environment;
using names = std::vector<std::string>;

namespace {

/// Variables for the time of a test; whoever runs the tests may be a service itself.
struct environment {
  environment() {
    curfew::clear_systemd_environment();
    unsetenv("JOURNAL_STREAM");
    unsetenv("INVOCATION_ID");
  }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;
  ~environment() {
    for (const auto& name : set_) unsetenv(name.c_str());
  }
  void set(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }

 private:
  names set_;
};

const std::string me = std::to_string(getpid());
const std::string parent = std::to_string(getppid());

bool is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }

/// A pipe whose ends a child finds at 3 and 4, whatever is open here.
struct passed_pipe {
  passed_pipe() { made = pipe2(ends, O_CLOEXEC) == 0; }
  passed_pipe(const passed_pipe&) = delete;
  passed_pipe& operator=(const passed_pipe&) = delete;
  ~passed_pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  std::string text() {
    close(std::exchange(ends[1], -1));
    char bytes[16];
    const ssize_t n = read(ends[0], bytes, sizeof bytes);
    return {bytes, n > 0 ? static_cast<std::size_t>(n) : 0};
  }

  int ends[2] = {-1, -1};
  bool made = false;
};

/// Starts the reader, as systemd starts a service, with both ends of the pipe from 3 on; "PID" in a
/// value becomes the child's own. What it said, line by line.
names said_by_child(passed_pipe& passed, std::vector<std::pair<std::string, std::string>> variables,
                    names arguments) {
  arguments.insert(arguments.begin(), CURFEW_TEST_PROGRAM_DIR "/systemd_environment_reader");
  std::vector<char*> argv;
  for (auto& a : arguments) argv.push_back(a.data());
  argv.push_back(nullptr);
  passed_pipe out;
  const pid_t pid = fork();
  if (pid == 0) {
    const int high[] = {fcntl(passed.ends[0], F_DUPFD_CLOEXEC, 20),
                        fcntl(passed.ends[1], F_DUPFD_CLOEXEC, 20),
                        fcntl(out.ends[1], F_DUPFD_CLOEXEC, 20)};
    dup2(high[2], 1);
    for (int fd = 3; fd < 20; ++fd) close(fd);
    dup2(high[0], 3);
    dup2(high[1], 4);
    for (auto& [name, value] : variables)
      setenv(name.c_str(), value == "PID" ? std::to_string(getpid()).c_str() : value.c_str(), 1);
    execv(argv[0], argv.data());
    _exit(126);
  }
  close(std::exchange(out.ends[1], -1));
  std::string all;
  char bytes[512];
  for (ssize_t n = 0; (n = read(out.ends[0], bytes, sizeof bytes)) > 0;)
    all.append(bytes, static_cast<std::size_t>(n));
  CHECK(test::wait_for_end(pid) == 0);
  names lines;
  for (std::size_t end = 0; (end = all.find('\n')) != all.npos; all.erase(0, end + 1))
    lines.push_back(all.substr(0, end));
  return lines;
}

}  // namespace

TEST_CASE_FIXTURE(environment, "without systemd there is nothing") {
  const auto said = read_systemd_environment();
  CHECK(said.notify_socket.empty());
  CHECK(said.watchdog == 0s);
  CHECK(said.descriptor_names.empty());
  CHECK(!said.journal);
  CHECK(!said.is_journal(STDERR_FILENO));
  CHECK(said.invocation_id.empty());
  CHECK(passed_descriptors(said).empty());
  const curfew::systemd_link link;
  CHECK(link.passed.empty());
  CHECK_FALSE(link.notifications.has_value());
  CHECK(link.invocation_id.empty());
}

TEST_CASE_FIXTURE(environment, "addresses and ids are read as they are") {
  set("NOTIFY_SOCKET", "@/org/freedesktop/systemd1/notify/1");
  set("INVOCATION_ID", "0123456789abcdef0123456789abcdef");
  const auto said = read_systemd_environment();
  CHECK(said.notify_socket == "@/org/freedesktop/systemd1/notify/1");
  CHECK(said.invocation_id == "0123456789abcdef0123456789abcdef");
}

TEST_CASE_FIXTURE(environment, "systemd rule 40 - a watchdog is ours or nobodys in particular") {
  set("WATCHDOG_USEC", "2500000");
  CHECK(read_systemd_environment().watchdog == 2500ms);
  set("WATCHDOG_PID", me);
  CHECK(read_systemd_environment().watchdog == 2500ms);
  set("WATCHDOG_PID", "");
  CHECK(read_systemd_environment().watchdog == 2500ms);
  for (const std::string& other : {parent, me + "0", me + " ", std::string("x")}) {
    set("WATCHDOG_PID", other);
    CHECK(read_systemd_environment().watchdog == 0s);
  }
}

TEST_CASE_FIXTURE(environment, "a watchdog interval that is no positive number is none") {
  for (const char* bad : {"", "0", "-1", "2s", " 1", "1 ", "99999999999999999999"}) {
    set("WATCHDOG_USEC", bad);
    CHECK(read_systemd_environment().watchdog == 0s);
  }
}

TEST_CASE_FIXTURE(environment,
                  "systemd rule 41 - descriptors are ours only with our own process id") {
  set("LISTEN_FDS", "2");
  set("LISTEN_FDNAMES", "web:admin");
  CHECK(read_systemd_environment().descriptor_names.empty());
  for (const std::string& other : {parent, std::string(), me + "x"}) {
    set("LISTEN_PID", other);
    CHECK(read_systemd_environment().descriptor_names.empty());
  }
  set("LISTEN_PID", me);
  CHECK(read_systemd_environment().descriptor_names == names{"web", "admin"});
}

TEST_CASE_FIXTURE(environment, "descriptors without a name are unknown and surplus names nothing") {
  set("LISTEN_PID", me);
  set("LISTEN_FDS", "3");
  CHECK(read_systemd_environment().descriptor_names == names{"unknown", "unknown", "unknown"});
  set("LISTEN_FDNAMES", "web");
  CHECK(read_systemd_environment().descriptor_names == names{"web", "unknown", "unknown"});
  set("LISTEN_FDNAMES", "web::stored:more");
  CHECK(read_systemd_environment().descriptor_names == names{"web", "unknown", "stored"});
}

TEST_CASE_FIXTURE(environment, "a number of descriptors that cannot be is none") {
  set("LISTEN_PID", me);
  for (const char* bad : {"", "0", "-1", "x", "1x", "2000000000", "99999999999"}) {
    set("LISTEN_FDS", bad);
    CHECK(read_systemd_environment().descriptor_names.empty());
  }
}

TEST_CASE_FIXTURE(environment,
                  "systemd rule 42 - a stream is the journal when device and inode agree") {
  passed_pipe stream;
  struct stat found = {};
  REQUIRE(fstat(stream.ends[1], &found) == 0);
  const std::string right = std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino);
  set("JOURNAL_STREAM", right);
  CHECK(read_systemd_environment().is_journal(stream.ends[1]));
  CHECK(!read_systemd_environment().is_journal(STDIN_FILENO));
  CHECK(!read_systemd_environment().is_journal(-1));
  for (const std::string& wrong : {right + "0", right + "x", right.substr(0, right.find(':')),
                                   std::string(":"), std::string("1:")}) {
    set("JOURNAL_STREAM", wrong);
    CHECK(!read_systemd_environment().is_journal(stream.ends[1]));
  }
}

TEST_CASE_FIXTURE(environment,
                  "systemd rule 43 - what children must not see is cleared and the rest is kept") {
  const names private_ones{"NOTIFY_SOCKET", "WATCHDOG_USEC",  "WATCHDOG_PID",   "LISTEN_PID",
                           "LISTEN_FDS",    "LISTEN_FDNAMES", "LISTEN_PIDFDID", "FDSTORE"};
  for (const auto& name : private_ones) set(name, "1");
  set("INVOCATION_ID", "1");
  set("JOURNAL_STREAM", "1:1");
  curfew::clear_systemd_environment();
  for (const auto& name : private_ones) CHECK(std::getenv(name.c_str()) == nullptr);
  CHECK(std::getenv("INVOCATION_ID") != nullptr);
  CHECK(std::getenv("JOURNAL_STREAM") != nullptr);
}

TEST_CASE(
    "systemd rule 41 - a started program gets its descriptors from 3 on and closes what it "
    "leaves") {
  passed_pipe pipe;
  REQUIRE(pipe.made);
  const auto said = said_by_child(pipe,
                                  {{"LISTEN_PID", "PID"},
                                   {"LISTEN_FDS", "2"},
                                   {"LISTEN_FDNAMES", "in:out"},
                                   {"NOTIFY_SOCKET", "/run/notify"},
                                   {"WATCHDOG_PID", "PID"},
                                   {"WATCHDOG_USEC", "3000000"},
                                   {"INVOCATION_ID", "77"}},
                                  {"out"});
  CHECK(said == names{"notify '/run/notify' watchdog 3000000", "3 in", "4 out", "took 4", "open 4",
                      "invocation 77 for children too"});
  CHECK(pipe.text() == "hello");
}

TEST_CASE("systemd rule 41 - a started program leaves the descriptors of another process alone") {
  passed_pipe pipe;
  const auto said = said_by_child(pipe,
                                  {{"LISTEN_PID", me},
                                   {"LISTEN_FDS", "2"},
                                   {"WATCHDOG_PID", me},
                                   {"WATCHDOG_USEC", "3000000"},
                                   {"INVOCATION_ID", "77"}},
                                  {"unknown"});
  CHECK(said == names{"notify '' watchdog 0", "took -1", "open 3", "open 4",
                      "invocation 77 for children too"});
}

TEST_CASE("descriptors that are not there are left out whatever the environment says") {
  passed_pipe pipe;
  const auto said = said_by_child(
      pipe, {{"LISTEN_PID", "PID"}, {"LISTEN_FDS", "900000"}, {"INVOCATION_ID", "77"}}, {});
  CHECK(said ==
        names{"notify '' watchdog 0", "3 unknown", "4 unknown", "invocation 77 for children too"});
}

TEST_CASE("of several descriptors of one name each is taken once in their order") {
  CHECK(test::in_child([] {
          for (int fd = 3; fd < 6; ++fd) dup2(STDERR_FILENO, fd);
          curfew::systemd_environment said;
          said.descriptor_names = {"web", "admin", "web"};
          passed_descriptors passed(said);
          if (passed.size() != 3) return 1;
          if (passed.take("web") != 3 || passed.take("web") != 5 || passed.take("web") != -1)
            return 2;
          if (passed.size() != 1 || passed.begin()->name != "admin") return 3;
          return 0;
        }) == 0);
}

TEST_CASE("descriptors move with their owner and the last one closes them") {
  CHECK(test::in_child([] {
          for (int fd = 3; fd < 5; ++fd) dup2(STDERR_FILENO, fd);
          curfew::systemd_environment said;
          said.descriptor_names = {"first"};
          passed_descriptors one(said);
          {
            passed_descriptors two(std::move(one));
            if (!one.empty() || two.size() != 1 || !is_open(3)) return 1;
            one = std::move(two);
            if (!two.empty() || one.size() != 1) return 2;
          }
          if (!is_open(3)) return 3;
          one = passed_descriptors();
          return is_open(3) || !is_open(4) ? 4 : 0;
        }) == 0);
}

#else

TEST_CASE("these tests are for Linux") { CHECK(true); }

#endif
