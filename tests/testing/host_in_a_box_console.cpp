// SPDX-License-Identifier: BSL-1.0
//
// Programs in a scripted terminal: signals and the events of a Windows console, on any system.
#include <curfew/testing/host_in_a_box.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using curfew::host_in_a_box;
using curfew::service;
using curfew::severity;
using curfew::stop_cause;
using curfew::stop_token;
using test::door;
using test::serve;

namespace {

/// Ignores a stop until the door opens, and shows what it was told.
struct stubborn {
  door go;
  stop_token stop;
  stop_token hurry;

  void operator()(service& s) {
    stop = s.token();
    hurry = s.hurry();
    s.ready();
    go.wait();
  }
  auto main() {
    return [this](service& s) { (*this)(s); };
  }
};

}  // namespace

TEST_CASE("a program that finishes by itself says nothing") {
  host_in_a_box box;
  box.start({.name = "copy"}, [](service&) {});
  CHECK(box.await_end() == 0);
  CHECK(box.lines().empty());
}

TEST_CASE("a program sees its arguments and writes to its log") {
  host_in_a_box box;
  box.start({.name = "copy"}, [](service& s) { s.log().write(severity::info, s.args().back()); },
            {"a file", "there"});
  CHECK(box.await_end() == 0);
  CHECK(box.lines() == std::vector<std::string>{"copy: there"});
}

TEST_CASE("nobody waits for a program in the foreground to be ready") {
  host_in_a_box box;
  box.start({.name = "web", .start_timeout = 1s}, [](service& s) { s.token().wait(); });
  box.advance(1h);
  CHECK_FALSE(box.ended());
  box.signal(SIGINT);
  CHECK(box.await_end() == 0);
}

// ---- signals

TEST_CASE("the first signal stops and the second hurries and the third ends the process") {
  stubborn program;
  host_in_a_box box;
  box.start({.name = "web"}, program.main());
  CHECK(box.await_ready());
  box.signal(SIGTERM, 4711);
  CHECK(program.stop.reason().cause == stop_cause::signal);
  CHECK(program.stop.reason().pid == 4711);
  CHECK_FALSE(program.hurry.stop_requested());
  box.signal(SIGINT);
  CHECK(program.hurry.reason().code == SIGINT);
  CHECK_FALSE(box.ended());
  box.signal(SIGINT);
  CHECK(box.await_end() == 128 + SIGINT);
  program.go.open();
}

TEST_CASE("a process that its third signal has ended tells nothing more") {
  stubborn program;
  host_in_a_box box;
  box.start({.name = "web"}, [&](service& s) {
    program(s);
    s.log().write(severity::info, "closed");
  });
  CHECK(box.await_ready());
  for (int i = 0; i < 3; ++i) box.signal(SIGINT);
  CHECK(box.await_end() == 128 + SIGINT);
  program.go.open();
  CHECK_FALSE(box.await_line("closed"));
}

TEST_CASE("a stop that the program asks for itself is the first press") {
  stubborn program;
  host_in_a_box box;
  box.start({.name = "web"}, [&](service& s) {
    s.request_stop();
    program(s);
  });
  CHECK(box.await_ready());
  box.signal(SIGINT);
  CHECK(program.stop.reason().cause == stop_cause::requested);
  CHECK(program.hurry.stop_requested());
  program.go.open();
  CHECK(box.await_end() == 0);
}

TEST_CASE("a stop past its time ends with the signal that asked for it and names what is open") {
  stubborn program;
  host_in_a_box box;
  box.start({.name = "web", .stop_timeout = 30s}, program.main());
  CHECK(box.await_ready());
  box.signal(SIGTERM);
  box.advance(29s);
  CHECK(program.hurry.wait());
  CHECK_FALSE(box.ended());
  box.advance(1s);
  CHECK(box.await_end() == 128 + SIGTERM);
  CHECK(box.await_line("main"));
  program.go.open();
}

TEST_CASE("a release that takes longer than it may is named and is a failure") {
  host_in_a_box box;
  door releasing;
  box.start({.name = "web", .stop_timeout = 30s}, [&](service& s) {
    const auto close = [&](const stop_token& hurry) {
      releasing.open();
      hurry.wait();
    };
    s.resources().defer("pool", close, {.timeout = 2s});
    serve(s);
  });
  CHECK(box.await_ready());
  box.signal(SIGTERM);
  releasing.wait();
  box.advance(2s);
  CHECK(box.await_end() == 70);
  CHECK(box.await_line("pool"));
}

