// SPDX-License-Identifier: BSL-1.0
//
// Children that others have left behind.
#include <curfew/host/reaper.hpp>

#include "doctest/doctest.h"

TEST_CASE("without children there is nothing to wait for") {
  CHECK(curfew::detail::reap_children() == 0);
}

#if CURFEW_POSIX

#include <curfew/host/signals.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>

#include <unistd.h>

#include "posix_support.hpp"
#include "support.hpp"

#if CURFEW_LINUX
#include <sys/prctl.h>
#endif

namespace {

using curfew::detail::reap_children;

/// A child that ends when `gate` is closed.
pid_t start_child(const int (&gate)[2]) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  char c = 0;
  close(gate[1]);
  _exit(read(gate[0], &c, 1) == 0 ? 0 : 1);
}

/// None that runs and none that has ended.
bool has_no_children() {
  siginfo_t info = {};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

/// Has ended and is still in the table.
void await_end_of(pid_t pid) {
  siginfo_t info = {};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
}

}  // namespace

TEST_CASE("all that have ended are reaped and none that still runs") {
  int gate[2] = {};
  REQUIRE(pipe(gate) == 0);
  const pid_t running = start_child(gate);
  for (int i = 0; i < 5; ++i) {
    const pid_t ended = fork();
    if (ended == 0) _exit(i);
    await_end_of(ended);
  }
  errno = 4711;
  CHECK(reap_children() == 5);
  CHECK(errno == 4711);
  CHECK(reap_children() == 0);
  CHECK(kill(running, 0) == 0);
  close(gate[1]);
  await_end_of(running);
  CHECK(reap_children() == 1);
  CHECK(has_no_children());
  close(gate[0]);
}

TEST_CASE("POSIX rule 35 - children that end together are all reaped by the function for SIGCHLD") {
  constexpr std::size_t count = 20;
  std::atomic<std::size_t> reaped{0};
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop);
  bridge.on(SIGCHLD, [&] { reaped += reap_children(); });
  int gate[2] = {};
  REQUIRE(pipe(gate) == 0);
  for (std::size_t i = 0; i < count; ++i) REQUIRE(start_child(gate) > 0);
  close(gate[1]);
  CHECK(test::becomes([&] { return reaped == count; }));
  CHECK(has_no_children());
  close(gate[0]);
}

#if CURFEW_LINUX

TEST_CASE("what a child leaves behind is reaped by whoever asked for it") {
  const int answer = test::in_child([] {
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return 77;
    const pid_t child = fork();
    if (child == 0) {
      if (fork() == 0) _exit(0);
      _exit(0);
    }
    std::size_t reaped = 0;
    while (!has_no_children()) reaped += reap_children();
    return reaped == 2 ? 0 : 1;
  });
  if (answer == 77) MESSAGE("skipped: nobody can ask for that here");
  CHECK((answer == 0 || answer == 77));
}

#endif
#endif
