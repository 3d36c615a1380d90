// SPDX-License-Identifier: BSL-1.0
//
// What systemd is told, datagram by datagram, on a clock that stands still.
#include <curfew/host/detail/systemd_host.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::manual_clock;
using curfew::outcome;
using curfew::outcome_kind;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::detail::notify_text;
using curfew::detail::printable_prefix;

namespace {

using texts = std::vector<std::string>;

/// Calls are serialised by the host, which the thread sanitizer is to find true.
struct scripted_port final : curfew::detail::notify_port {
  bool send(std::string_view text) noexcept override {
    ++waits;
    return offer(text);
  }
  bool offer(std::string_view text) noexcept override {
    ++attempts;
    if (full) return false;
    sent.emplace_back(text);
    return true;
  }
  texts take() { return std::exchange(sent, {}); }

  texts sent;
  int attempts = 0;
  int waits = 0;  // of those, the ones that may wait for room
  bool full = false;
};

struct scene {
  explicit scene(curfew::time_source::duration watchdog = 0s, std::int64_t pid = 4711)
      : host(port, clock, pid, watchdog) {}

  /// In the state of a service that has started.
  scene& started() {
    host.ready();
    port.take();
    return *this;
  }

  manual_clock clock{manual_clock::time_point(5s)};
  scripted_port port;
  curfew::detail::systemd_host host;
};

const stop_reason terminated{stop_cause::signal, 15, 1, 0};

int beats(const texts& sent) {
  int n = 0;
  for (const auto& text : sent) n += text == "WATCHDOG=1" ? 1 : 0;
  return n;
}

}  // namespace

TEST_CASE("systemd rule 36 - each thing that is told is one datagram") {
  scene s;
  s.host.ready();
  s.host.stopping(terminated, 30s);
  s.host.stopped({.reason = terminated});
  CHECK(s.port.sent == texts{"READY=1\nMAINPID=4711\nSTATUS=running",
                             "STOPPING=1\nSTATUS=stopping: signal SIGTERM from pid 1 (uid 0)",
                             "EXIT_STATUS=0\nSTATUS=stopped: signal SIGTERM from pid 1 (uid 0)"});
  CHECK(s.host.kind() == curfew::host_kind::systemd);
}

TEST_CASE("a service is ready once") {
  scene s;
  s.host.ready();
  s.host.ready();
  CHECK(s.port.sent.size() == 1);
}

TEST_CASE("process 1 of a container and an unknown one do not name themselves") {
  for (const std::int64_t pid : {0, 1}) {
    scene s(0s, pid);
    s.host.ready();
    CHECK(s.port.sent == texts{"READY=1\nSTATUS=running"});
  }
}

TEST_CASE("systemd rule 37 - RELOADING and its monotonic time are one datagram and READY follows") {
  scene s;
  s.started().clock.advance(1500us);
  s.host.reloading();
  s.host.ready();
  CHECK(s.port.sent == texts{"RELOADING=1\nMONOTONIC_USEC=5001500\nSTATUS=reloading",
                             "READY=1\nMAINPID=4711\nSTATUS=running"});
}

TEST_CASE("a second reload inside a reload is the same reload") {
  scene s;
  s.started().host.reloading();
  s.host.reloading();
  s.host.ready();
  s.host.ready();
  CHECK(s.port.sent.size() == 2);
}

TEST_CASE("there is no reload before the service is ready") {
  scene s;
  s.host.reloading();
  CHECK(s.port.sent.empty());
  s.host.ready();
  CHECK(s.port.sent.size() == 1);
}

TEST_CASE("systemd rule 37 - STOPPING is final and nothing contradicts it afterwards") {
  scene s(2s);
  s.started().host.stopping(terminated, 30s);
  s.port.take();
  s.host.ready();
  s.host.reloading();
  s.host.ready();
  s.host.paused();
  s.host.resumed();
  s.host.alive();
  s.host.fault();
  s.host.stopping({stop_cause::requested}, 1s);
  CHECK(s.port.sent.empty());
  CHECK(s.port.attempts == 2);
}

