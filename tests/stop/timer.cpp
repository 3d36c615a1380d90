// SPDX-License-Identifier: BSL-1.0
// The timer thread of the process clock: it runs the callbacks of deadlines, keeps flags on time
// behind a callback that is slow, takes signals of nobody, and is there whenever it is needed.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#if CURFEW_POSIX
#include <signal.h>
#endif

using namespace std::chrono_literals;
using curfew::inplace_stop_source;
using curfew::stop_callback;
using curfew::stop_cause;
using curfew::stop_source;
using any_callback = stop_callback<std::function<void()>>;

namespace {

// A callback that a deadline runs soon, on the thread of the timer: where the deadline was here
// first and the callback ran in its constructor, it tries again.
class due_soon {
 public:
  explicit due_soon(std::function<void()> f) {
    for (auto delay = 1ms; missed_; delay *= 2) {
      missed_ = false;
      source_ = stop_source{delay};
      callback_.emplace(source_.get_token(), [this, f, maker = std::this_thread::get_id()] {
        if (std::this_thread::get_id() == maker) {
          missed_ = true;
        } else {
          f();
        }
      });
    }
  }

 private:
  stop_source source_{curfew::nostopstate};
  bool missed_ = true;
  std::optional<any_callback> callback_;
};

TEST_CASE("a callback of a deadline runs on a thread of ours") {
  test::gate ran;
  const due_soon cb([&] { ran.open(); });
  ran.pass();
}

TEST_CASE("an earlier deadline armed behind a later one is not late") {
  const stop_source far_off{24h};
  const stop_source farther{24h * 365};
  const auto start = std::chrono::steady_clock::now();
  const stop_source soon{1ms};
  CHECK(soon.get_token().wait());
  CHECK(std::chrono::steady_clock::now() - start < 1h);
  CHECK_FALSE(far_off.stop_requested());
  CHECK_FALSE(farther.stop_requested());
}

TEST_CASE("the timer works again after it has run out of deadlines") {
  for (int i = 0; i < 20; ++i) {
    const stop_source s{500us};
    CHECK(s.get_token().wait());
    std::this_thread::sleep_for(std::chrono::microseconds(i * 100));
  }
}

TEST_CASE("a callback that blocks does not delay the flag or the waiters of another deadline") {
  test::gate entered;
  test::gate leave;
  const due_soon blocks([&] {
    entered.open();
    leave.pass();
  });
  entered.pass();
  const stop_source second{1ms};
  while (!second.stop_requested()) std::this_thread::yield();  // its only sign is polling
  const stop_source third{1ms};
  CHECK(third.get_token().wait());
  inplace_stop_source fourth{1ms};
  CHECK(fourth.get_token().wait());
  CHECK(third.get_token().reason().cause == stop_cause::deadline);
  leave.open();
}

TEST_CASE("the callbacks behind one that blocks run when it is done") {
  test::gate entered;
  test::gate leave;
  test::gate ran;
  const due_soon blocks([&] {
    entered.open();
    leave.pass();
  });
  entered.pass();
  const stop_source second{1ms};
  const any_callback behind(second.get_token(), [&] { ran.open(); });
  CHECK(second.get_token().wait());
  leave.open();
  ran.pass();
}

TEST_CASE("a callback of a deadline may wait for another deadline") {
  test::gate done;
  bool stopped = false;
  const stop_source first{1ms};
  const any_callback cb(first.get_token(), [&] {
    const stop_source second{1ms};
    stopped = second.get_token().wait();
    done.open();
  });
  done.pass();
  CHECK(stopped);
}

TEST_CASE("a callback of a deadline may destroy itself and its context and make new ones") {
  test::gate registered;
  test::gate done;
  std::unique_ptr<due_soon> self;
  std::unique_ptr<stop_source> made;
  self = std::make_unique<due_soon>([&] {
    auto& gate = done;
    auto& next = made;
    registered.pass();
    self.reset();
    next = std::make_unique<stop_source>(1ms);
    gate.open();
  });
  registered.open();
  done.pass();
  CHECK(made->get_token().wait());
}

TEST_CASE("removing a callback waits for the timer thread that runs it") {
  for (int round = 0; round < 100; ++round) {
    stop_source s{std::chrono::microseconds(round * 3)};
    auto plain = std::make_unique<int>(0);
    any_callback cb(s.get_token(), [&p = *plain] { ++p; });
    cb.remove();
    plain.reset();
  }
}

TEST_CASE("a destructor waits for the callback of its deadline") {
  test::gate entered;
  std::atomic<bool> finished{false};
  const stop_source s{1ms};
  {
    const any_callback cb(s.get_token(), [&] {
      entered.open();
      std::this_thread::sleep_for(2ms);
      finished.store(true);
    });
    entered.pass();
  }
  CHECK(finished.load());
}

TEST_CASE("contexts with deadlines come and go on several threads while some fire") {
  test::starting_line line{3};
  std::atomic<int> wrong{0};
  const auto churn = [&] {
    line.await();
    for (int i = 0; i < 5000; ++i) {
      stop_source parent{std::chrono::microseconds(i % 50)};
      inplace_stop_source child{parent.get_token(), std::chrono::microseconds(i % 20)};
      int runs = 0;
      curfew::inplace_stop_callback cb(child.get_token(), [&] { ++runs; });
      if (i % 3 == 0) child.request_stop();
      if (i % 7 == 0) parent.request_stop();
      cb.remove();
      if (runs > 1 || (runs == 1 && !child.stop_requested())) wrong.fetch_add(1);
    }
  };
  std::thread a{churn};
  std::thread b{churn};
  churn();
  a.join();
  b.join();
  CHECK(wrong.load() == 0);
}

TEST_CASE("ten thousand deadlines over a tenth of a second all fire and none early") {
  std::vector<stop_source> sources;
  std::vector<curfew::time_source::time_point> due;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) {
    due.push_back(start + std::chrono::microseconds((i * 7919) % 10'000 * 10));
    sources.emplace_back(due.back());
  }
  bool none_early = true;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    sources[i].get_token().wait();
    none_early &= std::chrono::steady_clock::now() >= due[i];
  }
  CHECK(none_early);
}

#if CURFEW_POSIX
TEST_CASE("the timer thread takes no signal") {
  test::gate ran;
  sigset_t mask;
  sigemptyset(&mask);
  const due_soon cb([&] {
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    ran.open();
  });
  ran.pass();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD, SIGALRM, SIGPIPE})
    CHECK(sigismember(&mask, signal) == 1);
}
#endif

}  // namespace