#if CURFEW_EXCEPTIONS
TEST_CASE("an exception out of main is told and is a failure") {
  host_in_a_box box;
  box.start({.name = "web"}, [](service&) { throw std::runtime_error("port 80 is taken"); });
  CHECK(box.await_end() == 70);
  CHECK(box.await_line("port 80 is taken"));
}

TEST_CASE("leaving main by the exception of this very stop is a clean end") {
  host_in_a_box box;
  box.start({.name = "web"}, [](service& s) {
    serve(s);
    s.token().throw_if_stopped();
  });
  CHECK(box.await_ready());
  box.signal(SIGTERM);
  CHECK(box.await_end() == 0);
}
#endif

#if CURFEW_POSIX
TEST_CASE("a hang-up reloads a program in a terminal that has a function for it") {
  door reloaded;
  host_in_a_box box;
  box.start({.name = "web"}, [&](service& s) {
    s.on_reload([&] { reloaded.open(); });
    serve(s);
  });
  CHECK(box.await_ready());
  box.signal(SIGHUP);
  reloaded.wait();
  CHECK_FALSE(box.ended());
}
#endif

// ---- a Windows console

TEST_CASE("console rule 25 - CTRL-C and CTRL-BREAK are signals and have no limit of the system") {
  stubborn program;
  host_in_a_box box;
  box.start({.name = "web", .stop_timeout = 1h}, program.main());
  CHECK(box.await_ready());
  SUBCASE("CTRL-C") { box.console_ctrl_c(); }
  SUBCASE("CTRL-BREAK") { box.console_break(); }
  CHECK(program.stop.reason().cause == stop_cause::signal);
  box.advance(59min);
  CHECK_FALSE(program.hurry.stop_requested());
  program.go.open();
  CHECK(box.await_end() == 0);
}

TEST_CASE("console rule 25 - CLOSE and LOGOFF and SHUTDOWN leave a program 5 s") {
  stubborn program;
  host_in_a_box box;
  box.start({.name = "web", .stop_timeout = 1h}, program.main());
  CHECK(box.await_ready());
  SUBCASE("CLOSE") { box.console_close(); }
  SUBCASE("LOGOFF") { box.console_logoff(); }
  SUBCASE("SHUTDOWN") { box.console_shutdown(); }
  CHECK(program.stop.reason().cause == stop_cause::console);
  box.advance(4s);
  CHECK_FALSE(box.ended());
  box.advance(1s);
  CHECK(box.await_end() == 124);
  program.go.open();
}

#if CURFEW_POSIX
TEST_CASE("a hang-up that is told several times is one stop and no hurry") {
  stop_token hurry;
  door go;
  host_in_a_box box;
  box.start({.name = "web"}, [&](service& s) {
    hurry = s.hurry();
    serve(s);
    go.wait();
  });
  CHECK(box.await_ready());
  for (int i = 0; i < 4; ++i) box.signal(SIGHUP);
  CHECK_FALSE(hurry.stop_requested());
  box.signal(SIGTERM);
  CHECK(hurry.stop_requested());
  go.open();
  CHECK(box.await_end() == 0);
}
#endif

TEST_CASE("console rule 25 - a console that is closed after two signals leaves less time") {
  test::door go;
  host_in_a_box box;
  box.start({.name = "web", .stop_timeout = 1h}, [&](service& s) {
    s.ready();
    go.wait();
  });
  CHECK(box.await_ready());
  box.signal(SIGINT);
  box.signal(SIGINT);
  box.console_close();
  box.advance(6s);
  CHECK(box.await_end() == 128 + SIGINT);
  go.open();
}

TEST_CASE("console rule 24 - a console that is closed during a stop leaves 5 s from then") {
  stubborn program;
  host_in_a_box box;
  box.start({.name = "web", .stop_timeout = 1h}, program.main());
  CHECK(box.await_ready());
  box.console_ctrl_c();
  box.advance(1min);
  box.console_close();
  CHECK(program.stop.reason().cause == stop_cause::signal);
  CHECK(program.hurry.reason().cause == stop_cause::console);
  box.advance(5s);
  CHECK(box.await_end() == 128 + SIGINT);
  program.go.open();
}
