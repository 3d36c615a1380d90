// SPDX-License-Identifier: BSL-1.0
//
// The bridge and real signals of this process.
#include <curfew/host/signals.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#if CURFEW_POSIX

#include "posix_support.hpp"

namespace {

using curfew::signal_bridge;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::stop_source;
using test::becomes;
using test::plain;
using test::stops;

std::atomic<int> foreign{0};
void foreign_handler(int) {
  ++foreign;
  errno = EDOM;
}

std::atomic<int> chained{0};
std::atomic<int> errno_after_ours{0};
struct sigaction before_chaining = {};
void chaining_handler(int signal, siginfo_t* info, void* context) {
  const int kept = errno;
  ++chained;
  errno = ERANGE;
  before_chaining.sa_sigaction(signal, info, context);
  errno_after_ours = errno;
  errno = kept;
}

}  // namespace

TEST_CASE_FIXTURE(plain, "a signal sent by kill names this process and its user") {
  stop_source source;
  signal_bridge bridge(source);
  kill(getpid(), SIGTERM);
  REQUIRE(stops(source.get_token()));
  CHECK(source.get_token().reason() ==
        stop_reason{stop_cause::signal, SIGTERM, getpid(), static_cast<std::int64_t>(getuid())});
}

TEST_CASE_FIXTURE(plain, "a signal from another process names that process and its user") {
  stop_source source;
  signal_bridge bridge(source);
  const pid_t parent = getpid();
  const pid_t sender = fork();
  if (sender == 0) {
    kill(parent, SIGINT);
    _exit(0);
  }
  test::wait_for_end(sender);
  REQUIRE(stops(source.get_token()));
  CHECK(source.get_token().reason() ==
        stop_reason{stop_cause::signal, SIGINT, sender, static_cast<std::int64_t>(getuid())});
}

TEST_CASE_FIXTURE(plain, "raise and sigqueue tell the sender too") {
  stop_source source;
  signal_bridge bridge(source, {.same_press = {}});
  raise(SIGTERM);
  REQUIRE(stops(source.get_token()));
  CHECK(source.get_token().reason().pid == getpid());
  sigqueue(getpid(), SIGINT, sigval{});
  REQUIRE(stops(bridge.hurry()));
  CHECK(bridge.hurry().reason().pid == getpid());
  CHECK(bridge.hurry().reason().code == SIGINT);
}

TEST_CASE_FIXTURE(plain, "what the program sends itself is a press each time however soon") {
  stop_source source;
  signal_bridge bridge(source, {.same_press = std::chrono::hours(1)});
  raise(SIGTERM);
  raise(SIGTERM);
  CHECK(stops(source.get_token()));
  CHECK(stops(bridge.hurry()));
}

TEST_CASE_FIXTURE(plain, "a signal of the kernel has no sender") {
  stop_source source;
  signal_bridge bridge(source, {.stop_on = {SIGALRM}});
  ualarm(1000, 0);
  REQUIRE(stops(source.get_token()));
  CHECK(source.get_token().reason() == stop_reason{stop_cause::signal, SIGALRM, 0, -1});
}

TEST_CASE_FIXTURE(plain, "a handler leaves errno alone") {
  stop_source source;
  signal_bridge bridge(source);
  errno = 1234;
  raise(SIGTERM);
  CHECK(errno == 1234);
}

TEST_CASE_FIXTURE(plain, "the handlers that were there come back") {
  const test::disposition foreign_int(SIGINT, foreign_handler);
  const test::disposition foreign_usr1(SIGUSR1, foreign_handler);
  {
    signal_bridge bridge((stop_source()));
    bridge.on(SIGUSR1, [] {});
    CHECK(!test::has_action(SIGINT, foreign_handler));
    CHECK(!test::has_action(SIGUSR1, foreign_handler));
    bridge.off(SIGUSR1);
    CHECK(test::has_action(SIGUSR1, foreign_handler));
  }
  CHECK(test::has_action(SIGINT, foreign_handler));
  CHECK(test::has_action(SIGTERM, SIG_DFL));
}

TEST_CASE_FIXTURE(plain, "a handler that somebody put over ours stays") {
  {
    signal_bridge bridge((stop_source()));
    signal(SIGINT, foreign_handler);
  }
  CHECK(test::has_action(SIGINT, foreign_handler));
}

TEST_CASE_FIXTURE(plain,
                  "a handler over ours may pass signals on to us during the bridge and after it") {
  const test::disposition below(SIGINT, foreign_handler);
  stop_source source;
  foreign = 0;
  chained = 0;
  {
    signal_bridge bridge(source);
    struct sigaction over = {};
    over.sa_sigaction = chaining_handler;
    over.sa_flags = SA_SIGINFO;
    sigaction(SIGINT, &over, &before_chaining);
    raise(SIGINT);
    CHECK(stops(source.get_token()));
    CHECK(foreign == 0);
  }
  raise(SIGINT);
  CHECK(chained == 2);
  CHECK(foreign == 1);
  CHECK(errno_after_ours == ERANGE);  // which the one below has changed
}

TEST_CASE_FIXTURE(plain, "a signal that is ignored stays ignored") {
  const test::disposition ignored(SIGINT, SIG_IGN);
  stop_source source;
  {
    signal_bridge bridge(source);
    CHECK(test::has_action(SIGINT, SIG_IGN));
    raise(SIGINT);
  }
  CHECK(!source.stop_requested());
  CHECK(test::has_action(SIGINT, SIG_IGN));
}

