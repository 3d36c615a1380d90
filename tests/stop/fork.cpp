// SPDX-License-Identifier: BSL-1.0
// After fork() a child process has one thread and no timer: deadlines must come true in it all the
// same, those that it inherits and those that it makes, whatever the parent was doing.
#include <curfew/config.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

// The thread sanitizer does not let a forked child of a threaded process start threads; under the
// address sanitizer such a child may find the lock of its allocator held for ever.
#if CURFEW_POSIX && !TEST_THREAD_SANITIZER && !TEST_ADDRESS_SANITIZER

#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using curfew::inplace_stop_source;
using curfew::stop_callback;
using curfew::stop_source;
using curfew::stop_token;
using any_callback = stop_callback<std::function<void()>>;

namespace {

enum child_says { yes = 0, no = 1, hangs = 2 };

// Polls and does nothing else; SIGALRM ends a child that would poll for ever.
child_says polled_until_stopped(const stop_token& t) {
  const auto give_up = std::chrono::steady_clock::now() + 20s;
  while (!t.stop_requested())
    if (std::chrono::steady_clock::now() > give_up) return hangs;
  return yes;
}

// What f answers in a forked child.
template <class F>
int in_child(F f) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(static_cast<int>(f()));
  }
  int status = -1;
  if (waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST_CASE("a child process sees a deadline that it inherits by polling alone") {
  const stop_source s{20ms};
  CHECK(in_child([&] { return polled_until_stopped(s.get_token()); }) == yes);
  CHECK(s.get_token().wait());
}

TEST_CASE("a child process sees by polling a deadline that it inherits behind a busy timer") {
  const stop_source far_off{1h};
  const stop_source soon{30ms};
  const stop_source child_of_soon{soon.get_token()};
  CHECK(in_child([&] { return polled_until_stopped(child_of_soon.get_token()); }) == yes);
}

TEST_CASE("a child process makes deadlines of its own") {
  const stop_source started_the_timer{1h};
  CHECK(in_child([&] { return polled_until_stopped(stop_source{5ms}.get_token()); }) == yes);
  CHECK(in_child([&] { return inplace_stop_source{5ms}.get_token().wait() ? yes : no; }) == yes);
}

TEST_CASE("a grandchild process has its timer too") {
  const stop_source s{30ms};
  CHECK(in_child([&] {
          const stop_source own{1h};
          return in_child([&] { return polled_until_stopped(s.get_token()); }) == yes ? yes : no;
        }) == yes);
}

TEST_CASE("callbacks registered before the fork run in the child as well") {
  const stop_source s{20ms};
  int runs = 0;
  std::atomic<int>* const count = new std::atomic<int>{0};
  const any_callback cb(s.get_token(), [&, count] {
    ++runs;
    count->fetch_add(1);
  });
  CHECK(in_child([&] {
          s.get_token().wait();
          const auto give_up = std::chrono::steady_clock::now() + 20s;
          while (count->load() == 0 && std::chrono::steady_clock::now() < give_up)
            std::this_thread::yield();
          return count->load() == 1 ? yes : no;
        }) == yes);
  while (count->load() == 0) std::this_thread::yield();
  delete count;
}

TEST_CASE("contexts that a child process inherits can be destroyed and stopped in it") {
  auto s = std::make_unique<stop_source>(1h);
  auto child = std::make_unique<inplace_stop_source>(s->get_token(), 30min);
  CHECK(in_child([&] {
          child->request_stop();
          child.reset();
          s.reset();
          return stop_source{1ms}.get_token().wait() ? yes : no;
        }) == yes);
  CHECK_FALSE(child->stop_requested());
}

TEST_CASE("a process may fork inside a callback of a deadline") {
  const stop_source s{1ms};
  test::gate done;
  int answer = -1;
  const any_callback cb(s.get_token(), [&] {
    answer = in_child([] {
      if (!stop_source{1ms}.get_token().wait()) return no;
      return polled_until_stopped(stop_source{2ms}.get_token());
    });
    done.open();
  });
  done.pass();
  CHECK(answer == yes);
  CHECK(stop_source{1ms}.get_token().wait());
}

TEST_CASE("a process may fork while other threads arm and cancel deadlines") {
  std::atomic<bool> enough{false};
  const auto churn = [&] {
    for (int i = 0; !enough.load(); ++i) {
      stop_source s{std::chrono::microseconds(i % 200)};
      const stop_source child{s.get_token(), 1h};
      if (i % 2 == 0) s.request_stop();
    }
  };
  std::thread a{churn};
  std::thread b{churn};
  int all = yes;
  const stop_source inherited{50ms};
  for (int i = 0; i < 60 && all == yes; ++i)
    all = in_child([&] {
      const stop_source own{1ms};
      const child_says first = polled_until_stopped(own.get_token());
      return first == yes ? polled_until_stopped(inherited.get_token()) : first;
    });
  enough.store(true);
  a.join();
  b.join();
  CHECK(all == yes);
}

TEST_CASE("a process may fork while other threads keep contexts with deadlines on their stacks") {
  std::atomic<bool> enough{false};
  const stop_source inherited{50ms};
  const auto churn = [&] {
    for (int i = 0; !enough.load(); ++i) {
      const inplace_stop_source s{std::chrono::microseconds(i % 400)};
      const inplace_stop_source below{inherited.get_token(), std::chrono::microseconds(i % 300)};
      const curfew::inplace_stop_callback cb(s.get_token(), [] {});
      if (i % 8 == 0) s.get_token().wait();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back(churn);
  int all = yes;
  for (int i = 0; i < 60 && all == yes; ++i)
    all = in_child([&] {
      const stop_source own{1ms};
      const child_says first = polled_until_stopped(own.get_token());
      return first == yes ? polled_until_stopped(inherited.get_token()) : first;
    });
  enough.store(true);
  for (auto& t : threads) t.join();
  CHECK(all == yes);
}

TEST_CASE("the timer of the parent goes on after a fork") {
  for (int i = 0; i < 10; ++i) {
    const stop_source s{3ms};
    CHECK(in_child([] { return yes; }) == yes);
    CHECK(s.get_token().wait());
  }
}

}  // namespace

#else

TEST_CASE("fork is not on this system") {}

#endif
