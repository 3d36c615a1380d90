// SPDX-License-Identifier: BSL-1.0
#include <curfew/stop/wait.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <curfew/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr int rounds = TEST_THREAD_SANITIZER ? 2'000 : 10'000;

const auto never = [] { return false; };

// What a waiter and its wakers share.
template <class Cv>
struct room {
  Cv cv;
  std::mutex mutex;
  bool ready = false;  // guarded by mutex

  template <class Token>
  bool wait(Token token) {
    std::unique_lock lock(mutex);
    return curfew::wait(cv, lock, token, [&] { return ready; });
  }
  template <class Token, class Duration>
  bool wait_for(Token token, Duration d) {
    std::unique_lock lock(mutex);
    return curfew::wait_for(cv, lock, token, d, [&] { return ready; });
  }
  void make_ready() {
    {
      const std::lock_guard lock(mutex);
      ready = true;
    }
    cv.notify_one();
  }
};

// A predicate that is false and tells the world that its waiter has come as far as this. Whoever
// then gets the mutex knows that the waiter sleeps.
struct arriving {
  test::gate& arrived;
  bool operator()() const noexcept {
    arrived.open();
    return false;
  }
};

void pass_through(std::mutex& m) { const std::lock_guard lock(m); }

// Where two threads meet again and again. It yields, because the blocking waits of <atomic>, on
// which std::barrier is built, sometimes sleep for ever with g++ 12 on Windows.
class meeting_point {
 public:
  void meet() noexcept {
    const int turn = arrived_.fetch_add(1) / 2;
    while (arrived_ < 2 * (turn + 1)) std::this_thread::yield();
  }

 private:
  std::atomic<int> arrived_{0};
};

void hesitate(int steps) {
  for (std::atomic<int> left{steps}; left > 0; --left) {
  }
}

// Two threads meet before each round, so that what they do then coincides as nearly as can be;
// the second one starts a little later every time, and then from the beginning.
template <class Prepare, class First, class Second>
void collide(int times, Prepare prepare, First first, Second second) {
  meeting_point both;
  std::thread other([&] {
    for (int i = 0; i < times; ++i) {
      both.meet();
      hesitate(i % 512);
      second();
      both.meet();
    }
  });
  for (int i = 0; i < times; ++i) {
    prepare();
    both.meet();
    first();
    both.meet();
  }
  other.join();
}

template <class Cv, class Source>
void stop_races_entry(bool stopper_holds_the_mutex) {
  room<Cv> r;
  std::optional<Source> source;
  int wrong = 0;
  collide(
      rounds, [&] { source.emplace(); }, [&] { wrong += r.wait(source->get_token()) ? 1 : 0; },
      [&] {
        std::unique_lock lock(r.mutex, std::defer_lock);
        if (stopper_holds_the_mutex) lock.lock();
        source->request_stop();
      });
  CHECK(wrong == 0);
}

template <class Cv>
void callback_takes_the_mutex(bool registered_before, bool timed) {
  room<Cv> r;
  test::gate arrived;
  curfew::stop_source source;
  const auto callback = [&] { pass_through(r.mutex); };
  std::optional<curfew::stop_callback<decltype(callback)>> before;
  std::optional<curfew::stop_callback<decltype(callback)>> after;
  if (registered_before) before.emplace(source.get_token(), callback);
  std::thread waiter([&] {
    std::unique_lock lock(r.mutex);
    if (timed) {
      CHECK_FALSE(curfew::wait_for(r.cv, lock, source.get_token(), 1h, arriving{arrived}));
    } else {
      CHECK_FALSE(curfew::wait(r.cv, lock, source.get_token(), arriving{arrived}));
    }
  });
  arrived.pass();
  pass_through(r.mutex);
  if (!registered_before) after.emplace(source.get_token(), callback);
  source.request_stop();
  waiter.join();
}

}  // namespace

TEST_CASE("a wait whose predicate is true returns at once") {
  room<std::condition_variable_any> r;
  r.ready = true;
  curfew::stop_source source;
  CHECK(r.wait(source.get_token()));
  CHECK(r.wait_for(source.get_token(), 1h));
  source.request_stop();
  CHECK(r.wait(source.get_token()));
  CHECK(r.wait_for(source.get_token(), 1h));
}

