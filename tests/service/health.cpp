// SPDX-License-Identifier: BSL-1.0
#include <curfew/service/health.hpp>
#include <curfew/service/lifecycle.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using curfew::health;
using curfew::health_entry;
using curfew::health_probe;
using curfew::health_report;
using curfew::health_result;
using curfew::health_status;
using curfew::lifecycle;
using curfew::manual_clock;
using curfew::stop_callback;
using curfew::stop_cause;
using curfew::stop_source;
using curfew::stop_token;

namespace {

constexpr auto startup = health_probe::startup;
constexpr auto readiness = health_probe::readiness;
constexpr auto liveness = health_probe::liveness;

/// Gives up after a while, for a test that fails to do so instead of hanging.
template <class Pred>
bool eventually(Pred pred) {
  for (int i = 0; i != 30'000; ++i) {
    if (pred()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

/// Holds those who come until it is opened, on no clock that a test advances. Who passes keeps what
/// he needs of it.
class door {
 public:
  door() = default;
  door(const door&) = delete;
  door& operator=(const door&) = delete;
  ~door() { open(); }

  void open() { frame_->open.request_stop(); }
  auto pass() const {
    return [f = frame_] {
      ++f->inside;
      (void)f->open.get_token().wait();
      --f->inside;
    };
  }
  bool somebody_waits() const {
    return eventually([this] { return frame_->inside != 0; });
  }

 private:
  struct frame {
    stop_source open;
    std::atomic<int> inside{0};
  };
  std::shared_ptr<frame> frame_ = std::make_shared<frame>();
};

/// Threads that have ended when it has.
class crew {
 public:
  crew() = default;
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;
  ~crew() { join(); }
  template <class F>
  void add(F f) {
    threads_.emplace_back(f);
  }
  void join() {
    for (std::thread& t : threads_) t.join();
    threads_.clear();
  }

 private:
  std::vector<std::thread> threads_;
};

health_entry entry(const health_report& r, const std::string& name) {
  for (const health_entry& e : r.entries)
    if (e.name == name) return e;
  return {.name = "there is no " + name};
}

/// Ends when the last thread of its checks has: those that may hang hold `life`, and the doors are
/// declared behind it.
struct program {
  program() = default;
  program(const program&) = delete;
  program& operator=(const program&) = delete;
  ~program() {
    h.reset();
    CHECK(eventually([this] { return life.use_count() == 1; }));
  }

  manual_clock clock;
  stop_source stop{clock};
  std::optional<health> h{stop.get_token()};
  std::shared_ptr<int> life = std::make_shared<int>(7);
};

}  // namespace

TEST_CASE("a program is ready from its own word until the stop") {
  program p;
  CHECK(p.h->ask(startup).code() == 503);
  CHECK(p.h->ask(startup).why == "starting");
  CHECK(p.h->ask(readiness).code() == 503);
  CHECK(p.h->ask(readiness).why == "starting");
  CHECK(p.h->ask(liveness).code() == 200);
  p.h->started();
  CHECK(p.h->ask(startup).code() == 200);
  CHECK(p.h->ask(readiness).code() == 200);
  CHECK(p.h->ask(liveness).code() == 200);
  p.stop.request_stop({.cause = stop_cause::signal, .code = 15});
  CHECK(p.h->ask(startup).code() == 200);
  CHECK(p.h->ask(liveness).code() == 200);
  const health_report r = p.h->ask(readiness);
  CHECK(r.code() == 503);
  CHECK(r.stopping());
  CHECK(r.stop.code == 15);
  CHECK(to_string(r) == "unavailable: stopping: signal SIGTERM");
}

TEST_CASE("a program that is stopped before its start is over has never started") {
  program p;
  p.stop.request_stop();
  p.h->started();
  CHECK(p.h->ask(startup).why == "stopping: requested");
  CHECK(p.h->ask(readiness).code() == 503);
  CHECK(p.h->ask(liveness).code() == 200);
}

TEST_CASE("readiness falls in the moment in which a stop is asked for") {
  program p;
  p.h->started();
  int told = 0;
  const auto look = [&] {
    CHECK_FALSE(p.h->ask(readiness).ok());
    CHECK_FALSE(p.h->read(readiness).ok());
    CHECK(p.h->ask(liveness).ok());
    CHECK(p.h->ask(startup).ok());
    ++told;
  };
  CHECK(p.h->ask(startup).ok());
  const stop_callback first(p.stop.get_token(), look);
  const stop_source child(p.stop.get_token());
  const stop_callback below(child.get_token(), look);
  CHECK(p.h->ask(readiness).ok());
  p.stop.request_stop();
  CHECK_FALSE(p.h->ask(readiness).ok());
  CHECK(told == 2);
}

TEST_CASE("readiness falls with the deadline of the token") {
  manual_clock clock;
  const stop_source stop(clock, 10s);
  health h(stop.get_token());
  h.started();
  clock.advance(9s);
  CHECK(h.ask(readiness).ok());
  clock.advance(1s);
  CHECK(h.ask(readiness).why == "stopping: deadline");
  CHECK(h.ask(liveness).ok());
}

TEST_CASE("a health of nobody who stops is ready for good") {
  health h{stop_token()};
  h.started();
  h.add("good", [] { return true; }, {.timeout = 1h});
  CHECK(h.ask(readiness).ok());
}

TEST_CASE("a check says it by what it returns or throws") {
  program p;
  p.h->started();
  p.h->add("true", [] { return true; });
  p.h->add("false", [] { return false; });
  p.h->add("nothing", [] {});
  p.h->add("no error", [] { return std::error_code(); });
  p.h->add("error", [] { return std::make_error_code(std::errc::connection_refused); });
  p.h->add("degraded", [](const stop_token&) { return health_result::degraded("slow"); });
  p.h->add("told", [] { return health_result::healthy("7\nlines"); });
  p.h->add("token", [](stop_token t) { return t.stop_possible() && !t.stop_requested(); });
  const health_report r = p.h->ask(readiness);
  CHECK(r.entries.size() == 8);
  CHECK(entry(r, "true").status == health_status::healthy);
  CHECK(entry(r, "false").status == health_status::unhealthy);
  CHECK(entry(r, "nothing").status == health_status::healthy);
  CHECK(entry(r, "no error").status == health_status::healthy);
  CHECK(entry(r, "error").status == health_status::unhealthy);
  CHECK(entry(r, "error").text == std::make_error_code(std::errc::connection_refused).message());
  CHECK(entry(r, "degraded").status == health_status::degraded);
  CHECK(entry(r, "degraded").text == "slow");
  CHECK(entry(r, "told").text == "7 lines");
  CHECK(entry(r, "token").status == health_status::healthy);
  CHECK(entry(r, "true").place.line != 0);
  CHECK(r.why == "false: unhealthy");
#if CURFEW_EXCEPTIONS
  p.h->add("throws", [] { throw std::runtime_error("no route"); });
  p.h->add("throws anything", [] { throw 7; });
  const health_report thrown = p.h->ask(readiness);
  CHECK(entry(thrown, "throws").status == health_status::unhealthy);
  CHECK(entry(thrown, "throws").text == "no route");
  CHECK(entry(thrown, "throws anything").status == health_status::unhealthy);
#endif
}

TEST_CASE("a failure of an optional check only degrades") {
  program p;
  p.h->started();
  p.h->add("cache", [] { return false; }, {.optional = true});
  p.h->add("search", [] { return health_result::degraded("old index"); });
  const health_report r = p.h->ask(readiness);
  CHECK(r.status == health_status::degraded);
  CHECK(r.code() == 200);
  CHECK(to_string(r) == "degraded: cache: unhealthy");
  CHECK(entry(r, "cache").status == health_status::unhealthy);
  CHECK(entry(r, "cache").optional);
  p.h->add("database", [] { return false; });
  CHECK(p.h->ask(readiness).why == "database: unhealthy");
  CHECK(p.h->ask(readiness).code() == 503);
}

TEST_CASE("a check counts for the probes it is made for") {
  program p;
  p.h->started();
  p.h->add("both", [] { return true; }, {.probes = startup | readiness});
  p.h->add("alive", [] { return false; }, {.probes = liveness});
  CHECK(p.h->ask(startup).entries.size() == 1);
  CHECK(p.h->ask(readiness).entries.size() == 1);
  CHECK(p.h->ask(liveness).why == "alive: unhealthy");
  CHECK(p.h->ask(readiness).ok());
}

TEST_CASE("the start is over when its checks were healthy once") {
  program p;
  std::atomic<bool> warm{false};
  std::atomic<int> calls{0};
  const auto look = [&] {
    ++calls;
    return warm.load();
  };
  p.h->add("warm", look, {.probes = startup, .max_age = 0s});
  p.h->started();
  CHECK(p.h->ask(startup).why == "warm: unhealthy");
  CHECK(p.h->ask(readiness).ok());
  warm = true;
  CHECK(p.h->ask(startup).ok());
  warm = false;
  CHECK(p.h->ask(startup).ok());
  CHECK(calls == 2);
}

TEST_CASE("a program that stops lives whatever its checks say") {
  program p;
  p.h->add("alive", [] { return false; }, {.probes = liveness});
  CHECK(p.h->ask(liveness).code() == 503);
  p.stop.request_stop();
  const health_report r = p.h->ask(liveness);
  CHECK(r.code() == 200);
  CHECK(to_string(r) == "ok");
  CHECK(r.stopping());
  CHECK(r.entries.at(0).status == health_status::unhealthy);
}

TEST_CASE("checks are called neither before the start is over nor after the stop") {
  program p;
  std::atomic<int> calls{0};
  const auto look = [&] { ++calls; };
  p.h->add("for work", look, {.probes = startup | readiness, .max_age = 0s});
  CHECK(p.h->ask(startup).code() == 503);
  CHECK(entry(p.h->ask(readiness), "for work").status == health_status::unknown);
  CHECK(calls == 0);
  p.h->add("for life", look, {.probes = liveness, .max_age = 0s});
  CHECK(p.h->ask(liveness).ok());
  CHECK(calls == 1);
  p.h->started();
  CHECK(p.h->ask(readiness).ok());
  CHECK(calls == 2);
  p.stop.request_stop();
  for (const auto probe : {startup, readiness, liveness}) (void)p.h->ask(probe);
  CHECK(entry(p.h->ask(readiness), "for work").status == health_status::healthy);
  CHECK(calls == 2);
}

TEST_CASE("what a check said is good for its time and tells its age") {
  program p;
  p.h->started();
  std::atomic<int> calls{0};
  p.h->add("counted", [&] { ++calls; }, {.max_age = 10s});
  CHECK(p.h->ask(readiness).entries.at(0).age == 0s);
  p.clock.advance(9s);
  CHECK(p.h->ask(readiness).entries.at(0).age == 9s);
  CHECK(calls == 1);
  p.clock.advance(1s);
  CHECK(p.h->ask(readiness).entries.at(0).age == 0s);
  CHECK(calls == 2);
}

TEST_CASE("how long a look took is told") {
  program p;
  p.h->started();
  p.h->add("slow", [&] { p.clock.advance(300ms); });
  CHECK(p.h->ask(readiness).entries.at(0).elapsed == 300ms);
}

TEST_CASE("a check that is late is unhealthy and its token stops") {
  std::atomic<bool> cut{false};
  std::atomic<int> calls{0};
  program p;
  p.h->started();
  health_report r;
  crew askers;
  door d;
  const auto hang = [&, pass = d.pass(), life = p.life](const stop_token& t) {
    ++calls;
    pass();
    cut = t.stop_requested();
  };
  p.h->add("slow", hang, {.timeout = 5s, .max_age = 1s});
  askers.add([&] { r = p.h->ask(readiness); });
  CHECK(d.somebody_waits());
  p.clock.advance(5s);
  askers.join();
  CHECK(r.code() == 503);
  CHECK(r.why == "slow: timed out: 5 s of 5 s");
  CHECK(r.entries.at(0).elapsed == 5s);

  // It is not called again, and nobody waits for it.
  p.clock.advance(1h);
  CHECK(p.h->ask(readiness).entries.at(0).elapsed == 1h + 5s);
  CHECK(calls == 1);

  // What it says too late is not believed; but the next look is.
  d.open();
  CHECK(eventually([&] { return cut.load(); }));
  CHECK_FALSE(p.h->ask(readiness).ok());
  CHECK(eventually([&] {
    p.clock.advance(1s);
    return p.h->ask(readiness).ok();
  }));
  CHECK(calls == 2);
}

TEST_CASE("a check that hangs delays no other one") {
  program p;
  p.h->started();
  door d;
  p.h->add("hangs", [pass = d.pass(), life = p.life] { pass(); });
  p.h->add("good", [] { return true; });
  CHECK(eventually(
      [&] { return entry(p.h->read(readiness), "good").status == health_status::healthy; }));
  CHECK(d.somebody_waits());
  p.clock.advance(1h);
  const health_report r = p.h->ask(readiness);
  CHECK(entry(r, "hangs").status == health_status::unhealthy);
  CHECK(entry(r, "good").status == health_status::healthy);
  CHECK(entry(r, "good").age == 0s);
  d.open();
}

TEST_CASE("on the clock of the process a late check delays for its time") {
  stop_source stop;
  health h(stop.get_token());
  h.started();
  h.add("obeys", [](const stop_token& t) { return !t.wait(); }, {.timeout = 20ms});
  const health_report r = h.ask(readiness);
  CHECK(r.entries.at(0).text.find("timed out: ") == 0);
  CHECK(r.entries.at(0).elapsed >= 20ms);
}

TEST_CASE("all who ask share one look") {
  std::atomic<int> calls{0}, good{0};
  program p;
  p.h->started();
  crew askers;
  door d;
  const auto look = [&, pass = d.pass(), life = p.life] {
    ++calls;
    pass();
  };
  p.h->add("shared", look, {.timeout = 1h});
  for (int i = 0; i != 8; ++i) askers.add([&] { good += p.h->ask(readiness).ok() ? 1 : 0; });
  CHECK(d.somebody_waits());
  for (int i = 0; i != 100; ++i) CHECK_FALSE(p.h->read(readiness).ok());
  d.open();
  askers.join();
  CHECK(good == 8);
  CHECK(calls == 1);
}

TEST_CASE("a read tells what is known and has it looked at") {
  program p;
  p.h->started();
  door d;
  p.h->add("slow", [pass = d.pass(), life = p.life] { pass(); }, {.max_age = 10s});
  const health_report first = p.h->read(readiness);
  CHECK(first.code() == 503);
  CHECK(first.why == "slow: unknown");
  d.open();
  CHECK(eventually([&] { return p.h->read(readiness).ok(); }));
  p.clock.advance(1min);
  CHECK(p.h->read(readiness).ok());
  CHECK(eventually([&] { return p.h->read(readiness).entries.at(0).age == 0s; }));
}

TEST_CASE("what is not known yet is no reason to end a program") {
  program p;
  door d;
  p.h->add("slow", [pass = d.pass(), life = p.life] { pass(); },
           {.probes = liveness, .timeout = 1s});
  const health_report r = p.h->read(liveness);
  CHECK(r.status == health_status::healthy);
  CHECK(r.entries.at(0).status == health_status::unknown);
  CHECK(d.somebody_waits());
  p.clock.advance(1s);
  CHECK_FALSE(p.h->read(liveness).ok());
  d.open();
}

TEST_CASE("who waits for a check returns when a stop is asked for") {
  std::atomic<bool> cut{false};
  std::atomic<int> unready{0};
  program p;
  p.h->started();
  crew askers;
  door d;
  const auto hang = [&, pass = d.pass(), life = p.life](const stop_token& t) {
    pass();
    cut = t.stop_requested();
    return false;
  };
  p.h->add("hangs", hang);
  for (int i = 0; i != 8; ++i)
    askers.add([&] { unready += p.h->ask(readiness).stopping() ? 1 : 0; });
  CHECK(d.somebody_waits());
  p.stop.request_stop();
  askers.join();
  CHECK(unready == 8);

  // What it finds when it is cut short is not what is told.
  d.open();
  CHECK(eventually([&] { return cut.load(); }));
  std::this_thread::sleep_for(10ms);  // not to be right, but to be wrong if it were told
  CHECK(p.h->ask(readiness).entries.at(0).status == health_status::unknown);
}

TEST_CASE("a stop that many threads ask during is seen by each") {
  for (int round = 0; round != 50; ++round) {
    stop_source stop;
    health h(stop.get_token());
    h.started();
    h.add("quick", [] { return true; }, {.timeout = 1h, .max_age = 0s});
    h.add("alive", [] { return true; }, {.probes = liveness, .timeout = 1h, .max_age = 0s});
    std::atomic<bool> asked_for{false}, wrong{false};
    std::atomic<int> asking{0};
    crew askers;
    for (int i = 0; i != 8; ++i)
      askers.add([&, i] {
        ++asking;
        for (bool over = false; !over;) {
          over = asked_for;  // this ask begins after the stop
          const health_report r = i % 2 == 0 ? h.ask(readiness) : h.read(readiness);
          if (over && (r.ok() || !r.stopping())) wrong = true;
          if (!h.ask(liveness).ok()) wrong = true;
        }
      });
    CHECK(eventually([&] { return asking == 8; }));
    stop.request_stop();
    asked_for = true;
    askers.join();
    CHECK_FALSE(wrong);
  }
}

TEST_CASE("a check that hangs is abandoned by the end of its health") {
  manual_clock clock;
  door d;
  const auto owned = std::make_shared<int>(7);
  {
    stop_source stop(clock);
    health h(stop.get_token());
    h.started();
    h.add("hangs", [pass = d.pass(), owned] {
      pass();
      return *owned == 7;
    });
    (void)h.read(readiness);
    CHECK(d.somebody_waits());
    clock.advance(1h);
    CHECK_FALSE(h.ask(readiness).ok());
  }
  CHECK(owned.use_count() == 2);
  d.open();
  CHECK(eventually([&] { return owned.use_count() == 1; }));
}

TEST_CASE("a check that hangs keeps no other one alive") {
  const auto held = std::make_shared<int>(7);
  program p;
  door d;
  p.h->started();
  p.h->add("hangs", [pass = d.pass(), life = p.life] { pass(); });
  p.h->add("returns", [held] { return *held == 7; });
  p.h->add("is not called", [held] { return *held == 7; }, {.probes = liveness});
  (void)p.h->read(readiness);
  CHECK(d.somebody_waits());
  p.clock.advance(1h);
  CHECK(held.use_count() == 3);
  p.h.reset();
  CHECK(held.use_count() == 1);
}

TEST_CASE("the end of a health waits for a check that is in time") {
  program p;
  p.h->started();
  std::atomic<bool> looks{false}, returned{false};
  p.h->add("obeys", [&](const stop_token& t) {
    looks = true;
    (void)t.wait();
    std::this_thread::yield();
    returned = true;
  });
  (void)p.h->read(readiness);
  REQUIRE(eventually([&] { return looks.load(); }));
  p.h.reset();
  CHECK(returned);
}

TEST_CASE("the end of a health waits no longer than until the check is late") {
  std::atomic<bool> gone{false};
  program p;
  p.h->started();
  crew ends;
  door in_time, late;
  p.h->add("late", [pass = late.pass(), life = p.life] { pass(); }, {.timeout = 1s});
  p.h->add("in time", [pass = in_time.pass(), life = p.life] { pass(); }, {.timeout = 1min});
  (void)p.h->read(readiness);
  CHECK(late.somebody_waits());
  CHECK(in_time.somebody_waits());
  p.clock.advance(2s);
  ends.add([&] {
    p.h.reset();
    gone = true;
  });
  SUBCASE("it returns") { in_time.open(); }
  SUBCASE("it does not") {
    std::this_thread::sleep_for(
        10ms);  // not to be right, but to be wrong if it were not waited for
    CHECK_FALSE(gone);
    p.clock.advance(1min);
  }
  CHECK(eventually([&] { return gone.load(); }));
}

TEST_CASE("a check may ask and is not waited for by itself") {
  program p;
  p.h->started();
  std::atomic<int> inner{0};
  p.h->add("asks", [&] {
    const health_report r = p.h->ask(readiness);
    inner = r.code();
  });
  CHECK(p.h->ask(readiness).ok());
  CHECK(inner == 503);
}

TEST_CASE("a check may end its health") {
  manual_clock clock;
  stop_source stop(clock);
  auto h = std::make_unique<health>(stop.get_token());
  std::atomic<bool> gone{false};
  const auto life = std::make_shared<int>(7);
  door read;
  h->started();
  h->add("ends it", [&, pass = read.pass(), life] {
    pass();
    h.reset();
    gone = true;
  });
  (void)h->read(readiness);
  read.open();
  CHECK(eventually([&] { return gone.load(); }));
  CHECK(eventually([&] { return life.use_count() == 1; }));
}

TEST_CASE("checks are added while others ask") {
  stop_source stop;
  health h(stop.get_token());
  h.started();
  std::atomic<bool> over{false};
  crew asker;
  asker.add([&] {
    while (!over) (void)h.ask(readiness);
  });
  for (int i = 0; i != 30; ++i)
    h.add("check " + std::to_string(i), [] { return true; }, {.timeout = 1h, .max_age = 0s});
  over = true;
  asker.join();
  const health_report r = h.ask(readiness);
  CHECK(r.ok());
  CHECK(r.entries.size() == 30);
}

namespace {

/// Cannot arm a deadline, as a process that gets no thread.
class poor_clock final : public curfew::time_source {
 public:
  time_point now() const noexcept override { return time_point(1h); }

 private:
  bool arm(curfew::detail::timer_entry&, std::error_code& ec) noexcept override {
    ec = std::make_error_code(std::errc::resource_unavailable_try_again);
    return false;
  }
  void disarm(curfew::detail::timer_entry&) noexcept override {}
};

}  // namespace

TEST_CASE("a check that cannot be called for want of a thread is unhealthy") {
  poor_clock clock;
  stop_source stop(clock);
  health h(stop.get_token());
  h.started();
  bool called = false;
  h.add("poor", [&] { called = true; });
  const health_report r = h.ask(readiness);
  CHECK(r.code() == 503);
  CHECK(r.why.find("poor: it cannot be called: ") == 0);
  CHECK_FALSE(called);
}

#if CURFEW_EXCEPTIONS
TEST_CASE("what makes no sense is refused") {
  program p;
  p.h->add("taken", [] { return true; });
  (void)p.h->add_heartbeat("beats", 1s);
  const auto good = [] { return true; };
  CHECK_THROWS_AS(p.h->add("taken", good), std::system_error);
  CHECK_THROWS_AS(p.h->add("beats", good), std::system_error);
  CHECK_THROWS_AS((void)p.h->add_heartbeat("taken", 1s), std::system_error);
  CHECK_THROWS_AS(p.h->add("a", good, {.timeout = 0s}), std::system_error);
  CHECK_THROWS_AS(p.h->add("a", good, {.timeout = -1s}), std::system_error);
  CHECK_THROWS_AS(p.h->add("a", good, {.timeout = std::chrono::hours::max()}), std::system_error);
  CHECK_THROWS_AS((void)p.h->add_heartbeat("a", 0s), std::system_error);
  CHECK_NOTHROW(p.h->add("a", good));
}
#endif

// ---- components

namespace {

bool becomes(health& h, const std::string& why) {
  return eventually([&] { return h.ask(readiness).why == why; });
}

}  // namespace

TEST_CASE("components make a program ready when all of them are up") {
  stop_source stop;
  health h(stop.get_token());
  lifecycle parts;
  crew starter;
  door starts;
  h.watch(parts);
  CHECK(h.ask(readiness).why == "starting");
  CHECK(entry(h.ask(startup), "components").text == "idle");
  parts.add("database", {.start = starts.pass()});
  starter.add([&] { CHECK(parts.start(stop.get_token())); });
  CHECK(starts.somebody_waits());
  CHECK(h.ask(startup).why == "starting");
  CHECK(entry(h.ask(startup), "database").text == "starting");
  CHECK(h.ask(readiness).why == "starting");
  CHECK(h.ask(liveness).ok());
  starts.open();
  starter.join();
  CHECK(h.ask(startup).ok());
  const health_report r = h.ask(readiness);
  CHECK(r.ok());
  CHECK(entry(r, "components").status == health_status::healthy);
  CHECK(entry(r, "database").status == health_status::healthy);
  CHECK(entry(r, "database").place.line != 0);
}

TEST_CASE("a program says that it has started in vain while its components are not up") {
  stop_source stop;
  health h(stop.get_token());
  lifecycle parts;
  h.watch(parts);
  h.started();
  CHECK_FALSE(h.ask(startup).ok());
  CHECK(parts.start());
  CHECK(h.ask(startup).ok());
}

TEST_CASE("a component that is down makes the program unready and an optional one degraded") {
  stop_source stop;
  health h(stop.get_token());
  lifecycle parts;
  door back;
  std::atomic<int> starts{0};
  const auto start = [&, pass = back.pass()] {
    if (++starts > 1) pass();
  };
  const auto needed = parts.add("needed", {.start = start, .restart = {.most = 3, .delay = 0s}});
  const auto spare = parts.add("spare", {.optional = true});
  h.watch(parts);
  REQUIRE(parts.start());
  REQUIRE(h.ask(startup).ok());

  spare.fail("worn out");
  CHECK(becomes(h, "spare: down: worn out"));
  CHECK(h.ask(readiness).status == health_status::degraded);

  needed.fail("broken");
  CHECK(back.somebody_waits());
  CHECK(becomes(h, "needed: starting: broken"));
  CHECK(h.ask(readiness).code() == 503);
  CHECK(h.ask(startup).ok());
  CHECK(h.ask(liveness).ok());
  back.open();
  CHECK(eventually([&] { return h.ask(readiness).ok(); }));
}

TEST_CASE("a stop that is only considered makes a program unready until it is taken back") {
  stop_source stop;
  health h(stop.get_token());
  lifecycle parts;
  parts.add("listener", {});
  h.watch(parts);
  REQUIRE(parts.start());
  REQUIRE(parts.prepare());
  // Asked for the first time now, and the start is over all the same.
  CHECK(h.ask(startup).ok());
  CHECK(h.ask(readiness).why == "components: prepared");
  CHECK(h.ask(liveness).ok());
  REQUIRE(parts.resume("changed my mind"));
  CHECK(eventually([&] { return h.ask(readiness).ok(); }));
}

TEST_CASE("a pause makes a program unready") {
  stop_source stop;
  health h(stop.get_token());
  lifecycle parts;
  parts.add("listener", {.pausable = true});
  parts.add("log", {});
  h.watch(parts);
  REQUIRE(parts.start());
  CHECK(h.ask(readiness).ok());
  const auto before = parts.pause();
  CHECK(h.ask(readiness).why == "listener: down");
  REQUIRE(parts.restore(before));
  CHECK(h.ask(readiness).ok());
}

TEST_CASE("components that are stopped or gone make a program unready") {
  stop_source stop;
  health h(stop.get_token());
  {
    lifecycle parts;
    parts.add("listener", {});
    h.watch(parts);
    REQUIRE(parts.start());
    CHECK(h.ask(readiness).ok());
    CHECK(parts.stop().ok());
    CHECK(h.ask(readiness).why == "components: stopped");
    CHECK(h.ask(startup).ok());
  }
  CHECK(h.ask(readiness).why == "components: stopped");
  CHECK(h.ask(liveness).ok());
}

TEST_CASE("a lifecycle ends while others ask for it") {
  stop_source stop;
  health h(stop.get_token());
  auto parts = std::make_unique<lifecycle>();
  parts->add("listener", {});
  h.watch(*parts);
  REQUIRE(parts->start());
  std::atomic<bool> over{false};
  crew asker;
  asker.add([&] {
    while (!over) (void)h.ask(readiness);
  });
  parts.reset();
  over = true;
  asker.join();
  CHECK_FALSE(h.ask(readiness).ok());
}
