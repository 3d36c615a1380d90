// SPDX-License-Identifier: BSL-1.0
#include <curfew/release/batch_buffer.hpp>
#include <curfew/release/gate.hpp>
#include <curfew/release/roster.hpp>
#include <curfew/service/lifecycle.hpp>
#include <curfew/service/presets.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using curfew::batch_buffer;
using curfew::component;
using curfew::event_kind;
using curfew::lifecycle;
using curfew::lifecycle_event;
using curfew::manual_clock;
using curfew::step;
using curfew::stop_report;

namespace {

// What happened, in its order, whoever did it.
class diary final : public curfew::event_sink {
 public:
  void add(const std::string& line) {
    const std::lock_guard guard(lock_);
    lines_.push_back(line);
  }
  // "requests: step ended drain late, 2 in flight: ..."
  void write(const lifecycle_event& e) noexcept override {
    std::string line = std::string(e.part) + ": " + (e.moved ? to_string(e.kind) : "note");
    if (e.step != curfew::component_step::none) line += std::string(" ") + to_string(e.step);
    if (e.kind == event_kind::step_ended) line += std::string(" ") + to_string(e.outcome);
    if (!e.text.empty()) line += ", " + std::string(e.text);
    add(line);
  }
  std::ptrdiff_t place(const std::string& words) const {
    const std::lock_guard guard(lock_);
    const auto found = std::find_if(lines_.begin(), lines_.end(), [&](const std::string& l) {
      return l.find(words) != std::string::npos;
    });
    return found == lines_.end() ? -1 : found - lines_.begin();
  }
  bool has(const std::string& words) const { return place(words) >= 0; }
  std::string text() const {
    const std::lock_guard guard(lock_);
    std::string all;
    for (const std::string& line : lines_) all += line + "\n";
    return all;
  }