TEST_CASE("a wait on a stopped token returns what the predicate says without sleeping") {
  room<std::condition_variable_any> any;
  room<std::condition_variable> plain;
  curfew::inplace_stop_source source;
  source.request_stop();
  CHECK_FALSE(any.wait(source.get_token()));
  CHECK_FALSE(plain.wait(source.get_token()));
  CHECK_FALSE(any.wait_for(source.get_token(), 1h));
  CHECK_FALSE(plain.wait_for(source.get_token(), std::chrono::hours::max()));
}

TEST_CASE("a notification ends the wait with true") {
  room<std::condition_variable_any> any;
  room<std::condition_variable> plain;
  const curfew::stop_source source;
  const auto both = [&](auto& r) {
    std::thread notifier([&] { r.make_ready(); });
    CHECK(r.wait(source.get_token()));
    notifier.join();
  };
  both(any);
  both(plain);
}

TEST_CASE("tokens that can never be stopped wait for the predicate alone") {
  const auto check = [](auto& r, auto token) {
    r.ready = false;
    std::thread notifier([&] { r.make_ready(); });
    CHECK(r.wait(token));
    notifier.join();
    r.ready = false;
    std::thread again([&] { r.make_ready(); });
    CHECK(r.wait_for(token, 1h));
    again.join();
  };
  room<std::condition_variable_any> any;
  room<std::condition_variable> plain;
  check(any, curfew::stop_token());
  check(any, curfew::never_stop_token());
  check(any, curfew::inplace_stop_token());
  check(plain, curfew::stop_token());
  check(plain, curfew::never_stop_token());
}

TEST_CASE("a stop that races the entry into a wait is never lost") {
  stop_races_entry<std::condition_variable_any, curfew::stop_source>(false);
  stop_races_entry<std::condition_variable_any, curfew::inplace_stop_source>(false);
}

TEST_CASE("a stop by a thread that holds the mutex of the waiter is never lost") {
  stop_races_entry<std::condition_variable_any, curfew::stop_source>(true);
  stop_races_entry<std::condition_variable_any, curfew::inplace_stop_source>(true);
}

TEST_CASE("a plain condition variable is woken by a stop too") {
  stop_races_entry<std::condition_variable, curfew::stop_source>(false);
  stop_races_entry<std::condition_variable, curfew::inplace_stop_source>(true);
}

namespace {

// Takes its time between the last look of its waiter and its sleep, until a stop has been asked
// for; a notification that comes then would be lost.
struct drowsy_condition_variable {
  const curfew::stop_source& source;
  std::condition_variable_any cv;
  std::atomic<bool> drowsy{false};
  std::atomic<bool> lost{false};

  void notify_all() noexcept {
    if (drowsy) lost = true;
    cv.notify_all();
  }
  template <class Lock>
  void wait(Lock& lock) {
    drowsy = true;
    while (!source.stop_requested()) std::this_thread::yield();
    for (int i = 0; i < 1'000; ++i) std::this_thread::yield();
    drowsy = false;
    if (!lost) cv.wait(lock);
  }
};

// The same for a condition variable that takes one kind of lock: it sleeps when the stop is over.
struct sleepy_condition_variable {
  test::gate drowsy;
  test::gate stop_is_over;
  std::condition_variable cv;
  int naps = 0;

