// SPDX-License-Identifier: BSL-1.0
//
// A service against a scripted SCM. The rules are numbered as in Microsoft's documentation of
// services, read in order: 6 to 10 the status, 11 to 17 the controls.
#include <curfew/host/detail/scm_host.hpp>
#include <curfew/host/host_event.hpp>
#include <curfew/host/service_host.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace accept = curfew::detail::scm_accept;
namespace answer = curfew::detail::scm_answer;
namespace control = curfew::detail::scm_control;
using curfew::host_event;
using curfew::outcome;
using curfew::outcome_kind;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::detail::scm_host;
using curfew::detail::scm_limits;
using curfew::detail::scm_state;
using curfew::detail::scm_status;
using namespace std::chrono_literals;

namespace {

constexpr auto never = (scm_host::duration::max)();
constexpr curfew::host_interests everything{true, true, true, true};

/// The SCM, as far as it is told something.
class script final : public curfew::detail::scm_port {
 public:
  bool set_status(const scm_status& s) noexcept override {
    const std::lock_guard lock(mutex_);
    written_.push_back(s);
    if (on_write) on_write(s);
    return true;
  }
  std::vector<scm_status> written() const {
    const std::lock_guard lock(mutex_);
    return written_;
  }
  scm_status last() const { return written().back(); }
  std::size_t size() const { return written().size(); }

  std::function<void(const scm_status&)> on_write;

 private:
  mutable std::mutex mutex_;
  std::vector<scm_status> written_;
};

/// The program, as far as it is asked something.
struct program final : curfew::host_listener {
  void stop(const stop_reason& reason) noexcept override {
    if (on_stop) on_stop();
    stops.push_back(reason);
  }
  bool event(host_event what, int code) noexcept override {
    if (on_event) on_event();
    if (!full) events.emplace_back(what, code);
    return !full;
  }
  std::uint32_t answer(const curfew::system_event& what) noexcept override {
    asked.push_back(what);
    return on_answer ? on_answer() : 0;
  }

  bool full = false;
  std::vector<stop_reason> stops;
  std::vector<std::pair<host_event, int>> events;
  std::vector<curfew::system_event> asked;
  std::function<void()> on_stop, on_event;
  std::function<std::uint32_t()> on_answer;
};

curfew::service_spec spec() { return {.name = "s", .start_timeout = 40s, .stop_timeout = 30s}; }

/// A service that has a listener, and how it gets into each state.
struct service {
  explicit service(const curfew::service_spec& s = spec(), const scm_limits& limits = {})
      : host(scm, s, limits) {
    host.attach(user);
  }
  service& running(const curfew::host_interests& wanted = everything) {
    host.accept(wanted);
    host.ready();
    return *this;
  }
  std::uint32_t send(std::uint32_t code) { return host.control(code, 0, nullptr); }

