// SPDX-License-Identifier: BSL-1.0
#include <curfew/interop/std_stop_token.hpp>

#include "doctest/doctest.h"

#if !defined(__cpp_lib_jthread)

TEST_CASE("the standard library has no stop token here") { CHECK(true); }

#else

#include <curfew/stop/wait.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#if defined(__GNUC__) && !defined(__clang__)  // g++ 12 says it of every std::stop_source
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

using namespace std::chrono_literals;

TEST_CASE("a stop of a curfew token stops the std token") {
  curfew::stop_source source;
  const curfew::to_std_stop_token bridge(source.get_token());
  const std::stop_token token = bridge.get_token();
  CHECK(token.stop_possible());
  CHECK_FALSE(token.stop_requested());
  source.request_stop();
  CHECK(token.stop_requested());
}

TEST_CASE("a stop of a std token stops the curfew token") {
  std::stop_source source;
  const curfew::from_std_stop_token bridge(source.get_token());
  const curfew::stop_token token = bridge.get_token();
  CHECK(token.stop_possible());
  CHECK_FALSE(token.stop_requested());
  source.request_stop();
  CHECK(token.stop_requested());
  CHECK(token.reason().cause == curfew::stop_cause::requested);
}

TEST_CASE("a bridge from a stopped token is stopped from the beginning") {
  curfew::stop_source ours;
  std::stop_source theirs;
  ours.request_stop();
  theirs.request_stop();
  CHECK(curfew::to_std_stop_token(ours.get_token()).get_token().stop_requested());
  CHECK(curfew::from_std_stop_token(theirs.get_token()).get_token().stop_requested());
}

TEST_CASE("inplace tokens have a bridge too") {
  curfew::inplace_stop_source source;
  const curfew::to_std_stop_token bridge(source.get_token());
  source.request_stop();
  CHECK(bridge.get_token().stop_requested());
}

TEST_CASE("the parent of a bridge stops it with its own reason") {
  curfew::manual_clock clock;
  const curfew::stop_source parent(clock, 1s);
  const std::stop_source source;
  const curfew::from_std_stop_token bridge(source.get_token(), parent.get_token());
  CHECK(bridge.get_token().deadline() == parent.get_token().deadline());
  clock.advance(1s);
  CHECK(bridge.get_token().reason().cause == curfew::stop_cause::deadline);
  CHECK_FALSE(source.stop_requested());
}

TEST_CASE("a stop of the std token does not reach the parent of the bridge") {
  const curfew::stop_source parent;
  std::stop_source source;
  const curfew::from_std_stop_token bridge(source.get_token(), parent.get_token());
  source.request_stop();
  CHECK(bridge.get_token().stop_requested());
  CHECK_FALSE(parent.stop_requested());
}

TEST_CASE("callbacks run on the thread that asks for the stop on either side") {
  curfew::stop_source source;
  const curfew::to_std_stop_token out(source.get_token());
  const curfew::from_std_stop_token back(out.get_token());
  std::thread::id seen;
  const curfew::stop_callback callback(back.get_token(),
                                       [&] { seen = std::this_thread::get_id(); });
  source.request_stop();
  CHECK(seen == std::this_thread::get_id());
}

TEST_CASE("a jthread works on a curfew token and a curfew wait on the token of a jthread") {
  std::mutex mutex;
  std::condition_variable_any cv;
  const auto never = [] { return false; };
  std::jthread theirs([&](std::stop_token stop) {
    const curfew::from_std_stop_token bridge(std::move(stop));
    std::unique_lock lock(mutex);
    CHECK_FALSE(curfew::wait(cv, lock, bridge.get_token(), never));
  });
  theirs.request_stop();
  theirs.join();
}

TEST_CASE("the condition variable of the standard library waits on a curfew token") {
  curfew::stop_source source;
  std::mutex mutex;
  std::condition_variable_any cv;
  const auto work = [&](const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    CHECK_FALSE(cv.wait(lock, stop, [] { return false; }));
  };
  const curfew::to_std_stop_token bridge(source.get_token());
  std::jthread worker(work, bridge.get_token());
  source.request_stop();
  worker.join();
}