  void notify_all() noexcept { cv.notify_all(); }
  void wait(std::unique_lock<std::mutex>& lock) { cv.wait(lock); }
  std::cv_status wait_for(std::unique_lock<std::mutex>& lock, std::chrono::milliseconds limit) {
    ++naps;
    drowsy.open();
    stop_is_over.pass();
    return cv.wait_for(lock, limit);
  }
};

}  // namespace

TEST_CASE("a stop lets a waiter fall asleep before it wakes it") {
  curfew::stop_source source;
  drowsy_condition_variable cv{source, {}};
  std::mutex mutex;
  std::thread stopper([&] {
    while (!cv.drowsy) std::this_thread::yield();
    source.request_stop();
  });
  std::unique_lock lock(mutex);
  CHECK_FALSE(curfew::wait(cv, lock, source.get_token(), never));
  CHECK_FALSE(cv.lost);
  stopper.join();
}

TEST_CASE("a waiter of a plain condition variable that slept past its stop looks again") {
  curfew::inplace_stop_source source;
  sleepy_condition_variable cv;
  std::mutex mutex;
  std::thread stopper([&] {
    cv.drowsy.pass();
    source.request_stop();  // does not wait for the waiter
    cv.stop_is_over.open();
  });
  std::unique_lock lock(mutex);
  CHECK_FALSE(curfew::wait(cv, lock, source.get_token(), never));
  CHECK(cv.naps == 1);
  stopper.join();
}

TEST_CASE("a notification that races the entry into a wait is never lost") {
  room<std::condition_variable_any> r;
  const curfew::stop_source source;
  int wrong = 0;
  collide(
      rounds, [&] { r.ready = false; }, [&] { wrong += r.wait(source.get_token()) ? 0 : 1; },
      [&] { r.make_ready(); });
  CHECK(wrong == 0);
}

TEST_CASE("a stop and a notification at the same moment leave the last word to the predicate") {
  room<std::condition_variable_any> r;
  std::optional<curfew::stop_source> source;
  std::optional<bool> seen;
  int wrong = 0;
  collide(
      rounds,
      [&] {
        r.ready = false;
        source.emplace();
      },
      [&] {
        std::unique_lock lock(r.mutex);
        const auto pred = [&] { return *(seen = r.ready); };
        wrong += curfew::wait(r.cv, lock, source->get_token(), pred) == *seen ? 0 : 1;
      },
      [&] {
        source->request_stop();
        r.make_ready();
      });
  CHECK(wrong == 0);
}

TEST_CASE("the condition variable may be destroyed as soon as a stopped wait has returned") {
  const auto check = [](auto make) {
    auto r = make();
    std::optional<curfew::stop_source> source;
    collide(
        rounds,
        [&] {
          r = make();
          source.emplace();
        },
        [&] {
          r->wait(source->get_token());
          r.reset();
        },
        [&] { source->request_stop(); });
    CHECK(r == nullptr);
  };
  check([] { return std::make_unique<room<std::condition_variable_any>>(); });
  check([] { return std::make_unique<room<std::condition_variable>>(); });
}

TEST_CASE("all waiters of a token are woken by its stop") {
  room<std::condition_variable_any> r;
  curfew::stop_source source;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 8; ++i) {
    waiters.emplace_back([&] { CHECK_FALSE(r.wait(source.get_token())); });
  }
  source.request_stop();
  for (auto& w : waiters) w.join();
}

TEST_CASE("a stop wakes the waiters of its own token alone") {
  room<std::condition_variable_any> r;
  curfew::stop_source one;
  curfew::inplace_stop_source two;
  std::atomic<bool> two_is_back{false};
  test::gate arrived;
  std::thread first([&] { CHECK_FALSE(r.wait(one.get_token())); });
  std::thread second([&] {
    std::unique_lock lock(r.mutex);
    CHECK_FALSE(curfew::wait(r.cv, lock, two.get_token(), arriving{arrived}));
    two_is_back = true;
  });
  arrived.pass();
  one.request_stop();
  first.join();
  CHECK_FALSE(two_is_back);
  two.request_stop();
  second.join();
}

TEST_CASE("a stop from inside a callback of another token ends the wait") {
  room<std::condition_variable_any> r;
  curfew::stop_source outer;
  curfew::stop_source inner;
  test::gate arrived;
  const curfew::stop_callback chain(outer.get_token(), [&] {
    const std::lock_guard lock(r.mutex);
    inner.request_stop();
  });
  std::thread waiter([&] {
    std::unique_lock lock(r.mutex);
    CHECK_FALSE(curfew::wait(r.cv, lock, inner.get_token(), arriving{arrived}));
  });
  arrived.pass();
  outer.request_stop();
  waiter.join();
}

TEST_CASE("a wait inside a callback of its own token returns at once") {
  room<std::condition_variable_any> r;
  curfew::stop_source source;
  bool waited = false;
  const curfew::stop_callback callback(source.get_token(), [&] {
    CHECK_FALSE(r.wait(source.get_token()));
    CHECK_FALSE(r.wait_for(source.get_token(), 1h));
    waited = true;
  });
  source.request_stop();
  CHECK(waited);
}

TEST_CASE("other callbacks of the token may take the mutex of the waiter") {
  for (const bool registered_before : {false, true}) {
    for (const bool timed : {false, true}) {
      callback_takes_the_mutex<std::condition_variable_any>(registered_before, timed);
      callback_takes_the_mutex<std::condition_variable>(registered_before, timed);
    }
  }
}

