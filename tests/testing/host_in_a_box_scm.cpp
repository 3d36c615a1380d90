// SPDX-License-Identifier: BSL-1.0
//
// Services under a scripted SCM of Windows: the whole protocol, on any system.
#include <curfew/testing/host_in_a_box.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using curfew::host_in_a_box;
using curfew::host_kind;
using curfew::service;
using curfew::stop_cause;
using curfew::stop_token;
using test::door;
using test::serve;

using state = host_in_a_box::state;
using states = std::vector<state>;
namespace takes = curfew::detail::scm_accept;

namespace {

constexpr std::uint32_t done = 0;
constexpr std::uint32_t not_now = 1061;
constexpr std::uint32_t see_the_other_code = 1066;

states told(const host_in_a_box& box) {
  states all;
  for (const auto& s : box.statuses()) all.push_back(s.state);
  return all;
}

/// A service that has told of its end has told of its code, too.
std::uint32_t service_code(const host_in_a_box& box) {
  const auto last = box.statuses().back();
  CHECK(last.state == state::stopped);
  CHECK(last.win32_exit_code == (last.service_exit_code == 0 ? 0 : see_the_other_code));
  return last.service_exit_code;
}

std::vector<std::uint32_t> checkpoints(const host_in_a_box& box, state of) {
  std::vector<std::uint32_t> all;
  for (const auto& s : box.statuses()) {
    if (s.state == of) all.push_back(s.checkpoint);
  }
  return all;
}

}  // namespace

// ---- start

TEST_CASE("a service starts and runs until the SCM stops it") {
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web", .stop_timeout = 10s}, serve);
  CHECK(box.await_ready());
  CHECK(box.scm_stop() == done);
  CHECK(box.await_end() == 0);
  CHECK(told(box) ==
        states{state::start_pending, state::running, state::stop_pending, state::stopped});
}

TEST_CASE("SCM rule 4 - the arguments of the start stand behind the name") {
  std::vector<std::string> seen;
  host_in_a_box box(host_kind::scm);
  const auto main = [&](service& s) { seen.assign(s.args().begin(), s.args().end()); };
  box.start({.name = "web"}, main, {"--port", "8080"});
  CHECK(box.await_end() == 0);
  CHECK(seen == std::vector<std::string>{"web", "--port", "8080"});
}

TEST_CASE("SCM rule 6 - while it starts a service takes no control but INTERROGATE") {
  door go;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    s.on_pause([] {}, [] {});
    go.wait();
    serve(s);
  });
  CHECK(box.scm_stop() == not_now);
  CHECK(box.scm_pause() == not_now);
  CHECK(box.scm_user(128) == not_now);
  CHECK(box.scm_interrogate() == done);
  CHECK(box.statuses().front().accepted == 0);
  go.open();
  CHECK(box.await_status(state::running));
  CHECK(box.statuses().back().accepted == (takes::stop | takes::shutdown | takes::pause_continue));
}

TEST_CASE("SCM rule 5 - a start that is not ready in time has failed") {
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web", .start_timeout = 10s}, [](service& s) { s.token().wait(); });
  box.advance(10s);
  CHECK(box.await_end() == 70);
  CHECK(service_code(box) == 70);
  CHECK(told(box) == states{state::start_pending, state::stop_pending, state::stopped});
  CHECK(box.await_line("not ready in time"));
}