TEST_CASE_FIXTURE(plain, "an ignored signal can be had by on and is ignored again after off") {
  const test::disposition ignored(SIGINT, SIG_IGN);
  std::atomic<bool> ran{false};
  signal_bridge bridge((stop_source()));
  bridge.on(SIGINT, [&] { ran = true; });
  raise(SIGINT);
  CHECK(becomes([&] { return ran.load(); }));
  bridge.off(SIGINT);
  CHECK(test::has_action(SIGINT, SIG_IGN));
}

TEST_CASE_FIXTURE(plain,
                  "a function runs with the signal mask of the thread that made the bridge") {
  sigset_t usr2;
  sigset_t before;
  sigemptyset(&usr2);
  sigaddset(&usr2, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &usr2, &before);
  {
    test::latch ran(1);
    sigset_t inside;
    signal_bridge bridge((stop_source()));
    bridge.on(SIGHUP, [&] {
      pthread_sigmask(SIG_SETMASK, nullptr, &inside);
      ran.count_down();
    });
    raise(SIGHUP);
    ran.wait();
    CHECK(sigismember(&inside, SIGUSR2) == 1);
    CHECK(sigismember(&inside, SIGUSR1) == 0);
    CHECK(sigismember(&inside, SIGTERM) == 0);
    CHECK(sigismember(&inside, SIGINT) == 0);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// The thread sanitizer keeps a signal until the thread calls one of its functions, and a thread of
// the bridge that sleeps calls none.
TEST_CASE_FIXTURE(plain, "signals come also when all threads of the program block them") {
  if (CURFEW_TEST_TSAN) return;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  {
    stop_source source;
    std::atomic<bool> ran{false};
    signal_bridge bridge(source, {.same_press = {}});
    bridge.on(SIGHUP, [&] { ran = true; });
    kill(getpid(), SIGHUP);
    CHECK(becomes([&] { return ran.load(); }));
    kill(getpid(), SIGTERM);
    CHECK(stops(source.get_token()));
    kill(getpid(), SIGTERM);
    CHECK(stops(bridge.hurry()));
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE_FIXTURE(plain, "a handler of a former bridge that somebody put back does no harm") {
  struct sigaction saved = {};
  {
    signal_bridge bridge((stop_source()));
    sigaction(SIGINT, nullptr, &saved);
  }
  const test::disposition below(SIGINT, foreign_handler);
  foreign = 0;
  sigaction(SIGINT, &saved, nullptr);
  stop_source source;
  {
    signal_bridge bridge(source, {.stop_on = {SIGTERM}});
    sigaction(SIGINT, &saved, nullptr);
    std::atomic<bool> ran{false};
    bridge.on(SIGINT, [&] { ran = true; });
    raise(SIGINT);
    CHECK(becomes([&] { return ran.load(); }));
    bridge.off(SIGINT);
  }
  CHECK(test::has_action(SIGINT, SIG_DFL));
}

TEST_CASE_FIXTURE(plain, "signals that tell of a fault or cannot be caught are refused") {
  std::error_code ec;
  for (const int number : {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    signal_bridge refused(stop_source(), {.stop_on = {SIGINT, number}}, ec);
    CHECK(ec == std::errc::invalid_argument);
    CHECK(test::has_action(SIGINT, SIG_DFL));
    signal_bridge bridge((stop_source()));
    bridge.on(
        number, [] {}, ec);
    CHECK(ec == std::errc::invalid_argument);
  }
}

TEST_CASE_FIXTURE(plain, "no signal is lost or counted twice while bridges come and go") {
  const test::disposition below(SIGUSR1, foreign_handler);
  foreign = 0;
  std::atomic<int> sent{0};
  std::atomic<int> seen{0};
  std::atomic<bool> done{false};
  std::thread sender([&] {
    while (!done) {
      const int before = seen + foreign;
      raise(SIGUSR1);
      ++sent;
      if (!becomes([&] { return seen + foreign > before; })) return;
    }
  });
  for (int i = 0; i < 150; ++i) {
    signal_bridge bridge((stop_source()));
    bridge.on(SIGUSR1, [&] { ++seen; });
    if (i % 3 == 0) bridge.on(SIGUSR1, [&] { ++seen; });
    std::this_thread::sleep_for(std::chrono::microseconds(i * 7));
  }
  done = true;
  sender.join();
  CHECK(sent > 0);
  CHECK(seen + foreign == sent);
}

TEST_CASE_FIXTURE(plain, "a bridge that has settled leaves its signals caught for the next one") {
  const test::disposition below(SIGTERM, foreign_handler);
  stop_source source;
  foreign = 0;
  {
    signal_bridge bridge(source);
    bridge.settle();
  }
  raise(SIGTERM);
  CHECK(foreign == 0);
  CHECK(!source.stop_requested());
  {
    signal_bridge next(source);
    raise(SIGTERM);
    CHECK(stops(source.get_token()));
  }
  CHECK(test::has_action(SIGTERM, foreign_handler));
}

TEST_CASE_FIXTURE(plain, "bridges come and go under a storm of signals from many threads") {
  const test::disposition below(SIGTERM, SIG_IGN);
  const test::disposition below_usr1(SIGUSR1, foreign_handler);
  std::atomic<bool> done{false};
  auto storm = [&] {
    while (!done) raise(SIGUSR1);
  };
  std::thread threads[] = {std::thread(storm), std::thread(storm)};
  for (int i = 0; i < 200; ++i) {
    stop_source source;
    signal_bridge bridge(source,
                         {.stop_on = {SIGUSR1}, .third = curfew::press::hurry, .same_press = {}});
    REQUIRE(stops(bridge.hurry()));
    REQUIRE(stops(source.get_token()));
  }
  done = true;
  for (auto& thread : threads) thread.join();
}

#else

TEST_CASE("these tests are for POSIX systems") { CHECK(true); }

#endif
