// SPDX-License-Identifier: BSL-1.0
#include <curfew/host/detail/console_host.hpp>
#include <curfew/service/component_options.hpp>
#include <curfew/service/components.hpp>
#include <curfew/testing/host_in_a_box.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using curfew::host_in_a_box;
using curfew::host_kind;
using curfew::lifecycle;
using curfew::lifecycle_event;
using curfew::step;

namespace {

// Advances until the run is over; the threads between two of them need real time.
int advance_to_end(host_in_a_box& box, curfew::time_source::duration by = 500ms) {
  for (int i = 0; i != 2000 && !box.ended(); ++i) {
    box.advance(by);
    std::this_thread::sleep_for(2ms);
  }
  return box.await_end().value_or(-1);
}

// Says so when the calling thread has ended, with everything that it holds. One thread at a time;
// nothing is read from the thread's own memory, which MinGW frees before it calls destructors.
std::atomic<std::atomic<bool>*> ending{nullptr};
void tell_at_thread_exit(std::atomic<bool>& ended) {
  struct teller {
    ~teller() { *ending.load() = true; }
  };
  ending = &ended;
  static thread_local const teller mark;
  (void)mark;
}

void hang_on(const step& s) { (void)s.token().wait(); }

class kept_events final : public curfew::event_sink {
 public:
  void write(const lifecycle_event& e) noexcept override {
    const std::lock_guard guard(lock_);
    lines_.push_back(std::string(to_string(e.kind)) + " " + std::string(e.part) + " " +
                     to_string(e.step) + " " + std::string(e.text));
  }
  bool has(const std::string& part) const { return place(part) >= 0; }
  std::string last() const {
    const std::lock_guard guard(lock_);
    return lines_.empty() ? "" : lines_.back();
  }
  int place(const std::string& part) const {
    const std::lock_guard guard(lock_);
    for (std::size_t i = 0; i != lines_.size(); ++i)
      if (lines_[i].find(part) != std::string::npos) return static_cast<int>(i);
    return -1;
  }

 private:
  mutable std::mutex lock_;
  std::vector<std::string> lines_;
};

}  // namespace

TEST_CASE("a program of components is ready when all are up and stops with the signal") {
  for (const auto kind : {host_kind::console, host_kind::systemd, host_kind::scm}) {
    std::atomic<int> up{0};
    kept_events events;
    host_in_a_box box(kind);
    box.start({.name = "orders", .stop_timeout = 20s},
              curfew::components(
                  [&](lifecycle& parts) {
                    parts.add("db", {.start = [&] { ++up; }, .stop = [&] { --up; }});
                    parts.add("web",
                              {.after = {"db"}, .start = [&] { ++up; }, .stop = [&] { --up; }});
                  },
                  {.sinks = {&events}}));
    REQUIRE(box.await_ready());
    CHECK(up == 2);
    kind == host_kind::scm ? static_cast<void>(box.scm_stop()) : box.signal(15);
    CHECK(box.await_end() == 0);
    CHECK(up == 0);
    CHECK(events.has("run began"));
    CHECK(events.place("ready") < events.place("stopping"));
    CHECK(events.place("step ended web stop") < events.place("step ended db stop"));
    CHECK(events.has("exit code 0"));
  }
}

#if CURFEW_EXCEPTIONS
TEST_CASE("a start that fails is named with its place and makes the run a failure") {
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "orders"}, curfew::components([&](lifecycle& parts) {
              parts.add("db", {.start = [] { throw std::runtime_error("no disk"); }});
            }));
  CHECK(box.await_end() == curfew::exit_code_failed);
  CHECK(box.await_line("db: cannot start, declared at "));
  CHECK(box.await_line(": no disk"));
  CHECK_FALSE(box.await_ready());
}
#endif

TEST_CASE("a component that fails for good stops the service and no clean stop is told") {
  curfew::component_link link;
  std::atomic<bool> stopped{false};
  host_in_a_box box(host_kind::scm);
  box.start({.name = "orders"}, curfew::components([&](lifecycle& parts) {
              link = parts.add("db", {.stop = [&] { stopped = true; }});
            }));
  REQUIRE(box.await_ready());
  link.fail("the disk is gone");
  CHECK(box.await_end() == curfew::exit_code_failed);
  CHECK(stopped);
  CHECK(box.await_line("db: failed"));
  CHECK(box.statuses().back().win32_exit_code != 0);
}

