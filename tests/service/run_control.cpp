// SPDX-License-Identifier: BSL-1.0
//
// What a program of components does when it is asked over its control endpoint.
#include <curfew/service/components.hpp>
#include <curfew/service/plan_diff.hpp>
#include <curfew/testing/host_in_a_box.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "control_support.hpp"

using namespace std::chrono_literals;
using curfew::component_options;
using curfew::control_answer;
using curfew::control_client;
using curfew::host_in_a_box;
using curfew::host_kind;
using curfew::lifecycle;
using curfew::prepare_answer;
using curfew::step;
using curfew::detail::json_value;

namespace {

json_value read(const std::string& json) {
  json_value v;
  CHECK_MESSAGE(curfew::detail::read_json(json, v), json);
  return v;
}

std::string text_of(const json_value& v, std::string_view name) {
  const json_value* const m = v.find(name);
  return m != nullptr ? m->text : "";
}

/// A program of components in a box, that can be asked.
struct asked_program {
  explicit asked_program(host_kind kind = host_kind::console) : box(kind) {}

  void start(std::function<void(lifecycle&)> declare, component_options o = {},
             curfew::service_spec spec = {.name = "orders", .stop_timeout = 20s}) {
    o.control.path = place.path();
    o.sinks.push_back(&audit);
    box.start(std::move(spec), curfew::components(std::move(declare), std::move(o)));
  }
  control_answer ask(std::string_view verb, const std::string& change = {},
                     const std::string& arguments = {}) {
    std::error_code ec;
    control_client c(place.path(), a_minute(), ec);
    if (ec) return {.error = ec.message()};
    return c.ask(verb, a_minute(), {.change = change, .arguments = arguments});
  }
  std::string phase() {
    const control_answer a = ask("status");
    return a.ok ? text_of(read(a.body), "phase") : "";
  }
  bool await_phase(std::string_view wanted) {
    for (int i = 0; i != 3000; ++i) {
      if (phase() == wanted) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }
  /// Nothing that is decided about is left undecided by the test.
  int end() {
    if (!box.ended()) box.signal(15);
    return box.await_end().value_or(-1);
  }

  control_place_for_a_test place;
  struct decisions final : curfew::event_sink {
    void write(const curfew::lifecycle_event& e) noexcept override {
      if (e.kind == curfew::event_kind::control) kept.write(e);
    }
    kept_audit kept;
  } audit;
  host_in_a_box box;
};

void one_part(lifecycle& parts) {
  parts.add("db", {.stop = [] {}});
}

}  // namespace

// ---- how it is

TEST_CASE("status tells the phase of the whole and of each component") {
  asked_program p;
  p.start([](lifecycle& parts) {
    parts.add("db", {});
    parts.add("web", {.after = {"db"}});
  });
  REQUIRE(p.box.await_ready());
  const json_value s = read(p.ask("status").body);
  CHECK(text_of(s, "name") == "orders");
  CHECK(s.find("pid")->number == curfew::detail::process_id());
  CHECK(text_of(s, "phase") == "up");
  CHECK(s.find("stop")->what == json_value::kind::null);
  REQUIRE(s.find("components")->items.size() == 2);
  CHECK(text_of(s.find("components")->items[1], "name") == "web");
  CHECK(text_of(s.find("components")->items[1], "phase") == "up");
  CHECK(p.end() == 0);
}

TEST_CASE("a start that takes long can be asked what it is doing") {
  std::atomic<bool> go{false};
  asked_program p;
  p.start([&](lifecycle& parts) {
    parts.add("db", {.start = [&](step& s) {
                s.progress("replays its journal");
                while (!go) std::this_thread::sleep_for(1ms);
              }});
  });
  REQUIRE(p.await_phase("starting"));
  std::string note;
  while (note.empty())
    note = text_of(read(p.ask("status").body).find("components")->items[0], "note");
  CHECK(note == "replays its journal");
  go = true;
  REQUIRE(p.box.await_ready());
  CHECK(p.end() == 0);
}

TEST_CASE("a stop that hangs can be asked who is late and how much time is left") {
  std::atomic<bool> stopping{false}, let_go{false};
  asked_program p;
  p.start([&](lifecycle& parts) {
    parts.add("db", {.stop = [&] {
                stopping = true;
                while (!let_go) std::this_thread::sleep_for(1ms);
              }});
  });
  REQUIRE(p.box.await_ready());
  p.box.signal(15, 4711, 0);
  while (!stopping) std::this_thread::sleep_for(1ms);
  p.box.advance(4s);
  const json_value s = read(p.ask("status").body);
  CHECK(text_of(s, "phase") == "stopping");
  CHECK(text_of(*s.find("stop"), "reason").find("signal") == 0);
  CHECK(s.find("stop")->find("left_ms")->number == 16000);
  const json_value& db = s.find("components")->items[0];
  CHECK(text_of(db, "phase") == "stopping");
  CHECK(db.find("elapsed_ms")->number == 4000);
  let_go = true;
  CHECK(p.box.await_end() == 0);
}

TEST_CASE("the plan is the one that is compared with others") {
  asked_program p;
  p.start(one_part);
  REQUIRE(p.box.await_ready());
  std::string error;
  const auto plan = curfew::read_plan(p.ask("plan").body, error);
  REQUIRE_MESSAGE(plan.has_value(), error);
  CHECK(plan->parts[0].name == "db");
  CHECK(p.end() == 0);
}

TEST_CASE("health is what the program says of it and a refusal where it says nothing") {
  std::string json = R"({"live":true,"load":0.5})";
  asked_program p, silent;
  p.start(one_part, {.control = {.health = [&] { return json; }}});
  silent.start(one_part);
  REQUIRE(p.box.await_ready());
  REQUIRE(silent.box.await_ready());
  CHECK(p.ask("health").body == json);
  json = "{";
  CHECK_FALSE(p.ask("health").ok);
  CHECK(silent.ask("health").error.find("this program does not tell how it is: ") == 0);
  CHECK(p.end() == 0);
  CHECK(silent.end() == 0);
}

TEST_CASE("an unknown verb is refused with those there are") {
  asked_program p;
  p.start(one_part);
  REQUIRE(p.box.await_ready());
  CHECK(p.ask("shutdown").error.find("there is no verb shutdown; use one of: status ") == 0);
  CHECK(p.end() == 0);
}

// ---- a stop

TEST_CASE("a stop that is asked for names who asked and asking twice hurries nothing") {
  std::atomic<bool> stopping{false}, let_go{false}, hurried{false};
  asked_program p;
  p.start([&](lifecycle& parts) {
    parts.add("db", {.drain =
                         [&](step& s) {
                           stopping = true;
                           while (!let_go) std::this_thread::sleep_for(1ms);
                           hurried = s.token().stop_requested();
                         },
                     .drain_timeout = 15s});
  });
  REQUIRE(p.box.await_ready());
  const control_answer first = p.ask("stop", "CHG-1");
  CHECK(first.body == R"({"stopping":true,"first":true})");
  while (!stopping) std::this_thread::sleep_for(1ms);
  CHECK(p.ask("stop").body == R"({"stopping":true,"first":false})");
  CHECK(text_of(*read(p.ask("status").body).find("stop"), "reason")
            .find("control from pid " + std::to_string(curfew::detail::process_id())) == 0);
  let_go = true;
  CHECK(p.box.await_end() == 0);
  CHECK_FALSE(hurried);
  CHECK(p.audit.kept.lines()[0] == "allowed stop for CHG-1");
}

TEST_CASE("a stop that is asked for during the start takes it back") {
  std::atomic<bool> down{false};
  asked_program p;
  p.start([&](lifecycle& parts) {
    parts.add("db", {.stop = [&] { down = true; }});
    parts.add("web", {.after = {"db"}, .start = [](step& s) { (void)s.token().wait(); }});
  });
  REQUIRE(p.await_phase("starting"));
  CHECK(p.ask("stop").ok);
  CHECK(p.box.await_end() == 0);
  CHECK(down);
}

TEST_CASE("a stop whose callbacks ask the program itself does not hang") {
  asked_program p;
  control_answer seen;
  const auto main = [&](curfew::service& s) {
    const curfew::stop_callback on_stop(s.token(), [&] { seen = p.ask("status"); });
    lifecycle parts;
    parts.add("db", {});
    return curfew::run_components(s, parts, {.control = {.path = p.place.path()}});
  };
  p.box.start({.name = "orders"}, main);
  REQUIRE(p.box.await_ready());
  CHECK(p.ask("stop").ok);
  CHECK(p.box.await_end() == 0);
  CHECK(seen.answered);
}

TEST_CASE("every decision is told to the sinks of the program") {
  asked_program p;
  p.start(one_part, {.control = {.policy = [](const curfew::control_request& r) {
                       return r.verb == "status" ? curfew::control_decision::allow()
                                                 : curfew::control_decision::deny("read only");
                     }}});
  REQUIRE(p.box.await_ready());
  CHECK(p.ask("status").ok);
  CHECK(p.ask("stop", "CHG-2").error == "read only");
  CHECK(p.audit.kept.await(2));
  CHECK(p.audit.kept.lines() ==
        std::vector<std::string>{"allowed status", "denied stop for CHG-2: read only"});
  CHECK(p.box.await_line("denied stop to pid " + std::to_string(curfew::detail::process_id())));
  CHECK(p.end() == 0);
}

TEST_CASE("who watches sees the whole stop up to the outcome") {
  asked_program p;
  p.start(one_part);
  REQUIRE(p.box.await_ready());
  std::vector<std::string> events;
  std::thread watcher([&] {
    control_client c(p.place.path(), a_minute());
    CHECK(c.watch([&](std::string_view json) { events.emplace_back(json); }, a_minute()).ok);
  });
  REQUIRE(p.audit.kept.await(1));
  std::this_thread::sleep_for(50ms);  // it has been allowed, and begins
  CHECK(p.ask("stop").ok);
  CHECK(p.box.await_end() == 0);
  watcher.join();
  std::string all;
  for (const std::string& e : events) all += e;
  CHECK(all.find(R"("event":"control")") != std::string::npos);
  CHECK(all.find(R"("event":"stopping")") != std::string::npos);
  CHECK(all.find(R"("event":"step ended")") != std::string::npos);
  CHECK(events.back().find(R"("event":"run ended")") != std::string::npos);
}

TEST_CASE("a program whose endpoint cannot be opened does not start and says why") {
  std::atomic<bool> started{false};
  host_in_a_box box;
  box.start({.name = "orders"},
            curfew::components(
                [&](lifecycle& parts) { parts.add("db", {.start = [&] { started = true; }}); },
                {.control = {.path = "@orders"}}));
  CHECK(box.await_end() == curfew::exit_code_failed);
  CHECK_FALSE(started);
  CHECK(box.await_line("cannot start: no control endpoint at @orders: "));
}

// ---- reload and pause

TEST_CASE("reload pause and resume do what the host would do and are refused without a function") {
  std::atomic<int> reloads{0}, up{0};
  asked_program p;
  const auto main = [&](curfew::service& s) {
    s.on_reload([&] { ++reloads; });
    lifecycle parts;
    parts.add("web", {.start = [&] { ++up; }, .stop = [&] { --up; }, .pausable = true});
    return curfew::run_components(s, parts, {.control = {.path = p.place.path()}});
  };
  p.box.start({.name = "orders"}, main);
  REQUIRE(p.box.await_ready());
  CHECK(p.ask("reload").ok);
  while (reloads != 1) std::this_thread::sleep_for(1ms);
  CHECK(p.ask("pause").ok);
  while (up != 0) std::this_thread::sleep_for(1ms);
  CHECK(p.ask("pause").ok);  // once more, which changes nothing
  CHECK(p.ask("resume").ok);
  while (up != 1) std::this_thread::sleep_for(1ms);
  CHECK(p.end() == 0);

  asked_program bare;
  bare.start(one_part);
  REQUIRE(bare.box.await_ready());
  for (const auto* const verb : {"reload", "pause", "resume"})
    CHECK(bare.ask(verb).error.find("this program has no function for that: ") == 0);
  CHECK(bare.end() == 0);
}

// ---- a stop in two steps

TEST_CASE("a prepared stop is committed by whoever names the same change") {
  asked_program p;
  p.start(one_part);
  REQUIRE(p.box.await_ready());
  CHECK(p.ask("commit", "a").error.find("nothing is prepared, or not any more: ") == 0);
  CHECK(p.ask("prepare", "a").body == R"({"prepared":true})");
  CHECK(text_of(read(p.ask("status").body), "change") == "a");
  CHECK(p.ask("prepare", "b").error.find("it has been prepared for \"a\": ") == 0);
  CHECK(p.ask("commit", "b").error.find("what is prepared is \"a\": ") == 0);
  CHECK(p.ask("abort", "b").error.find("what is prepared is \"a\": ") == 0);
  CHECK(p.ask("commit", "a").ok);
  CHECK(p.box.await_end() == 0);
}

TEST_CASE("a veto is a refusal that names the component and everybody goes on") {
  std::atomic<bool> resumed{false};
  asked_program p;
  p.start([&](lifecycle& parts) {
    parts.add("db", {.prepare = [] { return prepare_answer::veto("a backup runs"); }});
    parts.add("web", {.after = {"db"},
                      .prepare = [] { return prepare_answer::ready(); },
                      .resume = [&] { resumed = true; }});
  });
  REQUIRE(p.box.await_ready());
  const control_answer a = p.ask("prepare", "a");
  CHECK(a.answered);
  CHECK(a.error == "db: a backup runs");
  CHECK(a.body == R"({"prepared":false,"part":"db","why":"a backup runs"})");
  CHECK(resumed);
  CHECK(p.phase() == "up");
  CHECK_FALSE(p.ask("commit", "a").ok);
  CHECK(p.end() == 0);
}

TEST_CASE("an abort resumes all and says so to whoever watches the sinks") {
  std::atomic<int> resumed{0};
  asked_program p;
  p.start([&](lifecycle& parts) {
    parts.add("db",
              {.prepare = [] { return prepare_answer::ready(); }, .resume = [&] { ++resumed; }});
  });
  REQUIRE(p.box.await_ready());
  REQUIRE(p.ask("prepare", "a").ok);
  CHECK(p.ask("abort", "a").body == R"({"resumed":true})");
  CHECK(resumed == 1);
  CHECK(p.phase() == "up");
  CHECK_FALSE(p.ask("abort", "a").ok);
  CHECK_FALSE(p.ask("commit", "a").ok);
  CHECK(p.end() == 0);
}

TEST_CASE("when whoever prepared a stop never comes back all are resumed at the end of the lease") {
  std::atomic<int> resumed{0};
  asked_program p;
  p.start([&](lifecycle& parts) {
    parts.add("db",
              {.prepare = [] { return prepare_answer::ready(); }, .resume = [&] { ++resumed; }});
  });
  REQUIRE(p.box.await_ready());
  REQUIRE(p.ask("prepare", "a", R"({"lease_ms":5000})").ok);  // its connection is gone already
  p.box.advance(4999ms);
  CHECK(p.phase() == "prepared");
  p.box.advance(1ms);
  REQUIRE(p.await_phase("up"));
  CHECK(resumed == 1);
  CHECK_FALSE(p.ask("commit", "a").ok);
  CHECK(p.end() == 0);
}

TEST_CASE("a signal while a stop is prepared stops and what is decided then is refused") {
  std::atomic<bool> stopping{false}, let_go{false};
  asked_program p;
  p.start([&](lifecycle& parts) {
    parts.add("db", {.stop = [&] {
                stopping = true;
                while (!let_go) std::this_thread::sleep_for(1ms);
              }});
  });
  REQUIRE(p.box.await_ready());
  REQUIRE(p.ask("prepare", "a").ok);
  p.box.signal(15);
  while (!stopping) std::this_thread::sleep_for(1ms);
  for (const auto* const verb : {"prepare", "commit", "abort", "reload", "pause"})
    CHECK(p.ask(verb, "a").error.find("a stop has begun: signal") == 0);
  let_go = true;
  CHECK(p.box.await_end() == 0);
}

TEST_CASE("a stop of the SCM ends what may be decided as well") {
  std::atomic<bool> stopping{false}, let_go{false};
  asked_program p(host_kind::scm);
  p.start([&](lifecycle& parts) {
    parts.add("db", {.stop = [&] {
                stopping = true;
                while (!let_go) std::this_thread::sleep_for(1ms);
              }});
  });
  REQUIRE(p.box.await_ready());
  REQUIRE(p.ask("prepare", "a").ok);
  p.box.scm_stop();
  while (!stopping) std::this_thread::sleep_for(1ms);
  CHECK(p.ask("commit", "a").error.find("a stop has begun") == 0);
  let_go = true;
  CHECK(p.box.await_end() == 0);
}

TEST_CASE("a signal in the middle of a prepare ends it and the asker learns that") {
  std::atomic<bool> preparing{false};
  asked_program p;
  p.start([&](lifecycle& parts) {
    parts.add("db", {.prepare =
                         [&](step& s) {
                           preparing = true;
                           (void)s.token().wait();
                           return prepare_answer::ready();
                         },
                     .prepare_timeout = 1h});
  });
  REQUIRE(p.box.await_ready());
  control_answer a;
  std::thread asker([&] { a = p.ask("prepare", "a"); });
  while (!preparing) std::this_thread::sleep_for(1ms);
  CHECK(p.ask("prepare", "b").error.find("it has been prepared for \"a\": ") == 0);
  p.box.signal(15);
  CHECK(p.box.await_end() == 0);
  asker.join();
  CHECK(a.answered);
  CHECK(a.error.find("it is being stopped") == 0);
}

TEST_CASE("an abort in the middle of a prepare ends it") {
  std::atomic<bool> preparing{false};
  asked_program p;
  p.start([&](lifecycle& parts) {
    parts.add("db", {.prepare =
                         [&](step& s) {
                           preparing = true;
                           (void)s.token().wait();
                           return prepare_answer::ready();
                         },
                     .prepare_timeout = 1h});
  });
  REQUIRE(p.box.await_ready());
  control_answer a;
  std::thread asker([&] { a = p.ask("prepare", "a"); });
  while (!preparing) std::this_thread::sleep_for(1ms);
  CHECK(p.ask("abort", "a").ok);
  asker.join();
  CHECK_FALSE(a.ok);
  CHECK(a.answered);
  CHECK(p.phase() == "up");
  CHECK(p.end() == 0);
}

TEST_CASE("of many that commit at once one does and the stop is not hurried by the others") {
  for (int round = 0; round != 10; ++round) {
    std::atomic<bool> hurried{false}, stopping{false}, let_go{false};
    asked_program p;
    p.start([&](lifecycle& parts) {
      parts.add("db", {.drain =
                           [&](step& s) {
                             stopping = true;
                             while (!let_go) std::this_thread::sleep_for(1ms);
                             hurried = s.token().stop_requested();
                           },
                       .drain_timeout = 15s});
    });
    REQUIRE(p.box.await_ready());
    REQUIRE(p.ask("prepare", "a").ok);
    std::atomic<int> done{0};
    std::vector<std::thread> askers;
    for (int i = 0; i != 4; ++i) askers.emplace_back([&] { done += p.ask("commit", "a").ok; });
    for (std::thread& t : askers) t.join();
    CHECK(done == 1);
    while (!stopping) std::this_thread::sleep_for(1ms);
    let_go = true;
    CHECK(p.box.await_end() == 0);
    CHECK_FALSE(hurried);
  }
}

TEST_CASE("of some that prepare at once the one that is told so may decide") {
  constexpr std::size_t many = 6;
  asked_program p;
  p.start(one_part);
  REQUIRE(p.await_phase("up"));
  for (int round = 0; round != 400; ++round) {
    std::atomic<std::size_t> ready{0};
    std::array<control_answer, many> answers;
    std::vector<std::thread> askers;
    for (std::size_t i = 0; i != many; ++i) {
      askers.emplace_back([&, i] {
        control_client c(p.place.path(), a_minute());
        for (++ready; ready != many;) std::this_thread::yield();
        answers[i] = c.ask("prepare", a_minute(), {.change = std::to_string(i)});
      });
    }
    for (std::thread& t : askers) t.join();
    std::vector<std::string> told;
    for (std::size_t i = 0; i != many; ++i)
      if (answers[i].ok) told.push_back(std::to_string(i));
    REQUIRE(told.size() == 1);
    const control_answer abort = p.ask("abort", told.front());
    REQUIRE_MESSAGE(abort.ok, abort.error);
  }
  CHECK(p.end() == 0);
}

TEST_CASE("orders from many sides at once leave a program that stops cleanly") {
  for (int round = 0; round != 10; ++round) {
    asked_program p;
    p.start([&](lifecycle& parts) {
      parts.add("db", {.prepare = [] { return prepare_answer::ready(); }});
      parts.add("web", {.after = {"db"}, .prepare = [] { return prepare_answer::ready(); }});
    });
    REQUIRE(p.box.await_ready());
    std::atomic<bool> over{false};
    std::vector<std::thread> askers;
    for (const auto* const verb : {"prepare", "abort", "status", "prepare", "commit"}) {
      askers.emplace_back([&p, &over, verb] {
        while (!over && p.ask(verb, "a").answered) {
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(round));
    if (!p.box.ended()) p.box.signal(15);
    CHECK(p.box.await_end() == 0);
    over = true;
    for (std::thread& t : askers) t.join();
  }
}