TEST_CASE("a stop during a reload needs no READY") {
  scene s;
  s.started().host.reloading();
  s.host.stopping(terminated, 30s);
  s.host.ready();
  REQUIRE(s.port.sent.size() == 2);
  CHECK(s.port.sent[1].substr(0, 11) == "STOPPING=1\n");
}

TEST_CASE("nothing follows the end") {
  scene s(2s);
  s.started().host.stopped({});
  s.port.take();
  s.host.ready();
  s.host.progress("more", 1s);
  s.host.reloading();
  s.host.paused();
  s.host.alive();
  s.host.fault();
  s.host.stopping(terminated, 1s);
  s.host.stopped({.kind = outcome_kind::failed});
  CHECK(s.port.sent.empty());
}

TEST_CASE("a stop before the service is ready says so and READY never comes") {
  scene s;
  s.host.stopping({stop_cause::requested}, 30s);
  s.host.ready();
  CHECK(s.port.sent == texts{"STOPPING=1\nSTATUS=stopping: requested"});
}

TEST_CASE("an end that no stop came before carries the stop in the same datagram") {
  scene s(2s);
  s.host.stopped({.kind = outcome_kind::failed, .reason = {stop_cause::fault}, .error = 98});
  CHECK(s.port.sent == texts{"STOPPING=1\nWATCHDOG_USEC=0\nEXIT_STATUS=70\nERRNO=98\n"
                             "STATUS=failed: fault"});
}

TEST_CASE("the end carries the exit code of the outcome and its errno if there is one") {
  const auto last = [](const outcome& o) {
    scene s;
    s.started().host.stopping(o.reason, 1s);
    s.host.stopped(o);
    return s.port.sent.back();
  };
  CHECK(last({.result = 3}) == "EXIT_STATUS=3\nSTATUS=finished");
  CHECK(last({.kind = outcome_kind::failed, .error = 2}) ==
        "EXIT_STATUS=70\nERRNO=2\nSTATUS=failed");
  CHECK(last({.kind = outcome_kind::forced, .reason = terminated}) ==
        "EXIT_STATUS=143\nSTATUS=forced to end: signal SIGTERM from pid 1 (uid 0)");
}

TEST_CASE("reasons and outcomes read as they do elsewhere") {
  constexpr auto most = (std::numeric_limits<std::int64_t>::max)();
  const stop_reason reasons[] = {
      {},
      terminated,
      {stop_cause::requested},
      {stop_cause::requested, -7},
      {stop_cause::signal, 0},
      {stop_cause::signal, 64, 9},
      {stop_cause::console, 2},
      {stop_cause::console, 77},
      {stop_cause::service_control, 15},
      {stop_cause::deadline, 0, 0, 1000},
      {stop_cause::control, (std::numeric_limits<int>::min)(), most, most},
      {stop_cause::fault},
  };
  for (const auto& r : reasons) {
    CHECK(notify_text().reason(r).view() == to_string(r));
    for (const auto kind : {outcome_kind::clean, outcome_kind::late, outcome_kind::failed}) {
      const outcome o{.kind = kind, .reason = r};
      CHECK(notify_text().how(o).view() == to_string(o));
    }
  }
}

TEST_CASE("systemd rule 39 - progress asks for its time in the datagram that tells what it does") {
  scene s;
  s.host.progress("loading 1 of 3", 2500ms);
  CHECK(s.port.take() == texts{"EXTEND_TIMEOUT_USEC=2500000\nSTATUS=loading 1 of 3"});
  s.host.progress("", 1ns);
  CHECK(s.port.take() == texts{"EXTEND_TIMEOUT_USEC=1"});
  s.host.progress("", (curfew::time_source::duration::max)());
  CHECK(s.port.take() == texts{"EXTEND_TIMEOUT_USEC=9223372036854776"});
  s.started().host.stopping(terminated, 30s);
  s.port.take();
  s.host.progress("flushing", 1s);
  CHECK(s.port.take() == texts{"EXTEND_TIMEOUT_USEC=1000000\nSTATUS=flushing"});
}

