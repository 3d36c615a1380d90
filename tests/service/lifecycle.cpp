// SPDX-License-Identifier: BSL-1.0
#include <curfew/service/lifecycle.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/service/lifecycle_status.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::component;
using curfew::component_step;
using curfew::event_kind;
using curfew::lifecycle;
using curfew::lifecycle_event;
using curfew::manual_clock;
using curfew::part_phase;
using curfew::prepare_answer;
using curfew::step;
using curfew::stop_source;
using curfew::stop_token;
using curfew::whole_phase;

namespace {

// What happened, in its order, whoever did it.
class diary {
 public:
  void add(const std::string& line) {
    const std::lock_guard guard(lock_);
    lines_.push_back(line);
  }
  std::vector<std::string> lines() const {
    const std::lock_guard guard(lock_);
    return lines_;
  }
  std::ptrdiff_t place(const std::string& line) const {
    const auto all = lines();
    const auto found = std::find(all.begin(), all.end(), line);
    return found == all.end() ? -1 : found - all.begin();
  }
  bool has(const std::string& line) const { return place(line) >= 0; }
  std::ptrdiff_t count(const std::string& line) const {
    const auto all = lines();
    return std::count(all.begin(), all.end(), line);
  }
  // Gives up after a while, for a test that fails to do so instead of hanging.
  bool await(const std::string& line, std::ptrdiff_t times = 1) const {
    for (int i = 0; i != 3000; ++i) {
      if (count(line) >= times) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

 private:
  mutable std::mutex lock_;
  std::vector<std::string> lines_;
};

class event_diary final : public curfew::event_sink {
 public:
  explicit event_diary(diary& to) : to_(to) {}
  void write(const lifecycle_event& e) noexcept override {
    std::string line = std::string(e.part) + ": " + to_string(e.kind);
    if (e.step != component_step::none) line += std::string(" ") + to_string(e.step);
    if (e.kind == event_kind::step_ended) line += std::string(" ") + to_string(e.outcome);
    to_.add(line);
  }

 private:
  diary& to_;
};

component plain(diary& d, const std::string& name, std::vector<std::string> after = {}) {
  component c;
  c.after = std::move(after);
  c.start = [&d, name] { d.add("+" + name); };
  c.stop = [&d, name] { d.add("-" + name); };
  return c;
}

// Returns when its token is stopped, whoever stops it.
void hang_on(const step& s) { (void)s.token().wait(); }

part_phase phase_of(const lifecycle& parts, const std::string& name) {
  for (const auto& s : parts.status())
    if (s.name == name) return s.phase;
  return part_phase::lost;
}

template <class Pred>
bool eventually(Pred pred) {
  for (int i = 0; i != 3000; ++i) {
    if (pred()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

// Moves the clock on while another thread waits for what is due.
template <class F>
void advance_until_done(manual_clock& clock, F f, curfew::time_source::duration by = 1s) {
  std::atomic<bool> done{false};
  std::thread worker([&] {
    f();
    done = true;
  });
  while (!done) {
    clock.advance(by);
    std::this_thread::sleep_for(1ms);
  }
  worker.join();
}

}  // namespace

TEST_CASE("components start after what they need and stop before it") {
  diary d;
  lifecycle parts;
  parts.add("listener", plain(d, "listener", {"pool", "log"}));
  parts.add("pool", plain(d, "pool", {"config"}));
  parts.add("log", plain(d, "log", {"config"}));
  parts.add("config", plain(d, "config"));
  REQUIRE(parts.start());
  CHECK(parts.phase() == whole_phase::up);
  CHECK(d.lines().front() == "+config");
  CHECK(d.lines().back() == "+listener");
  CHECK(parts.stop().ok());
  CHECK(d.lines()[4] == "-listener");
  CHECK(d.lines().back() == "-config");
  CHECK(d.lines().size() == 8);
  CHECK(parts.phase() == whole_phase::stopped);
}

TEST_CASE("a base is before all others but what it needs itself") {
  diary d;
  lifecycle parts;
  component log = plain(d, "log", {"config"}), trace = plain(d, "trace");
  log.base = trace.base = true;
  parts.add("listener", plain(d, "listener", {"pool", "log"}));
  parts.add("log", std::move(log));
  parts.add("pool", plain(d, "pool"));
  parts.add("trace", std::move(trace));
  parts.add("config", plain(d, "config", {"disk"}));
  parts.add("disk", plain(d, "disk"));
  parts.validate();
  const auto planned = parts.parts();
  CHECK(planned[0].after.size() == 3);  // pool, log, and trace
  CHECK(planned[5].after == std::vector<std::size_t>{3});
  REQUIRE(parts.start());
  CHECK(d.lines() ==
        std::vector<std::string>{"+trace", "+disk", "+config", "+log", "+pool", "+listener"});
  CHECK(parts.stop().ok());
  CHECK(d.lines().back() == "-trace");
}

TEST_CASE("bases that need users of each other are put in an order") {
  diary d;
  lifecycle parts;
  component a = plain(d, "a", {"x"}), b = plain(d, "b", {"y"});
  a.base = b.base = true;
  parts.add("a", std::move(a));
  parts.add("b", std::move(b));
  parts.add("x", plain(d, "x"));
  parts.add("y", plain(d, "y"));
  REQUIRE(parts.start());
  CHECK(d.lines() == std::vector<std::string>{"+x", "+a", "+y", "+b"});
  CHECK(parts.stop().ok());
}

TEST_CASE("a step that says so has failed though it returns") {
  lifecycle parts;
  parts.add("db", {.start = [](step& s) { s.fail("no disk"); }});
  const auto started = parts.start();
  CHECK_FALSE(started);
  CHECK(started.part == "db");
  CHECK(started.error == "no disk");
  const auto prepare = [](step& s) {
    s.fail("cannot tell");
    return prepare_answer::ready();
  };
  lifecycle others;
  others.add("db", {.stop = [](step& s) { s.fail("not all is written"); }, .prepare = prepare});
  REQUIRE(others.start());
  CHECK(others.prepare().why == "cannot tell");
  CHECK(others.stop().failed == 1);
}

TEST_CASE("independent components start and stop at the same time") {
  std::atomic<int> starting{0}, stopping{0};
  const auto meet = [](std::atomic<int>& count, const step& s) {
    ++count;
    while (count < 3 && !s.token().stop_requested()) std::this_thread::yield();
  };
  lifecycle parts;
  for (const char* name : {"a", "b", "c"}) {
    parts.add(name, {.start = [&](step& s) { meet(starting, s); },
                     .stop = [&](step& s) { meet(stopping, s); }});
  }
  CHECK(parts.start());
  CHECK(parts.stop().ok());
  CHECK(stopping == 3);
}

TEST_CASE("a lifecycle without components or without functions starts and stops") {
  lifecycle none;
  CHECK(none.start());
  CHECK(none.stop().ok());
  lifecycle bare;
  bare.add("b", {.after = {"a"}});
  bare.add("a", {});
  CHECK(bare.start());
  CHECK(bare.stop().ok());
  lifecycle unused;
  unused.add("a", {});
  CHECK(unused.stop().ok());
}

#if CURFEW_EXCEPTIONS
namespace {

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const std::system_error& e) {
    return e.code() == std::errc::invalid_argument ? e.what() : "another error";
  }
  return "";
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a loop is refused where it is closed and is named") {
  lifecycle parts;
  parts.add("a", {.after = {"c"}});
  parts.add("b", {.after = {"a"}});
  const std::string why = refusal([&] { parts.add("c", {.after = {"b"}}); });
  CHECK(says(why, "a after c after b after a"));
  CHECK(says(refusal([&] { (void)parts.start(); }), "wait for each other"));
  lifecycle self;
  CHECK(says(refusal([&] { self.add("a", {.after = {"a"}}); }), "a after a"));
}

TEST_CASE("a dependency that nobody declares is refused and is named") {
  lifecycle parts;
  parts.add("listener", {.after = {"pool"}});
  CHECK(says(refusal([&] { parts.validate(); }), "listener is after pool"));
  CHECK(says(refusal([&] { (void)parts.start(); }), "not declared"));
  parts.add("pool", {});
  parts.validate();
  CHECK(says(refusal([&] { parts.add("pool", {}); }), "already"));
  CHECK(says(refusal([&] { parts.add("", {}); }), "name"));
  REQUIRE(parts.start());
  CHECK(says(refusal([&] { parts.add("late", {}); }), "declared after start()"));
}

TEST_CASE("a start that throws rolls back exactly what had started and its error is the one told") {
  diary d;
  lifecycle parts;
  parts.add("a", plain(d, "a"));
  component b = plain(d, "b", {"a"});
  b.start = [] { throw std::runtime_error("no disk"); };
  const int line = __LINE__ + 1;
  parts.add("b", std::move(b));
  parts.add("c", plain(d, "c", {"b"}));
  const auto report = parts.start();
  CHECK_FALSE(report);
  CHECK_FALSE(report.stopped);
  CHECK(report.part == "b");
  CHECK(report.error == "no disk");
  CHECK(report.place.line == static_cast<unsigned>(line));
  CHECK(d.lines() == std::vector<std::string>{"+a", "-a"});
  CHECK(parts.phase() == whole_phase::stopped);
}

TEST_CASE("an optional component that fails to start does not keep those after it from starting") {
  diary d;
  lifecycle parts;
  parts.add("cache", {.start = [] { throw std::runtime_error("cold"); }, .optional = true});
  parts.add("web", plain(d, "web", {"cache"}));
  REQUIRE(parts.start());
  CHECK(d.has("+web"));
  CHECK(phase_of(parts, "cache") == part_phase::down);
  CHECK(parts.status()[0].error == "cold");
  CHECK(parts.stop().ok());
}

TEST_CASE("a stop that throws is counted and keeps nobody else from being stopped") {
  diary d;
  lifecycle parts;
  parts.add("a", plain(d, "a"));
  component b = plain(d, "b", {"a"});
  b.drain = [] { throw std::runtime_error("cannot drain"); };
  b.stop = [] { throw 42; };
  parts.add("b", std::move(b));
  REQUIRE(parts.start());
  const auto report = parts.stop();
  CHECK(report.failed == 2);
  CHECK(report.abandoned == 0);
  CHECK(d.has("-a"));
}

TEST_CASE("a failure at run time restarts the component and what depends on it") {
  diary d;
  lifecycle parts;
  component db = plain(d, "db");
  db.restart = {.most = 3, .delay = 1ms};
  const auto link = parts.add("db", std::move(db));
  parts.add("web", plain(d, "web", {"db"}));
  parts.add("other", plain(d, "other"));
  REQUIRE(parts.start());
  link.fail("connection lost");
  CHECK(d.await("+web", 2));
  CHECK(d.place("-web") < d.place("-db"));
  CHECK(d.count("+db") == 2);
  CHECK(d.count("+other") == 1);
  CHECK_FALSE(parts.failed().stop_requested());
  CHECK(parts.stop().ok());
  CHECK(d.count("-web") == 2);
}

TEST_CASE("a component that fails too often fails the whole with the cause fault") {
  diary d;
  lifecycle parts;
  component db = plain(d, "db");
  db.restart = {.most = 1, .delay = 0ms};
  const auto link = parts.add("db", std::move(db));
  REQUIRE(parts.start());
  link.fail("once");
  REQUIRE(d.await("+db", 2));
  REQUIRE(eventually([&] { return phase_of(parts, "db") == part_phase::up; }));
  link.fail("twice");
  CHECK(parts.failed().wait_for(30s));
  CHECK(parts.failed().reason().cause == curfew::stop_cause::fault);
  CHECK(parts.stop().ok());
  link.fail("nobody listens");
}
#endif

TEST_CASE("a stop during the start cuts it short and brings down what had started") {
  diary d;
  stop_source root;
  lifecycle parts;
  parts.add("a", plain(d, "a"));
  parts.add("b", {.after = {"a"},
                  .start =
                      [&](step& s) {
                        d.add("b begins");
                        hang_on(s);
                        d.add("b is cut");
                      },
                  .stop = [&] { d.add("-b"); }});
  parts.add("c", plain(d, "c", {"b"}));
  std::thread asker([&] {
    (void)d.await("b begins");
    root.request_stop();
  });
  const auto report = parts.start(root.get_token());
  asker.join();
  CHECK_FALSE(report.up);
  CHECK(report.stopped);
  CHECK(report.error.empty());
  CHECK(d.lines() == std::vector<std::string>{"+a", "b begins", "b is cut", "-b", "-a"});
}

TEST_CASE("a start that takes too long has failed and is stopped when it returns after all") {
  manual_clock clock;
  diary d;
  lifecycle parts(clock);
  parts.add("slow", {.start = [&](step& s) { hang_on(s); },
                     .stop = [&] { d.add("-slow"); },
                     .start_timeout = 5s});
  curfew::start_report report;
  advance_until_done(clock, [&] { report = parts.start(); });
  CHECK(report.part == "slow");
  CHECK(report.error.find("start_timeout") != std::string::npos);
  CHECK(d.has("-slow"));
}

TEST_CASE("a stop that hangs is told to hurry then aborted then abandoned and the rest goes on") {
  static manual_clock clock;  // what is abandoned still has a context
  diary d;
  event_diary events(d);
  std::atomic<bool> let_go{false};
  curfew::stop_report report;
  {
    lifecycle parts(clock);
    parts.observe(events);
    parts.add("a", plain(d, "a"));
    component b = plain(d, "b", {"a"});
    b.stop = [&](step& s) {
      hang_on(s);
      d.add("b hurries");
      while (!let_go) std::this_thread::sleep_for(1ms);
      d.add("b returns");
    };
    b.abort = [&] { d.add("b aborts"); };
    b.stop_timeout = 10s;
    b.abort_timeout = 2s;
    parts.add("b", std::move(b));
    REQUIRE(parts.start());
    advance_until_done(clock, [&] { report = parts.stop(60s); });
    CHECK(phase_of(parts, "b") == part_phase::lost);
    CHECK_FALSE(parts.start());  // what was abandoned may still run
  }
  CHECK(report.abandoned == 1);
  CHECK_FALSE(report.ok());
  CHECK(d.has("b hurries"));
  CHECK(d.has("b aborts"));
  CHECK(d.place("b: abandoned stop") < d.place("-a"));
  CHECK(d.count("b: step late stop") == 3);
  let_go = true;  // the lifecycle is gone
  CHECK(d.await("b returns"));
}

TEST_CASE("at the end of the budget all that is left is given up") {
  static manual_clock clock;
  diary d;
  std::atomic<bool> let_go{false};
  std::atomic<int> gone{0};
  const auto hang = [&] {
    while (!let_go) std::this_thread::sleep_for(1ms);
    ++gone;
  };
  {
    lifecycle parts(clock);
    parts.add("a", {.stop = [&] { d.add("-a"); }});
    parts.add("b", {.after = {"a"}, .stop = hang, .stop_timeout = std::chrono::hours::max()});
    REQUIRE(parts.start());
    curfew::stop_report report;
    advance_until_done(clock, [&] { report = parts.stop(7s); });
    CHECK(report.abandoned == 2);
    CHECK_FALSE(d.has("-a"));
  }
  let_go = true;
  CHECK(eventually([&] { return gone == 1; }));
}

TEST_CASE("a second signal moves the stop up one rung at a time") {
  diary d;
  event_diary events(d);
  stop_source hurry;
  lifecycle parts;
  parts.observe(events);
  parts.add("web", {.stop = [&](step& s) { hang_on(s); },
                    .drain =
                        [&](step& s) {
                          d.add("drains");
                          hang_on(s);
                        },
                    .abort = [&] { d.add("aborts"); },
                    .stop_timeout = 1h,
                    .drain_timeout = 1h});
  REQUIRE(parts.start());
  std::thread presser([&] {
    hurry.request_stop();  // the lame duck is over
    (void)d.await("drains");
    parts.escalate();
    (void)d.await("web: step began stop");
    parts.escalate();
  });
  const auto report = parts.stop(10h, hurry.get_token(), 1h);
  presser.join();
  CHECK(report.abandoned == 0);
  CHECK(d.has("aborts"));
  CHECK(d.count(": escalated") == 3);
}

TEST_CASE("a hurry for want of time goes to the last rung at once") {
  diary d;
  manual_clock clock;
  const auto began = clock.now();
  const stop_source hurry(clock, 5s);
  event_diary events(d);
  lifecycle parts(clock);
  parts.observe(events);
  parts.add("web", {.stop = [&](step& s) { hang_on(s); }, .drain = [&](step& s) { hang_on(s); }});
  REQUIRE(parts.start());
  advance_until_done(clock,
                     [&] { CHECK(parts.stop(1h, hurry.get_token(), 30min).abandoned == 0); });
  CHECK(clock.now() - began < 1min);
  CHECK(d.count(": escalated") == 1);
  CHECK_FALSE(d.has("web: step began drain"));
}

TEST_CASE("all stay up for the time of the lame duck") {
  manual_clock clock;
  diary d;
  lifecycle parts(clock);
  parts.add("web", plain(d, "web"));
  REQUIRE(parts.start());
  std::thread stopper([&] { CHECK(parts.stop(60s, {}, 20s).ok()); });
  REQUIRE(eventually([&] { return parts.phase() == whole_phase::stopping; }));
  clock.advance(19s);
  CHECK(phase_of(parts, "web") == part_phase::up);
  clock.advance(1s);
  stopper.join();
  CHECK(d.has("-web"));
}

TEST_CASE("a condition holds up its step and says what it waits for") {
  diary d;
  std::atomic<int> in_flight{1};
  lifecycle parts;
  component web = plain(d, "web");
  web.stop_when = {"no request in flight", [&] { return in_flight == 0; }};
  parts.add("web", std::move(web));
  REQUIRE(parts.start());
  std::thread worker([&] {
    CHECK(eventually([&] { return parts.status()[0].note == "waits for: no request in flight"; }));
    CHECK_FALSE(d.has("-web"));
    in_flight = 0;
  });
  CHECK(parts.stop().ok());
  worker.join();
  CHECK(d.has("-web"));
}

TEST_CASE("a prepare that all agree to is followed by a stop") {
  diary d;
  lifecycle parts;
  component a = plain(d, "a");
  a.prepare = [&] {
    d.add("prepare a");
    return prepare_answer::ready();
  };
  component b = plain(d, "b", {"a"});
  b.prepare = [&] {
    d.add("prepare b");
    return prepare_answer::ready_in(5ms);
  };
  parts.add("a", std::move(a));
  parts.add("b", std::move(b));
  REQUIRE(parts.start());
  REQUIRE(parts.prepare());
  CHECK(parts.phase() == whole_phase::prepared);
  CHECK(d.place("prepare b") < d.place("prepare a"));
  CHECK_FALSE(parts.prepare());
  CHECK(parts.stop().ok());
  CHECK(d.has("-b"));
}

TEST_CASE("a veto resumes everyone in order and the service stays up") {
  diary d;
  lifecycle parts;
  for (const auto& [name, after] : {std::pair{"a", ""}, {"b", "a"}, {"c", "b"}}) {
    const std::string n = name;
    component c =
        plain(d, n, *after != '\0' ? std::vector<std::string>{after} : std::vector<std::string>{});
    c.prepare = [&d, n] {
      d.add("prepare " + n);
      return n == "a" ? prepare_answer::veto("a backup runs") : prepare_answer::ready();
    };
    c.resume = [&d, n] { d.add("resume " + n); };
    parts.add(n, std::move(c));
  }
  REQUIRE(parts.start());
  const auto answer = parts.prepare();
  CHECK_FALSE(answer);
  CHECK(answer.part == "a");
  CHECK(answer.why == "a backup runs");
  CHECK(parts.phase() == whole_phase::up);
  CHECK_FALSE(d.has("resume a"));
  CHECK(d.has("resume b"));
  CHECK(d.place("resume b") < d.place("resume c"));
  CHECK_FALSE(parts.resume("nothing"));
  CHECK_FALSE(d.has("-c"));
}

TEST_CASE("what is committed outlives its lease and what is not prepared cannot be committed") {
  manual_clock clock;
  lifecycle parts(clock);
  parts.add("a", {});
  CHECK_FALSE(parts.commit());
  REQUIRE(parts.start());
  CHECK_FALSE(parts.commit());
  REQUIRE(parts.prepare(10s));
  CHECK(parts.commit());
  clock.advance(1h);
  CHECK(parts.commit());
  CHECK(parts.phase() == whole_phase::prepared);
  CHECK(parts.resume("no stop after all"));
  REQUIRE(parts.prepare(10s));
  clock.advance(10s);
  CHECK_FALSE(parts.commit());
}

TEST_CASE("a prepare that takes too long is a veto and the one that hangs is resumed later") {
  manual_clock clock;
  diary d;
  std::atomic<bool> let_go{false};
  lifecycle parts(clock);
  parts.add("a", {.prepare =
                      [&] {
                        while (!let_go) std::this_thread::sleep_for(1ms);
                        return prepare_answer::ready();
                      },
                  .resume = [&] { d.add("resume a"); },
                  .prepare_timeout = 3s});
  REQUIRE(parts.start());
  curfew::prepare_report answer;
  advance_until_done(clock, [&] { answer = parts.prepare(); });
  CHECK_FALSE(answer);
  CHECK(answer.part == "a");
  CHECK(answer.why.find("prepare_timeout") != std::string::npos);
  CHECK(parts.phase() == whole_phase::up);
  let_go = true;
  CHECK(d.await("resume a"));
  CHECK(parts.stop().ok());
}

TEST_CASE("what was prepared is resumed when nobody decides in time") {
  manual_clock clock;
  diary d;
  lifecycle parts(clock);
  parts.add("a", {.prepare = [] { return prepare_answer::ready(); },
                  .resume = [&] { d.add("resume a"); }});
  REQUIRE(parts.start());
  REQUIRE(parts.prepare(10s));
  clock.advance(11s);
  CHECK(d.await("resume a"));
  CHECK(eventually([&] { return parts.phase() == whole_phase::up; }));
  REQUIRE(parts.prepare(10s));
  CHECK(parts.resume("changed my mind"));
  CHECK(parts.phase() == whole_phase::up);
}

TEST_CASE("a pause brings down what may pause and a snapshot brings exactly that back") {
  diary d;
  lifecycle parts;
  parts.add("db", plain(d, "db"));
  component jobs = plain(d, "jobs", {"db"});
  jobs.pausable = true;
  parts.add("jobs", std::move(jobs));
  parts.add("report", plain(d, "report", {"jobs"}));
  parts.add("web", plain(d, "web", {"db"}));
  REQUIRE(parts.start());
  REQUIRE(parts.restore({{"web", "jobs"}}));  // with the database, which they need
  CHECK(phase_of(parts, "report") == part_phase::down);
  const auto before = parts.pause();
  CHECK(parts.snapshot().up == std::vector<std::string>{"db", "web"});
  CHECK(phase_of(parts, "jobs") == part_phase::down);
  CHECK(parts.restore(before));
  CHECK(phase_of(parts, "jobs") == part_phase::up);
  CHECK(phase_of(parts, "report") == part_phase::down);
  CHECK(d.count("+db") == 1);
  CHECK(d.count("+jobs") == 2);
  CHECK(parts.stop().ok());
  CHECK_FALSE(parts.restore(before));
}

TEST_CASE("a lifecycle that has stopped can be started again") {
  diary d;
  lifecycle parts;
  parts.add("a", plain(d, "a"));
  for (int i = 1; i <= 3; ++i) {
    REQUIRE(parts.start());
    CHECK_FALSE(parts.start());
    CHECK(parts.stop().ok());
    CHECK(parts.stop().ok());
    CHECK(d.count("+a") == i);
    CHECK(d.count("-a") == i);
  }
}

TEST_CASE("destroying a lifecycle stops it") {
  diary d;
  {
    lifecycle parts;
    parts.add("a", plain(d, "a"));
    REQUIRE(parts.start());
  }
  CHECK(d.has("-a"));
}

TEST_CASE("stops from many threads end together and stop each component once") {
  for (int round = 0; round != 50; ++round) {
    diary d;
    lifecycle parts;
    parts.add("a", plain(d, "a"));
    parts.add("b", plain(d, "b", {"a"}));
    REQUIRE(parts.start());
    std::vector<std::thread> askers;
    for (int i = 0; i != 4; ++i) {
      askers.emplace_back([&] {
        CHECK(parts.stop(10s).ok());
        parts.escalate();
        parts.shorten(5s);
        (void)parts.status();
      });
    }
    for (std::thread& t : askers) t.join();
    CHECK(d.count("-a") == 1);
    CHECK(d.count("-b") == 1);
  }
}

TEST_CASE("failures that race a stop and a destruction hurt nobody") {
  for (int round = 0; round != 50; ++round) {
    std::vector<curfew::component_link> links;
    std::vector<std::thread> failers;
    std::atomic<bool> over{false};
    {
      lifecycle parts;
      for (int i = 0; i != 4; ++i) {
        component c;
        if (i > 0) c.after = {"c" + std::to_string(i - 1)};
        c.start = [] {};
        c.stop = [] {};
        c.restart = {.most = 1000, .delay = 0ms};
        links.push_back(parts.add("c" + std::to_string(i), std::move(c)));
      }
      REQUIRE(parts.start());
      for (const auto& link : links) {
        failers.emplace_back([&over, link] {
          while (!over) link.fail("again");
        });
      }
      std::this_thread::sleep_for(2ms);
      CHECK(parts.stop(30s).abandoned == 0);
    }
    over = true;
    for (std::thread& t : failers) t.join();
  }
}

TEST_CASE("a component can ask for its own failure from its own functions") {
  lifecycle parts;
  parts.add("a", {.start = [](step& s) { s.self().fail("ignored while it starts"); },
                  .stop = [](step& s) { s.self().fail("ignored while it stops"); }});
  REQUIRE(parts.start());
  CHECK_FALSE(parts.failed().stop_requested());
  CHECK(parts.stop().ok());
}

namespace {

// Waits for the test, and then a little longer for nobody.
class latch {
 public:
  void open() { open_ = true; }
  void wait() const {
    while (!open_) std::this_thread::sleep_for(1ms);
  }

 private:
  std::atomic<bool> open_{false};
};

// True when it returns within the time of a test.
template <class F>
bool returns(F f) {
  const auto done = std::make_shared<std::atomic<bool>>(false);
  std::thread worker([f, done] {
    f();
    *done = true;
  });
  const bool ended = eventually([&] { return done->load(); });
  ended ? worker.join() : worker.detach();
  return ended;
}

}  // namespace

TEST_CASE("a component that stops its own lifecycle from its functions does not wait for itself") {
  diary d;
  lifecycle parts;
  parts.add("a", plain(d, "a"));
  component b = plain(d, "b", {"a"});
  b.start = [&] {
    parts.stop(20s);
    (void)parts.prepare();
    (void)parts.pause();
    (void)parts.restore({{"a"}});
    (void)parts.start();
    (void)parts.resume("no");
    d.add("b goes on");
  };
  b.stop = [&] {
    parts.stop(20s);
    d.add("-b");
  };
  parts.add("b", std::move(b));
  curfew::start_report report;
  REQUIRE(returns([&] { report = parts.start(); }));
  CHECK_FALSE(report.up);
  CHECK(report.stopped);
  CHECK(report.abandoned == 0);
  CHECK(d.lines() == std::vector<std::string>{"+a", "b goes on", "-b", "-a"});
}

TEST_CASE("a stop that is asked for inside the callback of a stop waits and gets its answer") {
  diary d;
  lifecycle parts;
  stop_source outer;
  parts.add("a", plain(d, "a"));
  REQUIRE(parts.start());
  const curfew::stop_callback inner(outer.get_token(), [&] {
    CHECK(parts.stop(20s).ok());
    d.add("stopped");
  });
  outer.request_stop();
  CHECK(d.lines() == std::vector<std::string>{"+a", "-a", "stopped"});
}

TEST_CASE("the callback of a token may press the stop that stops the token") {
  diary d;
  lifecycle parts;
  parts.add("a", {.stop =
                      [&](step& s) {
                        const curfew::stop_callback again(s.token(), [&] {
                          parts.escalate();
                          parts.shorten(10s);
                          (void)parts.status();
                          d.add("pressed");
                        });
                        d.add("stops");
                        hang_on(s);
                      },
                  .stop_timeout = 1h});
  REQUIRE(parts.start());
  std::thread presser([&] {
    (void)d.await("stops");
    parts.escalate();
  });
  CHECK(parts.stop(2h).abandoned == 0);
  presser.join();
  CHECK(d.has("pressed"));
}

TEST_CASE("a stop that gets less time shares out what is left and still stops everybody") {
  manual_clock clock;
  diary d;
  event_diary events(d);
  lifecycle parts(clock);
  parts.observe(events);
  parts.add("a", plain(d, "a"));
  component b = plain(d, "b", {"a"});
  b.drain = [&](step& s) {
    hang_on(s);
    d.add("b is cut");
  };
  b.stop = [&](step& s) {
    hang_on(s);
    d.add("-b");
  };
  b.drain_timeout = b.stop_timeout = 10min;
  parts.add("b", std::move(b));
  REQUIRE(parts.start());
  std::thread shortener([&] {
    CHECK(d.await("b: step began drain"));
    parts.shorten(8s);  // a little less than 4 s for each of the two
    for (const auto& [by, times] : {std::pair{2000ms, 1}, {1600ms, 2}, {400ms, 3}}) {
      clock.advance(by);
      CHECK(d.await("b: step late drain", times));
    }
    CHECK(d.await("b: step began stop"));
    clock.advance(3600ms);
  });
  const auto report = parts.stop(1h);
  shortener.join();
  CHECK(report.abandoned == 0);
  CHECK(d.has("b is cut"));
  CHECK(d.place("-b") < d.place("-a"));
}

TEST_CASE("a stop step that gets less time is told to hurry before that is spent") {
  manual_clock clock;
  diary d;
  event_diary events(d);
  lifecycle parts(clock);
  parts.observe(events);
  parts.add("a", plain(d, "a"));
  parts.add("b", {.after = {"a"}, .stop = [&](step& s) { hang_on(s); }, .stop_timeout = 10min});
  REQUIRE(parts.start());
  std::thread shortener([&] {
    CHECK(d.await("b: step began stop"));
    parts.shorten(30s);
    for (const auto& [by, times] : {std::pair{15s, 1}, {12s, 2}}) {
      clock.advance(by);
      CHECK(d.await("b: step late stop", times));
    }
  });
  const auto report = parts.stop(1h);
  shortener.join();
  CHECK(report.ok());
  CHECK(d.has("-a"));
}

TEST_CASE("fail during a prepare is heard and takes the prepare back") {
  diary d;
  latch asked, go;
  lifecycle parts;
  component a = plain(d, "a");
  a.restart = {.most = 1, .delay = 0ms};
  a.prepare = [&] {
    asked.open();
    go.wait();
    return prepare_answer::ready();
  };
  const auto link = parts.add("a", std::move(a));
  REQUIRE(parts.start());
  std::thread failer([&] {
    asked.wait();
    link.fail("the disk is gone");
    go.open();
  });
  const auto answer = parts.prepare();
  failer.join();
  CHECK_FALSE(answer);
  CHECK(answer.why == "a component has failed");
  CHECK(d.await("+a", 2));
  CHECK(parts.stop().ok());
}

TEST_CASE("who asks for a pause or a prepare does not wait for a prepare that was given up") {
  manual_clock clock;
  diary d;
  latch go;
  lifecycle parts(clock);
  parts.add("hangs", {.prepare =
                          [&] {
                            go.wait();
                            return prepare_answer::ready();
                          },
                      .prepare_timeout = 3s});
  component jobs = plain(d, "jobs");
  jobs.pausable = true;
  parts.add("jobs", std::move(jobs));
  REQUIRE(parts.start());
  advance_until_done(clock, [&] { CHECK_FALSE(parts.prepare()); });
  CHECK(parts.phase() == whole_phase::up);
  CHECK(returns([&] {
    const auto before = parts.pause();
    CHECK(d.has("-jobs"));
    CHECK_FALSE(parts.prepare());
    (void)parts.restore(before);
    CHECK(d.count("+jobs") == 2);
  }));
  go.open();
  CHECK(parts.stop().ok());
}

TEST_CASE("a resume that hangs fails the whole and keeps nobody waiting") {
  static manual_clock clock;  // what is abandoned still has a context
  latch go;
  std::atomic<bool> gone{false};
  {
    lifecycle parts(clock);
    parts.add("a", {.prepare = [] { return prepare_answer::ready(); },
                    .resume =
                        [&] {
                          go.wait();
                          gone = true;
                        },
                    .prepare_timeout = 3s});
    REQUIRE(parts.start());
    REQUIRE(parts.prepare(1h));
    advance_until_done(clock, [&] { CHECK(parts.resume("changed my mind")); });
    CHECK(parts.failed().stop_requested());
    CHECK(parts.phase() == whole_phase::up);
    CHECK(phase_of(parts, "a") == part_phase::lost);
    advance_until_done(clock, [&] { CHECK(parts.stop(10s).abandoned == 1); });
  }
  go.open();
  CHECK(eventually([&] { return gone.load(); }));
}

TEST_CASE("a restart that takes too long and was the last is not made again") {
  manual_clock clock;
  diary d;
  lifecycle parts(clock);
  std::atomic<int> starts{0};
  component a;
  a.start = [&](step& s) {
    if (++starts > 1) hang_on(s);
  };
  a.stop = [&] { d.add("-a"); };
  a.restart = {.most = 1, .delay = 0ms};
  a.start_timeout = 2s;
  const auto link = parts.add("a", std::move(a));
  REQUIRE(parts.start());
  link.fail("once");
  advance_until_done(
      clock, [&] { (void)parts.failed().wait_for(1min); }, 100ms);
  CHECK(parts.failed().stop_requested());
  CHECK(d.await("-a", 2));
  advance_until_done(clock, [&] { CHECK(parts.stop(30s).ok()); });
  CHECK(starts == 2);
}

TEST_CASE("an abandoned component is not aborted when the stop presses harder") {
  static manual_clock clock;
  diary d;
  event_diary events(d);
  latch go;
  {
    lifecycle parts(clock);
    parts.observe(events);
    parts.add("a", {.stop = [&](step& s) { hang_on(s); }, .stop_timeout = 1h});
    parts.add("b", {.after = {"a"},
                    .stop =
                        [&] {
                          go.wait();
                          d.add("b returns");
                        },
                    .abort = [&] { d.add("b aborts"); },
                    .stop_timeout = 1s,
                    .abort_timeout = 1s});
    REQUIRE(parts.start());
    std::atomic<bool> done{false};
    std::thread presser([&] {
      while (!d.has("a: step began stop")) {
        clock.advance(100ms);
        std::this_thread::sleep_for(1ms);
      }
      parts.escalate();
      done = true;
    });
    CHECK(parts.stop(3h).abandoned == 1);
    presser.join();
    CHECK(d.count("b aborts") == 1);
  }
  go.open();
  CHECK(d.await("b returns"));
}

#if CURFEW_EXCEPTIONS
TEST_CASE("who brings back a component that fails for good is told so and does not wait for ever") {
  diary d;
  std::atomic<bool> broken{false};
  lifecycle parts;
  component db = plain(d, "db");
  db.start = [&] {
    if (broken) throw std::runtime_error("no disk");
  };
  db.pausable = true;
  parts.add("db", std::move(db));
  parts.add("web", plain(d, "web", {"db"}));
  REQUIRE(parts.start());
  const auto before = parts.pause();
  broken = true;
  bool back = true;
  REQUIRE(returns([&] { back = parts.restore(before); }));
  CHECK_FALSE(back);
  CHECK(parts.failed().stop_requested());
  CHECK(returns([&] { CHECK_FALSE(parts.restore(before)); }));
  CHECK(parts.stop().ok());
}

TEST_CASE("a start that fails because what it needs has failed is not a failure of its own") {
  diary d;
  lifecycle parts;
  latch starting, go;
  component db = plain(d, "db");
  db.restart = {.most = 3, .delay = 0ms};
  const auto link = parts.add("db", std::move(db));
  std::atomic<int> starts{0};
  component web = plain(d, "web", {"db"});
  web.start = [&] {
    if (++starts > 1) return;
    starting.open();
    go.wait();
    throw std::runtime_error("the database is gone");
  };
  parts.add("web", std::move(web));
  std::thread failer([&] {
    starting.wait();
    link.fail("connection lost");
    go.open();
  });
  const auto report = parts.start();
  failer.join();
  CHECK_MESSAGE(report.up, report.error);
  CHECK(starts == 2);
  CHECK(parts.stop().ok());
}

TEST_CASE(
    "what goes on without an optional component does so when that one could not start again") {
  diary d;
  lifecycle parts;
  component db = plain(d, "db");
  db.restart = {.most = 3, .delay = 0ms};
  const auto link = parts.add("db", std::move(db));
  component cache;
  cache.after = {"db"};
  cache.start = [] { throw std::runtime_error("cold"); };
  cache.optional = true;
  parts.add("cache", std::move(cache));
  component web = plain(d, "web", {"cache"});
  web.restart = {.most = 3, .delay = 0ms};
  const auto web_link = parts.add("web", std::move(web));
  REQUIRE(parts.start());
  link.fail("connection lost");
  REQUIRE(d.await("+db", 2));
  web_link.fail("too");
  CHECK(d.await("+web", 2));
  CHECK(parts.stop().ok());
}
#endif

TEST_CASE("a start that waits in vain for its condition has failed and is not begun") {
  diary d;
  lifecycle parts;
  component db = plain(d, "db");
  db.start_when = {"the disk is there", [] { return false; }};
  db.start_timeout = 20ms;
  parts.add("db", std::move(db));
  const auto started = parts.start();
  CHECK_FALSE(started);
  CHECK(started.part == "db");
  CHECK(started.error.find("the disk is there") != std::string::npos);
  CHECK_FALSE(d.has("+db"));
}

TEST_CASE("a prepare that is refused takes nothing from the one that goes on") {
  diary d;
  lifecycle parts;
  parts.add("a", {.prepare =
                      [&](step& s) {
                        d.add("prepare a");
                        (void)s.token().wait_for(20s);
                        d.add(s.token().stop_requested() ? "cut" : "not cut");
                        return prepare_answer::ready();
                      },
                  .prepare_timeout = 1h});
  REQUIRE(parts.start());
  curfew::prepare_report first;
  std::thread asker([&] { first = parts.prepare(); });
  REQUIRE(d.await("prepare a"));
  CHECK(parts.prepare().why == "it is preparing");
  CHECK(parts.resume("not any more"));
  asker.join();
  CHECK_FALSE(first);
  CHECK(first.why == "not any more");
  CHECK(d.await("cut"));
  CHECK(parts.stop().ok());
}

TEST_CASE("nobody is resumed while what it is after is still in its prepare") {
  diary d;
  latch veto, go;
  lifecycle parts;
  parts.add("db", {.prepare =
                       [&] {
                         d.add("prepare db");
                         go.wait();
                         return prepare_answer::ready();
                       },
                   .resume = [&] { d.add("resume db"); }});
  parts.add("web", {.after = {"db"},
                    .prepare = [] { return prepare_answer::ready(); },
                    .resume = [&] { d.add("resume web"); }});
  parts.add("other", {.prepare = [&] {
              veto.wait();
              return prepare_answer::veto("a backup runs");
            }});
  event_diary events(d);
  parts.observe(events);
  REQUIRE(parts.start());
  curfew::prepare_report answer;
  std::thread asker([&] { answer = parts.prepare(); });
  REQUIRE(d.await("prepare db"));
  veto.open();
  REQUIRE(d.await(": resumed"));
  std::this_thread::sleep_for(20ms);  // for a resume that comes too early to be seen
  CHECK_FALSE(d.has("resume web"));
  go.open();
  asker.join();
  CHECK(answer.part == "other");
  CHECK(d.has("resume web"));
  CHECK(d.place("resume db") < d.place("resume web"));
  CHECK(parts.stop().ok());
}

TEST_CASE("who is after a prepare that hangs is resumed when the time for that is spent") {
  manual_clock clock;
  diary d;
  latch go;
  lifecycle parts(clock);
  parts.add("db", {.prepare =
                       [&] {
                         d.add("prepare db");
                         go.wait();
                         return prepare_answer::ready();
                       },
                   .resume = [&] { d.add("resume db"); },
                   .prepare_timeout = 3s});
  parts.add("web", {.after = {"db"},
                    .prepare = [] { return prepare_answer::ready(); },
                    .resume = [&] { d.add("resume web"); }});
  event_diary events(d);
  parts.observe(events);
  REQUIRE(parts.start());
  std::thread asker([&] { CHECK_FALSE(parts.prepare()); });
  REQUIRE(d.await("prepare db"));
  std::thread taker([&] { CHECK(parts.resume("not any more")); });
  REQUIRE(d.await(": resumed"));
  advance_until_done(clock, [&] { asker.join(); });
  taker.join();
  CHECK(d.has("resume web"));
  go.open();
  CHECK(d.await("resume db"));
  CHECK(parts.stop().ok());
}

TEST_CASE("a stop inside the callback of a failure keeps nobody from noticing the time") {
  static manual_clock clock;
  static latch go;
  diary d;
  auto parts = std::make_unique<lifecycle>(clock);
  component a;
  std::atomic<int> starts{0};
  a.start = [&] {
    if (++starts == 1) return;
    go.wait();
    d.add("returns");
  };
  a.restart = {.most = 1, .delay = 0ms};
  a.start_timeout = 2s;
  const auto link = parts->add("a", std::move(a));
  REQUIRE(parts->start());
  {
    const curfew::stop_callback on_failure(parts->failed(), [&] {
      (void)parts->stop(5s);
      d.add("stopped");
    });
    link.fail("once");
    for (int i = 0; i != 3000 && parts->phase() != whole_phase::stopped; ++i) {
      clock.advance(100ms);
      std::this_thread::sleep_for(1ms);
    }
    REQUIRE(parts->phase() == whole_phase::stopped);
    CHECK(d.await("stopped"));
  }
  CHECK(parts->stop().abandoned == 1);
  parts.reset();
  go.open();
  CHECK(d.await("returns"));
}

TEST_CASE("a stop tells of its own failures and not of those of an earlier restart") {
  diary d;
  lifecycle parts;
  component a = plain(d, "a");
  a.stop = [&](step& s) {
    d.add("-a");
    if (d.count("-a") == 1) s.fail("the connection is broken");
  };
  a.restart = {.most = 3, .delay = 0ms};
  const auto link = parts.add("a", std::move(a));
  REQUIRE(parts.start());
  link.fail("the connection is broken");
  REQUIRE(d.await("+a", 2));
  REQUIRE(eventually([&] { return phase_of(parts, "a") == part_phase::up; }));
  CHECK(parts.stop().ok());
}

TEST_CASE("looking at parts before all are declared changes nothing") {
  diary d;
  lifecycle parts;
  component log = plain(d, "log", {"disk"});
  log.base = true;
  parts.add("log", std::move(log));
  parts.add("config", plain(d, "config"));
  CHECK(parts.parts().size() == 2);
  parts.add("disk", plain(d, "disk", {"config"}));
  REQUIRE(parts.start());
  CHECK(d.lines() == std::vector<std::string>{"+config", "+disk", "+log"});
  CHECK(parts.stop().ok());
}

TEST_CASE("a thread that comes after that of an abandoned component is not taken for it") {
  diary d;
  latch go;
  lifecycle parts;
  parts.add("b", {.prepare = [] { return prepare_answer::ready(); },
                  .resume = [] { std::this_thread::sleep_for(5ms); }});
  component a;
  a.optional = true;
  a.start_timeout = a.stop_timeout = 10ms;
  a.start = [&] {
    go.wait();
    d.add("returns");
  };
  parts.add("a", std::move(a));
  REQUIRE(parts.start());
  REQUIRE(eventually([&] { return phase_of(parts, "a") == part_phase::lost; }));
  go.open();
  REQUIRE(d.await("returns"));
  std::this_thread::sleep_for(20ms);  // for its thread to end, and its number to be free
  for (int i = 0; i != 20; ++i) {
    whole_phase after{};
    std::thread([&] {
      (void)parts.prepare();
      CHECK(parts.resume("not any more"));
      after = parts.phase();
    }).join();
    CHECK(after == whole_phase::up);
  }
  (void)parts.stop();
}

TEST_CASE("a thousand components stand on one graph") {
  std::atomic<int> up{0};
  lifecycle parts;
  for (int i = 0; i != 1000; ++i) {
    component c;
    if (i > 0) c.after = {"c" + std::to_string((i - 1) / 2)};
    c.start = [&] { ++up; };
    c.stop = [&] { --up; };
    parts.add("c" + std::to_string(i), std::move(c));
  }
  REQUIRE(parts.start());
  CHECK(up == 1000);
  CHECK(parts.stop().ok());
  CHECK(up == 0);
}
