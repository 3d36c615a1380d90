// SPDX-License-Identifier: BSL-1.0
//
// What the SCM of Windows asks beside the stop, scripted: pause, continue, user codes, changed
// parameters, power and sessions.
#include <curfew/testing/host_in_a_box.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using curfew::host_in_a_box;
using curfew::host_kind;
using curfew::service;
using curfew::system_event;
using test::door;
using test::serve;

using state = host_in_a_box::state;
using states = std::vector<state>;
namespace takes = curfew::detail::scm_accept;

namespace {

constexpr std::uint32_t done = 0;
constexpr std::uint32_t not_implemented = 120;
constexpr std::uint32_t not_now = 1061;

/// What has been told since the service ran.
states told_since_running(const host_in_a_box& box) {
  states all;
  for (const auto& s : box.statuses()) all.push_back(s.state);
  return {all.begin() + 2, all.end()};
}

}  // namespace

TEST_CASE("a service is paused and continued when its functions have run") {
  bool works = true;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    s.on_pause([&] { works = false; }, [&] { works = true; });
    serve(s);
  });
  CHECK(box.await_ready());
  CHECK(box.scm_pause() == done);
  CHECK(box.await_status(state::paused));
  CHECK_FALSE(works);
  CHECK(box.scm_continue() == done);
  CHECK(box.await_status(state::running, 2));
  CHECK(works);
  CHECK(told_since_running(box) ==
        states{state::pause_pending, state::paused, state::continue_pending, state::running});
}

TEST_CASE("what a function holds goes within the time for stopping") {
  door go;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web", .stop_timeout = 10s}, [&](service& s) {
    const std::shared_ptr<int> stuck(new int(0), [&](int* p) {
      go.wait();
      delete p;
    });
    s.on_reload([stuck] {});
    serve(s);
  });
  CHECK(box.await_ready());
  CHECK(box.scm_stop() == done);
  box.advance(10s);
  CHECK(box.await_end() == 124);
  go.open();
}

TEST_CASE("functions for what the host asks need not be copyable") {
  std::vector<int> codes;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    s.on_user_code([&, own = std::make_unique<int>(1)](int code) { codes.push_back(code + *own); });
    s.on_reload([own = std::make_unique<int>(1)] {});
    s.on_system_event([own = std::make_unique<int>(7)](const system_event&) {
      return static_cast<std::uint32_t>(*own);
    });
    serve(s);
  });
  CHECK(box.await_ready());
  CHECK(box.scm_user(128) == done);
  CHECK(box.scm_power(4) == 7);
  CHECK(box.scm_stop() == done);
  CHECK(box.await_end() == 0);
}

TEST_CASE("SCM rule 6 - a paused service takes the same controls and can be stopped") {
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [](service& s) {
    s.on_pause([] {}, [] {});
    serve(s);
  });
  CHECK(box.await_ready());
  const auto running = box.statuses().back().accepted;
  box.scm_pause();
  CHECK(box.await_status(state::paused));
  CHECK(box.statuses().back().accepted == running);
  CHECK(box.scm_stop() == done);
  CHECK(box.await_end() == 0);
}

#if CURFEW_EXCEPTIONS
TEST_CASE("a pause or a continue that fails leaves the service as it was and says why") {
  bool may_pause = false;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    const auto pause = [&] {
      if (!may_pause) throw std::runtime_error("busy");
    };
    s.on_pause(pause, [] { throw std::runtime_error("no room"); });
    serve(s);
  });
  CHECK(box.await_ready());
  CHECK(box.scm_pause() == done);
  CHECK(box.await_status(state::running, 2));
  CHECK(box.await_line("web: pause failed: busy"));
  may_pause = true;
  CHECK(box.scm_pause() == done);
  CHECK(box.await_status(state::paused));
  CHECK(box.scm_continue() == done);
  CHECK(box.await_status(state::paused, 2));
  CHECK(box.await_line("web: continue failed: no room"));
  CHECK(box.scm_stop() == done);
  CHECK(box.await_end() == 0);
}
#endif

TEST_CASE("SCM rule 12 - what the service has no function for is not implemented") {
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, serve);
  CHECK(box.await_ready());
  CHECK(box.scm_pause() == not_implemented);
  CHECK(box.scm_continue() == not_implemented);
  CHECK(box.scm_param_change() == not_implemented);
  CHECK(box.scm_user(128) == not_implemented);
  CHECK(box.scm_power(4) == not_implemented);
  CHECK(box.scm_session(5) == not_implemented);
  CHECK(box.scm_control(11) == not_implemented);
  CHECK(box.statuses().back().accepted == (takes::stop | takes::shutdown));
}

