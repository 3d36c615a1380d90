// SPDX-License-Identifier: BSL-1.0
#include <curfew/stop/retry.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#if !TEST_THREAD_SANITIZER  // which has an operator new of its own
#include "counted_new.hpp"
#endif

#include <curfew/testing/manual_clock.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::backoff;
using curfew::inplace_stop_source;
using curfew::inplace_stop_token;
using curfew::manual_clock;
using curfew::retry;
using curfew::retry_budget;
using curfew::retry_end;
using curfew::stop_cause;
using curfew::stop_source;
using curfew::stop_token;
using duration = curfew::time_source::duration;
using time_point = curfew::time_source::time_point;

namespace {

// Once it jumps, whoever waits for a time finds that it has come: each wait moves the clock, and a
// whole retry runs on one thread. Deadlines are never fired, so they are noticed late or not at
// all.
class jumping_clock final : public curfew::time_source {
 public:
  time_point now() const noexcept override { return now_; }
  void jump() { jumps_ = true; }
  void pass(duration d) { now_ += d; }

 private:
  bool arm(curfew::detail::timer_entry& e, std::error_code&) noexcept override {
    if (!jumps_) return true;
    if (e.deadline > now_) now_ = e.deadline;
    return false;
  }
  void disarm(curfew::detail::timer_entry&) noexcept override {}

  time_point now_{24h};
  bool jumps_ = false;
};

std::error_code refused() { return std::make_error_code(std::errc::connection_refused); }

bool must_not_be_called() {
  FAIL_CHECK("the function was called");
  return false;
}

// The lengths of the waits that a retry without success makes.
std::vector<duration> waits(backoff how) {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  std::vector<time_point> calls;
  const auto r = retry(source.get_token(), how, [&] {
    calls.push_back(clock.now());
    return false;
  });
  CHECK(r.end == retry_end::exhausted);
  CHECK(r.attempts == calls.size());
  std::vector<duration> between;
  for (std::size_t i = 1; i < calls.size(); ++i) between.push_back(calls[i] - calls[i - 1]);
  return between;
}

duration first_wait(duration initial, std::uint64_t seed) {
  return waits({.initial = initial, .longest = initial, .attempts = 2, .seed = seed}).at(0);
}

// --- what may be tried --------------------------------------------------------------------------

enum plain_enum { zero };
struct code_of_another_library {
  int number;
  int value() const { return number; }
  int category() const { return 0; }
  explicit operator bool() const { return number != 0; }
};

template <class R>
constexpr bool may_return = curfew::retry_function<R (*)(), stop_token>;

static_assert(may_return<void> && may_return<bool> && may_return<int*> && may_return<const bool&>);
static_assert(may_return<std::error_code> && may_return<std::error_condition>);
static_assert(may_return<code_of_another_library>);
static_assert(may_return<std::optional<int>> && may_return<std::unique_ptr<int>>);
static_assert(!may_return<int> && !may_return<double> && !may_return<plain_enum>);
static_assert(!may_return<std::errc> && !may_return<std::exception_ptr>);
static_assert(!may_return<std::string>);
static_assert(curfew::retry_function<bool (*)(stop_token), stop_token>);
static_assert(curfew::retry_function<bool (*)(const inplace_stop_token&), inplace_stop_token>);
static_assert(!curfew::retry_function<bool (*)(stop_token), inplace_stop_token>);
static_assert(!curfew::retry_function<bool (*)(int), stop_token>);

template <class T>
struct outcome_of {  // like std::expected
  std::optional<T> there;
  std::error_code code;
  explicit operator bool() const { return there.has_value(); }
  std::error_code error() const { return code; }
};

}  // namespace

TEST_CASE("a first success is all there is") {
  manual_clock clock;
  const stop_source source{clock};
  int calls = 0;
  const auto r = retry(source.get_token(), {}, [&] { return ++calls == 1; });
  CHECK(r.ok());
  CHECK(r.end == retry_end::succeeded);
  CHECK(r.attempts == 1);
  CHECK(calls == 1);
  CHECK_FALSE(r.error);
  CHECK(r.thrown == nullptr);
  CHECK(r.value());
}