TEST_CASE("a stop that hangs is named and the rest is stopped before the process is ended") {
  std::atomic<bool> let_go{false}, gone{false}, db_down{false};
  {
    host_in_a_box box;
    box.start({.name = "orders", .stop_timeout = 10s}, curfew::components([&](lifecycle& parts) {
                parts.add("db", {.stop = [&] { db_down = true; }});
                parts.add("web", {.after = {"db"},
                                  .stop =
                                      [&] {
                                        while (!let_go) std::this_thread::sleep_for(1ms);
                                        tell_at_thread_exit(gone);
                                      },
                                  .stop_timeout = 3s});
              }));
    REQUIRE(box.await_ready());
    box.signal(15);
    CHECK(advance_to_end(box) == 128 + 15);
    CHECK(db_down);
    CHECK(box.await_line("web: abandoned, declared at "));
    CHECK(box.await_line("web: still open after "));
    CHECK(box.await_line("forced to end"));
    let_go = true;  // what is abandoned has the clock of the box
    while (!gone) std::this_thread::sleep_for(1ms);
  }
}

TEST_CASE("who is late is named at half nine tenths and all of its time") {
  std::atomic<bool> draining{false};
  host_in_a_box box;
  box.start({.name = "orders", .stop_timeout = 60s}, curfew::components([&](lifecycle& parts) {
              parts.add("requests", {.drain =
                                         [&](step& s) {
                                           s.progress("3 left");
                                           draining = true;
                                           hang_on(s);
                                         },
                                     .drain_timeout = 10s});
            }));
  REQUIRE(box.await_ready());
  box.signal(15);
  while (!draining) std::this_thread::sleep_for(1ms);
  box.advance(5s);
  CHECK(box.await_line("requests: drain has used ", 1));
  box.advance(4s);
  CHECK(box.await_line("requests: drain has used ", 2));
  (void)advance_to_end(box);
  CHECK(box.await_line(": 3 left"));
}

TEST_CASE("a second signal cuts the drain short") {
  std::atomic<bool> draining{false};
  host_in_a_box box;
  box.start({.name = "orders", .stop_timeout = 1h}, curfew::components([&](lifecycle& parts) {
              parts.add("requests", {.drain =
                                         [&](step& s) {
                                           draining = true;
                                           hang_on(s);
                                         },
                                     .drain_timeout = 30min});
            }));
  REQUIRE(box.await_ready());
  box.signal(15);
  while (!draining) std::this_thread::sleep_for(1ms);
  box.signal(15);
  CHECK(box.await_end() == 0);
}

TEST_CASE("a stop during the start takes back what had started and is a clean stop") {
  std::atomic<bool> starting{false};
  std::atomic<int> up{0};
  kept_events events;
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "orders"}, curfew::components(
                                    [&](lifecycle& parts) {
                                      parts.add("db",
                                                {.start = [&] { ++up; }, .stop = [&] { --up; }});
                                      parts.add("web", {.after = {"db"},
                                                        .start =
                                                            [&](step& s) {
                                                              starting = true;
                                                              hang_on(s);
                                                              ++up;
                                                            },
                                                        .stop = [&] { --up; }});
                                    },
                                    {.sinks = {&events}}));
  while (!starting) std::this_thread::sleep_for(1ms);
  box.signal(15);
  CHECK(box.await_end() == 0);
  CHECK(up == 0);
  CHECK(events.has("stopping"));
}

TEST_CASE("a start that hangs for ever is named and ends the process as a failure") {
  std::atomic<bool> let_go{false}, gone{false}, db_down{false};
  {
    host_in_a_box box(host_kind::systemd);
    box.start({.name = "orders", .start_timeout = 1h}, curfew::components([&](lifecycle& parts) {
                parts.add("db", {.start = [] {}, .stop = [&] { db_down = true; }});
                parts.add("web", {.after = {"db"},
                                  .start =
                                      [&] {
                                        while (!let_go) std::this_thread::sleep_for(1ms);
                                        tell_at_thread_exit(gone);
                                      },
                                  .start_timeout = 3s});
              }));
    const int code = advance_to_end(box);
    CHECK(code != 0);
    CHECK(code != -1);
    CHECK(db_down);
    CHECK(box.await_line("web: cannot start, declared at "));
    CHECK(box.await_line("web: abandoned, declared at "));
    let_go = true;  // what is abandoned has the clock of the box
    while (!gone) std::this_thread::sleep_for(1ms);
  }
}