  script scm;
  program user;
  scm_host host;
};

std::unique_ptr<service> service_in(scm_state state) {
  auto s = std::make_unique<service>();
  if (state == scm_state::start_pending) return s;
  s->running();
  const bool pauses = state == scm_state::pause_pending || state == scm_state::paused ||
                      state == scm_state::continue_pending;
  if (pauses) CHECK(s->send(control::pause) == answer::done);
  if (pauses && state != scm_state::pause_pending) s->host.paused();
  if (state == scm_state::continue_pending) CHECK(s->send(control::resume) == answer::done);
  if (state == scm_state::stop_pending) CHECK(s->send(control::stop) == answer::done);
  if (state == scm_state::stopped) s->host.stopped({});
  CHECK(s->scm.last().state == state);
  return s;
}

bool pending(scm_state s) {
  return s == scm_state::start_pending || s == scm_state::stop_pending ||
         s == scm_state::continue_pending || s == scm_state::pause_pending;
}

/// From the picture of the states in the documentation.
bool may_follow(scm_state a, scm_state b) {
  if (b == scm_state::stopped || b == scm_state::stop_pending) return a != scm_state::stopped;
  switch (a) {
    case scm_state::start_pending: return b == scm_state::running;
    case scm_state::running: return b == scm_state::pause_pending;
    case scm_state::pause_pending: return b == scm_state::paused || b == scm_state::running;
    case scm_state::paused: return b == scm_state::continue_pending;
    case scm_state::continue_pending: return b == scm_state::running || b == scm_state::paused;
    default: return false;
  }
}

std::string wrong_alone(const scm_status& s) {
  const bool numbers = s.checkpoint != 0 || s.wait_hint_ms != 0;
  if (!pending(s.state) && numbers) return "checkpoint or hint outside a pending state";
  if (pending(s.state) && s.checkpoint == 0) return "no checkpoint in a pending state";
  const bool closed = s.state == scm_state::start_pending || s.state == scm_state::stop_pending ||
                      s.state == scm_state::stopped;
  if (closed == (s.accepted != 0)) return "accepts the wrong controls";
  return "";
}

std::string wrong_after(const scm_status& a, const scm_status& b) {
  if (a.state == scm_state::stopped) return "something after STOPPED";
  if (a.state != b.state) return may_follow(a.state, b.state) ? "" : "an invalid transition";
  if (a.accepted != b.accepted) return "";
  return pending(b.state) && b.checkpoint > a.checkpoint ? "" : "told again and nothing new";
}

/// What rules 6 to 9 say about all that was written; empty: they were kept.
std::string broken(const std::vector<scm_status>& written) {
  if (written.empty() || written[0].state != scm_state::start_pending) return "a wrong beginning";
  for (std::size_t i = 0; i < written.size(); ++i) {
    std::string what = wrong_alone(written[i]);
    if (what.empty() && i > 0) what = wrong_after(written[i - 1], written[i]);
    if (!what.empty()) return std::to_string(i) + ": " + what;
  }
  return "";
}

/// Each function on a thread of its own, at the same time.
template <class... F>
void together(F... functions) {
  test::latch start(1);
  std::vector<std::thread> threads;
  (threads.emplace_back([&start, f = functions] {
    start.wait();
    f();
  }),
   ...);
  start.count_down();
  for (std::thread& t : threads) t.join();
}

constexpr int rounds = 300;

}  // namespace

