// SPDX-License-Identifier: BSL-1.0
#include <curfew/interop/coroutine.hpp>

#include "doctest/doctest.h"

#if !defined(__cpp_lib_coroutine)

TEST_CASE("skipped - the compiler has no coroutines") {
  MESSAGE("no __cpp_lib_coroutine here: the header is empty");
}

#else

#include <curfew/testing/manual_clock.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;

// Starts at once, and stays suspended at its end; destroyed with the task.
class task {
 public:
  struct promise_type {
    task get_return_object() { return task(handle::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };

  task(task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  task& operator=(task&&) = delete;
  ~task() { destroy(); }

  [[nodiscard]] bool done() const { return handle_.done(); }
  void destroy() {
    if (auto h = std::exchange(handle_, {})) h.destroy();
  }

 private:
  using handle = std::coroutine_handle<promise_type>;
  explicit task(handle h) : handle_(h) {}
  handle handle_;
};

// Starts at once, and takes its frame with it at its end.
struct detached {
  struct promise_type {
    detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

// What a coroutine has seen; and whether its frame is still there.
struct trace {
  std::optional<curfew::stop_reason> why = {};
  std::thread::id where = {};
  bool gone = false;
};

struct at_end {
  trace& t;
  ~at_end() { t.gone = true; }
};

template <class Token>
task wait_for(Token token, trace& t) {
  const at_end end{t};
  const curfew::stop_reason why = co_await curfew::stopped(token);
  t.where = std::this_thread::get_id();
  t.why = why;
}

template <class Post>
task wait_for(curfew::stop_token token, trace& t, Post post) {
  const at_end end{t};
  const curfew::stop_reason why = co_await curfew::stopped(token, std::move(post));
  t.where = std::this_thread::get_id();
  t.why = why;
}

// The loop of one thread.
class loop {
 public:
  template <class F>
  void post(F f) {
    {
      const std::lock_guard lock(mutex_);
      queue_.emplace_back(std::move(f));
    }
    changed_.notify_one();
  }
  void run_one() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !queue_.empty(); });
    const auto f = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    f();
  }
  bool poll() {
    const std::unique_lock lock(mutex_);
    return !queue_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
};

const auto poster = [](loop& l) { return [&l](auto resume) { l.post(std::move(resume)); }; };

}  // namespace

TEST_CASE("a coroutine goes on when the token stops and is told why") {
  curfew::stop_source source;
  trace t;
  const task waiting = wait_for(source.get_token(), t);
  CHECK_FALSE(waiting.done());
  source.request_stop({curfew::stop_cause::signal, 15, 4711});
  CHECK(waiting.done());
  REQUIRE(t.why);
  CHECK(to_string(*t.why) == "signal SIGTERM from pid 4711");
}

TEST_CASE("it goes on inside of the call that stops and on its thread") {
  curfew::stop_source source;
  trace t;
  const task waiting = wait_for(source.get_token(), t);
  std::thread stopper([&] {
    source.request_stop();
    CHECK(t.where == std::this_thread::get_id());
  });
  stopper.join();
  CHECK(waiting.done());
}

TEST_CASE("a token that is stopped already does not suspend") {
  curfew::stop_source source;
  source.request_stop();
  trace t;
  CHECK(wait_for(source.get_token(), t).done());
  CHECK(t.why->cause == curfew::stop_cause::requested);
}

TEST_CASE("a token that can never be stopped does not suspend and says none") {
  trace t;
  CHECK(wait_for(curfew::stop_token(), t).done());
  CHECK(t.why->cause == curfew::stop_cause::none);
  curfew::stop_token orphan = curfew::stop_source().get_token();
  CHECK(wait_for(orphan, t).done());
  CHECK(t.why->cause == curfew::stop_cause::none);
}

TEST_CASE("a coroutine that waits for what has become impossible is its owners to destroy") {
  trace t;
  curfew::stop_source source;
  task waiting = wait_for(source.get_token(), t);
  source = curfew::stop_source(curfew::nostopstate);
  CHECK_FALSE(waiting.done());
  waiting.destroy();
  CHECK(t.gone);
  CHECK_FALSE(t.why);
}

TEST_CASE("a deadline wakes it too") {
  curfew::manual_clock clock;
  const curfew::stop_source source(clock, 5s);
  trace t;
  const task waiting = wait_for(source.get_token(), t);
  clock.advance(5s);
  CHECK(waiting.done());
  CHECK(t.why->cause == curfew::stop_cause::deadline);
}

TEST_CASE("inplace tokens are awaited alike") {
  curfew::inplace_stop_source source;
  trace t;
  const task waiting = wait_for(source.get_token(), t);
  source.request_stop();
  CHECK(waiting.done());
}

TEST_CASE("a coroutine may end with the stop and take its frame and the last source with it") {
  trace t;
  curfew::stop_source source;
  const auto run = [](curfew::stop_source own, trace& seen) -> detached {
    const at_end end{seen};
    seen.why = co_await curfew::stopped(own.get_token());
  };
  run(source, t);
  curfew::stop_token token = source.get_token();
  CHECK_FALSE(t.gone);
  source.request_stop();
  CHECK(t.gone);
  CHECK(token.stop_requested());
}

TEST_CASE("a coroutine awaits one stop after the other in one run") {
  curfew::stop_source first;
  curfew::stop_source second;
  int steps = 0;
  const auto run = [&](curfew::stop_token a, curfew::stop_token b) -> task {
    (void)co_await curfew::stopped(a);
    ++steps;
    (void)co_await curfew::stopped(b);
    ++steps;
  };
  const task both = run(first.get_token(), second.get_token());
  first.request_stop();
  CHECK(steps == 1);
  second.request_stop();
  CHECK(steps == 2);
  CHECK(both.done());
}

TEST_CASE("a callback of the same stop may destroy a coroutine that still waits") {
  curfew::stop_source source;
  trace t;
  std::optional<task> waiting(wait_for(source.get_token(), t));
  const curfew::stop_callback callback(source.get_token(), [&] { waiting.reset(); });
  source.request_stop();  // the newest callback comes first
  CHECK(t.gone);
  CHECK_FALSE(t.why);
}

TEST_CASE("a coroutine that is destroyed while suspended is not resumed") {
  curfew::stop_source source;
  trace t;
  task waiting = wait_for(source.get_token(), t);
  waiting.destroy();
  CHECK(t.gone);
  source.request_stop();
  CHECK_FALSE(t.why);
}

TEST_CASE("a stop races the suspension") {
  for (int i = 0; i < 2'000; ++i) {
    curfew::stop_source source;
    trace t;
    std::thread stopper([&] { source.request_stop(); });
    task waiting = wait_for(source.get_token(), t);
    stopper.join();
    CHECK(waiting.done());
    CHECK(t.why->cause == curfew::stop_cause::requested);
  }
}

TEST_CASE("a stop races the suspension of a coroutine that frees its frame") {
  for (int i = 0; i < 2'000; ++i) {
    curfew::stop_source source;
    trace t;
    std::thread stopper([&] { source.request_stop(); });
    const auto run = [](curfew::stop_token token, trace& seen) -> detached {
      const at_end end{seen};
      (void)co_await curfew::stopped(token);
    };
    run(source.get_token(), t);
    stopper.join();
    CHECK(t.gone);
  }
}

TEST_CASE("with a post the coroutine goes on where that brings it") {
  curfew::stop_source source;
  loop own;
  trace t;
  const task waiting = wait_for(source.get_token(), t, poster(own));
  std::thread stopper([&] { source.request_stop(); });
  own.run_one();
  stopper.join();
  CHECK(waiting.done());
  CHECK(t.where == std::this_thread::get_id());
  CHECK(t.why->cause == curfew::stop_cause::requested);
}

TEST_CASE("a coroutine that is destroyed between the stop and its turn is not resumed") {
  curfew::stop_source source;
  loop own;
  trace t;
  task waiting = wait_for(source.get_token(), t, poster(own));
  source.request_stop();
  waiting.destroy();
  own.run_one();
  CHECK(t.gone);
  CHECK_FALSE(t.why);
}

TEST_CASE("what was posted and is dropped or called twice does no harm") {
  curfew::stop_source source;
  trace dropped;
  trace twice;
  const task left = wait_for(source.get_token(), dropped, [](auto) {});
  const task called = wait_for(source.get_token(), twice, [](auto resume) {
    resume();
    resume();
  });
  source.request_stop();
  CHECK_FALSE(left.done());
  CHECK(called.done());
}

TEST_CASE("a post that resumes at once is still there when the coroutine has gone") {
  curfew::stop_source source;
  bool there = false;
  const auto run = [](curfew::stop_token token, auto post) -> detached {
    (void)co_await curfew::stopped(token, std::move(post));
  };
  run(source.get_token(), [&there, own = std::make_shared<int>(0)](auto resume) {
    bool& seen = there;
    const std::weak_ptr<int> held = own;
    resume();
    seen = !held.expired();
  });
  source.request_stop();
  CHECK(there);
}

TEST_CASE("the destruction on the loop races a stop on another thread") {
  int resumed = 0;
  for (int i = 0; i < 2'000; ++i) {
    curfew::stop_source source;
    loop own;
    trace t;
    task waiting = wait_for(source.get_token(), t, poster(own));
    std::thread stopper([&] { source.request_stop(); });
    if (i % 2 == 0) std::this_thread::yield();
    if (own.poll()) own.run_one();
    waiting.destroy();
    stopper.join();
    if (own.poll()) own.run_one();  // finds nobody
    CHECK(t.gone);
    resumed += t.why ? 1 : 0;
  }
  MESSAGE(resumed << " of 2000 went on first");
}

#endif
