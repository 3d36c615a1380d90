// SPDX-License-Identifier: BSL-1.0
#include <curfew/release/resource_stack.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "faulty_new.hpp"
#include "support.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::release_outcome;
using curfew::resource_stack;
using test::noted;
using test::order_log;

namespace {

struct point {
  int x;
  int y;
};

struct alignas(256) page {
  explicit page(std::vector<std::uintptr_t>& seen) : seen_(seen) {}
  ~page() { seen_.push_back(reinterpret_cast<std::uintptr_t>(this) % 256); }

 private:
  std::vector<std::uintptr_t>& seen_;
};

/// A release that registers the next one, so many times.
struct chain_link {
  resource_stack& stack;
  int& released;
  int left;
  void operator()() const {
    ++released;
    if (left > 0) stack.defer("link", chain_link{stack, released, left - 1});
  }
};

int global_count = 0;
void count_in_global() { ++global_count; }

/// A clock on which no timer can be had.
class timerless_clock final : public curfew::time_source {
 public:
  time_point now() const noexcept override { return time_point(std::chrono::hours(1)); }

 private:
  bool arm(curfew::detail::timer_entry&, std::error_code& ec) noexcept override {
    ec = std::make_error_code(std::errc::resource_unavailable_try_again);
    return false;
  }
  void disarm(curfew::detail::timer_entry&) noexcept override {}
};

std::vector<std::string> names(const curfew::release_report& report) {
  std::vector<std::string> result;
  for (const auto& e : report) result.emplace_back(e.name);
  return result;
}

}  // namespace

static_assert(!std::is_copy_constructible_v<resource_stack>);
static_assert(std::is_nothrow_move_constructible_v<resource_stack>);
static_assert(std::is_nothrow_move_assignable_v<resource_stack>);
static_assert(noexcept(std::declval<resource_stack&>().release()));
static_assert(curfew::detail::release_function<void (*)()>);
static_assert(curfew::detail::release_function<void (*)(curfew::stop_token)>);
static_assert(!curfew::detail::release_function<void (*)(int)>);
static_assert(!curfew::detail::release_function<int>);

// --- order --------------------------------------------------------------------------------------

TEST_CASE("a new stack is empty and its release is ok and allocates nothing") {
  resource_stack stack;
  CHECK(stack.empty());
  CHECK(stack.size() == 0);
  curfew::release_report report;
  const long made = test::allocations_of([&] { report = stack.release(); });
  CHECK(made == 0);
  CHECK(report.ok());
  CHECK(report.empty());
}

TEST_CASE("entries are released newest first whatever their kind") {
  order_log log;
  resource_stack stack;
  stack.emplace<noted>("one", log, 1);
  stack.defer("two", [&] { log.push_back(2); });
  stack.defer("three", [&](curfew::stop_token) { log.push_back(3); });
  stack.defer("four", [&](curfew::inplace_stop_token) { log.push_back(4); });
  CHECK(stack.size() == 4);
  const auto report = stack.release();
  CHECK(log == order_log{4, 3, 2, 1});
  CHECK(names(report) == std::vector<std::string>{"four", "three", "two", "one"});
  CHECK(report.ok());
  CHECK(stack.empty());
}

TEST_CASE("the destructor releases newest first") {
  order_log log;
  {
    resource_stack stack;
    stack.emplace<noted>("one", log, 1);
    stack.emplace<noted>("two", log, 2);
  }
  CHECK(log == order_log{2, 1});
}

TEST_CASE("each entry is released once and the stack can be filled again") {
  order_log log;
  resource_stack stack;
  stack.emplace<noted>("one", log, 1);
  CHECK(stack.release().size() == 1);
  CHECK(stack.release().empty());
  stack.emplace<noted>("two", log, 2);
  CHECK(stack.release().size() == 1);
  CHECK(log == order_log{1, 2});
}

TEST_CASE("what a release captured is destroyed before the next release begins") {
  order_log log;
  resource_stack stack;
  stack.defer("older", [&] { log.push_back(1); });
  stack.defer("newer", [held = std::make_unique<noted>(log, 3), &log] { log.push_back(2); });
  stack.release();
  CHECK(log == order_log{2, 3, 1});
}

TEST_CASE("a stack inside a stack is released in its turn") {
  order_log log;
  resource_stack outer;
  outer.emplace<noted>("first", log, 1);
  auto& inner = outer.emplace<resource_stack>("inner");
  outer.emplace<noted>("last", log, 4);
  inner.emplace<noted>("inner first", log, 2);
  inner.emplace<noted>("inner last", log, 3);
  outer.release();
  CHECK(log == order_log{4, 3, 2, 1});
}