TEST_CASE("success is what the function says by its return") {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  const backoff how{.attempts = 5};
  int n = 0;
  const auto third = [&] { return ++n % 3 == 0; };

  SUBCASE("a bool") { CHECK(retry(source.get_token(), how, third).attempts == 3); }
  SUBCASE("an error code") {
    const auto r =
        retry(source.get_token(), how, [&] { return third() ? std::error_code() : refused(); });
    CHECK(r.attempts == 3);
    CHECK_FALSE(r.error);
    CHECK(r.value() == std::error_code());
  }
  SUBCASE("an error condition") {
    const auto r = retry(source.get_token(), how, [&] {
      return third() ? std::error_condition() : refused().default_error_condition();
    });
    CHECK(r.attempts == 3);
  }
  SUBCASE("an error code of another library") {
    const auto r =
        retry(source.get_token(), how, [&] { return code_of_another_library{third() ? 0 : 7}; });
    CHECK(r.attempts == 3);
  }
  SUBCASE("an optional") {
    const auto r = retry(source.get_token(), how,
                         [&] { return third() ? std::optional<int>(0) : std::nullopt; });
    CHECK(r.attempts == 3);
    CHECK(*r.value() == 0);
  }
  SUBCASE("a pointer that only moves") {
    auto r = retry(source.get_token(), how,
                   [&] { return third() ? std::make_unique<int>(42) : nullptr; });
    CHECK(r.attempts == 3);
    const std::unique_ptr<int> mine = std::move(r).value();
    CHECK(*mine == 42);
  }
  SUBCASE("one with an error of its own") {
    const auto r = retry(source.get_token(), how, [&] {
      return third() ? outcome_of<int>{42, {}} : outcome_of<int>{{}, refused()};
    });
    CHECK(r.attempts == 3);
    CHECK(*r.value().there == 42);
    CHECK_FALSE(r.error);
  }
  SUBCASE("nothing at all") {
    const auto r = retry(source.get_token(), how, [&] { static_cast<void>(third()); });
    CHECK(r.ok());
    CHECK(r.attempts == 1);
  }
  SUBCASE("a reference is kept by value") {
    bool yes = true;
    auto r = retry(source.get_token(), how, [&]() -> bool& { return yes; });
    yes = false;
    CHECK(r.value());
  }
}

TEST_CASE("the function is called with the token if it takes one") {
  const stop_source source;
  struct both {
    int with = 0;
    int without = 0;
    bool operator()(const stop_token& t) { return t.stop_possible() && ++with != 0; }
    bool operator()() { return ++without != 0; }
  } f;
  CHECK(retry(source.get_token(), {}, f));
  CHECK(f.with == 1);
  CHECK(f.without == 0);
}

TEST_CASE("what the last attempt failed with is there to be read") {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  const backoff twice{.attempts = 2};
  const auto by_code = retry(source.get_token(), twice, [] { return refused(); });
  CHECK_FALSE(by_code);
  CHECK(by_code.end == retry_end::exhausted);
  CHECK(by_code.error == std::errc::connection_refused);
  CHECK(*by_code.last == refused());
  const auto by_member = retry(source.get_token(), twice, [] {
    return outcome_of<int>{{}, refused()};
  });
  CHECK(by_member.error == std::errc::connection_refused);
  const auto silent = retry(source.get_token(), twice, [] { return false; });
  CHECK(silent.error == std::errc::resource_unavailable_try_again);
  CHECK(*silent.last == false);
}

TEST_CASE("a failed value is gone before the next attempt begins") {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  struct connection {
    std::shared_ptr<int> held;
    explicit operator bool() const { return false; }
  };
  const auto counted = std::make_shared<int>(0);
  const auto r = retry(source.get_token(), {.attempts = 4}, [&] {
    CHECK(counted.use_count() == 1);
    return connection{counted};
  });
  CHECK(counted.use_count() == 2);
  CHECK(r.last->held == counted);
}

// --- waits --------------------------------------------------------------------------------------

