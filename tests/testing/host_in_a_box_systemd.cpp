// SPDX-License-Identifier: BSL-1.0
//
// Services under a scripted systemd: what is told, datagram by datagram.
#include <curfew/testing/host_in_a_box.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using curfew::host_in_a_box;
using curfew::host_kind;
using curfew::service;
using curfew::stop_cause;
using curfew::stop_token;
using test::door;
using test::serve;

using texts = std::vector<std::string>;

namespace {

auto count(const host_in_a_box& box, std::string_view text) {
  const texts told = box.datagrams();
  return std::count(told.begin(), told.end(), text);
}

}  // namespace

TEST_CASE("systemd rule 36 - ready and stopping and the end are a datagram each") {
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web"}, serve);
  CHECK(box.await_ready());
  box.signal(SIGTERM, 1);
  CHECK(box.await_end() == 0);
  const texts told = box.datagrams();
  REQUIRE(told.size() == 3);
  CHECK(told[0] == "READY=1\nSTATUS=running");
  CHECK(told[1].starts_with("STOPPING=1\nSTATUS=stopping: signal SIGTERM from pid 1"));
  CHECK(told[2].starts_with("EXIT_STATUS=0\n"));
}

TEST_CASE("a service that is not ready in time ends as a failure before systemd loses patience") {
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web", .start_timeout = 10s}, [](service& s) { s.token().wait(); });
  box.advance(10s);
  CHECK(box.await_end() == 70);
  CHECK(box.await_datagram("EXIT_STATUS=70"));
  CHECK_FALSE(box.await_datagram("READY=1"));
}

TEST_CASE("a service that is told to stop while it starts is never told to be ready") {
  door go;
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web"}, [&](service& s) {
    go.wait();
    serve(s);
  });
  box.signal(SIGTERM, 1);
  CHECK(box.await_stopping());
  go.open();
  CHECK(box.await_end() == 0);
  CHECK_FALSE(box.await_datagram("READY=1"));
}

// ---- how it ended

TEST_CASE("what main returns is the exit status that systemd is told") {
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web"}, [](service&) { return 3; });
  CHECK(box.await_end() == 3);
  CHECK(box.await_datagram("EXIT_STATUS=3"));
}

#if CURFEW_EXCEPTIONS
TEST_CASE("the error number of a system error that main throws is told") {
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web"}, [](service&) {
    throw std::system_error(std::make_error_code(std::errc::no_such_file_or_directory), "web.conf");
  });
  CHECK(box.await_end() == 70);
  CHECK(box.await_datagram("ERRNO=2"));
  CHECK(box.await_datagram("EXIT_STATUS=70"));
  CHECK(box.await_line("web.conf"));
}
#endif

TEST_CASE("a stop past its time ends with the code of the signal that asked for it") {
  door go;
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web", .stop_timeout = 10s}, [&](service& s) {
    s.ready();
    go.wait();
  });
  CHECK(box.await_ready());
  box.signal(SIGTERM, 1);
  box.advance(10s);
  CHECK(box.await_end() == 128 + 15);
  CHECK(box.await_datagram("EXIT_STATUS=143"));
  go.open();
}

// ---- more time

TEST_CASE("systemd rule 39 - progress extends the start and the stop but not the time between") {
  service* self = nullptr;
  door go;
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web"}, [&](service& s) {
    self = &s;
    s.progress("loading", 20s);
    s.ready();
    s.progress("all is well", 20s);
    s.token().wait();
    go.wait();
  });
  CHECK(box.await_datagram("STATUS=all is well"));
  box.signal(SIGTERM, 1);
  CHECK(box.await_stopping());
  self->progress("flushing", 5s);
  CHECK(count(box, "EXTEND_TIMEOUT_USEC=20000000\nSTATUS=loading") == 1);
  CHECK(count(box, "STATUS=all is well") == 1);
  CHECK(count(box, "EXTEND_TIMEOUT_USEC=5000000\nSTATUS=flushing") == 1);
  go.open();
  CHECK(box.await_end() == 0);
}

TEST_CASE("systemd rule 39 - progress never moves the time that the program has set itself") {
  service* self = nullptr;
  door go;
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web", .stop_timeout = 10s}, [&](service& s) {
    self = &s;
    s.ready();
    go.wait();
  });
  CHECK(box.await_ready());
  box.signal(SIGTERM, 1);
  box.advance(9s);
  self->progress("flushing", 60s);
  box.advance(1s);
  CHECK(box.await_end() == 143);
  go.open();
}

// ---- watchdog

TEST_CASE("systemd rule 40 - the watchdog hears of the work at half its time and from it alone") {
  service* self = nullptr;
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web", .watchdog = 10s}, [&](service& s) {
    self = &s;
    serve(s);
  });
  CHECK(box.await_ready());
  self->heartbeat();
  CHECK(count(box, "WATCHDOG=1") == 1);
  for (int i = 0; i < 10; ++i) {
    box.advance(1s);
    self->heartbeat();
  }
  CHECK(count(box, "WATCHDOG=1") == 3);
  box.advance(std::chrono::hours(1));
  CHECK(count(box, "WATCHDOG=1") == 3);
}