TEST_CASE("systemd rule 39 - progress asks for no time while the service runs or reloads") {
  scene s;
  s.started().host.progress("serving", 1s);
  s.host.reloading();
  s.host.progress("reading files", 1s);
  REQUIRE(s.port.sent.size() == 3);
  CHECK(s.port.sent[0] == "STATUS=serving");
  CHECK(s.port.sent[2] == "STATUS=reading files");
}

TEST_CASE("progress that needs no time and says nothing is not told") {
  scene s;
  s.host.progress("", 0s);
  s.host.progress("", -1s);
  CHECK(s.port.sent.empty());
  s.host.progress("still there", -1s);
  CHECK(s.port.sent == texts{"STATUS=still there"});
}

TEST_CASE("a text can neither begin a line of its own nor break the encoding") {
  scene s;
  s.host.progress(
      "one\nREADY=1\r\x1b[2J\xc2\x85\xff"
      "two \xc3\xa4",
      0s);
  CHECK(s.port.sent == texts{"STATUS=one READY=1  [2J   two \xc3\xa4"});
}

TEST_CASE("a long text is cut before a character and never inside one") {
  for (const std::size_t offset : {0u, 1u, 2u}) {
    std::string text(offset, 'x');
    while (text.size() < 2000) text += "\xe2\x82\xac";
    scene s;
    s.host.progress(text, 1s);
    REQUIRE(s.port.sent.size() == 1);
    const std::string& sent = s.port.sent[0];
    CHECK(sent.size() <= notify_text::capacity);
    CHECK(sent.size() > notify_text::capacity - 3);
    CHECK(sent.substr(sent.size() - 3) == "\xe2\x82\xac");
  }
}