TEST_CASE("each wait is within a cap that doubles up to the longest") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto lengths = waits({.initial = 100ms, .longest = 1500ms, .attempts = 12, .seed = seed});
    CHECK(lengths.size() == 11);
    duration cap = 100ms;
    for (const duration d : lengths) {
      CHECK(d >= 0s);
      CHECK(d <= cap);
      cap = std::min<duration>(cap * 2, 1500ms);
    }
  }
}

TEST_CASE("the caps are made use of to the full") {
  constexpr std::size_t count = 7;
  std::array<duration, count> longest{};
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const auto lengths =
        waits({.initial = 100ms, .longest = 2s, .attempts = count + 1, .seed = seed});
    for (std::size_t i = 0; i < count; ++i) longest[i] = std::max(longest[i], lengths.at(i));
  }
  duration cap = 100ms;
  for (const duration d : longest) {
    CHECK(d > cap * 9 / 10);
    cap = std::min<duration>(cap * 2, 2s);
  }
}

TEST_CASE("waits are spread evenly from zero to the cap") {
  constexpr int draws = 20'000;
  std::array<int, 10> buckets{};
  duration sum{};
  for (int i = 1; i <= draws; ++i) {
    const duration d = first_wait(1s, static_cast<std::uint64_t>(i));
    sum += d;
    ++buckets[static_cast<std::size_t>(std::min<std::int64_t>(d / 100ms, 9))];
  }
  for (const int n : buckets) {
    CHECK(n > draws / 10 - 200);  // 2000, with a deviation of 42
    CHECK(n < draws / 10 + 200);
  }
  CHECK(sum / draws > 490ms);  // 500, with a deviation of 2
  CHECK(sum / draws < 510ms);
}

TEST_CASE("the same seed gives the same waits and another one others") {
  const backoff how{.initial = 1s, .longest = 1min, .attempts = 10, .seed = 7};
  backoff other = how;
  other.seed = 8;
  CHECK(waits(how) == waits(how));
  CHECK(waits(how) != waits(other));
}

TEST_CASE("without a seed no two calls wait alike") {
  std::set<duration> seen;
  for (int i = 0; i < 100; ++i) seen.insert(first_wait(24h, 0));
  CHECK(seen.size() == 100);
}

TEST_CASE("threads that fail together do not come back together") {
  std::array<std::uint64_t, 8> seeds{};
  test::starting_line line(8);
  std::vector<std::thread> threads;
  for (std::uint64_t& seed : seeds) {
    threads.emplace_back([&] {
      line.await();
      seed = curfew::detail::fresh_seed();
    });
  }
  for (std::thread& t : threads) t.join();
  CHECK(std::set<std::uint64_t>(seeds.begin(), seeds.end()).size() == seeds.size());
}

TEST_CASE("the generator is SplitMix64 and draws up to its bound") {
  curfew::detail::small_random r(0);  // the values of its authors' program
  CHECK(r.next() == 0xe220a8397b1dcdafu);
  CHECK(r.next() == 0x6e789e6aa1b965f4u);
  CHECK(r.next() == 0x06c45d188009454fu);
  std::set<std::uint64_t> drawn;
  for (int i = 0; i < 300; ++i) drawn.insert(r.up_to(4));
  CHECK(drawn == std::set<std::uint64_t>{0, 1, 2, 3, 4});
  CHECK(r.up_to(0) == 0);
  std::uint64_t all = 0;
  for (int i = 0; i < 100; ++i) all |= r.up_to(~std::uint64_t{0});
  CHECK(all == ~std::uint64_t{0});
}

TEST_CASE("odd lengths of waits do no harm") {
  for (const duration d : waits({.initial = 0s, .longest = 0s, .attempts = 9})) CHECK(d == 0s);
  for (const duration d : waits({.initial = 1h, .longest = -1h, .attempts = 9})) CHECK(d == 0s);
  for (const duration d : waits({.initial = -1h, .longest = 1us, .attempts = 50})) CHECK(d <= 1us);
  for (const duration d : waits({.initial = 1h, .longest = 1s, .attempts = 9})) CHECK(d <= 1s);
  const auto endless = waits({.initial = std::chrono::hours::max(),
                              .longest = std::chrono::hours::max(),
                              .attempts = 3,
                              .seed = 3});
  CHECK(endless.at(0) > 24h);
}

