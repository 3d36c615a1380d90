// SPDX-License-Identifier: BSL-1.0
//
// Programs of components in the box, with their real threads, under every host: at every moment of
// their lives one more thing happens, and the same rules hold in all that was recorded.
#include <curfew/service/components.hpp>
#include <curfew/testing/host_in_a_box.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::component;
using curfew::component_step;
using curfew::host_in_a_box;
using curfew::host_kind;
using curfew::lifecycle;
using curfew::step;

namespace {

struct graph {
  const char* name;
  std::vector<std::vector<std::size_t>> after;
};

const graph graphs[] = {{"single", {{}}},
                        {"chain", {{}, {0}, {1}}},
                        {"diamond", {{}, {0}, {0}, {1, 2}}},
                        {"fan", {{}, {0}, {0}, {0}}}};

enum class host { console, systemd, scm, preshutdown };
enum class event { nothing, stop, press, close, fault, fails, hangs, veto, commit, pause };

struct scenario {
  host under;
  const graph& shape;
  component_step during;  // none: when all are up
  std::size_t part;
  event what;
};

std::string text_of(const scenario& s) {
  static const char* const hosts[] = {"console", "systemd", "scm", "preshutdown"};
  static const char* const events[] = {"nothing", "stop",  "press", "close",  "fault",
                                       "fails",   "hangs", "veto",  "commit", "pause"};
  return std::string(hosts[static_cast<int>(s.under)]) + ", " + s.shape.name + ", " +
         events[static_cast<int>(s.what)] + " during " + to_string(s.during) + " of " +
         std::to_string(s.part);
}

struct entry {
  std::size_t part;
  component_step step;
  bool begins;
  bool well;
};

/// What the functions of the components did, in its order, and what they wait for.
class record {
 public:
  void add(const entry& e) {
    const std::lock_guard guard(lock_);
    entries_.push_back(e);
  }
  std::vector<entry> entries() const {
    const std::lock_guard guard(lock_);
    return entries_;
  }

  /// The moment has come: the test does its part, and then it goes on.
  void meet() {
    std::unique_lock lock(lock_);
    met_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return done_; });
  }
  bool await_moment(const host_in_a_box& box) {
    std::unique_lock lock(lock_);
    for (int i = 0; i != 3000 && !met_ && !box.ended(); ++i) changed_.wait_for(lock, 10ms);
    return met_;
  }
  void go_on() {
    const std::lock_guard guard(lock_);
    done_ = true;
    changed_.notify_all();
  }

  void hang(const curfew::stop_token& t) {
    {
      const std::lock_guard guard(lock_);
      hung_ = t;
      hangs_ = true;
      changed_.notify_all();
    }
    (void)t.wait();
    const std::lock_guard guard(lock_);
    hung_ = {};
  }
  /// Until what hangs is told to end.
  void move_on(host_in_a_box& box) {
    std::unique_lock lock(lock_);
    changed_.wait(lock, [this] { return hangs_; });
    while (hung_.stop_possible() && !hung_.stop_requested()) {
      lock.unlock();
      box.advance(100ms);
      lock.lock();
    }
  }

 private:
  mutable std::mutex lock_;
  std::condition_variable changed_;
  std::vector<entry> entries_;
  bool met_ = false;
  bool done_ = false;
  bool hangs_ = false;
  curfew::stop_token hung_;
};

class trial {
 public:
  explicit trial(const scenario& s) : s_(s), box_(kind()) {}

  void run() {
    INFO(text_of(s_));
    box_.start({.name = "orders", .start_timeout = 1h, .stop_timeout = 60s},
               curfew::components([this](lifecycle& parts) { declare(parts); }));
    play();
    const auto code = box_.await_end();
    REQUIRE(code.has_value());
    judge_end(*code);
    judge_order();
  }

 private:
  host_kind kind() const {
    if (s_.under == host::console) return host_kind::console;
    return s_.under == host::systemd ? host_kind::systemd : host_kind::scm;
  }

  // ---- the program

  void declare(lifecycle& parts) {
    parts_ = &parts;
    for (std::size_t i = 0; i != s_.shape.after.size(); ++i) {
      component c;
      for (const std::size_t d : s_.shape.after[i]) c.after.push_back(std::to_string(d));
      const auto f = [this, i](step& s) { act(i, s); };
      c.start = c.drain = c.stop = c.resume = f;
      c.prepare = [this, i](step& s) {
        act(i, s);
        return s_.what == event::veto && i == s_.part ? curfew::prepare_answer::veto("busy")
                                                      : curfew::prepare_answer::ready();
      };
      c.pausable = i + 1 == s_.shape.after.size();
      links_.push_back(parts.add(std::to_string(i), std::move(c)));
    }
  }

  void act(std::size_t part, const step& s) {
    record_.add({part, s.what(), true, true});
    const bool moment = part == s_.part && s.what() == s_.during && !met_.exchange(true);
    if (moment) record_.meet();
    const bool fails = moment && s_.what == event::fails && CURFEW_EXCEPTIONS;
    if (moment && s_.what == event::hangs) record_.hang(s.token());
    record_.add({part, s.what(), false, !fails});
#if CURFEW_EXCEPTIONS
    if (fails) throw std::runtime_error("it fails");
#endif
  }

  // ---- the world around it

  void play() {
    if (s_.during == component_step::start) at_moment();
    if (!box_.await_ready()) return;
    if (s_.during == component_step::none) happen();
    const bool pressed = s_.during == component_step::none && s_.what == event::press;
    if (!pressed) stop();  // a third one would end the process
    if (s_.during == component_step::drain || s_.during == component_step::stop) at_moment();
  }