 private:
  mutable std::mutex lock_;
  std::vector<std::string> lines_;
};

template <class Pred>
bool eventually(Pred pred) {
  for (int i = 0; i != 3000; ++i) {
    if (pred()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

// Ends when it is let go, whatever it is told; and knows when the threads that it held have ended,
// with all that they hold. There is one at a time.
class stubborn {
 public:
  ~stubborn() {
    let_go();
    while (threads != 0) std::this_thread::sleep_for(1ms);
  }
  // The thread that it is called on is one of them. Nothing is read from the thread's own memory,
  // which MinGW frees before it calls destructors.
  static void mark() {
    struct leaver {
      leaver() { ++threads; }
      ~leaver() { --threads; }
    };
    static thread_local const leaver here;
    (void)here;
  }
  auto hang() const {
    return [go = go_] {
      mark();
      while (!*go) std::this_thread::sleep_for(1ms);
    };
  }
  void let_go() { *go_ = true; }

 private:
  inline static std::atomic<int> threads{0};
  std::shared_ptr<std::atomic<bool>> go_ = std::make_shared<std::atomic<bool>>(false);
};

// A lifecycle whose time goes on when the test says so. What is abandoned ends before its clock.
struct whole {
  whole() { parts.observe(events); }

  // Stops it, and lets time pass until it is stopped, or until that has happened.
  stop_report stop_while_time_passes(const std::string& until) {
    std::atomic<bool> done{false};
    stop_report report;
    std::thread stopping([&] {
      report = parts.stop(1h);
      done = true;
    });
    while (!done) {
      if (!events.has(until)) clock.advance(100ms);
      std::this_thread::sleep_for(1ms);
    }
    stopping.join();
    return report;
  }

  diary events;
  manual_clock clock;
  stubborn stuck;
  lifecycle parts{clock};
};

// Says a word, and nothing else.
auto says(diary& d, const char* word) {
  return [&d, word] { d.add(word); };
}

}  // namespace

// ---- listener

TEST_CASE("a listener stays open in the lame duck time and closes before what it feeds") {
  whole w;
  curfew::gate requests;
  w.parts.add("listener", curfew::listener_preset{.after = {"requests"},
                                                  .open = says(w.events, "opened"),
                                                  .close = says(w.events, "closed")});
  w.parts.add("requests", curfew::gate_preset{.work = requests});
  REQUIRE(w.parts.start());
  CHECK(w.events.has("opened"));
  std::thread stopping([&] { CHECK(w.parts.stop(1h, {}, 5s).ok()); });
  CHECK(eventually([&] { return w.parts.phase() == curfew::whole_phase::stopping; }));
  w.clock.advance(4s);
  CHECK_FALSE(w.events.has("closed"));
  w.clock.advance(1s);
  stopping.join();
  CHECK(w.events.has("closed"));
  CHECK(w.events.place("closed") < w.events.place("requests: step began drain"));
}

TEST_CASE("a listener finishes the work that has come in by it when it is closed") {
  whole w;
  curfew::roster<> requests(w.clock);
  w.parts.add("web", curfew::listener_preset{.close = says(w.events, "closed"),
                                             .work = requests,
                                             .cancel = says(w.events, "cancelled")});
  REQUIRE(w.parts.start());
  auto a = requests.enter("GET /a");
  stop_report report;
  std::thread stopping([&] { report = w.parts.stop(1h); });
  CHECK(eventually([&] { return w.events.has("1 in flight: GET /a"); }));
  CHECK(w.events.has("closed"));
  a.reset();
  stopping.join();
  CHECK(report.ok());
  CHECK_FALSE(w.events.has("cancelled"));
}

TEST_CASE("a stop that is past draining closes a listener and cancels what has come in by it") {
  whole w;
  curfew::roster<> requests(w.clock);
  auto a = std::make_unique<curfew::roster<>::hold>(requests.enter("GET /a"));
  w.parts.add("web", curfew::listener_preset{.close = says(w.events, "closed"),
                                             .work = requests,
                                             .cancel = [&] { a.reset(); }});
  REQUIRE(w.parts.start());
  stop_report report;
  std::thread stopping([&] { report = w.parts.stop(1h); });
  CHECK(eventually([&] { return w.events.has("1 in flight: GET /a"); }));
  w.parts.escalate();
  stopping.join();
  CHECK(report.failed == 1);
  CHECK(report.abandoned == 0);
  CHECK(w.events.has("web: step ended stop failed, cut short with 1 in flight: GET /a"));
}

TEST_CASE("a listener whose close hangs is severed after two seconds") {
  whole w;
  w.parts.add("listener", curfew::listener_preset{.close = w.stuck.hang(), .sever = [&] {
                                                    w.events.add("severed");
                                                    w.stuck.let_go();
                                                  }});
  REQUIRE(w.parts.start());
  const auto began = w.clock.now();
  const stop_report report = w.stop_while_time_passes("listener: step began abort");
  CHECK(w.events.has("severed"));
  CHECK(report.abandoned == 0);
  CHECK(report.late == 1);
  CHECK(w.clock.now() - began >= 2s);
}

TEST_CASE("a listener that hangs even when it is severed is abandoned") {
  whole w;
  w.parts.add("listener",
              curfew::listener_preset{.close = w.stuck.hang(), .sever = says(w.events, "severed")});
  REQUIRE(w.parts.start());
  CHECK(w.stop_while_time_passes("listener: abandoned").abandoned == 1);
  CHECK(w.events.has("severed"));
  CHECK(w.events.has("listener: abandoned"));
}

TEST_CASE("a stop that is considered refuses new work and takes that back") {
  whole w;
  w.parts.add("listener", curfew::listener_preset{.refuse = says(w.events, "refuses"),
                                                  .admit = says(w.events, "admits")});
  REQUIRE(w.parts.start());
  CHECK(w.parts.prepare().prepared);
  CHECK(w.events.has("refuses"));
  CHECK_FALSE(w.events.has("admits"));
  CHECK(w.parts.resume("not now"));
  CHECK(w.events.has("admits"));
  CHECK(w.parts.stop(1h).ok());
}

// ---- gate

TEST_CASE("work in flight is finished and nothing new comes in") {
  whole w;
  curfew::roster<> requests(w.clock);
  w.parts.add("requests",
              curfew::gate_preset{.work = requests, .cancel = says(w.events, "cancelled")});
  REQUIRE(w.parts.start());
  auto a = requests.enter("GET /a"), b = requests.enter("GET /b");
  w.clock.advance(3200ms);
  stop_report report;
  std::thread stopping([&] { report = w.parts.stop(1h); });
  CHECK(eventually([&] { return w.events.has("2 in flight: GET /a 3.2 s, GET /b 3.2 s"); }));
  CHECK_FALSE(requests.enter("late"));
  a.reset();
  w.clock.advance(500ms);
  CHECK(eventually([&] { return w.events.has("1 in flight: GET /b 3.7 s"); }));
  b.reset();
  stopping.join();
  CHECK(report.ok());
  CHECK_FALSE(w.events.has("cancelled"));
}

TEST_CASE("time that passes is shown and is no progress of a drain") {
  whole w;
  curfew::roster<> requests(w.clock);
  w.parts.add("requests", curfew::gate_preset{.work = requests, .drain_timeout = 1h});
  REQUIRE(w.parts.start());
  auto a = requests.enter("GET /a");
  std::thread stopping([&] { CHECK(w.parts.stop(2h).ok()); });
  CHECK(eventually([&] { return w.events.has("requests: progress, 1 in flight: GET /a 0 ms"); }));
  w.clock.advance(600ms);
  CHECK(eventually([&] { return w.events.has("requests: note, 1 in flight: GET /a 600 ms"); }));
  a.reset();
  stopping.join();
  const std::string all = w.events.text();
  const auto first = all.find("requests: progress");
  CHECK(all.find("requests: progress", first + 1) == std::string::npos);
}

TEST_CASE("who stays inside too long is cancelled and named and that is a failure") {
  whole w;
  curfew::roster<> requests(w.clock);
  curfew::stop_source cut;
  w.parts.add("requests", curfew::gate_preset{.work = requests, .cancel = [&] {
                                                w.events.add("cancelled");
                                                cut.request_stop();
                                              }});
  REQUIRE(w.parts.start());
  std::thread client([&, hold = requests.enter("GET /slow")]() mutable {
    (void)cut.get_token().wait();
    hold.reset();
  });
  const auto began = w.clock.now();
  const stop_report report = w.stop_while_time_passes("requests: step began stop");
  client.join();
  CHECK(report.failed == 1);
  CHECK(report.abandoned == 0);
  CHECK(w.clock.now() - began >= 10s);
  CHECK(w.events.has("requests: step ended drain late"));
  CHECK(w.events.place("step ended drain") < w.events.place("cancelled"));
  CHECK(w.events.has("requests: step ended stop failed, cut short with 1 in flight: GET /slow "));
}

TEST_CASE("who never leaves is severed and while it is inside nothing that it uses is stopped") {
  whole w;
  curfew::gate requests;
  auto hold = std::make_unique<curfew::gate::hold>(requests.enter());
  w.parts.add("database", component{.stop = says(w.events, "database closed")});
  w.parts.add("requests", curfew::gate_preset{.after = {"database"},
                                              .work = requests,
                                              .cancel = says(w.events, "cancelled"),
                                              .sever = [&] {
                                                CHECK_FALSE(w.events.has("database closed"));
                                                w.events.add("severed");
                                                hold.reset();
                                              }});
  REQUIRE(w.parts.start());
  const stop_report report = w.stop_while_time_passes("requests: step began abort");
  CHECK(report.abandoned == 0);
  CHECK(report.failed == 1);
  CHECK(w.events.place("cancelled") < w.events.place("severed"));
  CHECK(w.events.place("severed") < w.events.place("database closed"));
  CHECK(w.events.has("cut short with 1 in flight"));
}

TEST_CASE("work that nothing ends has its component abandoned") {
  curfew::gate requests;
  auto hold = requests.enter();
  auto w = std::make_unique<whole>();
  w->parts.add("requests", curfew::gate_preset{.work = requests, .start = stubborn::mark});
  REQUIRE(w->parts.start());
  CHECK(w->stop_while_time_passes("requests: abandoned").abandoned == 1);
  CHECK(w->events.has("requests: abandoned"));
  std::thread later([&] {
    std::this_thread::sleep_for(20ms);
    hold.reset();
  });
  w.reset();  // returns when the one that waits in vain has left
  later.join();
  CHECK(requests.count() == 0);
}

// ---- client

TEST_CASE("calls in flight have thirty seconds and are cancelled then") {
  whole w;
  curfew::roster<> calls(w.clock);
  curfew::stop_source cut;
  w.parts.add("orders client",
              curfew::rpc_client_preset{.calls = calls,
                                        .connect = says(w.events, "connected"),
                                        .cancel = [&] { cut.request_stop(); },
                                        .disconnect = says(w.events, "disconnected")});
  w.parts.add("shop", component{.after = {"orders client"}, .stop = says(w.events, "shop closed")});
  REQUIRE(w.parts.start());
  CHECK(w.events.has("connected"));
  std::thread call([&, hold = calls.enter("Orders/Place")]() mutable {
    (void)cut.get_token().wait();
    w.events.add("call ended");
    hold.reset();
  });
  const auto began = w.clock.now();
  CHECK(w.stop_while_time_passes("orders client: step began stop").failed == 1);
  call.join();
  CHECK(w.clock.now() - began >= 30s);
  CHECK(w.clock.now() - began < 32s);
  CHECK(w.events.has("cut short with 1 in flight: Orders/Place 30"));
  CHECK(w.events.place("shop closed") < w.events.place("orders client: step began drain"));
  CHECK(w.events.place("call ended") < w.events.place("disconnected"));
}

// ---- connection pool

TEST_CASE("a pool closes after its users when its connections are back") {
  whole w;
  curfew::roster<> lent(w.clock);
  auto loan = lent.enter("report");
  w.parts.add("pool", curfew::connection_pool_preset{.lent = lent,
                                                     .open = says(w.events, "pool opened"),
                                                     .close = says(w.events, "pool closed"),
                                                     .sever = says(w.events, "severed")});
  w.parts.add("user", component{.after = {"pool"}, .stop = says(w.events, "user stopped")});
  REQUIRE(w.parts.start());
  std::thread stopping([&] { CHECK(w.parts.stop(1h).ok()); });
  CHECK(eventually([&] { return w.events.has("1 in flight: report"); }));
  CHECK(w.events.has("user stopped"));
  CHECK_FALSE(w.events.has("pool closed"));
  loan.reset();
  stopping.join();
  CHECK(w.events.has("pool closed"));
  CHECK_FALSE(w.events.has("severed"));
}

TEST_CASE("a connection that is not given back is named and severed after fifteen seconds") {
  whole w;
  curfew::roster<> lent(w.clock);
  auto loan = std::make_unique<curfew::roster<>::hold>(lent.enter("report"));
  w.parts.add("pool", curfew::connection_pool_preset{
                          .lent = lent, .close = says(w.events, "closed"), .sever = [&] {
                            w.events.add("severed");
                            loan.reset();
                          }});
  REQUIRE(w.parts.start());
  const auto began = w.clock.now();
  const stop_report report = w.stop_while_time_passes("pool: step began abort");
  CHECK(report.failed == 1);
  CHECK(report.abandoned == 0);
  CHECK(w.clock.now() - began >= 15s);
  CHECK(w.events.has("pool: step ended stop failed, cut short with 1 in flight: report 13"));
  CHECK(w.events.place("severed") < w.events.place("closed"));
}

// ---- thread pool

TEST_CASE("a thread pool works off its queue and then stops") {
  whole w;
  w.parts.add("workers", curfew::thread_pool_preset{.start = says(w.events, "begun"),
                                                    .drain = says(w.events, "worked off"),
                                                    .stop = says(w.events, "joined")});
  REQUIRE(w.parts.start());
  CHECK(w.events.has("begun"));
  CHECK(w.parts.stop(1h).ok());
  CHECK(w.events.place("worked off") < w.events.place("joined"));
}

TEST_CASE("a queue that does not become empty is left and threads that hang are abandoned") {
  whole w;
  w.parts.add("workers",
              curfew::thread_pool_preset{.drain = [](const step& s) { (void)s.token().wait(); },
                                         .stop = w.stuck.hang()});
  REQUIRE(w.parts.start());
  const auto began = w.clock.now();
  const stop_report report = w.stop_while_time_passes("workers: abandoned");
  CHECK(report.abandoned == 1);
  CHECK(w.clock.now() - began >= 15s);
  CHECK(w.events.has("workers: step ended drain late"));
  CHECK(w.events.has("workers: abandoned"));
}

// ---- sinks

TEST_CASE("sinks start first and stop last though nobody names them") {
  whole w;
  std::atomic<std::size_t> written{0};
  batch_buffer<int> lines([&](std::span<int> batch) { written += batch.size(); });
  w.parts.add("listener", component{.after = {"database"},
                                    .start = says(w.events, "+listener"),
                                    .stop = [&] { lines.push(1); }});
  w.parts.add("log", curfew::sink_preset{.after = {"configuration"},
                                         .lines = lines,
                                         .open = says(w.events, "+log"),
                                         .close = says(w.events, "-log")});
  w.parts.add("metrics", curfew::sink_preset{.close = says(w.events, "-metrics")});
  w.parts.add("database",
              component{.start = says(w.events, "+database"), .stop = [&] { lines.push(2); }});
  w.parts.add("configuration", component{.start = says(w.events, "+configuration"),
                                         .stop = says(w.events, "-configuration")});
  REQUIRE(w.parts.start());
  CHECK(w.events.place("+configuration") < w.events.place("+log"));
  CHECK(w.events.place("+log") < w.events.place("+database"));
  CHECK(w.parts.stop(1h).ok());
  CHECK(written == 2);
  CHECK(w.events.place("database: step ended stop") < w.events.place("-log"));
  CHECK(w.events.place("-log") < w.events.place("-configuration"));
  CHECK(w.events.place("-configuration") < w.events.place("-metrics"));
}

TEST_CASE("a sink may make its buffer when it is opened") {
  whole w;
  std::optional<batch_buffer<int>> lines;
  std::atomic<std::size_t> written{0};
  const auto open = [&] { lines.emplace([&](std::span<int> batch) { written += batch.size(); }); };
  w.parts.add("log", curfew::sink_preset{.lines = lines, .open = open});
  REQUIRE(w.parts.start());
  CHECK(lines->push(1));
  CHECK(w.parts.stop(1h).ok());
  CHECK(written == 1);
  CHECK(lines->closed());
}

TEST_CASE("a sink whose buffer was never made has nothing to close") {
  whole w;
  std::optional<batch_buffer<int>> lines;
  w.parts.add("log", curfew::sink_preset{.lines = lines});
  REQUIRE(w.parts.start());
  CHECK(w.parts.stop(1h).ok());
}

TEST_CASE("lines that cannot be written are dropped and told") {
  whole w;
  batch_buffer<int> lines(
      [](std::span<int>) { return std::make_error_code(std::errc::no_space_on_device); },
      {.capacity = 3, .batch = 3, .interval = 1h, .attempts = 1});
  w.parts.add("log", curfew::sink_preset{.lines = lines});
  REQUIRE(w.parts.start());
  for (int i = 0; i != 2; ++i) CHECK(lines.push(i));
  CHECK(w.parts.stop(1h).failed == 1);
  CHECK(w.events.has("log: step ended stop failed, 2 of 2 are lost: 2 could not be written: "));
  CHECK(w.events.has(std::make_error_code(std::errc::no_space_on_device).message()));
}

TEST_CASE("a sink that hangs is given up and what it held is counted") {
  whole w;
  batch_buffer<int> lines([hang = w.stuck.hang()](std::span<int>) { hang(); },
                          {.capacity = 8, .batch = 2, .interval = 1h});
  w.parts.add("log", curfew::sink_preset{.lines = lines, .close = says(w.events, "closed")});
  REQUIRE(w.parts.start());
  for (int i = 0; i != 5; ++i) CHECK(lines.push(i));
  CHECK(eventually([&] { return lines.counts().with_sink != 0; }));
  const stop_report report = w.stop_while_time_passes("log: step began abort");
  CHECK(report.failed == 1);
  CHECK(report.abandoned == 0);
  CHECK(w.events.has("5 of 5 are lost: "));
  CHECK(w.events.has(" there was no time for, "));
  CHECK(w.events.has(" are with a writer that hangs"));
  CHECK(w.events.has("closed"));
}

TEST_CASE("what lines were lost by is told in one line whatever it was") {
  curfew::batch_report r{.finished = true};
  r.counts = {.written = 12, .dropped = 2, .failed = 3, .unwritten = 1, .in_doubt = 2};
  CHECK(curfew::detail::loss_text(r).view() ==
        "8 of 20 are lost: 2 found no room, 3 could not be written, 1 there was no time for, 2 are "
        "with a writer that hangs");
}