TEST_CASE("SCM rule 7 - each progress of a start is a checkpoint and gets the time it asks for") {
  door moved_on;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web", .start_timeout = 10s}, [&](service& s) {
    s.progress("loading", 20s);
    moved_on.wait();
    s.progress("indexing", 5s);
    serve(s);
  });
  CHECK(box.await_status(state::start_pending, 2));
  box.advance(19s);
  moved_on.open();
  CHECK(box.await_ready());
  box.scm_stop();
  CHECK(box.await_end() == 0);
  CHECK(checkpoints(box, state::start_pending) == std::vector<std::uint32_t>{1, 2, 3});
  CHECK(box.statuses()[1].wait_hint_ms == 20'000);
  CHECK(box.statuses()[2].wait_hint_ms == 5'000);
}

TEST_CASE("SCM rule 5 - a start whose progress ends before it is ready has failed") {
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web", .start_timeout = 10s}, [](service& s) {
    s.progress("loading", 20s);
    s.token().wait();
  });
  CHECK(box.await_status(state::start_pending, 2));
  box.advance(10s);
  CHECK_FALSE(box.ended());
  box.advance(10s);
  CHECK(box.await_end() == 70);
}

TEST_CASE("SCM rule 7 - outside of pending states there are no checkpoints") {
  service* self = nullptr;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    self = &s;
    serve(s);
  });
  CHECK(box.await_ready());
  self->progress("all is well");
  CHECK(told(box) == states{state::start_pending, state::running});
  CHECK(box.statuses().back().checkpoint == 0);
  CHECK(box.statuses().back().wait_hint_ms == 0);
}

// ---- stop

TEST_CASE("SCM rule 8 - a service that is stopped while it starts is never told to run") {
  door go;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    go.wait();
    serve(s);
  });
  box.console_close();
  go.open();
  CHECK(box.await_end() == 0);
  CHECK(told(box) == states{state::start_pending, state::stop_pending, state::stopped});
}

TEST_CASE("a service that stops itself takes the same path") {
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [](service& s) {
    s.ready();
    s.request_stop({stop_cause::fault});
  });
  CHECK(box.await_end() == 70);
  CHECK(service_code(box) == 70);
  CHECK(told(box) ==
        states{state::start_pending, state::running, state::stop_pending, state::stopped});
}

TEST_CASE("SCM rule 10 - a service that returns a code of its own ends with that") {
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [](service& s) {
    s.ready();
    return 3;
  });
  CHECK(box.await_end() == 3);
  CHECK(service_code(box) == 3);
}

TEST_CASE("SCM rule 7 - a stop that moves on says so and stays inside its time") {
  service* self = nullptr;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web", .stop_timeout = 10s}, [&](service& s) {
    self = &s;
    serve(s);
    s.hurry().wait();
  });
  CHECK(box.await_ready());
  box.scm_stop();
  self->progress("flushing", 4s);
  box.advance(3s);
  self->progress("closing files", 4s);
  CHECK(checkpoints(box, state::stop_pending) == std::vector<std::uint32_t>{1, 2, 3});
  CHECK(box.statuses().back().wait_hint_ms == 4'000);
  box.advance(6s);
  CHECK(box.await_end() == 0);
}

TEST_CASE("a stop is hurried when nine tenths of its time are spent") {
  stop_token hurry;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web", .stop_timeout = 5s}, [&](service& s) {
    hurry = s.hurry();
    serve(s);
    s.hurry().wait();
  });
  CHECK(box.await_ready());
  box.scm_stop();
  box.advance(4499ms);
  CHECK_FALSE(hurry.stop_requested());
  box.advance(1ms);
  CHECK(hurry.wait());
  CHECK(hurry.reason().cause == stop_cause::deadline);
  CHECK(box.await_end() == 0);
}

TEST_CASE("SCM rule 9 - a stop past its time is forced to end and nothing follows STOPPED") {
  door go;
  door gone_on;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web", .stop_timeout = 10s}, [&](service& s) {
    s.ready();
    go.wait();
    s.progress("too late");
    s.ready();
    gone_on.open();
  });
  CHECK(box.await_ready());
  box.scm_stop();
  box.advance(9999ms);
  CHECK_FALSE(box.ended());
  box.advance(1ms);
  CHECK(box.await_end() == 124);
  CHECK(box.await_line("main"));
  go.open();
  gone_on.wait();
  CHECK(service_code(box) == 124);
  CHECK(told(box) ==
        states{state::start_pending, state::running, state::stop_pending, state::stopped});
}

