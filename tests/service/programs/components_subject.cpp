// SPDX-License-Identifier: BSL-1.0
//
// components_subject FILE WHAT STEP: a program of three components that records into FILE. The one
// in the middle, db-pool, does WHAT in its function for STEP: "waits" for somebody to kill it,
// "hangs", "throws", calls "exit", or asks for a stop "itself". Each component says what it does.
#include <curfew/service/components.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;
using namespace curfew;

namespace {

void say(const std::string& text) {
  std::puts(text.c_str());
  std::fflush(stdout);
}

[[noreturn]] void sleep_for_ever() {
  for (;;) std::this_thread::sleep_for(1h);
}

/// Says so when it has been kept that all are up, or that a stop has begun.
class witness final : public event_sink {
 public:
  void write(const lifecycle_event& e) noexcept override {
    if (e.kind == event_kind::ready) say("ready");
    if (e.kind == event_kind::stopping) say("told");
  }
};

class subject {
 public:
  subject(const char* file, std::string_view what, std::string_view step)
      : file_(file), what_(what), step_(step) {}

  int operator()(service& self) {
    lifecycle parts;
    parts.add("log", {.start = [] { say("log starts"); }, .stop = [] { say("log stops"); }});
    parts.add("db-pool", pool(self));
    parts.add("web", {.after = {"db-pool"},
                      .start = [] { say("web starts"); },
                      .stop = [] { say("web stops"); }});
    static witness all;  // it is told until the run has ended, which is after this
    std::thread preparer([&] { prepare(self, parts); });
    const auto lame_duck = step_ == "lame" ? 1h : 0h;
    const int code =
        run_components(self, parts, {.lame_duck = lame_duck, .recording = file_, .sinks = {&all}});
    preparer.join();
    return code;
  }

  [[nodiscard]] bool waits() const { return what_ == "waits"; }

 private:
  component pool(service& self) {
    component c;
    c.after = {"log"};
    const auto act = [this, &self](const step& s) { reach(to_string(s.what()), self); };
    c.start = c.drain = c.resume = act;
    c.stop = [this, act](const step& s) {
      act(s);
      if (step_ == "abort") sleep_for_ever();
    };
    c.abort = act;
    c.prepare = [act](const step& s) {
      act(s);
      return prepare_answer::ready();
    };
    c.start_timeout = c.drain_timeout = c.stop_timeout = 1s;
    c.abort_timeout = 300ms;
    c.prepare_timeout = 1h;
    if (what_ == "waits") c.start_timeout = c.drain_timeout = c.stop_timeout = c.abort_timeout = 1h;
    if (what_ == "waits" && step_ == "abort") c.stop_timeout = 300ms;
    return c;
  }

  void reach(std::string_view step, service& self) const {
    say("db-pool " + std::string(step) + "s");
    if (step != step_) return;
    if (what_ == "waits") say("inside");
    if (what_ == "waits" || what_ == "hangs") sleep_for_ever();
    if (what_ == "exit") std::exit(7);
    if (what_ == "itself") self.request_stop();
#if CURFEW_EXCEPTIONS
    if (what_ == "throws") throw std::runtime_error("the pool is dry");
#endif
  }

  /// Somebody considers a stop as soon as all are up.
  void prepare(service& self, lifecycle& parts) const {
    while (step_ == "prepare" && !self.token().stop_requested()) {
      if (parts.prepare()) return;
      std::this_thread::sleep_for(1ms);
    }
  }

  std::string file_;
  std::string_view what_;
  std::string_view step_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  subject main(argv[1], argv[2], argv[3]);
  const auto called = [&](service& self) { return main(self); };
  const auto time = main.waits() ? std::chrono::seconds(1h) : 6s;
  return run({.name = "subject", .start_timeout = 1h, .stop_timeout = time}, 1, argv, called);
}
