// SPDX-License-Identifier: BSL-1.0
//
// recorder_subject FILE PHASE [die]: says how the last run ended, records a run into FILE, and
// hangs in a phase of it; it prints "inside" as soon as somebody may kill it, or ends itself there
// and then, on Windows by TerminateProcess. PHASE none: a whole run;
// busy: one that writes all the time.
#include <curfew/service/flight_recorder.hpp>
#include <curfew/service/lifecycle.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

using namespace std::chrono_literals;
using namespace curfew;

namespace {

void say(const std::string& text) {
  std::puts(text.c_str());
  std::fflush(stdout);
}

class subject {
 public:
  subject(const char* file, std::string_view phase, bool dies)
      : phase_(phase), dies_(dies), recorder_(file, ec_) {}

  int run() {
    if (ec_) return say(ec_ == std::errc::device_or_resource_busy ? "busy" : "error"), 3;
    say("before: " + how_the_last_run_ended(recorder_.earlier()));
    if (phase_ == "busy") write_for_ever();
    lifecycle parts;
    parts.observe(recorder_);
    parts.add("log", {.start = [] {}, .stop = [] {}});
    parts.add("db-pool", pool());
    if (!parts.start()) return 4;
    recorder_.write(event(event_kind::ready));
    reach("running");
    if (!parts.prepare()) return 5;
    lifecycle_event stopping = event(event_kind::stopping);
    stopping.reason = {stop_cause::console, 2};
    recorder_.write(stopping);
    reach("between");
    if (!parts.stop(100s).ok()) return 6;
    lifecycle_event ended = event(event_kind::run_ended);
    ended.text = "stopped: console close, exit code 0";
    recorder_.write(ended);
    return 0;
  }

 private:
  /// It is killed in the middle of a record, sooner or later.
  [[noreturn]] void write_for_ever() {
    for (std::uint64_t i = 0;; ++i) {
      if (i == 1000) say("inside");
      lifecycle_event e = event(i % 2 == 0 ? event_kind::step_began : event_kind::step_ended);
      e.part = "db-pool";
      e.step = component_step::stop;
      e.text = i % 4 < 2 ? "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" : "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
      recorder_.write(e);
    }
  }

  static lifecycle_event event(event_kind kind) {
    return {
        .kind = kind, .wall = std::chrono::system_clock::now(), .at = time_source::process().now()};
  }

  component pool() {
    component c;
    c.after = {"log"};
    c.start = [this] { reach("start"); };
    c.prepare = [this] {
      reach("prepare");
      return prepare_answer::ready();
    };
    c.drain = [this] { reach("drain"); };
    c.stop = [this](step& s) {
      reach("stop");
      if (phase_ == "abort") s.token().wait();
      while (phase_ == "abort") std::this_thread::sleep_for(1s);
    };
    if (phase_ == "abort") c.abort = [this] { reach("abort"); };
    c.stop_timeout = phase_ == "abort" ? 100ms : 60s;
    c.start_timeout = c.drain_timeout = c.prepare_timeout = c.abort_timeout = 60s;
    return c;
  }

  /// Alive for at least two tenths of a second, as the recorder knows, and then for ever.
  void reach(std::string_view phase) {
    for (int tick = 0; phase == phase_; ++tick) {
      std::this_thread::sleep_for(50ms);
      recorder_.touch();
      if (tick != 6) continue;
      say("inside");
      if (dies_) detail::end_process(9);
    }
  }

  std::string_view phase_;
  bool dies_;
  std::error_code ec_;
  flight_recorder recorder_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  return subject(argv[1], argv[2], argc > 3).run();
}
