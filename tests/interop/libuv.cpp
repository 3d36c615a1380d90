// SPDX-License-Identifier: BSL-1.0
#include <curfew/interop/libuv.hpp>

#include "doctest/doctest.h"

#if !defined(CURFEW_TEST_NEIGHBOUR)

TEST_CASE("skipped - libuv is not installed") { MESSAGE("install libuv1-dev"); }

#else

#include <curfew/host/signals.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <thread>

#if CURFEW_POSIX
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

using namespace std::chrono_literals;

// A loop that is whole only when all of its handles have been closed.
class loop {
 public:
  loop() { REQUIRE(uv_loop_init(&loop_) == 0); }
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;
  ~loop() {
    run();
    CHECK(uv_loop_close(&loop_) == 0);
  }

  uv_loop_t* get() { return &loop_; }
  int run(uv_run_mode mode = UV_RUN_DEFAULT) { return uv_run(&loop_, mode); }

 private:
  uv_loop_t loop_;
};

}  // namespace

TEST_CASE("a stop is told of on the thread of the loop once") {
  loop l;
  curfew::stop_source source;
  int calls = 0;
  std::thread::id where;
  std::optional<curfew::uv_stop_watch<>> watch;
  watch.emplace(l.get(), source.get_token(), [&] {
    ++calls;
    where = std::this_thread::get_id();
    watch.reset();
  });
  std::thread stopper([&] { source.request_stop(); });
  l.run();
  stopper.join();
  CHECK(calls == 1);
  CHECK(where == std::this_thread::get_id());
  CHECK_FALSE(watch);
}

TEST_CASE("a stop before the watch is told of in the next turn") {
  loop l;
  curfew::stop_source source;
  source.request_stop();
  int calls = 0;
  const curfew::uv_stop_watch watch(l.get(), source.get_token(), [&] { ++calls; });
  CHECK(calls == 0);
  l.run(UV_RUN_NOWAIT);
  CHECK(calls == 1);
  l.run(UV_RUN_NOWAIT);
  CHECK(calls == 1);
}

TEST_CASE("after its end a watch tells of nothing") {
  loop l;
  curfew::stop_source source;
  int calls = 0;
  {
    const curfew::uv_stop_watch watch(l.get(), source.get_token(), [&] { ++calls; });
  }
  source.request_stop();
  l.run();
  CHECK(calls == 0);
}

TEST_CASE("a stop that the loop has not seen yet is forgotten with the watch") {
  loop l;
  curfew::stop_source source;
  int calls = 0;
  {
    const curfew::uv_stop_watch watch(l.get(), source.get_token(), [&] { ++calls; });
    source.request_stop();
  }
  l.run();
  CHECK(calls == 0);
}

TEST_CASE("the function lives until the loop has closed the handle") {
  loop l;
  curfew::stop_source source;
  const auto kept = std::make_shared<int>(0);
  {
    const curfew::uv_stop_watch watch(l.get(), source.get_token(), [kept] {});
  }
  CHECK(kept.use_count() == 2);
  l.run();
  CHECK(kept.use_count() == 1);
}

TEST_CASE("a watch keeps the loop going unless it is told not to") {
  loop l;
  curfew::stop_source source;
  curfew::uv_stop_watch watch(l.get(), source.get_token(), [] {});
  CHECK(uv_loop_alive(l.get()) != 0);
  watch.unref();
  CHECK(l.run() == 0);  // returns
  watch.ref();
  CHECK(uv_loop_alive(l.get()) != 0);
}

TEST_CASE("inplace tokens and deadlines reach the loop") {
  loop l;
  curfew::manual_clock clock;
  const curfew::inplace_stop_source source(clock, 5s);
  int calls = 0;
  const curfew::uv_stop_watch watch(l.get(), source.get_token(), [&] { ++calls; });
  clock.advance(5s);
  l.run(UV_RUN_NOWAIT);
  CHECK(calls == 1);
}

TEST_CASE("errors speak as libuv does and success clears") {
  loop l;
  std::error_code ec(UV_EMFILE, curfew::uv_category());
  CHECK(ec.message() == uv_strerror(UV_EMFILE));
  const curfew::uv_stop_watch watch(
      l.get(), curfew::stop_token(), [] {}, ec);
  CHECK_FALSE(ec);
}

#if CURFEW_POSIX && CURFEW_EXCEPTIONS
TEST_CASE("an exception of a watch ends the program and not another watch") {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    std::set_terminate([] { std::abort(); });  // without a word
    loop l;
    curfew::stop_source source;
    const curfew::uv_stop_watch watch(l.get(), source.get_token(), [] { throw 1; });
    source.request_stop();
    try {
      l.run(UV_RUN_NOWAIT);
    } catch (int) {
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
}
#endif

TEST_CASE("the end of a watch races the stop") {
  loop l;
  int called = 0;
  for (int i = 0; i < 2'000; ++i) {
    curfew::stop_source source;
    auto watch =
        std::make_unique<curfew::uv_stop_watch<>>(l.get(), source.get_token(), [&] { ++called; });
    std::thread stopper([&] { source.request_stop(); });
    if (i % 2 == 0) l.run(UV_RUN_NOWAIT);
    watch.reset();
    stopper.join();
    l.run(UV_RUN_NOWAIT);
  }
  CHECK(called <= 2'000);
}

TEST_CASE("a signal of the bridge stops the loop") {
  loop l;
  curfew::stop_source source;
  const curfew::signal_bridge bridge(source);
  curfew::stop_reason why;
  std::optional<curfew::uv_stop_watch<>> watch;
  watch.emplace(l.get(), source.get_token(), [&] {
    why = source.get_token().reason();
    watch.reset();
  });
  std::raise(SIGTERM);
  l.run();
  CHECK(why.cause == curfew::stop_cause::signal);
  CHECK(why.code == SIGTERM);
}

#endif