TEST_CASE("a deadline of a curfew token ends a wait of the standard library") {
  curfew::manual_clock clock;
  const curfew::stop_source source(clock, 1s);
  const curfew::to_std_stop_token bridge(source.get_token());
  std::mutex mutex;
  std::condition_variable_any cv;
  std::jthread worker([&] {
    std::unique_lock lock(mutex);
    CHECK_FALSE(cv.wait_for(lock, bridge.get_token(), 1h, [] { return false; }));
  });
  clock.advance(1s);
  worker.join();
  CHECK(source.get_token().reason().cause == curfew::stop_cause::deadline);
}

TEST_CASE("a stop of a curfew token stops a jthread through its own source") {
  curfew::stop_source source;
  std::jthread worker([](std::stop_token stop) {
    const curfew::from_std_stop_token bridge(std::move(stop));
    CHECK(bridge.get_token().wait());
  });
  const curfew::stop_callback on_stop(source.get_token(), [own = worker.get_stop_source()] {
    std::stop_source(own).request_stop();
  });
  source.request_stop();
  worker.join();
}

TEST_CASE("the end of a jthread stops the curfew contexts below it") {
  curfew::stop_token child;
  std::mutex mutex;
  std::condition_variable_any cv;
  bool made = false;
  {
    const std::jthread worker([&](std::stop_token stop) {
      const curfew::from_std_stop_token bridge(std::move(stop));
      const curfew::stop_source below(bridge.get_token());
      {
        const std::lock_guard lock(mutex);
        child = below.get_token();
        made = true;
      }
      cv.notify_one();
      CHECK(below.get_token().wait());
    });
    std::unique_lock lock(mutex);
    cv.wait(lock, [&] { return made; });
  }
  CHECK(child.stop_requested());
}

TEST_CASE("callbacks may remove one another across a bridge while it stops") {
  curfew::stop_source source;
  const curfew::to_std_stop_token bridge(source.get_token());
  int calls = 0;
  std::optional<std::stop_callback<std::function<void()>>> theirs;
  theirs.emplace(bridge.get_token(), [&] { ++calls; });
  const curfew::stop_callback ours(source.get_token(), [&] { theirs.reset(); });
  source.request_stop();  // the newer one, ours, comes first
  CHECK(calls == 0);
  std::optional<std::stop_callback<std::function<void()>>> itself;
  itself.emplace(bridge.get_token(), [&] { ++calls; });
  CHECK(calls == 1);
}

TEST_CASE("after the end of a bridge no stop passes it") {
  curfew::stop_source ours;
  std::optional<curfew::to_std_stop_token<>> out(ours.get_token());
  const std::stop_token kept = out->get_token();
  out.reset();
  CHECK_FALSE(kept.stop_possible());
  ours.request_stop();
  CHECK_FALSE(kept.stop_requested());

  std::stop_source theirs;
  std::optional<curfew::from_std_stop_token> in(theirs.get_token());
  const curfew::stop_token token = in->get_token();
  in.reset();
  CHECK_FALSE(token.stop_possible());
  theirs.request_stop();
  CHECK_FALSE(token.stop_requested());
}

TEST_CASE("a callback may destroy the bridge that its stop came through") {
  curfew::stop_source ours;
  std::optional<curfew::to_std_stop_token<>> out(ours.get_token());
  int calls = 0;
  {
    const std::stop_callback callback(out->get_token(), [&] {
      out.reset();
      ++calls;
    });
    ours.request_stop();
  }
  std::stop_source theirs;
  std::optional<curfew::from_std_stop_token> in(theirs.get_token());
  {
    const curfew::stop_callback callback(in->get_token(), [&] {
      in.reset();
      ++calls;
    });
    theirs.request_stop();
  }
  CHECK(calls == 2);
}

TEST_CASE("the end of a bridge may race the stop") {
  for (int i = 0; i < 1'000; ++i) {
    curfew::stop_source ours;
    std::stop_source theirs;
    auto out = std::make_unique<curfew::to_std_stop_token<>>(ours.get_token());
    auto in = std::make_unique<curfew::from_std_stop_token>(theirs.get_token());
    const std::stop_token kept = out->get_token();
    std::thread stopper([&] {
      ours.request_stop();
      theirs.request_stop();
    });
    out.reset();
    in.reset();
    stopper.join();
    CHECK(kept.stop_possible() == kept.stop_requested());
  }
}

TEST_CASE("a ring of bridges is stopped once around") {
  curfew::stop_source source;
  const curfew::to_std_stop_token out(source.get_token());
  const std::stop_callback around(out.get_token(), [&] { CHECK_FALSE(source.request_stop()); });
  CHECK(source.request_stop());
}

#endif