TEST_CASE("a predicate may ask for the stop that ends its wait") {
  room<std::condition_variable_any> r;
  curfew::stop_source source;
  int calls = 0;
  std::unique_lock lock(r.mutex);
  CHECK_FALSE(curfew::wait(r.cv, lock, source.get_token(), [&] {
    ++calls;
    source.request_stop();
    return false;
  }));
  CHECK(calls == 2);
}

TEST_CASE("locks of every kind work with a general condition variable") {
  std::condition_variable_any cv;
  curfew::stop_source source;
  const auto stopped_while_waiting = [&](auto lock) {
    test::gate arrived;
    curfew::stop_source own(source.get_token());
    std::thread stopper([&] {
      arrived.pass();
      own.request_stop();
    });
    CHECK_FALSE(curfew::wait(cv, lock, own.get_token(), arriving{arrived}));
    CHECK(lock.owns_lock());
    stopper.join();
  };
  std::shared_mutex shared;
  std::recursive_mutex recursive;
  std::timed_mutex timed;
  stopped_while_waiting(std::shared_lock(shared));
  stopped_while_waiting(std::unique_lock(shared));
  stopped_while_waiting(std::unique_lock(recursive));
  stopped_while_waiting(std::unique_lock(timed));
}

TEST_CASE("a timed wait ends when the clock of its token says so and not before") {
  const auto check = [](auto& r) {
    curfew::manual_clock clock;
    const curfew::stop_source root(clock);
    std::atomic<bool> back{false};
    test::gate arrived;
    std::thread waiter([&] {
      std::unique_lock lock(r.mutex);
      CHECK_FALSE(curfew::wait_for(r.cv, lock, root.get_token(), 10s, arriving{arrived}));
      back = true;
    });
    arrived.pass();
    clock.advance(10s - 1ns);
    pass_through(r.mutex);
    CHECK_FALSE(back);
    clock.advance(1ns);
    waiter.join();
    CHECK_FALSE(root.stop_requested());
  };
  room<std::condition_variable_any> any;
  room<std::condition_variable> plain;
  check(any);
  check(plain);
}

TEST_CASE("the thread that moves the clock may hold the mutex of the waiter") {
  room<std::condition_variable_any> r;
  curfew::manual_clock clock;
  const curfew::inplace_stop_source root(clock);
  std::atomic<bool> back{false};
  int wrong = 0;
  collide(
      rounds / 4, [&] { back = false; },
      [&] {
        wrong += r.wait_for(root.get_token(), 1s) ? 1 : 0;
        back = true;
      },
      [&] {
        while (!back) {
          {
            const std::lock_guard lock(r.mutex);
            clock.advance(1s);
          }
          std::this_thread::yield();
        }
      });
  CHECK(wrong == 0);
}

TEST_CASE("the deadline of the token ends a wait with a later limit") {
  room<std::condition_variable_any> r;
  curfew::manual_clock clock;
  const curfew::stop_source root(clock, 5s);
  test::gate arrived;
  std::thread waiter([&] {
    std::unique_lock lock(r.mutex);
    CHECK_FALSE(curfew::wait_for(r.cv, lock, root.get_token(), 1h, arriving{arrived}));
    CHECK(root.stop_requested());
  });
  arrived.pass();
  clock.advance(5s);
  waiter.join();
}

TEST_CASE("limits that have passed end a wait at once") {
  room<std::condition_variable_any> r;
  curfew::manual_clock clock;
  const curfew::stop_source root(clock);
  const auto token = root.get_token();
  CHECK_FALSE(r.wait_for(token, 0s));
  CHECK_FALSE(r.wait_for(token, -1s));
  CHECK_FALSE(r.wait_for(token, std::chrono::hours::min()));
  CHECK_FALSE(r.wait_for(curfew::never_stop_token(), 0s));
  std::unique_lock lock(r.mutex);
  using curfew::time_source;
  CHECK_FALSE(curfew::wait_until(r.cv, lock, token, clock.now(), never));
  CHECK_FALSE(curfew::wait_until(r.cv, lock, token, time_source::time_point::min(), never));
  CHECK(curfew::wait_until(r.cv, lock, token, time_source::time_point::min(), [] { return true; }));
}