TEST_CASE("a stop during the start takes back within the time that its reason leaves") {
  std::atomic<bool> starting{false}, hurried{false};
  kept_events events;
  host_in_a_box box;
  box.start({.name = "orders", .stop_timeout = 1h},
            curfew::components(
                [&](lifecycle& parts) {
                  parts.add("db", {.start = [] {},
                                   .stop =
                                       [&](step& s) {
                                         hang_on(s);
                                         hurried = true;
                                       }});
                  parts.add("web", {.after = {"db"}, .start = [&](step& s) {
                                      starting = true;
                                      hang_on(s);
                                    }});
                },
                {.sinks = {&events}}));
  while (!starting) std::this_thread::sleep_for(1ms);
  const auto began = box.clock().now();
  box.console_close();  // leaves 5 s, and the db would have had 10
  for (int i = 0; i != 3000 && !hurried && !box.ended(); ++i) {
    box.advance(5ms);
    std::this_thread::sleep_for(2ms);
  }
  CHECK(box.await_end() == 0);
  CHECK(box.clock().now() - began <= 5s);
  CHECK(hurried);
  CHECK(events.has("stopping"));
}

TEST_CASE("a second signal presses the taking back of a start as it does any stop") {
  std::atomic<bool> starting{false}, draining{false};
  host_in_a_box box;
  box.start({.name = "orders", .stop_timeout = 1h}, curfew::components([&](lifecycle& parts) {
              parts.add("db", {.drain =
                                   [&](step& s) {
                                     draining = true;
                                     hang_on(s);
                                   },
                               .drain_timeout = 30min});
              parts.add("web", {.after = {"db"}, .start = [&](step& s) {
                                  starting = true;
                                  hang_on(s);
                                }});
            }));
  while (!starting) std::this_thread::sleep_for(1ms);
  box.signal(15);
  while (!draining) std::this_thread::sleep_for(1ms);
  box.signal(15);
  CHECK(box.await_end() == 0);
}

#if CURFEW_EXCEPTIONS
TEST_CASE("a stop during the start is a failure when what it takes back fails") {
  std::atomic<bool> begun{false};
  host_in_a_box box(host_kind::systemd);
  box.start({.name = "orders", .stop_timeout = 20s}, curfew::components([&](lifecycle& parts) {
              parts.add("db", {.stop = [] { throw std::runtime_error("not synced"); }});
              parts.add("web", {.after = {"db"}, .start = [&](const step& s) {
                                  begun = true;
                                  hang_on(s);
                                }});
            }));
  while (!begun) std::this_thread::yield();
  box.signal(15);
  CHECK(box.await_end() == curfew::exit_code_failed);
  CHECK(box.await_line("not synced"));
}
#endif

TEST_CASE("a start that hangs is named and the process is ended though nobody asked for a stop") {
  for (const auto kind : {host_kind::console, host_kind::systemd, host_kind::scm}) {
    std::atomic<bool> let_go{false}, gone{false}, begun{false};
    {
      host_in_a_box box(kind);
      box.start({.name = "orders", .start_timeout = 60s, .stop_timeout = 20s},
                curfew::components([&](lifecycle& parts) {
                  const auto hang = [&] {
                    begun = true;
                    while (!let_go) std::this_thread::sleep_for(1ms);
                    tell_at_thread_exit(gone);
                  };
                  parts.add("db", {.start = hang, .start_timeout = 1s, .stop_timeout = 1s});
                }));
      while (!begun) std::this_thread::sleep_for(1ms);
      CHECK(advance_to_end(box) == curfew::exit_code_forced);
      CHECK(box.await_line("db: cannot start"));
      let_go = true;
      while (!gone) std::this_thread::sleep_for(1ms);
    }
  }
}

TEST_CASE("the lame duck is kept for systemd and not for a typed interrupt") {
  const auto main = curfew::components([](lifecycle& parts) { parts.add("web", {.stop = [] {}}); },
                                       {.lame_duck = 5s});
  host_in_a_box typed;
  typed.start({.name = "orders", .stop_timeout = 60s}, main);
  REQUIRE(typed.await_ready());
  typed.console_ctrl_c();
  CHECK(typed.await_end() == 0);
  host_in_a_box told(host_kind::systemd);
  told.start({.name = "orders", .stop_timeout = 60s}, main);
  REQUIRE(told.await_ready());
  const auto began = told.clock().now();
  told.signal(15);
  CHECK(advance_to_end(told) == 0);
  CHECK(told.clock().now() - began >= 5s);
}

