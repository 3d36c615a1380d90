// SPDX-License-Identifier: BSL-1.0
//
// The bridge in whole programs: how they end, who asked, and what they inherited.
#include <curfew/host/signals.hpp>

#include <fstream>
#include <string>

#include "doctest/doctest.h"
#include "support.hpp"

#if CURFEW_POSIX

#include "posix_support.hpp"

namespace {

using test::program;

const std::string child = std::string(CURFEW_TEST_PROGRAM_DIR) + "/signal_child";
const std::string me = std::to_string(getpid()) + " " + std::to_string(getuid());

/// Sends three signals and checks what the program says and how it ends.
void escalate(program& p, const std::string& sender) {
  p.send(SIGTERM);
  CHECK(p.line() == "stop 3 15 " + sender);
  p.send(SIGINT);
  CHECK(p.line() == "hurry 3 2 " + sender);
  p.send(SIGTERM);
  CHECK(p.line().empty());
}

/// The first process of the namespace that a program called unshare has made.
pid_t child_of(pid_t pid) {
  const auto id = std::to_string(pid);
  pid_t found = 0;
  std::ifstream("/proc/" + id + "/task/" + id + "/children") >> found;
  return found;
}

}  // namespace

TEST_CASE("the third signal ends the program with 128 and its number and without destructors") {
  program p({child, "stop"});
  REQUIRE(p.line() == "ready");
  escalate(p, me);
  CHECK(p.end() == 128 + SIGTERM);
}

TEST_CASE("nothing that user code does holds up the three signals") {
  program p({child, "busy"});
  REQUIRE(p.line() == "ready");
  escalate(p, me);
  CHECK(p.end() == 128 + SIGTERM);
}

TEST_CASE("after one signal main returns as it likes") {
  program p({child, "main"});
  REQUIRE(p.line() == "ready");
  p.send(SIGINT);
  CHECK(p.line() == "destructor");
  CHECK(p.end() == 5);
}

TEST_CASE("a program under nohup is not stopped by a hangup") {
  program p({"nohup", child, "ignore"});
  CHECK(p.line() == "ignored 1");
  REQUIRE(p.line() == "ready");
  p.send(SIGHUP);
  escalate(p, me);
  CHECK(p.end() == 128 + SIGTERM);
}

TEST_CASE("a background job of a shell is not stopped by an interrupt") {
  program p({"sh", "-c", "trap '' INT; exec \"$0\" ignore", child});
  CHECK(p.line() == "ignored 2");
  REQUIRE(p.line() == "ready");
  p.send(SIGINT);
  p.send(SIGTERM);
  CHECK(p.line() == "stop 3 15 " + me);
}

TEST_CASE("a signal to a forked child does not reach the bridge of the parent") {
  if (CURFEW_TEST_TSAN) return;  // which delivers no signal to handlers of such a child
  program p({child, "fork"});
  const auto line = p.line();
  REQUIRE(line.rfind("child ", 0) == 0);
  kill(static_cast<pid_t>(std::stol(line.substr(6))), SIGTERM);
  CHECK(p.line() == "ended by 15");
  CHECK(p.line() == "not stopped");
  REQUIRE(p.line() == "ready");
  escalate(p, me);
  CHECK(p.end() == 128 + SIGTERM);
}

TEST_CASE("the first process of a container is stopped and ended by signals") {
  program p({"unshare", "-p", "-f", "--mount-proc", "--kill-child", child, "stop"});
  if (p.line() != "ready") {
    MESSAGE("not possible here: a PID namespace needs root");
    return;
  }
  const pid_t first = child_of(p.pid());
  REQUIRE(first > 0);
  kill(first, SIGTERM);
  CHECK(p.line() == "stop 3 15 0 0");  // the sender is outside of what it can see
  kill(first, SIGINT);
  CHECK(p.line() == "hurry 3 2 0 0");
  kill(first, SIGINT);
  CHECK(p.line().empty());
  CHECK(p.end() == 128 + SIGINT);
}

#else

TEST_CASE("these tests are for POSIX systems") { CHECK(true); }

#endif