TEST_CASE("limits beyond the end of the clock mean never") {
  room<std::condition_variable_any> r;
  curfew::manual_clock clock;
  using point = std::chrono::time_point<std::chrono::steady_clock, std::chrono::duration<double>>;
  const auto outlives_a_century = [&](auto wait) {
    curfew::stop_source root(clock);
    test::gate arrived;
    std::atomic<bool> back{false};
    std::thread waiter([&] {
      std::unique_lock lock(r.mutex);
      CHECK_FALSE(wait(lock, root.get_token(), arriving{arrived}));
      back = true;
    });
    arrived.pass();
    clock.advance(24h * 365 * 100 / 4);
    pass_through(r.mutex);
    CHECK_FALSE(back);
    root.request_stop();
    waiter.join();
  };
  outlives_a_century([&](auto& lock, auto token, auto pred) {
    return curfew::wait_for(r.cv, lock, token, std::chrono::hours::max(), pred);
  });
  outlives_a_century([&](auto& lock, auto token, auto pred) {
    return curfew::wait_until(r.cv, lock, token, curfew::time_source::time_point::max(), pred);
  });
  outlives_a_century([&](auto& lock, auto token, auto pred) {
    return curfew::wait_until(r.cv, lock, token, point::max(), pred);
  });
}

TEST_CASE("deadlines of the real clock that race the entry into a wait are never lost") {
  room<std::condition_variable_any> r;
  const curfew::stop_source source;
  for (int i = 0; i < 1'000; ++i) {
    if (r.wait_for(source.get_token(), std::chrono::microseconds(i % 100))) FAIL("not ready");
  }
  const auto limit = std::chrono::steady_clock::now() + 1ms;
  std::unique_lock lock(r.mutex);
  CHECK_FALSE(curfew::wait_until(r.cv, lock, source.get_token(), limit, never));
  CHECK(std::chrono::steady_clock::now() >= limit);
}

TEST_CASE("a stop that races a timed wait never deadlocks with its end") {
  room<std::condition_variable_any> r;
  std::optional<curfew::stop_source> source;
  collide(
      rounds / 4, [&] { source.emplace(); },
      [&] { r.wait_for(source->get_token(), std::chrono::microseconds(50)); },
      [&] {
        const curfew::stop_callback callback(source->get_token(), [&] { pass_through(r.mutex); });
        source->request_stop();
      });
}

TEST_CASE("time points of another clock do not compile") {
  constexpr auto accepts = []<class Point>(Point) {
    return requires(std::condition_variable_any cv, std::unique_lock<std::mutex> lock,
                    curfew::stop_token token, Point limit) {
      curfew::wait_until(cv, lock, token, limit, [] { return true; });
    };
  };
  CHECK(accepts(std::chrono::steady_clock::time_point()));
  CHECK_FALSE(accepts(std::chrono::system_clock::time_point()));
}

#if CURFEW_EXCEPTIONS
namespace {

// Fails before it has released the lock, and not before somebody asks for a stop.
struct broken_condition_variable {
  curfew::stop_source& source;
  std::thread stopper;

  void notify_all() noexcept {}
  template <class Lock>
  void wait(Lock&) {
    stopper = std::thread([this] { source.request_stop(); });
    while (!source.stop_requested()) std::this_thread::yield();
    throw std::runtime_error("broken");
  }
};

}  // namespace

TEST_CASE("an exception from the predicate leaves the wait with the lock held") {
  room<std::condition_variable_any> r;
  curfew::stop_source source;
  std::unique_lock lock(r.mutex);
  const auto pred = []() -> bool { throw std::runtime_error("no"); };
  CHECK_THROWS_AS(curfew::wait(r.cv, lock, source.get_token(), pred), std::runtime_error);
  CHECK_THROWS_AS(curfew::wait_for(r.cv, lock, source.get_token(), 1h, pred), std::runtime_error);
  CHECK(lock.owns_lock());
  source.request_stop();
}

TEST_CASE("a condition variable that fails before it sleeps does not hold up a stop") {
  curfew::stop_source source;
  broken_condition_variable cv{source, {}};
  std::mutex mutex;
  std::unique_lock lock(mutex);
  CHECK_THROWS_AS(curfew::wait(cv, lock, source.get_token(), never), std::runtime_error);
  cv.stopper.join();
}
#endif