TEST_CASE("systemd rule 40 - a stop switches the watchdog off and no beat follows") {
  service* self = nullptr;
  door go;
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web", .watchdog = 10s}, [&](service& s) {
    self = &s;
    serve(s);
    go.wait();
  });
  CHECK(box.await_ready());
  box.signal(SIGTERM, 1);
  CHECK(box.await_datagram("WATCHDOG_USEC=0"));
  self->heartbeat();
  CHECK(count(box, "WATCHDOG=1") == 0);
  go.open();
}

// ---- reload

#if CURFEW_POSIX

TEST_CASE("systemd rule 37 - a reload begins with its time in one datagram and ends with READY") {
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web"}, [](service& s) {
    s.on_reload([] {});
    serve(s);
  });
  CHECK(box.await_ready());
  box.signal(SIGHUP, 1);
  CHECK(box.await_datagram("READY=1", 2));
  const texts told = box.datagrams();
  REQUIRE(told.size() == 3);
  CHECK(told[1].starts_with("RELOADING=1\nMONOTONIC_USEC=86400000000\n"));
}

#if CURFEW_EXCEPTIONS
TEST_CASE("systemd rule 37 - a reload that fails ends with READY as well and says why") {
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web"}, [](service& s) {
    s.on_reload([] { throw std::runtime_error("web.conf: line 3"); });
    serve(s);
  });
  CHECK(box.await_ready());
  box.signal(SIGHUP, 1);
  CHECK(box.await_datagram("READY=1", 2));
  CHECK(box.await_datagram("RELOADING=1"));
  CHECK(box.await_line("web: reload failed: web.conf: line 3"));
  CHECK_FALSE(box.ended());
}
#endif

TEST_CASE("systemd rule 37 - a reload during the start runs and is not told to be ready") {
  door listens;
  door reloaded;
  door go;
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web"}, [&](service& s) {
    s.on_reload([&] { reloaded.open(); });
    listens.open();
    go.wait();
    serve(s);
  });
  listens.wait();
  box.signal(SIGHUP, 1);
  reloaded.wait();
  box.signal(SIGTERM, 1);
  go.open();
  CHECK(box.await_end() == 0);
  CHECK_FALSE(box.await_datagram("READY=1"));
  CHECK_FALSE(box.await_datagram("RELOADING=1"));
}

#if CURFEW_POSIX
TEST_CASE("a service that is declared to reload is not stopped by a reload before it listens") {
  door go;
  door started;
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web", .reloads = true}, [&](service& s) {
    started.open();
    go.wait();
    serve(s);
  });
  started.wait();
  box.signal(SIGHUP);
  go.open();
  CHECK(box.await_ready());
  box.signal(SIGTERM);
  CHECK(box.await_end() == 0);
}
#endif

TEST_CASE("a hang-up of the terminal is a stop all the same and from a process it is a reload") {
  stop_token stop;
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web"}, [&](service& s) {
    s.on_reload([] {});
    stop = s.token();
    serve(s);
  });
  CHECK(box.await_ready());
  box.signal(SIGHUP, 4711);
  CHECK(box.await_datagram("READY=1", 2));
  box.signal(SIGHUP, 0, 1000);
  CHECK(box.await_datagram("READY=1", 3));
  CHECK_FALSE(stop.stop_requested());
  box.hang_up();
  CHECK(box.await_stopping());
  CHECK(stop.reason().code == SIGHUP);
  CHECK(box.await_end() == 0);
}

TEST_CASE("without a function for it a hang-up is a stop whoever sends it") {
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web"}, serve);
  CHECK(box.await_ready());
  box.signal(SIGHUP, 4711);
  CHECK(box.await_end() == 0);
  CHECK(box.datagrams()[1].find("SIGHUP") != std::string::npos);
}

TEST_CASE("a reload that comes while the program ends neither hurries nor ends it") {
  stop_token hurry;
  door releasing;
  door go;
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web"}, [&](service& s) {
    hurry = s.hurry();
    s.on_reload([] {});
    s.resources().defer("pool", [&] {
      releasing.open();
      go.wait();
    });
    serve(s);
  });
  CHECK(box.await_ready());
  box.signal(SIGTERM, 1);
  releasing.wait();
  for (int i = 0; i < 3; ++i) box.signal(SIGHUP, 4711);
  CHECK_FALSE(hurry.stop_requested());
  CHECK_FALSE(box.ended());
  go.open();
  CHECK(box.await_end() == 0);
}

#endif

// ---- the same events elsewhere

TEST_CASE("what only the SCM asks is not implemented under systemd") {
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "web"}, serve);
  CHECK(box.await_ready());
  CHECK(box.scm_stop() == 120);
  CHECK_FALSE(box.ended());
}

TEST_CASE("progress during a stop is never told before the stop") {
  for (int i = 0; i < 100; ++i) {
    host_in_a_box box(host_kind::systemd);
    box.start({.name = "web"}, [](service& s) {
      serve(s);
      s.progress("flushing", 5s);
    });
    CHECK(box.await_ready());
    box.signal(SIGTERM, 1);
    CHECK(box.await_end() == 0);
    CHECK(count(box, "EXTEND_TIMEOUT_USEC=5000000\nSTATUS=flushing") == 1);
  }
}