TEST_CASE("SCM rule 13 - after a stop no control is taken") {
  door go;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    s.on_pause([] {}, [] {});
    s.on_user_code([](int) {});
    serve(s);
    go.wait();
  });
  CHECK(box.await_ready());
  CHECK(box.scm_stop() == done);
  CHECK(box.scm_stop() == not_now);
  CHECK(box.scm_shutdown() == not_now);
  CHECK(box.scm_pause() == not_now);
  CHECK(box.scm_user(200) == not_now);
  CHECK(box.scm_interrogate() == done);
  go.open();
  CHECK(box.await_end() == 0);
  CHECK(box.scm_stop() == not_now);
}

TEST_CASE("SCM rule 14 - a SHUTDOWN leaves 20 s however much the service would like") {
  stop_token stop;
  door go;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web", .stop_timeout = 60s}, [&](service& s) {
    stop = s.token();
    s.ready();
    go.wait();
  });
  CHECK(box.await_ready());
  CHECK(box.scm_shutdown() == done);
  CHECK(stop.reason().cause == stop_cause::service_control);
  CHECK(stop.reason().code == 5);
  box.advance(20s);
  CHECK(box.await_end() == 124);
  CHECK(service_code(box) == 124);
  go.open();
}

TEST_CASE("SCM rule 13 - a PRESHUTDOWN comes instead of SHUTDOWN and may go on for its own time") {
  service* self = nullptr;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "db", .stop_timeout = 90s, .preshutdown_timeout = 120s}, [&](service& s) {
    self = &s;
    serve(s);
    s.hurry().wait();
  });
  CHECK(box.await_ready());
  CHECK(box.statuses().back().accepted == (takes::stop | takes::preshutdown));
  CHECK(box.scm_preshutdown() == done);
  CHECK(self->token().reason().code == 15);
  box.advance(60s);
  self->progress("writing the log", 30s);
  CHECK(checkpoints(box, state::stop_pending) == std::vector<std::uint32_t>{1, 2});
  box.advance(29s);
  CHECK(box.await_end() == 0);
}

// ---- consoles and the SCM

TEST_CASE("SCM rule 30 - a service goes on when a user logs off") {
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, serve);
  CHECK(box.await_ready());
  box.console_logoff();
  box.console_shutdown();
  CHECK(told(box) == states{state::start_pending, state::running});
  CHECK(box.scm_stop() == done);
  CHECK(box.await_end() == 0);
}

TEST_CASE("SCM rule 16 - console events and controls meet in one stop whose first reason stays") {
  door go;
  stop_token stop;
  stop_token hurry;
  host_in_a_box box(host_kind::scm);
  box.start({.name = "web"}, [&](service& s) {
    stop = s.token();
    hurry = s.hurry();
    s.ready();
    go.wait();
  });
  CHECK(box.await_ready());
  SUBCASE("the control first") {
    CHECK(box.scm_stop() == done);
    box.console_close();
    CHECK(stop.reason().cause == stop_cause::service_control);
    CHECK(hurry.stop_requested());
  }
  SUBCASE("the console first") {
    box.console_close();
    CHECK(box.scm_stop() == not_now);
    CHECK(stop.reason().cause == stop_cause::console);
  }
  go.open();
  CHECK(box.await_end() == 0);
  CHECK(told(box) ==
        states{state::start_pending, state::running, state::stop_pending, state::stopped});
}

TEST_CASE("two services stand side by side in one process") {
  host_in_a_box web(host_kind::scm);
  host_in_a_box mail(host_kind::scm);
  web.start({.name = "web"}, serve);
  mail.start({.name = "mail"}, serve);
  CHECK(web.await_ready());
  CHECK(mail.await_ready());
  web.scm_stop();
  CHECK(web.await_end() == 0);
  CHECK_FALSE(mail.ended());
  mail.scm_stop();
  CHECK(mail.await_end() == 0);
}