TEST_CASE("from next to nothing the waits grow to the longest") {
  const auto lengths = waits({.initial = 0s, .longest = 1s, .attempts = 60, .seed = 1});
  duration most{};
  for (const duration d : lengths) most = std::max(most, d);
  CHECK(lengths.front() <= 1ns);
  CHECK(most > 500ms);
}

TEST_CASE("a token that can never stop waits like any") {
  jumping_clock clock;
  stop_token orphan;
  {
    const stop_source gone{clock};
    orphan = gone.get_token();
  }
  CHECK_FALSE(orphan.stop_possible());
  clock.jump();
  const time_point begin = clock.now();
  CHECK_FALSE(retry(orphan, {.initial = 1h, .attempts = 5, .seed = 1}, [] { return false; }));
  CHECK(clock.now() > begin);

  const auto now = std::chrono::steady_clock::now();
  const backoff five{.initial = 20ms, .attempts = 5, .seed = 1};
  curfew::detail::retry_pace pace(five);
  duration planned{};
  for (int i = 0; i < 4; ++i) planned += pace.next();
  CHECK(planned > 0s);
  CHECK_FALSE(retry(stop_token{}, five, [] { return false; }));
  CHECK(std::chrono::steady_clock::now() - now >= planned);
  CHECK_FALSE(retry(curfew::never_stop_token{}, five, [] { return false; }));
  CHECK(std::chrono::steady_clock::now() - now >= 2 * planned);
}

TEST_CASE("waits are on the manual clock of the token") {
  manual_clock clock;
  const stop_source source{clock};
  std::atomic<bool> done{false};
  std::vector<time_point> calls;
  std::thread caller([&] {
    const auto r = retry(source.get_token(), {.initial = 1h, .longest = 8h, .attempts = 5}, [&] {
      calls.push_back(clock.now());
      return false;
    });
    CHECK(r.end == retry_end::exhausted);
    done = true;
  });
  while (!done) {
    clock.advance(1min);
    std::this_thread::yield();
  }
  caller.join();
  CHECK(calls.size() == 5);
}

// --- what ends it -------------------------------------------------------------------------------

TEST_CASE("no more attempts than asked for") {
  CHECK(waits({.attempts = 1}).empty());
  CHECK(waits({.attempts = 2}).size() == 1);
  CHECK(waits({.attempts = 100}).size() == 99);
}

