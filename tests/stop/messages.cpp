// SPDX-License-Identifier: BSL-1.0
//
// What the stop floor says on stderr, and when it ends a program; in a child, which may die of it.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <optional>
#include <string>

#if CURFEW_POSIX
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace std::chrono_literals;

#if CURFEW_POSIX

namespace {

struct ending {
  int signal = 0;    // that it died of; 0: it did not
  std::string said;  // on stderr
};

// Runs f in a child.
template <class F>
ending in_a_child(F f) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::signal(SIGABRT, SIG_DFL);  // the test program's own handler would tell the parent's story
    f();
    ::_exit(0);
  }
  ::close(ends[1]);
  ending e;
  char part[256];
  for (ssize_t n = 0; (n = ::read(ends[0], part, sizeof part)) > 0;)
    e.said.append(part, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) e.signal = WTERMSIG(status);
  return e;
}

bool has(const std::string& text, const char* part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("an inplace source destroyed inside its own callback ends the program and says why") {
  const ending e = in_a_child([] {
    std::optional<curfew::inplace_stop_source> source;
    source.emplace();
    const curfew::inplace_stop_callback cb(source->get_token(), [&] { source.reset(); });
    source->request_stop();
  });
  CHECK(e.signal == SIGABRT);
  CHECK(has(e.said, "curfew: an inplace_stop_source was destroyed inside one of its own stop"));
  CHECK(has(e.said, "or use a stop_source"));
}

#if CURFEW_EXCEPTIONS
TEST_CASE("an exception that leaves a callback ends the program") {
  const ending e = in_a_child([] {
    curfew::stop_source source;
    const curfew::stop_callback cb(source.get_token(), [] { throw 1; });
    source.request_stop();
  });
  CHECK(e.signal == SIGABRT);
}
#endif

#if !TEST_THREAD_SANITIZER  // it wants no threads in a child
TEST_CASE("a callback that holds up the timer is named") {
  const ending e = in_a_child([] {
    struct slow_reload {
      void operator()() const { std::this_thread::sleep_for(1500ms); }
    };
    curfew::stop_source late{1ms};
    const curfew::stop_callback cb(late.get_token(), slow_reload{});
    late.get_token().wait();
    std::this_thread::sleep_for(1400ms);
  });
  CHECK(e.signal == 0);
  CHECK(has(e.said, "curfew: a stop callback has been running for a second"));
  CHECK(has(e.said, "slow_reload"));
}
#endif

#else

TEST_CASE("messages are read from a child which this system cannot fork") { CHECK(true); }

#endif