TEST_CASE("a plan knows of the lame duck and says what a stop will grant") {
  struct first_limit final : curfew::event_sink {
    void write(const lifecycle_event& e) noexcept override {
      if (e.kind != curfew::event_kind::step_began || e.step != curfew::component_step::stop)
        return;
      granted = e.limit.count();
    }
    std::atomic<curfew::time_source::duration::rep> granted{0};
  } sink;
  for (const auto timeout : {12s, 21s, 40s}) {
    host_in_a_box box(host_kind::systemd);
    lifecycle parts(box.clock());
    parts.add("db", {.stop = [] {}, .stop_timeout = 20s});
    const curfew::service_spec spec{.name = "orders", .stop_timeout = timeout};
    const auto plan = make_plan(parts.parts(), stop_budgets(spec, {}, 4s));
    const curfew::reason_plan* told = plan.find("systemd-stop");
    REQUIRE(told != nullptr);
    CHECK(told->fits() == (timeout == 40s));
    box.start(spec, [&](curfew::service& self) {
      return run_components(self, parts, {.lame_duck = 4s, .sinks = {&sink}});
    });
    REQUIRE(box.await_ready());
    box.signal(15);
    while (parts.phase() != curfew::whole_phase::stopping) std::this_thread::sleep_for(1ms);
    box.advance(told->budget.lame_duck);
    CHECK(box.await_end() == 0);
    CHECK(curfew::time_source::duration(sink.granted) == told->shares[0].stop);
  }
}

TEST_CASE("a pause of the service brings down what may pause and nothing else") {
  std::atomic<int> jobs{0}, web{0};
  host_in_a_box box(host_kind::scm);
  box.start({.name = "orders"}, curfew::components([&](lifecycle& parts) {
              parts.add("web", {.start = [&] { ++web; }, .stop = [&] { --web; }});
              parts.add("jobs",
                        {.start = [&] { ++jobs; }, .stop = [&] { --jobs; }, .pausable = true});
            }));
  REQUIRE(box.await_ready());
  CHECK(box.scm_pause() == 0);
  CHECK(box.await_status(host_in_a_box::state::paused));
  CHECK(jobs == 0);
  CHECK(web == 1);
  CHECK(box.scm_continue() == 0);
  CHECK(box.await_status(host_in_a_box::state::running, 2));
  CHECK(jobs == 1);
  box.scm_stop();
  CHECK(box.await_end() == 0);
  CHECK(jobs == 0);
}

TEST_CASE("a pause that races the stop finds the components or nothing and hurts nobody") {
  for (int round = 0; round != 20; ++round) {
    host_in_a_box box(host_kind::scm);
    box.start({.name = "orders"}, curfew::components([](lifecycle& parts) {
                parts.add("jobs", {.start = [] {}, .stop = [] {}, .pausable = true});
              }));
    REQUIRE(box.await_ready());
    (void)box.scm_pause();
    (void)box.scm_continue();
    (void)box.scm_stop();
    CHECK(box.await_end() == 0);
  }
}

TEST_CASE("a pause that comes to its turn when the components have been stopped finds nothing") {
  std::atomic<bool> reloading{false}, go_on{false}, paused{false};
  std::atomic<int> stops{0};
  host_in_a_box box(host_kind::scm);
  box.start({.name = "orders", .stop_timeout = 20s}, [&](curfew::service& self) {
    self.on_reload([&] {
      reloading = true;
      while (!go_on) std::this_thread::sleep_for(1ms);
    });
    self.on_user_code([&](int) { paused = true; });  // what came before has had its turn
    {
      lifecycle parts(box.clock());
      parts.add("door", {.stop = [&] { ++stops; }, .pausable = true});
      CHECK(run_components(self, parts) == 0);
    }
    go_on = true;
    while (!paused) std::this_thread::sleep_for(1ms);
  });
  REQUIRE(box.await_ready());
  CHECK(box.scm_param_change() == 0);
  while (!reloading) std::this_thread::sleep_for(1ms);
  CHECK(box.scm_pause() == 0);
  CHECK(box.scm_user(128) == 0);
  CHECK(box.scm_stop() == 0);
  CHECK(box.await_end() == 0);
  CHECK(stops == 1);
}