  void at_moment() {
    const bool comes = record_.await_moment(box_);
    if (comes) happen();
    record_.go_on();
    if (comes && s_.what == event::hangs) record_.move_on(box_);
  }

  void happen() {
    switch (s_.what) {
      case event::stop: return stop();
      case event::press: stop(); return stop();
      case event::close: return close();
      case event::fault: return links_[s_.part].fail("it does not work");
      case event::veto:
        CHECK_FALSE(parts_->prepare(1h));
        CHECK(parts_->phase() == curfew::whole_phase::up);
        return;
      case event::commit: return static_cast<void>(parts_->prepare(1h));
      case event::pause: box_.scm_pause(); return static_cast<void>(box_.scm_continue());
      default: return;
    }
  }

  void stop() {
    switch (s_.under) {
      case host::console:
      case host::systemd: return box_.signal(15);
      case host::scm: return static_cast<void>(box_.scm_stop());
      case host::preshutdown: return static_cast<void>(box_.scm_preshutdown());
    }
  }
  void close() {
    if (s_.under == host::console) return box_.console_close();
    s_.under == host::systemd ? box_.signal(15) : static_cast<void>(box_.scm_shutdown());
  }

  // ---- the rules

  void judge_end(int code) {
    const auto all = record_.entries();
    bool failed = false;
    for (const entry& e : all) failed = failed || !e.well;
    if (failed) CHECK(code != 0);
    if (s_.what == event::fault && s_.during == component_step::none) CHECK(code != 0);
    const bool quiet = s_.what != event::fault && s_.what != event::hangs && !failed;
    if (quiet && s_.what != event::press) CHECK(code == 0);
    const auto told = box_.statuses();
    CHECK(std::count_if(told.begin(), told.end(), [](const auto& s) {
            return s.state == host_in_a_box::state::stopped;
          }) == (kind() == host_kind::scm ? 1 : 0));
    const auto sent = box_.datagrams();
    CHECK(std::count_if(sent.begin(), sent.end(), [](const std::string& d) {
            return d.find("STOPPING=1") != std::string::npos;
          }) <= 1);
    std::this_thread::yield();
    CHECK(record_.entries().size() == all.size());  // nothing begins after the end
  }

  void judge_order() {
    const std::size_t n = s_.shape.after.size();
    std::vector<int> starts(n), stops(n);
    std::vector<bool> up(n), busy(n);
    for (const entry& e : record_.entries()) {
      CHECK(busy[e.part] != e.begins);
      busy[e.part] = e.begins;
      if (e.begins) {
        judge_begin(e, up, busy);
        if (e.step == component_step::stop) ++stops[e.part];
      } else if (e.step == component_step::start) {
        up[e.part] = e.well;
        starts[e.part] += e.well ? 1 : 0;
      } else if (e.step == component_step::stop) {
        up[e.part] = false;
      }
    }
    CHECK(stops == starts);
    CHECK(std::count(up.begin(), up.end(), true) == 0);
    CHECK(std::count(busy.begin(), busy.end(), true) == 0);
  }

  void judge_begin(const entry& e, const std::vector<bool>& up, const std::vector<bool>& busy) {
    CHECK(up[e.part] != (e.step == component_step::start));
    if (e.step == component_step::start)
      for (const std::size_t d : s_.shape.after[e.part]) CHECK(up[d]);
    if (e.step != component_step::drain && e.step != component_step::stop) return;
    for (std::size_t b = 0; b != up.size(); ++b) {
      const auto& its = s_.shape.after[b];
      if (std::find(its.begin(), its.end(), e.part) == its.end()) continue;
      CHECK_FALSE(up[b]);
      CHECK_FALSE(busy[b]);
    }
  }

  const scenario s_;
  record record_;
  std::vector<curfew::component_link> links_;
  lifecycle* parts_ = nullptr;
  std::atomic<bool> met_{false};
  host_in_a_box box_;
};

/// All hosts, graphs and parts.
template <class Events>
int run_all(component_step during, const Events& events) {
  int trials = 0;
  for (const host h : {host::console, host::systemd, host::scm, host::preshutdown}) {
    for (const graph& g : graphs) {
      for (const event e : events) {
        for (std::size_t part = 0; part < g.after.size(); part += 2) {
          trial(scenario{h, g, during, part, e}).run();
          ++trials;
        }
      }
    }
  }
  return trials;
}

}  // namespace

TEST_CASE("whatever happens during a start each component is started and stopped in its order") {
  const int trials = run_all(component_step::start,
                             std::vector{event::nothing, event::stop, event::press, event::close,
                                         event::fault, event::fails, event::hangs});
  MESSAGE(trials << " trials");
}

TEST_CASE("whatever happens while all are up each component is stopped once in its order") {
  const int trials =
      run_all(component_step::none, std::vector{event::nothing, event::press, event::close,
                                                event::fault, event::commit, event::pause});
  MESSAGE(trials << " trials");
}

TEST_CASE("a veto leads back to up under every host and the stop that follows is whole") {
  const int trials = run_all(component_step::none, std::vector{event::veto});
  MESSAGE(trials << " trials");
}

TEST_CASE("whatever happens during a drain each component is stopped once in its order") {
  const int trials =
      run_all(component_step::drain, std::vector{event::nothing, event::stop, event::close,
                                                 event::fault, event::fails, event::hangs});
  MESSAGE(trials << " trials");
}

TEST_CASE("whatever happens during a stop each component is stopped once in its order") {
  const int trials =
      run_all(component_step::stop, std::vector{event::nothing, event::stop, event::close,
                                                event::fault, event::fails, event::hangs});
  MESSAGE(trials << " trials");
}