TEST_CASE("what is printable is valid UTF-8 without commands") {
  for (const char* good : {"a", "~", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xef\xbf\xbd", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    CHECK(printable_prefix(good) == std::string_view(good).size());
  for (const char* bad :
       {"", "\n", "\x7f", "\x80", "\xbf", "\xc2\x9f", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(",
        "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xff"})
    CHECK(printable_prefix(bad) == 0);
}

TEST_CASE("pause and resume are told as status and remembered across a reload") {
  scene s;
  s.started().host.paused();
  CHECK(s.port.take() == texts{"STATUS=paused"});
  s.host.reloading();
  s.host.ready();
  CHECK(s.port.take().back() == "READY=1\nMAINPID=4711\nSTATUS=paused");
  s.host.resumed();
  CHECK(s.port.take() == texts{"STATUS=running"});
}

TEST_CASE("a pause before the service is ready is told when it is") {
  scene s;
  s.host.paused();
  CHECK(s.port.sent.empty());
  s.host.ready();
  CHECK(s.port.sent == texts{"READY=1\nMAINPID=4711\nSTATUS=paused"});
}

TEST_CASE("systemd rule 40 - without a watchdog interval there are no beats") {
  scene s;
  s.started().host.alive();
  s.host.stopping(terminated, 1s);
  CHECK(s.port.sent == texts{"STOPPING=1\nSTATUS=stopping: signal SIGTERM from pid 1 (uid 0)"});
}

TEST_CASE("systemd rule 40 - beats that come often are sent at half the interval") {
  scene s(2s);
  s.started().host.alive();
  CHECK(s.port.take() == texts{"WATCHDOG=1"});
  for (int i = 0; i < 9; ++i) {
    s.clock.advance(100ms);
    s.host.alive();
  }
  CHECK(s.port.sent.empty());  // 900 ms have gone by, and another gap of 100 ms is still inside
  s.clock.advance(100ms);
  s.host.alive();
  CHECK(s.port.take() == texts{"WATCHDOG=1"});
}

TEST_CASE("systemd rule 40 - beats that come seldom are all sent") {
  scene s(2s);
  s.started();
  for (int i = 0; i < 10; ++i) {
    s.host.alive();
    s.clock.advance(600ms);  // two of these are more than half the interval
  }
  CHECK(beats(s.port.sent) == 10);
}

TEST_CASE("systemd rule 40 - an interval below a second is kept as well") {
  scene s(10ms);
  s.started();
  for (int i = 0; i < 100; ++i) {
    s.host.alive();
    s.clock.advance(1ms);
  }
  CHECK(beats(s.port.sent) == 20);
}

TEST_CASE("a beat that came alone after a long gap does not stretch the next one") {
  scene s(2s);
  s.started().host.alive();
  s.clock.advance(900ms);
  s.host.alive();  // one more gap like that would be 1800 ms
  s.clock.advance(10ms);
  s.host.alive();
  CHECK(beats(s.port.sent) == 2);
}

TEST_CASE("a beat before the service is ready would start the watchdog and is not sent") {
  scene s(2s);
  s.host.alive();
  CHECK(s.port.sent.empty());
  s.started().host.alive();
  CHECK(s.port.sent == texts{"WATCHDOG=1"});
}

TEST_CASE("beats go on during a reload") {
  scene s(2s);
  s.started().host.reloading();
  s.port.take();
  s.host.alive();
  CHECK(s.port.sent == texts{"WATCHDOG=1"});
}

TEST_CASE("a stop switches the watchdog off for a beat may have crossed the request") {
  scene s(2s);
  s.started().host.stopping({stop_cause::requested}, 30s);
  s.host.stopped({.reason = {stop_cause::requested}});
  CHECK(s.port.sent == texts{"STOPPING=1\nWATCHDOG_USEC=0\nSTATUS=stopping: requested",
                             "EXIT_STATUS=0\nSTATUS=stopped: requested"});
}

TEST_CASE("a beat that did not get through is sent with the next call") {
  scene s(2s);
  s.started().port.full = true;
  s.host.alive();
  s.port.full = false;
  s.clock.advance(1ms);
  s.host.alive();
  CHECK(beats(s.port.sent) == 1);
}

TEST_CASE("systemd rule 40 - a fault is told at once in every phase before the stop") {
  scene s;
  s.host.fault();
  s.started().host.fault();
  s.host.reloading();
  s.host.fault();
  CHECK(s.port.sent.size() == 3);
  CHECK(s.port.sent.front() == "WATCHDOG=trigger");
  CHECK(s.port.sent.back() == "WATCHDOG=trigger");
}

TEST_CASE("READY that found no room is sent before whatever comes next") {
  scene s(2s);
  s.port.full = true;
  s.host.ready();
  CHECK(s.port.attempts == 1);
  s.port.full = false;
  SUBCASE("a beat") {
    s.host.alive();
    CHECK(s.port.sent.back() == "WATCHDOG=1");
  }
  SUBCASE("progress") {
    s.host.progress("serving", 0s);
    CHECK(s.port.sent.back() == "STATUS=serving");
  }
  SUBCASE("a reload") {
    s.host.reloading();
    CHECK(s.port.sent.back().substr(0, 12) == "RELOADING=1\n");
  }
  SUBCASE("a pause") {
    s.host.paused();
    CHECK(s.port.sent.back() == "STATUS=paused");
  }
  REQUIRE(s.port.sent.size() == 2);
  CHECK(s.port.sent[0].substr(0, 8) == "READY=1\n");
}

TEST_CASE("READY that found no room is forgotten when the stop comes") {
  scene s;
  s.port.full = true;
  s.host.ready();
  s.port.full = false;
  s.host.stopping({stop_cause::requested}, 1s);
  CHECK(s.port.sent == texts{"STOPPING=1\nSTATUS=stopping: requested"});
}

TEST_CASE("STOPPING that found no room is sent with what comes next") {
  scene s;
  s.started().port.full = true;
  s.host.stopping({stop_cause::requested}, 1s);
  s.port.full = false;
  SUBCASE("progress") {
    s.host.progress("flushing", 1s);
    s.host.stopped({});
    CHECK(s.port.sent == texts{"STOPPING=1\nSTATUS=stopping: requested",
                               "EXTEND_TIMEOUT_USEC=1000000\nSTATUS=flushing",
                               "EXIT_STATUS=0\nSTATUS=finished"});
  }
  SUBCASE("the end") {
    s.host.stopped({});
    CHECK(s.port.sent == texts{"STOPPING=1\nEXIT_STATUS=0\nSTATUS=finished"});
  }
}

TEST_CASE("a manager that does not listen is waited for once a phase and not at every call") {
  scene s(2s);
  s.port.full = true;
  s.host.progress("one", 1s);
  CHECK(s.port.waits == 1);
  for (int i = 0; i < 10; ++i) s.host.progress("more", 1s);
  CHECK(s.port.waits == 1);
  s.host.ready();
  CHECK(s.port.waits == 2);
  for (int i = 0; i < 10; ++i) s.host.alive();
  CHECK(s.port.waits == 2);
  s.host.stopping(terminated, 1s);
  s.host.stopped({});
  CHECK(s.port.waits == 4);
}

TEST_CASE("what can be lost is never waited for") {
  scene s(2s);
  s.started().port.waits = 0;
  s.host.alive();
  s.host.progress("serving", 1s);
  s.host.paused();
  s.host.resumed();
  CHECK(s.port.sent.size() == 4);
  CHECK(s.port.waits == 0);
}

TEST_CASE("ready and stopping at once are told in the order in which they took effect") {
  for (int round = 0; round < 300; ++round) {
    scene s(2s);
    test::latch both(2);
    const auto at_once = [&both](auto f) {
      return std::thread([&both, f] {
        both.count_down();
        both.wait();
        f();
      });
    };
    std::thread starter = at_once([&] { s.host.ready(); });
    std::thread stopper = at_once([&] { s.host.stopping({stop_cause::requested}, 1s); });
    starter.join();
    stopper.join();
    const std::size_t size = s.port.sent.size();
    REQUIRE((size == 1 || size == 2));
    CHECK(s.port.sent.back().substr(0, 11) == "STOPPING=1\n");
    if (size == 2) CHECK(s.port.sent.front().substr(0, 8) == "READY=1\n");
  }
}

TEST_CASE("from many threads every message is whole and the end is told once and last") {
  scene s(1us);
  std::vector<std::thread> all;
  for (int i = 0; i < 4; ++i) {
    all.emplace_back([&] {
      for (int n = 0; n < 200; ++n) {
        s.host.progress("working", 1s);
        s.host.ready();
        s.host.alive();
        s.host.reloading();
        s.host.paused();
        if (n == 150) s.host.stopping({stop_cause::requested}, 1s);
      }
      s.host.stopped({});
    });
  }
  for (auto& thread : all) thread.join();
  int stops = 0, ends = 0;
  for (const auto& text : s.port.sent) {
    stops += text.rfind("STOPPING=1", 0) == 0 ? 1 : 0;
    ends += text.rfind("EXIT_STATUS=", 0) == 0 ? 1 : 0;
    if (stops != 0) CHECK(text.find("READY") == text.npos);
  }
  CHECK(stops == 1);
  CHECK(ends == 1);
  CHECK(s.port.sent.back() == "EXIT_STATUS=0\nSTATUS=finished");
}

TEST_CASE("systemd asks by signals so a listener is never called and nothing limits the stop") {
  scene s;
  s.host.accept({.reload = true, .pause = true});
  s.host.detach();
  CHECK(s.port.sent.empty());
  CHECK(s.host.allowed(terminated) == (curfew::time_source::duration::max)());
}