// --- what can be held ---------------------------------------------------------------------------

TEST_CASE("emplace returns the object and builds aggregates and scalars and immovable ones") {
  order_log log;
  resource_stack stack;
  CHECK(stack.emplace<noted>("immovable", log, 7).number() == 7);
  CHECK(stack.emplace<point>("aggregate", 3, 4).y == 4);
  CHECK(stack.emplace<int>("scalar", 5) == 5);
  CHECK(*stack.emplace<std::unique_ptr<int>>("owner", new int(6)) == 6);
  CHECK(stack.emplace<const std::string>("constant", "text") == "text");
  CHECK(stack.release().ok());
}

TEST_CASE("objects keep their address and their alignment") {
  std::vector<std::uintptr_t> misaligned;
  resource_stack stack;
  for (int i = 0; i < 50; ++i) {
    stack.defer("odd size", [c = static_cast<char>(i)] { static_cast<void>(c); });
    stack.emplace<page>("page", misaligned);
  }
  auto& value = stack.emplace<int>("value", 1);
  resource_stack moved = std::move(stack);
  value = 2;
  moved.release();
  CHECK(misaligned == std::vector<std::uintptr_t>(50, 0));
}

TEST_CASE("any callable can be a release") {
  int calls = 0;
  resource_stack stack;
  const auto constant = [&calls] { ++calls; };
  auto changing = [&calls, n = 1]() mutable { calls += n++; };
  stack.defer("function", count_in_global);
  stack.defer("pointer", &count_in_global);
  stack.defer("constant", constant);
  stack.defer("changing", changing);
  stack.defer("erased", std::function<void()>(constant));
  stack.defer("move only", [&calls, p = std::make_unique<int>(1)] { calls += *p; });
  stack.defer("result", [&calls] { return ++calls; });
  stack.release();
  CHECK(calls == 5);
  CHECK(global_count == 2);
}

