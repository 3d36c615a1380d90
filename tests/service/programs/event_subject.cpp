// SPDX-License-Identifier: BSL-1.0
//
// Has events written to files and logs, for a driver that runs several of it, kills it, and reads
// what is left.
//
//   audit FILE NAME COUNT never|at_flush|each_line   as many lines, once stdin says so
//   trace FILE        says "inside" when some events are there, and writes until it is killed
//   log NAME          one event of each kind to the system's log
//   run AUDIT TRACE NAME   a program of two components, until it is asked to stop
#include <curfew/config.hpp>
#include <curfew/service/audit_log.hpp>
#include <curfew/service/chrome_trace.hpp>
#include <curfew/service/components.hpp>
#include <curfew/service/event_stream.hpp>
#include <curfew/service/system_log.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

using namespace curfew;

namespace {

int audit(const std::string& file, const std::string& name, int count, std::string_view sync) {
  const audit_sync how = sync == "never"      ? audit_sync::never
                         : sync == "at_flush" ? audit_sync::at_flush
                                              : audit_sync::each_line;
  std::error_code ec;
  audit_log log(file, ec, {.service = name, .sync = how});
  std::puts(ec ? "error" : "open");
  std::fflush(stdout);
  if (std::getchar() == EOF) return 2;
  for (int i = 0; i != count; ++i) {
    const std::string number = std::to_string(i);
    const std::string text(static_cast<std::size_t>(i % 97) * 20, 'x');
    log.write({.kind = event_kind::control, .text = text, .verb = "stop", .change = number});
  }
  const bool kept = log.flush({});
  std::printf("lost %lu\n", static_cast<unsigned long>(log.lost()));
  return kept ? 0 : 1;
}

int trace(const std::string& file) {
  chrome_trace log(file, "subject");
  event_stream stream;
  stream.add(log);
  std::error_code ec;
  stream.start(ec);
  if (ec) return 1;
  for (long i = 0;; ++i) {
    const auto now = time_source::process().now();
    const bool begins = i % 2 == 0;
    stream.write({.kind = begins ? event_kind::step_began : event_kind::step_ended,
                  .at = now,
                  .part = i % 4 < 2 ? "database" : "listener",
                  .step = component_step::stop,
                  .text = "some words about it"});
    if (i % 100 == 99) static_cast<void>(stream.flush({}));
    if (i == 99) std::puts("inside");
    if (i == 99) std::fflush(stdout);
  }
}

int log(const std::string& name) {
  system_log log(name, severity::debug);
  for (int k = 0; k <= static_cast<int>(event_kind::control); ++k) {
    log.write({.kind = static_cast<event_kind>(k),
               .part = "db-pool",
               .step = component_step::drain,
               .outcome = step_outcome::late,
               .reason = {stop_cause::signal, 15, 4711, 1000},
               .place = {"src/db.cpp", 42},
               .text = "two\nlines",
               .verb = "stop"});
  }
  std::puts(log.is_open() ? "open" : "none");
  return log.flush({}) ? 0 : 1;
}

int run(const std::string& audit_file, const std::string& trace_file, const std::string& name) {
  std::error_code audit_error, trace_error;
  audit_log audit(audit_file, audit_error, {.service = name, .all_events = true});
  chrome_trace trace(trace_file, trace_error, name);
  system_log system(name);
  char program[] = "subject";
  char* words[] = {program, nullptr};
  const auto declare = [](lifecycle& parts) {
    parts.add("database", {.start = [] {}, .stop = [] {}});
    parts.add("listener", {.after = {"database"},
                           .start =
                               [] {
                                 std::puts("up");
                                 std::fflush(stdout);
                               },
                           .stop = [] {}});
  };
  return curfew::run({.name = name}, 1, words,
                     components(declare, {.sinks = {&audit, &trace, &system}}));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 2 ? argv[1] : "";
  if (mode == "audit" && argc == 6) return audit(argv[2], argv[3], std::atoi(argv[4]), argv[5]);
  if (mode == "trace") return trace(argv[2]);
  if (mode == "log") return log(argv[2]);
  if (mode == "run" && argc == 5) return run(argv[2], argv[3], argv[4]);
  return 64;
}