TEST_CASE("zero attempts and the most there can be mean no limit") {
  for (const std::uint32_t attempts : {0u, 0xffff'ffffu}) {
    jumping_clock clock;
    const stop_source source{clock};
    clock.jump();
    int calls = 0;
    const auto r = retry(source.get_token(), {.longest = 1s, .attempts = attempts},
                         [&] { return ++calls == 5000; });
    CHECK(r.ok());
    CHECK(r.attempts == 5000);
    constexpr std::uint32_t uncounted = 0xffff'ffff;  // where the count of attempts stays
    CHECK(curfew::detail::obstacle(source.get_token(), {.attempts = attempts}, uncounted, 0s) ==
          retry_end::succeeded);
  }
}

TEST_CASE("a stopped token has nothing called") {
  stop_source source;
  source.request_stop();
  retry_budget budget(1.0, 0);
  const auto r = retry(source.get_token(), {.budget = &budget}, must_not_be_called);
  CHECK(r.end == retry_end::stopped);
  CHECK(r.attempts == 0);
  CHECK_FALSE(r.last.has_value());
  CHECK(r.error == std::errc::operation_canceled);
  CHECK(budget.available() == 0);
}

TEST_CASE("a passed deadline has nothing called though nobody noticed it yet") {
  jumping_clock clock;
  const stop_source source{clock, 1s};
  clock.pass(1s);
  CHECK_FALSE(source.stop_requested());
  const auto r = retry(source.get_token(), {}, must_not_be_called);
  CHECK(r.end == retry_end::out_of_time);
  CHECK(r.attempts == 0);
  CHECK(r.error == std::errc::timed_out);
}

TEST_CASE("a stop inside the function ends it when that fails") {
  manual_clock clock;
  stop_source source{clock};
  const auto r = retry(source.get_token(), {.initial = 1h, .attempts = 1}, [&] {
    source.request_stop();
    return refused();
  });
  CHECK(r.end == retry_end::stopped);  // which goes before the attempts, of which this was the last
  CHECK(r.attempts == 1);
  CHECK(r.error == std::errc::connection_refused);
}

TEST_CASE("a success counts in spite of a stop and of a deadline") {
  manual_clock clock;
  stop_source source{clock};
  CHECK(retry(source.get_token(), {}, [&] { return source.request_stop(); }).ok());
  const stop_source timed{clock, 1s};
  const auto r = retry(timed.get_token(), {}, [&] {
    clock.advance(2s);
    return true;
  });
  CHECK(r.ok());
  CHECK(timed.stop_requested());
}

TEST_CASE("a deadline that passes inside the function ends it") {
  SUBCASE("fired by the clock") {
    manual_clock clock;
    const stop_source source{clock, 1s};
    const auto r = retry(source.get_token(), {}, [&] {
      clock.advance(1s);
      return false;
    });
    CHECK(r.end == retry_end::out_of_time);
    CHECK(r.attempts == 1);
    CHECK(r.error == std::errc::timed_out);
  }
  SUBCASE("noticed by nobody") {
    jumping_clock clock;
    const stop_source source{clock, 1s};
    const auto r = retry(source.get_token(), {}, [&] {
      clock.pass(1s);
      return false;
    });
    CHECK(r.end == retry_end::out_of_time);
    CHECK(r.attempts == 1);
    CHECK(source.stop_requested());
  }
}

TEST_CASE("it gives up early when the next wait would pass the deadline") {
  manual_clock clock;  // which nobody advances, so it did not wait
  const stop_source source{clock, 100ms};
  CHECK(first_wait(1h, 1) > 100ms);
  const auto r = retry(source.get_token(), {.initial = 1h, .longest = 1h, .seed = 1},
                       [] { return refused(); });
  CHECK(r.end == retry_end::out_of_time);
  CHECK(r.attempts == 1);
  CHECK(r.error == std::errc::connection_refused);
  CHECK_FALSE(source.stop_requested());
  CHECK(source.get_token().remaining() == 100ms);
}

TEST_CASE("a wait that ends just before the deadline is made and one that ends with it is not") {
  const duration wait = first_wait(1h, 1);
  for (const auto& [limit, attempts] : {std::pair{wait, 1u}, std::pair{wait + 1ns, 2u}}) {
    jumping_clock clock;
    const stop_source source{clock, limit};
    clock.jump();
    const auto r =
        retry(source.get_token(), {.initial = 1h, .longest = 1h, .attempts = 2, .seed = 1},
              [] { return false; });
    CHECK(r.attempts == attempts);
    CHECK(r.end == (attempts == 1 ? retry_end::out_of_time : retry_end::exhausted));
  }
}

TEST_CASE("a deadline of the parent is a deadline") {
  manual_clock clock;
  const stop_source parent{clock, 1ms};
  const stop_source child{parent.get_token()};
  const auto r =
      retry(child.get_token(), {.initial = 1h, .longest = 1h, .seed = 1}, [] { return false; });
  CHECK(r.end == retry_end::out_of_time);
  const inplace_stop_source below{parent.get_token()};
  const auto inplace =
      retry(below.get_token(), {.initial = 1h, .longest = 1h, .seed = 1}, [] { return false; });
  CHECK(inplace.end == retry_end::out_of_time);
}

namespace {

// Nothing is ever due on it; it says when somebody begins to wait for a time.
class announcing_clock final : public curfew::time_source {
 public:
  test::gate waiting;
  time_point now() const noexcept override { return time_point(24h); }

 private:
  bool arm(curfew::detail::timer_entry&, std::error_code&) noexcept override {
    waiting.open();
    return true;
  }
  void disarm(curfew::detail::timer_entry&) noexcept override {}
};

// Stops the source when the gate is open. By default that is when the function has failed for the
// first time: the stop comes just before the wait, or in it.
template <class Source, class Token>
void stop_in_the_wait(Source& source, const Token& token, test::gate* gate = nullptr) {
  test::gate called;
  std::thread stopper([&] {
    (gate != nullptr ? *gate : called).pass();
    source.request_stop();
  });
  retry_budget budget(0.0, 1);
  const backoff how{.initial = 1000h, .longest = 1000h, .budget = &budget, .seed = 1};
  const auto r = retry(token, how, [&] {
    called.open();
    return refused();
  });
  stopper.join();
  CHECK(r.end == retry_end::stopped);
  CHECK(r.attempts == 1);
  CHECK(r.error == std::errc::connection_refused);
  CHECK(budget.available() == 1);
  CHECK(budget.retries() == 0);
}

// A token that curfew knows nothing of but what C++26 asks of one.
class foreign_token {
 public:
  template <class F>
  struct callback_type {
    callback_type(const foreign_token& t, F f) : inner(t.inner_, std::move(f)) {}
    curfew::stop_callback<F> inner;
  };
  explicit foreign_token(stop_token inner) : inner_(std::move(inner)) {}
  bool stop_requested() const noexcept { return inner_.stop_requested(); }
  bool stop_possible() const noexcept { return inner_.stop_possible(); }
  bool operator==(const foreign_token&) const = default;

 private:
  stop_token inner_;
};
static_assert(curfew::stoppable_token<foreign_token>);

}  // namespace

TEST_CASE("a stop ends the wait") {
  SUBCASE("on the process clock") {
    stop_source source;
    stop_in_the_wait(source, source.get_token());
  }
  SUBCASE("on a manual clock") {
    manual_clock clock;
    stop_source source{clock};
    stop_in_the_wait(source, source.get_token());
  }
  SUBCASE("that has certainly begun") {
    announcing_clock clock;
    stop_source source{clock};
    stop_in_the_wait(source, source.get_token(), &clock.waiting);
  }
  SUBCASE("that has certainly begun on an inplace token") {
    announcing_clock clock;
    inplace_stop_source source{clock};
    stop_in_the_wait(source, source.get_token(), &clock.waiting);
  }
  SUBCASE("of the parent") {
    stop_source parent;
    const stop_source child{parent.get_token()};
    stop_in_the_wait(parent, child.get_token());
  }
  SUBCASE("of an inplace source") {
    inplace_stop_source source;
    stop_in_the_wait(source, source.get_token());
  }
  SUBCASE("of an inplace source on a manual clock") {
    manual_clock clock;
    inplace_stop_source source{clock};
    stop_in_the_wait(source, source.get_token());
  }
  SUBCASE("of a token that is not ours") {
    stop_source source;
    stop_in_the_wait(source, foreign_token{source.get_token()});
  }
}

TEST_CASE("stops and retries race and every retry ends") {
  for (int round = 0; round < 300; ++round) {
    stop_source source;
    std::atomic<int> calls{0};
    std::thread stopper([&] {
      while (calls < 1 + round % 4) std::this_thread::yield();
      source.request_stop();
    });
    const auto r =
        retry(source.get_token(), {.initial = 1us, .longest = 20us}, [&] { return ++calls < 0; });
    stopper.join();
    CHECK(r.end == retry_end::stopped);
    CHECK(r.attempts == static_cast<std::uint32_t>(calls.load()));
  }
}

TEST_CASE("a retry inside a stop callback ends at once with the stopped token") {
  stop_source source;
  std::optional<retry_end> end;
  const curfew::stop_callback on_stop(source.get_token(), [&] {
    end = retry(source.get_token(), {.initial = 1h}, [] { return false; }).end;
  });
  source.request_stop();
  CHECK(end == retry_end::stopped);
}

TEST_CASE("a retry within a retry has waits of its own") {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  int calls = 0;
  const auto r = retry(source.get_token(), {.attempts = 3}, [&](const stop_token& token) {
    return retry(token, {.attempts = 4}, [&] { return ++calls == 0; }).ok();
  });
  CHECK(r.attempts == 3);
  CHECK(calls == 12);
}

// --- what is not worth trying again -------------------------------------------------------------

TEST_CASE("what the caller calls permanent is not tried again") {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  const auto again = [](std::error_code e) { return e == std::errc::connection_refused; };
  int calls = 0;
  const auto r = retry(
      source.get_token(), {},
      [&] { return ++calls < 4 ? refused() : std::make_error_code(std::errc::permission_denied); },
      again);
  CHECK(r.end == retry_end::permanent);
  CHECK(r.attempts == 4);
  CHECK(r.error == std::errc::permission_denied);
  const auto silent = retry(
      source.get_token(), {}, [] { return false; }, [](bool) { return false; });
  CHECK(silent.end == retry_end::permanent);
  CHECK(silent.error == std::errc::io_error);
}

TEST_CASE("a predicate that does not take the failure has no say") {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  const auto never = [](const std::exception_ptr&) { return false; };
  const auto r = retry(
      source.get_token(), {.attempts = 3}, [] { return std::optional<int>(); }, never);
  CHECK(r.end == retry_end::exhausted);
  CHECK(r.attempts == 3);
}

// --- with a budget ------------------------------------------------------------------------------

TEST_CASE("a spent budget ends it at once") {
  manual_clock clock;  // not advanced
  const stop_source source{clock};
  retry_budget budget(0.1, 0);
  const auto r =
      retry(source.get_token(), {.initial = 1h, .budget = &budget}, [] { return false; });
  CHECK(r.end == retry_end::budget_spent);
  CHECK(r.attempts == 1);
  CHECK(r.error == std::errc::resource_unavailable_try_again);
  CHECK(budget.refused() == 1);
}

TEST_CASE("only a retry that is made takes from the budget") {
  manual_clock clock;
  retry_budget budget(0.0, 5);
  const backoff how{.initial = 1h, .longest = 1h, .attempts = 1, .budget = &budget, .seed = 1};
  const stop_source source{clock};
  CHECK(retry(source.get_token(), how, [] { return false; }).end == retry_end::exhausted);
  const stop_source timed{clock, 1ms};
  backoff endless = how;
  endless.attempts = 0;
  CHECK(retry(timed.get_token(), endless, [] { return false; }).end == retry_end::out_of_time);
  const auto r = retry(
      source.get_token(), endless, [] { return false; }, [](bool) { return false; });
  CHECK(r.end == retry_end::permanent);
  CHECK(budget.available() == 5);
  CHECK(budget.retries() == 0);
  CHECK(budget.refused() == 0);
}

TEST_CASE("each retry takes one from the budget and each call puts its part in") {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  retry_budget budget(0.5, 3);
  const auto fails = [&] {
    return retry(source.get_token(), {.budget = &budget}, [] { return false; }).attempts;
  };
  CHECK(fails() == 4);  // the reserve, which was full, and so took nothing in
  CHECK(fails() == 1);
  CHECK(fails() == 2);
  CHECK(fails() == 1);
  CHECK(fails() == 2);
}

// --- exceptions ---------------------------------------------------------------------------------

#if CURFEW_EXCEPTIONS

TEST_CASE("a function that throws is tried again and its last exception is kept") {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  int n = 0;
  const auto r = retry(source.get_token(), {.attempts = 3},
                       [&] { throw std::runtime_error("attempt " + std::to_string(++n)); });
  CHECK(r.end == retry_end::exhausted);
  CHECK(r.attempts == 3);
  CHECK(r.error == std::errc::resource_unavailable_try_again);
  CHECK_THROWS_WITH_AS(r.throw_if_failed(), "attempt 3", std::runtime_error);
}

TEST_CASE("an exception with a code tells it") {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  const auto r = retry(source.get_token(), {.attempts = 2},
                       []() -> bool { throw std::system_error(refused()); });
  CHECK(r.error == std::errc::connection_refused);
  CHECK_FALSE(r.last.has_value());
  CHECK_THROWS_AS(static_cast<void>(r.value()), std::system_error);
}

TEST_CASE("what is no std exception is kept as well") {
  const auto r = retry(stop_token{}, {.attempts = 1}, [] { throw 42; });
  CHECK_THROWS_AS(r.throw_if_failed(), int);
}

TEST_CASE("an attempt has only its own failure") {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  int n = 0;
  const auto f = [&]() -> std::error_code {
    if (++n == 1) throw std::runtime_error("first");
    return n == 2 ? refused() : std::error_code();
  };
  const auto two = retry(source.get_token(), {.attempts = 2}, f);
  CHECK(two.thrown == nullptr);
  CHECK(two.error == std::errc::connection_refused);
  n = 0;
  const auto three = retry(source.get_token(), {.attempts = 3}, f);
  CHECK(three.ok());
  CHECK(three.thrown == nullptr);
  three.throw_if_failed();
}

TEST_CASE("a function that obeys the stop by throwing ends as stopped") {
  stop_source source;
  const auto r = retry(source.get_token(), {.initial = 1h}, [&](const stop_token& t) {
    source.request_stop();
    t.throw_if_stopped();
  });
  CHECK(r.end == retry_end::stopped);
  CHECK(r.error == std::errc::operation_canceled);
  CHECK_THROWS_AS(r.throw_if_failed(), curfew::stopped_error);
}

TEST_CASE("a limit of one attempt is a failure of that attempt") {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  const auto r = retry(source.get_token(), {.attempts = 3}, [&](const stop_token& t) {
    const stop_source attempt{t, 0s};
    attempt.get_token().throw_if_stopped();
  });
  CHECK(r.end == retry_end::exhausted);
  CHECK(r.error == std::errc::timed_out);
}

TEST_CASE("the predicate is asked about exceptions and its own leave the retry") {
  jumping_clock clock;
  const stop_source source{clock};
  clock.jump();
  const auto fatal = [](const std::exception_ptr& e) {
    try {
      std::rethrow_exception(e);
    } catch (const std::invalid_argument&) {
      return false;
    } catch (...) {
      return true;
    }
  };
  int n = 0;
  const auto r = retry(
      source.get_token(), {},
      [&] {
        if (++n == 3) throw std::invalid_argument("for good");
        throw std::runtime_error("for now");
      },
      fatal);
  CHECK(r.end == retry_end::permanent);
  CHECK(r.attempts == 3);
  CHECK_THROWS_AS(r.throw_if_failed(), std::invalid_argument);
  const auto asking = [&] {
    static_cast<void>(retry(
        source.get_token(), {}, [] { return false; }, [](bool) -> bool { throw 42; }));
  };
  CHECK_THROWS_AS(asking(), int);
}

namespace {

class broken_clock final : public curfew::time_source {
  time_point now() const noexcept override { return time_point(24h); }
  bool arm(curfew::detail::timer_entry&, std::error_code& ec) noexcept override {
    ec = std::make_error_code(std::errc::not_enough_memory);
    return false;
  }
  void disarm(curfew::detail::timer_entry&) noexcept override {}
};

}  // namespace

TEST_CASE("a clock that cannot keep a deadline is an error and no endless wait") {
  broken_clock clock;
  const stop_source source{clock};
  const auto on_it = [&] {
    static_cast<void>(retry(source.get_token(), {.initial = 1h}, [] { return false; }));
  };
  CHECK_THROWS_AS(on_it(), std::system_error);
}

#endif

// --- what it costs ------------------------------------------------------------------------------

#if !TEST_THREAD_SANITIZER

TEST_CASE("a retry allocates nothing") {
  const stop_source source;
  const inplace_stop_source inplace;
  retry_budget budget(1.0, 1000);
  const backoff how{.initial = 10us, .longest = 50us, .attempts = 20, .budget = &budget};
  const test::allocation_tally tally;
  const auto shared = retry(source.get_token(), how, [] { return refused(); });
  const auto in_scope = retry(inplace.get_token(), how, [] { return std::optional<int>(); });
  const auto without = retry(stop_token{}, how, [] { return false; });
  const auto made = tally.made();
  CHECK(made == 0);
  CHECK(shared.attempts + in_scope.attempts + without.attempts == 60);
}

TEST_CASE("nor does one on the clock of a test") {
  jumping_clock clock;
  const inplace_stop_source source{clock};
  clock.jump();
  const test::allocation_tally tally;
  const auto r = retry(source.get_token(), {.attempts = 50}, [] { return false; });
  const auto made = tally.made();
  CHECK(made == 0);
  CHECK(r.attempts == 50);
}

#endif