TEST_CASE("big entries and long names live beside small ones") {
  order_log log;
  const std::string long_name(100'000, 'n');
  resource_stack stack;
  stack.emplace<noted>("one", log, 1);
  stack.emplace<std::array<char, 200'000>>("big");
  stack.defer(long_name, [&] { log.push_back(2); });
  stack.emplace<noted>("three", log, 3);
  const auto report = stack.release();
  CHECK(log == order_log{3, 2, 1});
  CHECK(std::next(report.begin())->name == long_name);
}

// --- using the stack from inside ----------------------------------------------------------------

TEST_CASE("what a constructor registers is released after what it constructs") {
  order_log log;
  struct builder {
    builder(resource_stack& stack, order_log& l) : log(l) { stack.emplace<noted>("part", log, 1); }
    ~builder() { log.push_back(2); }
    order_log& log;
  };
  resource_stack stack;
  stack.emplace<builder>("whole", stack, log);
  stack.release();
  CHECK(log == order_log{2, 1});
}

TEST_CASE("what is registered while the stack releases is released next") {
  order_log log;
  resource_stack stack;
  stack.defer("oldest", [&] { log.push_back(1); });
  stack.defer("newest", [&] {
    log.push_back(2);
    stack.emplace<noted>("late comer", log, 3);
    stack.defer("later comer", [&] { log.push_back(4); });
    CHECK(stack.size() == 3);
  });
  const auto report = stack.release();
  CHECK(log == order_log{2, 4, 3, 1});
  CHECK(report.size() == 4);
  CHECK(stack.empty());
}

TEST_CASE("a release inside a release does nothing and the one under way goes on") {
  order_log log;
  resource_stack stack;
  stack.emplace<noted>("older", log, 1);
  stack.defer("newer", [&] {
    const auto report = stack.release();
    CHECK(report.empty());
    CHECK(stack.size() == 1);
    log.push_back(2);
  });
  CHECK(stack.release().size() == 2);
  CHECK(log == order_log{2, 1});
}

#if CURFEW_POSIX

TEST_CASE("a stack that is moved or destroyed by one of its releases ends the program") {
  const auto moved = test::last_words([] {
    resource_stack stack;
    stack.defer("mover", [&] { const resource_stack other = std::move(stack); });
    stack.release();
  });
  const auto destroyed = test::last_words([] {
    auto stack = std::make_unique<resource_stack>();
    stack->defer("destroyer", [&] { stack.reset(); });
    static_cast<void>(stack->release());
  });
  CHECK(moved.find("moved or destroyed by one of its releases") != std::string::npos);
  CHECK(destroyed.find("moved or destroyed by one of its releases") != std::string::npos);
}

TEST_CASE("a stack that is released by a constructor of its own entry ends the program") {
  struct releaser {
    explicit releaser(resource_stack& s) { s.release(); }
  };
  const auto words = test::last_words([] {
    resource_stack stack;
    stack.emplace<releaser>("releaser", stack);
  });
  CHECK(words.find("released while it builds an entry") != std::string::npos);
}

#endif

// --- errors -------------------------------------------------------------------------------------

#if CURFEW_EXCEPTIONS

TEST_CASE("an error keeps no other entry from being released and all errors are kept") {
  struct thrower {
    ~thrower() noexcept(false) { throw std::runtime_error("from a destructor"); }
  };
  order_log log;
  resource_stack stack;
  stack.emplace<noted>("one", log, 1);
  stack.defer("two", [] { throw std::runtime_error("from a function"); });
  stack.emplace<thrower>("three");
  stack.defer("four", [](curfew::stop_token) { throw 4; });
  stack.emplace<noted>("five", log, 5);
  const auto report = stack.release();
  CHECK(log == order_log{5, 1});
  CHECK_FALSE(report.ok());
  std::vector<const curfew::release_entry*> failed;
  for (const auto& e : report) {
    CHECK((e.error != nullptr) == (e.outcome == release_outcome::failed));
    if (e.error != nullptr) failed.push_back(&e);
  }
  REQUIRE(failed.size() == 3);
  CHECK(failed[0]->name == "four");
  CHECK_THROWS_AS(std::rethrow_exception(failed[0]->error), int);
  CHECK_THROWS_WITH(std::rethrow_exception(failed[1]->error), "from a destructor");
  CHECK_THROWS_WITH(std::rethrow_exception(failed[2]->error), "from a function");
}

TEST_CASE("the destructor swallows errors also while another exception is on its way") {
  order_log log;
  try {
    resource_stack stack;
    stack.emplace<noted>("one", log, 1);
    stack.defer("two", [] { throw 2; });
    throw std::runtime_error("outer");
  } catch (const std::runtime_error& e) {
    CHECK(std::string_view(e.what()) == "outer");
  }
  CHECK(log == order_log{1});
}

TEST_CASE("a constructor that throws registers nothing") {
  struct broken {
    explicit broken(std::shared_ptr<int> p) : part(std::move(p)) { throw 1; }
    std::shared_ptr<int> part;
  };
  order_log log;
  const auto shared = std::make_shared<int>(1);
  resource_stack stack;
  stack.emplace<noted>("before", log, 1);
  CHECK_THROWS_AS(stack.emplace<broken>("broken", shared), int);
  CHECK(shared.use_count() == 1);
  stack.emplace<noted>("after", log, 2);
  CHECK(names(stack.release()) == std::vector<std::string>{"after", "before"});
  CHECK(log == order_log{2, 1});
}

TEST_CASE("what a constructor registered before it threw stays registered") {
  struct broken {
    broken(resource_stack& stack, order_log& log) {
      stack.emplace<noted>("part", log, 1);
      throw 1;
    }
  };
  order_log log;
  resource_stack stack;
  CHECK_THROWS_AS(stack.emplace<broken>("broken", stack, log), int);
  CHECK(stack.size() == 1);
  CHECK(stack.release().ok());
  CHECK(log == order_log{1});
}

TEST_CASE("a release that cannot be registered is called at once and nothing else changes") {
  for (long n = 0; n < 3; ++n) {
    CAPTURE(n);
    int calls = 0;
    bool thrown = false;
    auto one = std::make_unique<int>(1);
    resource_stack stack;
    test::failing_allocation(n, [&] {
      try {
        // What it captured is there whenever it is called.
        stack.defer("name", [&calls, one = std::move(one)](curfew::stop_token) { calls += *one; });
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
    });
    CHECK(thrown == (n < 2));
    CHECK(calls == (thrown ? 1 : 0));
    CHECK(stack.size() == (thrown ? 0 : 1));
    stack.release();
    CHECK(calls == 1);
  }
}

TEST_CASE("a release that cannot be copied into the stack is called at once") {
  struct brittle {
    explicit brittle(int& n) : calls(n) {}
    brittle(const brittle& other) : calls(other.calls) { throw std::runtime_error("no copy"); }
    void operator()() const { ++calls; }
    int& calls;
  };
  int calls = 0;
  const brittle release(calls);
  resource_stack stack;
  CHECK_THROWS_WITH(stack.defer("brittle", release), "no copy");
  CHECK(calls == 1);
  CHECK(stack.empty());
}

TEST_CASE("the error of a registration wins over that of the release called in its place") {
  resource_stack stack;
  bool thrown = false;
  test::failing_allocation(0, [&] {
    try {
      stack.defer("name", [] { throw 1; });
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
  });
  CHECK(thrown);
}

#endif

// --- size ---------------------------------------------------------------------------------------

#if CURFEW_EXCEPTIONS
namespace {

struct unreachable {
  unreachable() { throw std::runtime_error("no database"); }
};

// What ten thousand attempts allocate.
template <class F>
long allocations_of_attempts(F attempt) {
  return test::allocations_of([&] {
    for (int i = 0; i < 10'000; ++i) {
      try {
        attempt();
      } catch (const std::runtime_error&) {
      }
    }
  });
}

}  // namespace

TEST_CASE("an object that fails to be built again and again costs no memory") {
  resource_stack stack;
  stack.defer("first", [] {});
  const long errors = allocations_of_attempts([] { const unreachable u; });
  const long made = allocations_of_attempts([&] { stack.emplace<unreachable>("database"); });
  CHECK(made <= errors + 1);
  CHECK(stack.size() == 1);
}
#endif

TEST_CASE("two hundred thousand entries cost few allocations and release on a small stack") {
  int released = 0;
  resource_stack stack;
  const long made = test::allocations_of([&] {
    for (int i = 0; i < 200'000; ++i) stack.defer("entry", [&released] { ++released; });
  });
  CHECK(made < 1000);
  std::size_t reported = 0;
  CHECK(test::on_small_stack([&reported, &stack] { reported = stack.release().size(); }));
  CHECK(reported == 200'000);
  CHECK(released == 200'000);
}

TEST_CASE("small closures cost no allocation each") {
  int released = 0;
  resource_stack stack;
  stack.defer("first", [&released] { ++released; });
  const long made = test::allocations_of([&] {
    for (int i = 0; i < 5; ++i) stack.defer("entry", [&released] { ++released; });
    stack.defer("hurry", [&released](curfew::inplace_stop_token) { ++released; });
  });
  CHECK(made == 0);
}

TEST_CASE("releasing allocates nothing of its own") {
  int released = 0;
  resource_stack stack;
  for (int i = 0; i < 1000; ++i) {
    stack.defer("plain", [&released] { ++released; });
    stack.defer("shared", [&released](curfew::stop_token) { ++released; });
    stack.defer("inplace", [&released](curfew::inplace_stop_token) { ++released; });
    stack.emplace<std::string>("string");
  }
  const curfew::inplace_stop_source first_deadline(1h);  // has the timer's thread started
  const curfew::stop_source hurry;
  const auto token = hurry.get_token();
  const long made = test::allocations_of([&] { stack.release(1h, token); });
  CHECK(made == 0);
  CHECK(released == 3000);
}

TEST_CASE("a chain of releases that each register the next one is a loop") {
  int released = 0;
  resource_stack stack;
  stack.defer("first", chain_link{stack, released, 100'000});
  CHECK(test::on_small_stack([&] { stack.release(); }));
  CHECK(released == 100'001);
}

// --- moving -------------------------------------------------------------------------------------

TEST_CASE("a moved stack takes the entries along and leaves the other one usable") {
  order_log log;
  resource_stack first;
  first.emplace<noted>("one", log, 1);
  resource_stack second = std::move(first);
  CHECK(first.empty());
  CHECK(second.size() == 1);
  first.emplace<noted>("two", log, 2);
  second.release();
  CHECK(log == order_log{1});
  first.release();
  CHECK(log == order_log{1, 2});
}

TEST_CASE("move assignment releases what was held before it takes over") {
  order_log log;
  resource_stack first, second;
  first.emplace<noted>("one", log, 1);
  second.emplace<noted>("two", log, 2);
  first = std::move(second);
  CHECK(log == order_log{1});
  CHECK(first.size() == 1);
  CHECK(second.empty());
  auto& self = first;
  first = std::move(self);
  CHECK(first.size() == 1);
  first.release();
  CHECK(log == order_log{1, 2});
}

// --- time ---------------------------------------------------------------------------------------

TEST_CASE("the token of an entry stops when its timeout is over and the entry is late") {
  curfew::manual_clock clock;
  order_log log;
  resource_stack stack(clock);
  stack.emplace<noted>("older", log, 1);
  stack.defer("slow",
              [&](curfew::stop_token hurry) {
                CHECK(hurry.remaining() == 5s);
                clock.advance(4s);
                CHECK_FALSE(hurry.stop_requested());
                clock.advance(1s);
                CHECK(hurry.stop_requested());
                CHECK(hurry.reason().cause == curfew::stop_cause::deadline);
                clock.advance(2s);
              },
              {5s});
  const auto report = stack.release();
  const auto slow = report.begin();
  CHECK(slow->outcome == release_outcome::late);
  CHECK(slow->limit == 5s);
  CHECK(slow->elapsed == 7s);
  CHECK(std::next(slow)->outcome == release_outcome::released);
  CHECK(std::next(slow)->limit == resource_stack::duration::max());
  CHECK(log == order_log{1});
  CHECK_FALSE(report.ok());
}

TEST_CASE("an inplace token of an entry stops in the same way") {
  curfew::manual_clock clock;
  resource_stack stack(clock);
  stack.defer("slow",
              [&](curfew::inplace_stop_token hurry) {
                clock.advance(5s);
                CHECK(hurry.stop_requested());
                CHECK(hurry.reason().cause == curfew::stop_cause::deadline);
              },
              {.timeout = 5s});
  CHECK(stack.release().begin()->outcome == release_outcome::late);
}

TEST_CASE("an entry that returns before its limit is not late") {
  curfew::manual_clock clock;
  resource_stack stack(clock);
  stack.defer("just in time",
              [&](curfew::stop_token hurry) {
                clock.advance(5s - 1ns);
                CHECK_FALSE(hurry.stop_requested());
              },
              {5s});
  const auto report = stack.release();
  CHECK(report.ok());
  CHECK(report.begin()->elapsed == 5s - 1ns);
}

TEST_CASE("the budget of the whole reaches every entry and is not started anew by each") {
  curfew::manual_clock clock;
  std::vector<resource_stack::duration> left;
  resource_stack stack(clock);
  for (int i = 0; i < 3; ++i)
    stack.defer("part",
                [&](curfew::stop_token hurry) {
                  left.push_back(hurry.remaining());
                  clock.advance(4s);
                },
                {9s});
  const auto report = stack.release(10s);
  CHECK(left == std::vector<resource_stack::duration>{9s, 6s, 2s});
  std::vector<release_outcome> outcomes;
  for (const auto& e : report) outcomes.push_back(e.outcome);
  CHECK(outcomes == std::vector<release_outcome>{release_outcome::released,
                                                 release_outcome::released, release_outcome::late});
}

TEST_CASE("an entry that begins after the budget is released and told to hurry from the start") {
  curfew::manual_clock clock;
  int hurried = 0;
  resource_stack stack(clock);
  stack.defer("oldest", [&](curfew::stop_token hurry) { hurried += hurry.stop_requested(); });
  stack.defer("older",
              [&](curfew::inplace_stop_token hurry) { hurried += hurry.stop_requested(); });
  stack.defer("slow", [&] { clock.advance(1h); });
  const auto report = stack.release(10s);
  CHECK(hurried == 2);
  CHECK(report.size() == 3);
  for (const auto& e : report) CHECK(e.outcome == release_outcome::late);
  CHECK(std::next(report.begin())->limit == 0s);
}

TEST_CASE("a budget of nothing or less hurries everything and still releases it") {
  for (const auto budget : {0s, -5s, std::chrono::seconds::min()}) {
    curfew::manual_clock clock;
    int hurried = 0;
    resource_stack stack(clock);
    for (int i = 0; i < 3; ++i)
      stack.defer("part", [&](curfew::stop_token hurry) { hurried += hurry.stop_requested(); });
    CHECK(stack.release(budget).size() == 3);
    CHECK(hurried == 3);
  }
}

TEST_CASE("durations that do not fit mean no limit") {
  curfew::manual_clock clock;
  using hours = std::chrono::hours;
  using float_seconds = std::chrono::duration<double>;
  resource_stack stack(clock);
  stack.defer(
      "hours",
      [](curfew::stop_token hurry) { CHECK(hurry.remaining() == resource_stack::duration::max()); },
      {hours::max()});
  stack.defer("infinite", [](curfew::stop_token hurry) { CHECK_FALSE(hurry.stop_requested()); },
              {.timeout = float_seconds(std::numeric_limits<double>::infinity())});
  const auto report = stack.release(hours::max());
  CHECK(report.ok());
  for (const auto& e : report) CHECK(e.limit == resource_stack::duration::max());
}

TEST_CASE("options can be made in every usual way") {
  curfew::release_options options;
  CHECK(options.timeout == resource_stack::duration::max());
  options.timeout = 5s;
  CHECK(options.timeout == 5s);
  const resource_stack::duration copied = options.timeout;
  CHECK(copied == 5s);
  CHECK(curfew::release_options{2min}.timeout == 120s);
}

TEST_CASE("a second token hurries every entry and passes its reason on") {
  curfew::stop_source second_signal;
  int hurried = 0;
  resource_stack stack;
  for (int i = 0; i < 2; ++i)
    stack.defer("part", [&](curfew::stop_token hurry) {
      second_signal.request_stop({curfew::stop_cause::signal, 15});
      hurried += hurry.stop_requested();
      CHECK(hurry.reason().cause == curfew::stop_cause::signal);
      CHECK(hurry.reason().code == 15);
    });
  stack.defer("inplace", [&](curfew::inplace_stop_token hurry) {
    CHECK_FALSE(hurry.stop_requested());
    second_signal.request_stop({curfew::stop_cause::signal, 15});
    hurried += hurry.stop_requested();
  });
  const auto report = stack.release(1h, second_signal.get_token());
  CHECK(hurried == 3);
  CHECK(report.ok());
}

TEST_CASE("a second token may be on another clock than the stack") {
  curfew::manual_clock clock;
  curfew::stop_source second_signal;
  resource_stack stack(clock);
  stack.defer("part", [&](curfew::stop_token hurry) {
    CHECK(hurry.remaining() == 10s);
    second_signal.request_stop();
    CHECK(hurry.stop_requested());
  });
  CHECK(stack.release(10s, second_signal.get_token()).ok());
}

TEST_CASE("an entry whose time cannot be measured is hurried at once and released all the same") {
  timerless_clock clock;
  int hurried = 0;
  resource_stack stack(clock);
  stack.defer("unlimited", [&](curfew::stop_token hurry) { hurried -= hurry.stop_requested(); });
  stack.defer("shared",
              [&](curfew::stop_token hurry) {
                hurried += hurry.stop_requested();
                CHECK(hurry.reason().cause == curfew::stop_cause::fault);
              },
              {5s});
  stack.defer("inplace",
              [&](curfew::inplace_stop_token hurry) { hurried += hurry.stop_requested(); }, {5s});
  CHECK(stack.release().ok());
  CHECK(hurried == 2);
}

TEST_CASE("a token that a release keeps stays valid after it") {
  curfew::manual_clock clock;
  curfew::stop_token stopped, going;
  resource_stack stack(clock);
  stack.defer("going", [&](curfew::stop_token hurry) { going = hurry; }, {5s});
  stack.defer("stopped",
              [&](curfew::stop_token hurry) {
                stopped = hurry;
                clock.advance(5s);
              },
              {5s});
  static_cast<void>(stack.release());
  CHECK(stopped.stop_requested());
  CHECK_FALSE(going.stop_requested());
}

TEST_CASE("a real release that waits for its token is hurried by the process clock") {
  resource_stack stack;
  stack.defer("waits", [](curfew::stop_token hurry) { CHECK(hurry.wait()); }, {20ms});
  stack.defer("waits too", [](curfew::stop_token hurry) { CHECK(hurry.wait()); });
  const auto report = stack.release(10ms);
  for (const auto& e : report) CHECK(e.outcome == release_outcome::late);
  CHECK(report.begin()->elapsed >= 10ms);
}

#if CURFEW_EXCEPTIONS

TEST_CASE("an entry that is late and throws has failed and its time is told") {
  curfew::manual_clock clock;
  resource_stack stack(clock);
  stack.defer("both",
              [&] {
                clock.advance(2s);
                throw 1;
              },
              {1s});
  const auto report = stack.release();
  CHECK(report.begin()->outcome == release_outcome::failed);
  CHECK(report.begin()->elapsed > report.begin()->limit);
}

#endif