TEST_CASE("SCM rule 8 - a pause that is in progress when the stop comes is told no more") {
  door pausing;
  door go;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    const auto pause = [&] {
      pausing.open();
      go.wait();
    };
    s.on_pause(pause, [] {});
    serve(s);
  });
  CHECK(box.await_ready());
  CHECK(box.scm_pause() == done);
  pausing.wait();
  CHECK(box.scm_continue() == not_now);
  CHECK(box.scm_stop() == done);
  go.open();
  CHECK(box.await_end() == 0);
  CHECK(told_since_running(box) ==
        states{state::pause_pending, state::stop_pending, state::stopped});
}

TEST_CASE("SCM rule 17 - user codes are 128 to 255 and come in order") {
  std::vector<int> seen;
  door all;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    s.on_user_code([&](int code) {
      seen.push_back(code);
      if (code == 255) all.open();
    });
    serve(s);
  });
  CHECK(box.await_ready());
  CHECK(box.scm_user(127) == not_implemented);
  CHECK(box.scm_user(256) == not_implemented);
  for (std::uint32_t code = 128; code <= 255; ++code) {
    while (box.scm_user(code) == not_now) std::this_thread::yield();
  }
  all.wait();
  std::vector<int> sent(128);
  std::iota(sent.begin(), sent.end(), 128);
  CHECK(seen == sent);
}

TEST_CASE("SCM rule 11 - a control never waits and is refused when too many wait already") {
  door busy;
  door go;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    s.on_user_code([&](int) {
      busy.open();
      go.wait();
    });
    s.on_pause([] {}, [] {});
    serve(s);
  });
  CHECK(box.await_ready());
  CHECK(box.scm_user(128) == done);
  busy.wait();
  int taken = 0;
  while (taken < 1000 && box.scm_user(129) == done) ++taken;
  CHECK(taken == 64);
  CHECK(box.scm_pause() == not_now);
  CHECK(box.statuses().back().state == state::running);
  CHECK(box.scm_stop() == done);
  go.open();
  CHECK(box.await_end() == 0);
}

TEST_CASE("a changed parameter runs the function for reloads and changes no state") {
  door reloaded;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    s.on_reload([&] { reloaded.open(); });
    serve(s);
  });
  CHECK(box.await_ready());
  CHECK((box.statuses().back().accepted & takes::param_change) != 0);
  CHECK(box.scm_param_change() == done);
  reloaded.wait();
  CHECK(box.scm_stop() == done);
  CHECK(box.await_end() == 0);
  CHECK(told_since_running(box) == states{state::stop_pending, state::stopped});
}

TEST_CASE("SCM rule 12 - power and session events are answered by the service while it is asked") {
  std::thread::id where;
  std::vector<system_event> seen;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    s.on_system_event([&](const system_event& e) -> std::uint32_t {
      where = std::this_thread::get_id();
      seen.push_back(e);
      return e.type == 4 ? 0x424D5144 : 0;
    });
    serve(s);
  });
  CHECK(box.await_ready());
  const int session = 7;
  CHECK(box.scm_power(4) == 0x424D5144);
  CHECK(where == std::this_thread::get_id());
  CHECK(box.scm_session(5, &session) == done);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].kind == system_event::kind_type::power);
  CHECK(seen[1].kind == system_event::kind_type::session);
  CHECK(seen[1].type == 5);
  CHECK(seen[1].data == &session);
  CHECK(box.scm_stop() == done);
  CHECK(box.scm_power(4) == not_now);
  CHECK(seen.size() == 2);
}

TEST_CASE("functions have ended before anything is released") {
  door reloading;
  std::atomic<bool> released{false};
  bool too_early = false;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    s.resources().defer("pool", [&] { released = true; });
    s.on_reload([&, stop = s.token()] {
      reloading.open();
      stop.wait();
      for (int spin = 0; spin < 1000; ++spin) std::this_thread::yield();
      too_early = released;
    });
    serve(s);
  });
  CHECK(box.await_ready());
  box.scm_param_change();
  reloading.wait();
  box.scm_stop();
  CHECK(box.await_end() == 0);
  CHECK_FALSE(too_early);
}

TEST_CASE("a function for events may ask for the stop itself") {
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [](service& s) {
    s.on_user_code([&](int) { s.request_stop(); });
    serve(s);
  });
  CHECK(box.await_ready());
  CHECK(box.scm_user(200) == done);
  CHECK(box.await_end() == 0);
}
