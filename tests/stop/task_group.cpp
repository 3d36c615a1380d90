// SPDX-License-Identifier: BSL-1.0
#include <curfew/stop/task_group.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#if !TEST_THREAD_SANITIZER  // which has an operator new of its own
#include "counted_new.hpp"
#endif

#include <curfew/testing/manual_clock.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#if CURFEW_POSIX
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace std::chrono_literals;

namespace {

std::error_code refused() { return std::make_error_code(std::errc::permission_denied); }
std::error_code cut_short() { return std::make_error_code(std::errc::operation_canceled); }

std::error_code joined(curfew::task_group& group) {
  std::error_code ec;
  group.join(ec);
  return ec;
}

// A task that ends when the group is stopped.
void until_stopped(curfew::stop_token token) { token.wait(); }

struct move_only_task {
  std::unique_ptr<int> value;
  int& target;
  void operator()() && { target = *value; }
};

struct both_ways {
  std::atomic<int>& with_token;
  void operator()(const curfew::stop_token& t) const { with_token += t.stop_possible() ? 1 : 0; }
  void operator()() const {}
};

}  // namespace

TEST_CASE("a group without tasks joins at once") {
  curfew::task_group group;
  group.join();
  CHECK_FALSE(joined(group));
  CHECK_FALSE(group.token().stop_requested());
}

TEST_CASE("join waits for every task") {
  curfew::task_group group;
  std::atomic<int> done{0};
  for (int i = 0; i < 50; ++i) group.spawn([&] { ++done; });
  group.join();
  CHECK(done == 50);
  group.spawn([&](curfew::stop_token) { ++done; });
  group.join();
  CHECK(done == 51);
}

TEST_CASE("tasks run on threads of their own") {
  curfew::task_group group;
  std::atomic<int> arrived{0};
  std::array<curfew::detail::thread_id, 3> ids{};
  for (auto& id : ids) {
    group.spawn([&] {
      id = curfew::detail::this_thread();
      for (++arrived; arrived < 3;) std::this_thread::yield();
    });
  }
  group.join();
  CHECK(ids[0] != ids[1]);
  CHECK(ids[1] != ids[2]);
  CHECK(ids[0] != curfew::detail::this_thread());
}

TEST_CASE("a task gets the token of its group if it wants one") {
  curfew::task_group group;
  std::atomic<int> with_token{0};
  group.spawn([&](curfew::stop_token t) { with_token += t == group.token() ? 1 : 0; });
  group.spawn(both_ways{with_token});
  const both_ways lvalue{with_token};
  group.spawn(lvalue);
  group.spawn(std::ref(lvalue));
  group.join();
  CHECK(with_token == 4);
}

TEST_CASE("a task that can only be moved is moved and called once") {
  curfew::task_group group;
  int target = 0;
  group.spawn(move_only_task{std::make_unique<int>(7), target});
  group.join();
  CHECK(target == 7);
}

TEST_CASE("what no thread can call is refused by the compiler") {
  int target = 0;
  constexpr auto accepts = []<class F>(const F&) {
    return requires(curfew::task_group group, F f) { group.spawn(std::move(f)); };
  };
  CHECK(accepts([] {}));
  CHECK(accepts([](curfew::stop_token) {}));
  CHECK(accepts(move_only_task{nullptr, target}));
  CHECK_FALSE(accepts([](int) {}));
  CHECK_FALSE(accepts(5));
}

TEST_CASE("the function of a task is destroyed on the thread of the task before join returns") {
  struct witness {
    curfew::detail::thread_id* destroyed_on;
    explicit witness(curfew::detail::thread_id* p) : destroyed_on(p) {}
    witness(witness&& o) noexcept : destroyed_on(std::exchange(o.destroyed_on, nullptr)) {}
    ~witness() {
      if (destroyed_on != nullptr) *destroyed_on = curfew::detail::this_thread();
    }
    void operator()() const {}
  };
  curfew::task_group group;
  curfew::detail::thread_id destroyed_on = 0;
  group.spawn(witness(&destroyed_on));
  group.join();
  CHECK(destroyed_on != 0);
  CHECK(destroyed_on != curfew::detail::this_thread());
}