TEST_CASE("SCM rule 6 - START PENDING comes at once and accepts no control") {
  service s;
  CHECK(s.scm.written() ==
        std::vector<scm_status>{
            {.state = scm_state::start_pending, .checkpoint = 1, .wait_hint_ms = 40'000}});
  s.host.accept(everything);
  CHECK(s.scm.size() == 1);
  CHECK(s.send(control::stop) == answer::cannot_accept);
  CHECK(s.user.stops.empty());
}

TEST_CASE("SCM rule 6 - INTERROGATE is answered in each state and before a listener and after it") {
  for (std::uint32_t state = 1; state <= 7; ++state) {
    const auto s = service_in(static_cast<scm_state>(state));
    CHECK(s->send(control::interrogate) == 0);
    s->host.detach();
    CHECK(s->send(control::interrogate) == 0);
  }
}

TEST_CASE("SCM rule 6 - what is accepted follows from the spec and from the interests") {
  service s;
  s.host.ready();
  CHECK(s.scm.last() ==
        scm_status{.state = scm_state::running, .accepted = accept::stop | accept::shutdown});
  s.host.accept({.reload = true});
  CHECK(s.scm.last().accepted == (accept::stop | accept::shutdown | accept::param_change));
  s.host.accept({.pause = true});
  CHECK(s.scm.last().accepted == (accept::stop | accept::shutdown | accept::pause_continue));
  s.host.accept({.system = true});
  CHECK(s.scm.last().accepted ==
        (accept::stop | accept::shutdown | accept::power_event | accept::session_change));
  CHECK(s.scm.size() == 5);
  s.host.accept({.user = true, .system = true});
  CHECK(s.scm.size() == 5);
}

TEST_CASE("a mask that changes is told in the state that there is") {
  const auto s = service_in(scm_state::pause_pending);
  s->host.progress("", 2s);
  s->host.accept({.pause = true});
  const scm_status last = s->scm.last();
  CHECK(last.state == scm_state::pause_pending);
  CHECK(last.checkpoint == 2);
  CHECK(last.wait_hint_ms == 2000);
  CHECK(last.accepted == (accept::stop | accept::shutdown | accept::pause_continue));
}

TEST_CASE("SCM rule 7 - checkpoints rise with progress alone and the hint is what it needs") {
  service s;
  s.host.progress("reading", 1500ms);
  s.host.progress("reading", 2500us);
  CHECK(s.scm.last() ==
        scm_status{.state = scm_state::start_pending, .checkpoint = 3, .wait_hint_ms = 3});
  s.host.alive();
  s.host.reloading();
  CHECK(s.scm.size() == 3);
  CHECK(broken(s.scm.written()).empty());
}

TEST_CASE("SCM rule 7 - outside of pending states there is neither a checkpoint nor a hint") {
  for (const auto state : {scm_state::running, scm_state::paused, scm_state::stopped}) {
    const auto s = service_in(state);
    const auto before = s->scm.size();
    CHECK(s->scm.last().checkpoint == 0);
    CHECK(s->scm.last().wait_hint_ms == 0);
    s->host.progress("working", 5s);
    CHECK(s->scm.size() == before);
  }
}

TEST_CASE("SCM rule 7 - each pending state counts from one") {
  service s;
  s.host.progress("", 1s);
  s.running();
  CHECK(s.send(control::pause) == answer::done);
  CHECK(s.scm.last().checkpoint == 1);
  CHECK(s.scm.last().wait_hint_ms == 30'000);
  s.host.progress("", 1s);
  CHECK(s.send(control::stop) == answer::done);
  CHECK(s.scm.last().checkpoint == 1);
  CHECK(broken(s.scm.written()).empty());
}

TEST_CASE("a hint never wraps around") {
  service s(
      {.start_timeout = std::chrono::hours::max(), .stop_timeout = std::chrono::hours::max()});
  CHECK(s.scm.last().wait_hint_ms == 0x7FFFFFFF);
  s.host.progress("", never);
  CHECK(s.scm.last().wait_hint_ms == 0x7FFFFFFF);
  s.host.progress("", -1s);
  CHECK(s.scm.last().wait_hint_ms == 0);
  s.running();
  CHECK(s.send(control::stop) == answer::done);
  CHECK(s.scm.last().wait_hint_ms == 0x7FFFFFFF);
}

TEST_CASE("SCM rule 8 - after STOP PENDING only checkpoints and STOPPED follow") {
  const auto s = service_in(scm_state::stop_pending);
  const auto before = s->scm.size();
  s->host.ready();
  s->host.paused();
  s->host.resumed();
  s->host.accept({});
  s->host.accept(everything);
  s->host.stopping({stop_cause::requested}, 3s);
  CHECK(s->scm.size() == before);
  s->host.progress("closing", 4s);
  CHECK(s->scm.last() ==
        scm_status{.state = scm_state::stop_pending, .checkpoint = 2, .wait_hint_ms = 4000});
  s->host.stopped({});
  CHECK(s->scm.last() == scm_status{.state = scm_state::stopped});
  CHECK(broken(s->scm.written()).empty());
}

TEST_CASE("SCM rule 8 - a stop in each pending state is not overwritten when that ends") {
  for (const auto state :
       {scm_state::start_pending, scm_state::pause_pending, scm_state::continue_pending}) {
    const auto s = service_in(state);
    s->host.stopping({stop_cause::requested}, 7s);
    CHECK(s->scm.last() ==
          scm_status{.state = scm_state::stop_pending, .checkpoint = 1, .wait_hint_ms = 7000});
    s->host.ready();
    s->host.paused();
    s->host.resumed();
    CHECK(s->scm.last().state == scm_state::stop_pending);
    CHECK(broken(s->scm.written()).empty());
  }
}

TEST_CASE("a stop of its own takes the same path as one of the SCM") {
  const auto s = service_in(scm_state::running);
  s->host.stopping({stop_cause::requested}, 7s);
  s->host.progress("closing", 1s);
  CHECK(s->send(control::stop) == answer::cannot_accept);
  s->host.stopped({});
  CHECK(s->user.stops.empty());
  CHECK(s->scm.size() == 5);
  CHECK(broken(s->scm.written()).empty());
}

TEST_CASE("SCM rule 9 - STOPPED is told once and nothing after it") {
  for (std::uint32_t state = 1; state <= 7; ++state) {
    const auto s = service_in(static_cast<scm_state>(state));
    s->host.stopped({});
    const auto before = s->scm.size();
    CHECK(s->scm.last() == scm_status{.state = scm_state::stopped});
    s->host.stopped({.kind = outcome_kind::failed});
    s->host.stopping({}, 1s);
    s->host.ready();
    s->host.paused();
    s->host.resumed();
    s->host.accept({});
    s->host.progress("", 1s);
    for (std::uint32_t code = 0; code <= 256; ++code) static_cast<void>(s->send(code));
    CHECK(s->scm.size() == before);
  }
}

TEST_CASE("SCM rule 9 - the host touches nothing of its own once STOPPED is told") {
  alignas(scm_host) std::array<unsigned char, sizeof(scm_host)> memory{};
  script scm;
  auto* const host = new (memory.data()) scm_host(scm, spec());
  host->ready();
  scm.on_write = [&](const scm_status&) { memory.fill(0xEE); };
  host->stopped({});
  CHECK(std::all_of(memory.begin(), memory.end(), [](unsigned char c) { return c == 0xEE; }));
}

TEST_CASE("SCM rule 9 - the owner may destroy host and port in the write of STOPPED") {
  auto scm = std::make_unique<script>();
  auto host = std::make_unique<scm_host>(*scm, spec());
  bool told = false;
  scm->on_write = [&](const scm_status&) {
    told = true;
    host.reset();
  };
  host->stopped({});
  CHECK(told);
}

TEST_CASE("SCM rule 10 - a failure has a code that is not zero and a success has none") {
  const auto told = [](const outcome& how) {
    service s;
    s.host.stopped(how);
    return std::pair(s.scm.last().win32_exit_code, s.scm.last().service_exit_code);
  };
  const stop_reason stop{stop_cause::service_control, 1};
  using pair = std::pair<std::uint32_t, std::uint32_t>;
  CHECK(told({}) == pair(0, 0));
  CHECK(told({.reason = stop}) == pair(0, 0));
  CHECK(told({.kind = outcome_kind::failed}) == pair(1066, 70));
  CHECK(told({.kind = outcome_kind::failed, .result = 3}) == pair(1066, 3));
  CHECK(told({.kind = outcome_kind::late, .reason = stop}) == pair(1066, 70));
  CHECK(told({.kind = outcome_kind::forced, .reason = stop}) == pair(1066, 124));
  CHECK(told({.result = 5}) == pair(1066, 5));
}

TEST_CASE("SCM rule 11 - no lock is held while the program is asked") {
  auto s = service_in(scm_state::running);
  const auto use_all = [&] {
    s->host.accept({.pause = true, .system = true});
    s->host.accept(everything);
    s->host.progress("", 1s);
    s->host.ready();
    CHECK(s->send(control::interrogate) == answer::done);
    return std::uint32_t{0};
  };
  s->user.on_event = use_all;
  s->user.on_answer = use_all;
  s->user.on_stop = use_all;
  CHECK(s->send(control::power_event) == 0);
  CHECK(s->send(control::pause) == answer::done);
  CHECK(s->send(200) == answer::done);
  CHECK(s->send(control::stop) == answer::done);
  CHECK(s->user.stops.size() == 1);
}

TEST_CASE("SCM rule 11 - a stop gets through while the program thinks about an answer") {
  auto s = service_in(scm_state::running);
  test::latch asked(1);
  test::latch stopped(1);
  s->user.on_answer = [&]() -> std::uint32_t {
    asked.count_down();
    stopped.wait();
    return 0;
  };
  std::thread system([&] { static_cast<void>(s->send(control::power_event)); });
  asked.wait();
  CHECK(s->send(control::stop) == answer::done);
  s->host.progress("closing", 1s);
  s->host.stopped({});
  CHECK(s->scm.last().state == scm_state::stopped);
  stopped.count_down();
  system.join();
}

TEST_CASE("SCM rule 12 - what nobody handles is not implemented") {
  auto s = std::make_unique<service>();
  s->running({});
  constexpr std::uint32_t device_event = 11;
  for (const std::uint32_t code :
       {control::pause, control::resume, control::param_change, control::power_event,
        control::session_change, device_event, std::uint32_t{0}, std::uint32_t{7},
        std::uint32_t{127}, control::first_user, control::last_user, std::uint32_t{256}}) {
    CAPTURE(code);
    CHECK(s->send(code) == answer::not_implemented);
  }
  CHECK(s->user.events.empty());
  CHECK(s->user.asked.empty());
  CHECK(s->scm.last().state == scm_state::running);
}

TEST_CASE("SCM rule 12 - power and session events are answered inside the call") {
  const auto s = service_in(scm_state::running);
  constexpr std::uint32_t denied = 0x424D5144;
  s->user.on_answer = [&] { return denied; };
  const int data = 0;
  CHECK(s->host.control(control::power_event, 4, &data) == denied);
  s->user.on_answer = nullptr;
  CHECK(s->host.control(control::session_change, 5, nullptr) == 0);
  REQUIRE(s->user.asked.size() == 2);
  CHECK(s->user.asked[0].kind == curfew::system_event::kind_type::power);
  CHECK(s->user.asked[0].type == 4);
  CHECK(s->user.asked[0].data == &data);
  CHECK(s->user.asked[1].kind == curfew::system_event::kind_type::session);
  CHECK(s->user.asked[1].type == 5);
  CHECK(s->user.events.empty());
}

TEST_CASE("SCM rule 13 - STOP PENDING is told before the program is") {
  for (const std::uint32_t code : {control::stop, control::shutdown, control::preshutdown}) {
    const auto s = service_in(scm_state::running);
    s->user.on_stop = [&] { CHECK(s->scm.last().state == scm_state::stop_pending); };
    CHECK(s->send(code) == answer::done);
    REQUIRE(s->user.stops.size() == 1);
    CHECK(s->user.stops[0] == stop_reason{stop_cause::service_control, static_cast<int>(code)});
    CHECK(s->scm.last().accepted == 0);
    CHECK(s->send(control::stop) == answer::cannot_accept);
    CHECK(s->user.stops.size() == 1);
  }
}

TEST_CASE(
    "SCM rule 13 - who is told of PRESHUTDOWN is not told of SHUTDOWN and may make progress") {
  service s({.stop_timeout = 30s, .preshutdown_timeout = 60s});
  s.running({});
  CHECK(s.scm.last().accepted == (accept::stop | accept::preshutdown));
  CHECK(s.send(control::preshutdown) == answer::done);
  for (int i = 0; i < 3; ++i) s.host.progress("closing", 2s);
  CHECK(s.scm.last().checkpoint == 4);
  CHECK(s.send(control::interrogate) == answer::done);
  CHECK(broken(s.scm.written()).empty());
}

TEST_CASE("SCM rule 14 - a SHUTDOWN asks for no more time than the system leaves") {
  const stop_reason shutdown{stop_cause::service_control, 5};
  service usual;
  usual.running();
  CHECK(usual.host.allowed(shutdown) == 20s);
  CHECK(usual.send(control::shutdown) == answer::done);
  CHECK(usual.scm.last().wait_hint_ms == 20'000);

  service longer(spec(), {.shutdown = 60s});
  longer.running();
  CHECK(longer.host.allowed(shutdown) == 60s);
  CHECK(longer.send(control::shutdown) == answer::done);
  CHECK(longer.scm.last().wait_hint_ms == 30'000);
}

TEST_CASE("SCM rule 14 - a STOP is limited by the spec alone") {
  const auto s = service_in(scm_state::running);
  CHECK(s->host.allowed({stop_cause::service_control, 1}) == never);
  CHECK(s->host.allowed({stop_cause::requested}) == never);
  CHECK(s->host.allowed({stop_cause::signal, 2}) == never);
  CHECK(s->send(control::stop) == answer::done);
  CHECK(s->scm.last().wait_hint_ms == 30'000);
}

TEST_CASE("SCM rule 15 - a PRESHUTDOWN lasts as long as the spec says less a reserve") {
  const stop_reason why{stop_cause::service_control, 15};
  CHECK(service({.preshutdown_timeout = 60s}).host.allowed(why) == 59s);
  CHECK(service({.preshutdown_timeout = 1s}).host.allowed(why) == 900ms);
  CHECK(service({.preshutdown_timeout = std::chrono::hours::max()}).host.allowed(why) == never);
  CHECK(service().host.allowed(why) == 20s);
  service s({.stop_timeout = 30s, .preshutdown_timeout = 10s});
  s.running();
  CHECK(s.send(control::preshutdown) == answer::done);
  CHECK(s.scm.last().wait_hint_ms == 9000);
}

TEST_CASE("SCM rule 16 - a console event that comes before its SHUTDOWN is the one stop") {
  const auto s = service_in(scm_state::running);
  const stop_reason console{stop_cause::console, 6};
  CHECK(s->host.allowed(console) == 20s);
  CHECK(s->host.allowed({stop_cause::console, 2}) == 5s);
  CHECK(s->host.allowed({stop_cause::console, 5}) == 5s);
  s->host.stopping(console, s->host.allowed(console));
  CHECK(s->send(control::shutdown) == answer::cannot_accept);
  CHECK(s->user.stops.empty());
  CHECK(broken(s->scm.written()).empty());
}

TEST_CASE("SCM rule 17 - codes of the user are 128 to 255") {
  const auto s = service_in(scm_state::running);
  CHECK(s->send(127) == answer::not_implemented);
  CHECK(s->send(128) == answer::done);
  CHECK(s->send(255) == answer::done);
  CHECK(s->send(256) == answer::not_implemented);
  using event = std::pair<host_event, int>;
  CHECK(s->user.events == std::vector<event>{{host_event::user, 128}, {host_event::user, 255}});
}

TEST_CASE("each control in each state") {
  using enum scm_state;
  constexpr std::uint32_t ok = answer::done, no = answer::cannot_accept;
  constexpr std::uint32_t unknown = answer::not_implemented;
  constexpr std::array states{start_pending,    running,      pause_pending, paused,
                              continue_pending, stop_pending, stopped};
  struct row {
    std::uint32_t code;
    std::array<std::uint32_t, 7> answers;
  };
  const row table[] = {
      {control::stop, {no, ok, ok, ok, ok, no, no}},
      {control::shutdown, {no, ok, ok, ok, ok, no, no}},
      {control::preshutdown, {no, ok, ok, ok, ok, no, no}},
      {control::pause, {no, ok, ok, ok, no, no, no}},
      {control::resume, {no, ok, no, ok, ok, no, no}},
      {control::interrogate, {ok, ok, ok, ok, ok, ok, ok}},
      {control::param_change, {no, ok, ok, ok, ok, no, no}},
      {control::power_event, {no, ok, ok, ok, ok, no, no}},
      {control::session_change, {no, ok, ok, ok, ok, no, no}},
      {control::first_user, {no, ok, ok, ok, ok, no, no}},
      {control::last_user, {no, ok, ok, ok, ok, no, no}},
      {11, {no, unknown, unknown, unknown, unknown, no, no}},
      {127, {no, unknown, unknown, unknown, unknown, no, no}},
  };
  const auto leads_to = [](std::uint32_t code, scm_state from) {
    const bool open = from != start_pending && from != stopped;
    const bool stops =
        code == control::stop || code == control::shutdown || code == control::preshutdown;
    if (stops && open) return stop_pending;
    if (code == control::pause && from == running) return pause_pending;
    if (code == control::resume && from == paused) return continue_pending;
    return from;
  };
  for (const row& r : table) {
    for (std::size_t i = 0; i < states.size(); ++i) {
      const auto s = service_in(states[i]);
      CAPTURE(r.code);
      CAPTURE(static_cast<int>(states[i]));
      CHECK(s->send(r.code) == r.answers[i]);
      CHECK(s->scm.last().state == leads_to(r.code, states[i]));
      CHECK(broken(s->scm.written()).empty());
    }
  }
}

TEST_CASE("pause and resume go through their pending states and are told to the program") {
  service s;
  s.running();
  CHECK(s.send(control::pause) == answer::done);
  CHECK(s.scm.last().state == scm_state::pause_pending);
  s.host.paused();
  CHECK(s.scm.last().state == scm_state::paused);
  CHECK(s.send(control::resume) == answer::done);
  CHECK(s.scm.last().state == scm_state::continue_pending);
  s.host.resumed();
  CHECK(s.scm.last().state == scm_state::running);
  using event = std::pair<host_event, int>;
  CHECK(s.user.events == std::vector<event>{{host_event::pause, 0}, {host_event::resume, 0}});
  CHECK(broken(s.scm.written()).empty());
}

TEST_CASE("a pause while paused and a resume while running are done and do nothing") {
  const auto paused = service_in(scm_state::paused);
  const auto running = service_in(scm_state::running);
  CHECK(paused->send(control::pause) == answer::done);
  CHECK(running->send(control::resume) == answer::done);
  CHECK(paused->user.events.size() == 1);
  CHECK(running->user.events.empty());
  paused->host.paused();
  running->host.resumed();
  CHECK(paused->scm.size() == 4);
  CHECK(running->scm.size() == 2);
}

TEST_CASE("a pause that failed ends running and a resume that failed ends paused") {
  const auto pausing = service_in(scm_state::pause_pending);
  pausing->host.resumed();
  CHECK(pausing->scm.last().state == scm_state::running);
  const auto resuming = service_in(scm_state::continue_pending);
  resuming->host.paused();
  CHECK(resuming->scm.last().state == scm_state::paused);
  CHECK(broken(pausing->scm.written()).empty());
  CHECK(broken(resuming->scm.written()).empty());
}

TEST_CASE("a pause that the program refuses leaves the state that was") {
  const auto running = service_in(scm_state::running);
  running->user.full = true;
  CHECK(running->send(control::pause) == answer::cannot_accept);
  CHECK(running->scm.last().state == scm_state::running);
  const auto paused = service_in(scm_state::paused);
  paused->user.full = true;
  CHECK(paused->send(control::resume) == answer::cannot_accept);
  CHECK(paused->scm.last().state == scm_state::paused);
  paused->user.full = false;
  CHECK(paused->send(control::resume) == answer::done);
  CHECK(broken(paused->scm.written()).empty());
}

TEST_CASE("a refusal does not undo a stop that has come meanwhile") {
  const auto s = service_in(scm_state::running);
  s->user.full = true;
  s->user.on_event = [&] { s->host.stopping({stop_cause::requested}, 1s); };
  CHECK(s->send(control::pause) == answer::cannot_accept);
  CHECK(s->scm.last().state == scm_state::stop_pending);
}

TEST_CASE("an event that the program refuses is refused") {
  const auto s = service_in(scm_state::running);
  s->user.full = true;
  CHECK(s->send(control::param_change) == answer::cannot_accept);
  CHECK(s->send(200) == answer::cannot_accept);
  s->user.full = false;
  CHECK(s->send(control::param_change) == answer::done);
  CHECK(s->user.events == std::vector<std::pair<host_event, int>>{{host_event::reload, 0}});
}

TEST_CASE("without a listener nothing is taken and nothing is told") {
  script scm;
  scm_host host(scm, spec());
  host.accept(everything);
  host.ready();
  const auto before = scm.size();
  for (const std::uint32_t code : {control::stop, control::pause, control::power_event, 200u}) {
    CHECK(host.control(code, 0, nullptr) == answer::cannot_accept);
  }
  program user;
  host.attach(user);
  host.detach();
  CHECK(host.control(control::stop, 0, nullptr) == answer::cannot_accept);
  CHECK(scm.size() == before);
  CHECK(host.kind() == curfew::host_kind::scm);
}

TEST_CASE("two services live in one process and know nothing of each other") {
  service a, b({.stop_timeout = 8s, .preshutdown_timeout = 60s});
  together([&] { a.running(); }, [&] { b.running({}); });
  CHECK(a.send(control::stop) == answer::done);
  CHECK(b.scm.last() ==
        scm_status{.state = scm_state::running, .accepted = accept::stop | accept::preshutdown});
  CHECK(b.user.stops.empty());
  a.host.stopped({.result = 3});
  CHECK(b.send(control::stop) == answer::done);
  CHECK(b.scm.last().wait_hint_ms == 8000);
  b.host.stopped({});
  CHECK(a.scm.last().service_exit_code == 3);
  CHECK(b.scm.last().win32_exit_code == 0);
  CHECK(broken(a.scm.written()).empty());
  CHECK(broken(b.scm.written()).empty());
}

TEST_CASE("SCM rule 8 - ready never writes RUNNING over a stop that races it") {
  for (int i = 0; i < rounds; ++i) {
    service s;
    together([&] { s.host.ready(); },
             [&] {
               while (s.send(control::stop) != answer::done) std::this_thread::yield();
             });
    CHECK(s.scm.last().state == scm_state::stop_pending);
    service own;
    together([&] { own.host.ready(); }, [&] { own.host.stopping({}, 1s); });
    CHECK(own.scm.last().state == scm_state::stop_pending);
    CHECK(broken(s.scm.written()).empty());
    CHECK(broken(own.scm.written()).empty());
  }
}

TEST_CASE("SCM rule 9 - progress and a stop and two ends at once leave one STOPPED at the end") {
  for (int i = 0; i < rounds; ++i) {
    const auto s = service_in(scm_state::running);
    std::atomic<int> accepted{0};
    const auto stop = [&] { accepted += s->send(control::stop) == answer::done ? 1 : 0; };
    const auto move = [&] {
      for (int k = 0; k < 20; ++k) s->host.progress("closing", 1s);
    };
    together(
        stop, move, [&] { s->host.stopped({}); },
        [&] { s->host.stopped({.kind = outcome_kind::forced}); });
    const auto written = s->scm.written();
    CHECK(broken(written) == "");
    CHECK(written.back().state == scm_state::stopped);
    CHECK(s->user.stops.size() == static_cast<std::size_t>(accepted.load()));
  }
}

TEST_CASE("a pause and a stop and the end of the pause at once keep the rules") {
  for (int i = 0; i < rounds; ++i) {
    const auto s = service_in(scm_state::running);
    together([&] { static_cast<void>(s->send(control::pause)); }, [&] { s->host.paused(); },
             [&] { s->host.stopping({}, 1s); }, [&] { s->host.accept({.pause = true}); });
    CHECK(broken(s->scm.written()) == "");
    CHECK(s->scm.last().state == scm_state::stop_pending);
  }
}

TEST_CASE("once detach returns no control is inside the listener and none comes") {
  for (int i = 0; i < rounds; ++i) {
    script scm;
    scm_host host(scm, spec());
    auto user = std::make_unique<program>();
    host.attach(*user);
    host.accept(everything);
    host.ready();
    together(
        [&] {
          for (int k = 0; k < 20; ++k) static_cast<void>(host.control(200, 0, nullptr));
        },
        [&] {
          host.detach();
          user.reset();
        });
    CHECK(host.control(control::stop, 0, nullptr) == answer::cannot_accept);
  }
}

TEST_CASE("detach waits for an answer that the program still thinks about") {
  const auto s = service_in(scm_state::running);
  test::latch asked(1);
  test::latch go(1);
  std::atomic<bool> answered{false};
  s->user.on_answer = [&]() -> std::uint32_t {
    asked.count_down();
    go.wait();
    answered = true;
    return 0;
  };
  std::thread system([&] { static_cast<void>(s->send(control::power_event)); });
  asked.wait();
  std::thread release([&] { go.count_down(); });
  s->host.detach();
  CHECK(answered);
  system.join();
  release.join();
}