TEST_CASE("an end that hangs in what it tells is told as it is by all who tell it") {
  struct halted final : curfew::message_sink {
    void write(curfew::severity, std::string_view line) noexcept override {
      if (line.find("stopped: ") == line.npos) return;
      while (!let_go) std::this_thread::sleep_for(1ms);
    }
    std::atomic<bool> let_go{false};
  } people;
  struct process final : curfew::detail::last_resort {
    void end(int c) noexcept override { code = c; }
    void await() noexcept override {}
    std::atomic<int> code{-1};
  } ended;
  kept_events events;
  curfew::detail::console_host host;
  const curfew::service_spec spec{.name = "orders"};
  auto main = [&](curfew::service& self) {
    self.request_stop();
    lifecycle parts;
    parts.add("db", {.stop = [] {}});
    return run_components(self, parts, {.sinks = {&events}});
  };
  std::thread run([&] {
    curfew::detail::program p(spec, main);
    (void)curfew::detail::run_access::run(p, {{host, {}, &people}, ended});
  });
  while (ended.code == -1) std::this_thread::sleep_for(1ms);
  CHECK(ended.code == curfew::exit_code_failed);
  CHECK(events.last().find("run ended") == 0);
  CHECK(events.last().find("exit code 70") != std::string::npos);
  people.let_go = true;
  run.join();
}

TEST_CASE("events that are not kept are told at the end of a run") {
  struct full final : curfew::event_sink {
    void write(const lifecycle_event&) noexcept override {}
    bool flush(const curfew::stop_token&) noexcept override { return false; }
  } disk;
  for (const bool fails : {true, false}) {
    host_in_a_box box;
    box.start({.name = "orders"},
              curfew::components([](lifecycle& parts) { parts.add("db", {.stop = [] {}}); },
                                 {.sinks = fails ? std::vector<curfew::event_sink*>{&disk}
                                                 : std::vector<curfew::event_sink*>()}));
    REQUIRE(box.await_ready());
    box.signal(15);
    CHECK(box.await_end() == 0);
    CHECK(box.await_line("not all events are kept") == fails);
  }
}

TEST_CASE("a run has components once and refuses others") {
  std::atomic<int> started{0};
  host_in_a_box box;
  box.start({.name = "orders"}, [&](curfew::service& self) {
    lifecycle parts(box.clock()), others(box.clock());
    parts.add("db", {.start = [&] { ++started; }, .stop = [] {}});
    others.add("memory", {.start = [&] { ++started; }});
    CHECK(run_components(self, parts) == 0);
    CHECK(run_components(self, parts) == curfew::exit_code_failed);
    return run_components(self, others);
  });
  REQUIRE(box.await_ready());
  box.signal(15);
  CHECK(box.await_end() == curfew::exit_code_failed);
  CHECK(box.await_line("this run has had its components already", 2));
  CHECK(started == 1);
}

TEST_CASE("a plan that must fit and does not is an error before anything starts") {
  std::atomic<bool> started{false};
  host_in_a_box box;
  box.start({.name = "orders", .stop_timeout = 5s},
            curfew::components(
                [&](lifecycle& parts) {
                  parts.add("db",
                            {.start = [&] { started = true; }, .stop = [] {}, .stop_timeout = 30s});
                },
                {.plan_must_fit = true}));
  CHECK(box.await_end() == curfew::exit_code_failed);
  CHECK(box.await_line("too little time"));
  CHECK_FALSE(started);
}

TEST_CASE("a program says what it is made of without being run") {
  auto main = curfew::components(
      [](lifecycle& parts, curfew::service* self) {
        CHECK(self == nullptr);
        parts.add("db", {.stop = [] {}, .stop_timeout = 3s});
      },
      {.recording = "orders.flight"});
  REQUIRE(main.parts().size() == 1);
  CHECK(main.parts()[0].stop == 3s);
  CHECK(main.recording() == "orders.flight");
}

TEST_CASE("the next run says how one ended that did not end well") {
  const std::string file = "components_test.flight";
  std::remove(file.c_str());
  std::atomic<bool> let_go{false}, gone{false};
  const auto run = [&](host_in_a_box& box) {
    box.start({.name = "orders", .stop_timeout = 10s},
              curfew::components(
                  [&](lifecycle& parts) {
                    parts.add("db-pool", {.stop =
                                              [&] {
                                                while (!let_go) std::this_thread::sleep_for(1ms);
                                                tell_at_thread_exit(gone);
                                              },
                                          .stop_timeout = 3s});
                  },
                  {.recording = file}));
  };
  {
    host_in_a_box first;
    run(first);
    REQUIRE(first.await_ready());
    first.signal(15);
    CHECK(advance_to_end(first) == 128 + 15);
    let_go = true;  // what is abandoned has the clock of the box
    while (!gone) std::this_thread::sleep_for(1ms);
  }
  host_in_a_box second;
  run(second);
  CHECK(second.await_line("the last run (pid "));
  CHECK(second.await_line("inside stop of db-pool"));
  second.signal(15);
  CHECK(second.await_end() == 0);
  std::remove(file.c_str());
}