TEST_CASE("a stop of the parent reaches the tasks with its reason") {
  curfew::stop_source parent;
  curfew::task_group group(parent.get_token());
  curfew::stop_reason seen;
  group.spawn([&](curfew::stop_token t) {
    t.wait();
    seen = t.reason();
  });
  parent.request_stop({.cause = curfew::stop_cause::signal, .code = 15});
  group.join();
  CHECK(seen.code == 15);
}

TEST_CASE("a stop of the group does not reach its parent") {
  curfew::stop_source parent;
  curfew::task_group group(parent.get_token());
  group.spawn(until_stopped);
  CHECK(group.request_stop({.cause = curfew::stop_cause::control, .code = 3}));
  CHECK_FALSE(group.request_stop());
  group.join();
  CHECK(group.token().reason().code == 3);
  CHECK_FALSE(parent.stop_requested());
}

TEST_CASE("a deadline of the parent stops the tasks") {
  curfew::manual_clock clock;
  curfew::stop_source parent(clock, 5s);
  curfew::task_group group(parent.get_token());
  group.spawn(until_stopped);
  clock.advance(5s);
  group.join();
  CHECK(group.token().reason().cause == curfew::stop_cause::deadline);
}

TEST_CASE("the destructor stops the tasks and waits for them") {
  std::atomic<int> ended{0};
  {
    curfew::task_group group;
    for (int i = 0; i < 8; ++i) {
      group.spawn([&](const curfew::stop_token& t) {
        t.wait();
        ++ended;
      });
    }
  }
  CHECK(ended == 8);
}

TEST_CASE("a task spawned into a stopped group runs with a stopped token") {
  curfew::task_group group;
  group.request_stop();
  std::atomic<bool> stopped{false};
  group.spawn([&](const curfew::stop_token& t) { stopped = t.stop_requested(); });
  group.join();
  CHECK(stopped);
}

TEST_CASE("tasks may spawn tasks and join waits for those too") {
  curfew::task_group group;
  std::atomic<int> ran{0};
  std::function<void(int)> grow = [&](int depth) {
    ++ran;
    if (depth == 0) return;
    group.spawn([&, depth] { grow(depth - 1); });
    group.spawn([&, depth] { grow(depth - 1); });
  };
  group.spawn([&] { grow(6); });
  group.join();
  CHECK(ran == 127);
}

TEST_CASE("the function of a task may spawn from its destructor") {
  struct last_will {
    curfew::task_group* group;
    std::atomic<int>& ran;
    last_will(curfew::task_group* g, std::atomic<int>& r) : group(g), ran(r) {}
    last_will(last_will&& o) noexcept : group(std::exchange(o.group, nullptr)), ran(o.ran) {}
    ~last_will() {
      if (group == nullptr) return;
      group->spawn([r = &ran] { ++*r; });
    }
    void operator()() const {}
  };
  std::atomic<int> ran{0};
  curfew::task_group group;
  group.spawn(last_will(&group, ran));
  group.join();
  CHECK(ran == 1);
}

TEST_CASE("an error code that a task returns stops the rest and is told by join") {
  curfew::task_group group;
  for (int i = 0; i < 4; ++i) group.spawn(until_stopped);
  group.spawn([] { return refused(); });
  CHECK(joined(group) == refused());
  CHECK(group.token().reason().cause == curfew::stop_cause::fault);
  CHECK(group.token().reason().code == refused().value());
  CHECK(joined(group) == refused());
}

TEST_CASE("a task that returns no error has not failed") {
  curfew::task_group group;
  group.spawn([] { return std::error_code(); });
  group.spawn([] { return 5; });
  CHECK_FALSE(joined(group));
  CHECK_FALSE(group.token().stop_requested());
}

