// SPDX-License-Identifier: BSL-1.0
//
// Other processes end, and whoever watches them knows.
#include <curfew/service/detail/end_process.hpp>
#include <curfew/service/detail/process_watch.hpp>
#include <curfew/stop/stop_token.hpp>

#include <doctest/doctest.h>

#include <chrono>

#if CURFEW_POSIX
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace std::chrono_literals;
using curfew::detail::process_watch;

TEST_CASE("nobody has not ended") {
  const curfew::stop_source now(0ms);
  process_watch w;
  CHECK_FALSE(w.known());
  CHECK_FALSE(w.ended());
  CHECK_FALSE(w.await_end(now.get_token()));
}

TEST_CASE("this process has not ended and is waited for as long as the limit says") {
  process_watch w;
  w.watch(curfew::detail::process_id());
  CHECK(w.known());
  CHECK_FALSE(w.ended());
  const curfew::stop_source soon(20ms);
  CHECK_FALSE(w.await_end(soon.get_token()));
}

TEST_CASE("a process that is not there has ended") {
  process_watch w;
  w.watch(0x3fff'fffc);  // more than any system has; on Windows numbers are multiples of four
  CHECK(w.known());
  CHECK(w.ended());
  CHECK(w.await_end({}));
  w.watch(0);
  CHECK_FALSE(w.ended());
}

#if CURFEW_POSIX
TEST_CASE("a process that is killed has ended before anybody has waited for it") {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  process_watch w;
  w.watch(child);
  CHECK_FALSE(w.ended());
  kill(child, SIGKILL);
  if (CURFEW_LINUX != 0) CHECK(w.await_end({}));
  waitpid(child, nullptr, 0);
  CHECK(w.await_end({}));
  CHECK(w.ended());
}
#endif