TEST_CASE("the first of several errors is told") {
  curfew::task_group group;
  test::gate first_failed;
  const curfew::stop_callback note(group.token(), [&] { first_failed.open(); });
  group.spawn([&] {
    first_failed.pass();
    return std::make_error_code(std::errc::io_error);
  });
  group.spawn([] { return refused(); });
  CHECK(joined(group) == refused());
}

TEST_CASE("a task that was cut short is told but a failure goes first") {
  curfew::task_group group;
  group.request_stop();
  group.spawn([] { return cut_short(); });
  CHECK(joined(group) == cut_short());
  group.spawn([] { return refused(); });
  CHECK(joined(group) == refused());
  group.spawn([] { return cut_short(); });
  CHECK(joined(group) == refused());
}

TEST_CASE("a task that is cut short by something else has failed") {
  curfew::task_group group;
  group.spawn(until_stopped);
  group.spawn([] { return cut_short(); });
  CHECK(joined(group) == cut_short());
  CHECK(group.token().reason().cause == curfew::stop_cause::fault);
  group.spawn([] { return refused(); });
  CHECK(joined(group) == cut_short());
}

TEST_CASE("join by a task of the group is an error and not a deadlock") {
  curfew::task_group group;
  std::error_code seen;
  group.spawn([&] { seen = joined(group); });
  CHECK_FALSE(joined(group));
  CHECK(seen == std::errc::resource_deadlock_would_occur);
}

TEST_CASE("a task may join another group") {
  curfew::task_group outer;
  std::atomic<int> ran{0};
  outer.spawn([&](curfew::stop_token t) {
    curfew::task_group inner(std::move(t));
    inner.spawn([&] { ++ran; });
    inner.join();
    ++ran;
  });
  outer.join();
  CHECK(ran == 2);
}

TEST_CASE("several threads may join at once") {
  curfew::task_group group;
  group.spawn(until_stopped);
  std::array<std::error_code, 3> told;
  std::vector<std::thread> joiners;
  for (auto& ec : told) joiners.emplace_back([&] { ec = joined(group); });
  group.spawn([] { return refused(); });
  for (auto& j : joiners) j.join();
  for (const auto& ec : told) CHECK(ec == refused());
}

#if !TEST_THREAD_SANITIZER
TEST_CASE("a long lived group does not grow with the tasks that have ended") {
  curfew::task_group group;
  std::atomic<int> ran{0};
  const auto run = [&](int tasks) {
    for (int i = 0; i < tasks; ++i) {
      const int before = ran;
      group.spawn([&] { ++ran; });
      while (ran == before) std::this_thread::yield();
    }
  };
  run(10);
  const test::allocation_tally tally;
  run(500);
  // Of those that have ended, one waits to be joined; a few may be on their last instructions.
  CHECK(tally.left() < 40);
  group.join();
}
#endif

TEST_CASE("tasks that end while others are spawned and joined are never lost") {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> ran{0};
    curfew::task_group group;
    std::thread spawner([&] {
      for (int i = 0; i < 5; ++i) group.spawn([&] { ++ran; });
    });
    for (int i = 0; i < 5; ++i) {
      group.spawn([&] { ++ran; });
      group.join();
    }
    spawner.join();
    group.join();
    CHECK(ran == 10);
  }
}

TEST_CASE("stops and failures that race the end of a group are safe") {
  for (int round = 0; round < 200; ++round) {
    curfew::stop_source parent;
    std::thread stopper([&] { parent.request_stop(); });
    {
      curfew::task_group group(parent.get_token());
      group.spawn([] { return cut_short(); });
      group.spawn(until_stopped);
      group.spawn([] { return refused(); });
      CHECK(joined(group));
    }
    stopper.join();
  }
}

#if CURFEW_POSIX

namespace {

sigset_t mask_of_a_task() {
  curfew::task_group group;
  sigset_t mask;
  sigemptyset(&mask);
  group.spawn([&] { pthread_sigmask(SIG_SETMASK, nullptr, &mask); });
  group.join();
  return mask;
}

sigset_t mask_of_the_timers_callbacks() {
  sigset_t mask;
  sigfillset(&mask);
  test::gate done;
  curfew::stop_source late{1ms};
  const curfew::stop_callback cb(late.get_token(), [&] {
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    done.open();
  });
  done.pass();
  return mask;
}

}  // namespace

TEST_CASE("the thread of a task has the signal mask of the one that spawns it") {
  const sigset_t open = mask_of_a_task();
  CHECK(sigismember(&open, SIGTERM) == 0);
  sigset_t hup;
  sigset_t kept;
  sigemptyset(&hup);
  sigaddset(&hup, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &hup, &kept);
  const sigset_t narrower = mask_of_a_task();
  pthread_sigmask(SIG_SETMASK, &kept, nullptr);
  CHECK(sigismember(&narrower, SIGHUP) == 1);
  CHECK(sigismember(&narrower, SIGTERM) == 0);
}

TEST_CASE("no signal but that of a fault reaches the threads of the timer") {
  const sigset_t mask = mask_of_the_timers_callbacks();
  CHECK(sigismember(&mask, SIGTERM) == 1);
  CHECK(sigismember(&mask, SIGINT) == 1);
  CHECK(sigismember(&mask, SIGSEGV) == 0);
}

namespace {

// What f writes to stderr.
template <class F>
std::string stderr_of(F f) {
  std::FILE* const file = std::tmpfile();
  const int kept = ::dup(STDERR_FILENO);
  ::dup2(::fileno(file), STDERR_FILENO);
  f();
  std::fflush(stderr);
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  std::string text(1'000, ' ');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

template <class F>
void group_of_one(F f) {
  curfew::task_group group;
  group.spawn(f);
}

}  // namespace

TEST_CASE("a failure that nobody joined is written to stderr by the destructor") {
  const std::string text = stderr_of([] { group_of_one([] { return refused(); }); });
  CHECK(text.find(refused().message()) != std::string::npos);
  CHECK(text.find('\n') == text.size() - 1);
#if CURFEW_EXCEPTIONS
  const auto thrown = [] { throw std::runtime_error("out of cheese"); };
  CHECK(stderr_of([&] { group_of_one(thrown); }).find("out of cheese") != std::string::npos);
  CHECK_FALSE(stderr_of([] { group_of_one([] { throw 42; }); }).empty());
#endif
}

TEST_CASE("the destructor is silent about tasks that obeyed and about failures that were told") {
  CHECK(stderr_of([] {
          curfew::task_group group;
          group.spawn([] { return refused(); });
          CHECK(joined(group));
        }).empty());
  CHECK(stderr_of([] {
          group_of_one([](const curfew::stop_token& t) {
            t.wait();
            return cut_short();
          });
        }).empty());
}

#if !TEST_THREAD_SANITIZER  // which does not start threads in a forked child
TEST_CASE("a task that destroys its own group ends the program with a message") {
  int status = 0;
  const std::string text = stderr_of([&] {
    const pid_t child = ::fork();
    if (child == 0) {
      ::signal(SIGABRT, SIG_DFL);
      auto* const group = new curfew::task_group;
      group->spawn([=] { delete group; });
      group->join();
      ::_exit(0);
    }
    ::waitpid(child, &status, 0);
  });
  CHECK(WIFSIGNALED(status));
  CHECK(text.find("curfew: ") == 0);
}
#endif

#endif

#if CURFEW_LINUX && defined(__GLIBC__)

namespace {

// No thread can be started while it lives: there is no address space for such a stack.
class no_threads {
 public:
  no_threads() {
    pthread_getattr_default_np(&kept_);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, std::size_t{3} << (sizeof(void*) * 8 - 2));
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
  }
  no_threads(const no_threads&) = delete;
  no_threads& operator=(const no_threads&) = delete;
  ~no_threads() {
    pthread_setattr_default_np(&kept_);
    pthread_attr_destroy(&kept_);
  }

 private:
  pthread_attr_t kept_{};
};

}  // namespace

TEST_CASE("a thread that cannot be started is an error and leaves the group as it was") {
  curfew::task_group group;
  std::atomic<int> ran{0};
  group.spawn([&](const curfew::stop_token& t) {
    t.wait();
    ++ran;
  });
  std::error_code ec;
  const auto kept_alive = std::make_shared<int>(0);
  {
    const no_threads shortage;
    group.spawn([&, kept_alive] { ++ran; }, ec);
#if CURFEW_EXCEPTIONS
    CHECK_THROWS_AS(group.spawn([&, kept_alive] { ++ran; }), std::system_error);
#endif
  }
  CHECK(ec == std::errc::resource_unavailable_try_again);
  CHECK(kept_alive.use_count() == 1);
  CHECK_FALSE(group.token().stop_requested());
  group.spawn([&] { ++ran; }, ec);
  CHECK_FALSE(ec);
  group.request_stop();
  group.join();
  CHECK(ran == 2);
}

#endif

#if CURFEW_EXCEPTIONS

TEST_CASE("the first exception stops the rest and is thrown by join") {
  curfew::task_group group;
  for (int i = 0; i < 4; ++i) {
    group.spawn([](const curfew::stop_token& t) {
      t.wait();
      t.throw_if_stopped();
    });
  }
  group.spawn([] { throw std::out_of_range("the first"); });
  CHECK_THROWS_WITH_AS(group.join(), "the first", std::out_of_range);
  CHECK(group.token().reason().cause == curfew::stop_cause::fault);
  CHECK_THROWS_AS(group.join(), std::out_of_range);
}

TEST_CASE("an exception of any type is thrown by join") {
  curfew::task_group group;
  group.spawn([] { throw 42; });
  CHECK_THROWS_AS(group.join(), int);
  std::error_code ec;
  CHECK_THROWS_AS(group.join(ec), int);
}

TEST_CASE("an error code that a task returns is thrown by join as a system error") {
  curfew::task_group group;
  group.spawn([] { return refused(); });
  std::error_code seen;
  try {
    group.join();
  } catch (const std::system_error& e) {
    seen = e.code();
  }
  CHECK(seen == refused());
}

TEST_CASE("an exception that carries a code may be asked for as a code") {
  curfew::task_group group;
  group.spawn([] { throw std::system_error(refused()); });
  CHECK(joined(group) == refused());
}

TEST_CASE("tasks that were cut short by a stop from outside make join throw that") {
  curfew::stop_source parent;
  curfew::task_group group(parent.get_token());
  group.spawn([](const curfew::stop_token& t) {
    t.wait();
    t.throw_if_stopped();
  });
  parent.request_stop();
  CHECK_THROWS_AS(group.join(), curfew::stopped_error);
}

TEST_CASE("a deadline that cuts tasks short ranks behind a failure too") {
  curfew::manual_clock clock;
  curfew::stop_source parent(clock, 1s);
  curfew::task_group group(parent.get_token());
  clock.advance(1s);
  group.spawn([](const curfew::stop_token& t) { t.throw_if_stopped(); });
  CHECK_THROWS_AS(group.join(), curfew::stopped_error);
  group.spawn([] { throw std::out_of_range("no"); });
  CHECK_THROWS_AS(group.join(), std::out_of_range);
}

TEST_CASE("join by a task of the group throws and so fails the task") {
  curfew::task_group group;
  group.spawn([&] { group.join(); });
  std::error_code seen;
  try {
    group.join();
  } catch (const std::system_error& e) {
    seen = e.code();
  }
  CHECK(seen == std::errc::resource_deadlock_would_occur);
}

TEST_CASE("a function that cannot be moved into its task leaves the group as it was") {
  struct stubborn {
    stubborn() = default;
    stubborn(const stubborn&) { throw std::runtime_error("no copy"); }
    void operator()() const {}
  };
  curfew::task_group group;
  const stubborn f;
  CHECK_THROWS_AS(group.spawn(f), std::runtime_error);
  CHECK_FALSE(joined(group));
}

#endif
