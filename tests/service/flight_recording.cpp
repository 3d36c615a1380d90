// SPDX-License-Identifier: BSL-1.0
//
// Recordings as text, and recordings that something has damaged: thousands of them, none of which
// may do more than say less.
#include <curfew/service/flight_recorder.hpp>
#include <curfew/service/flight_recording.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <system_error>

using namespace std::chrono_literals;
using namespace curfew;

namespace {

flight_run a_run() {
  return {.number = 7,
          .pid = 4711,
          .began = std::chrono::system_clock::time_point(1700000000s),
          .lasted = 5s,
          .ready = true};
}

flight_step open_stop(std::string part) {
  return {.part = std::move(part), .step = component_step::stop, .elapsed = 4950ms, .limit = 5s};
}

std::string temporary_file() {
  const std::string name = "curfew-recording-" + std::to_string(detail::process_id());
  return (std::filesystem::temp_directory_path() / name).string();
}

/// A small file of two runs, the second of which was killed inside a stop.
std::string valid_bytes() {
  const std::string file = temporary_file();
  std::string bytes;
  manual_clock clock;
  for (int run = 0; run != 2; ++run) {
    std::error_code ec;
    flight_recorder r(file, ec, {.size = 16 * 1024, .clock = &clock});
    for (const char* part : {"db-pool", "listener"}) {
      for (const component_step step : {component_step::start, component_step::stop}) {
        lifecycle_event e{.kind = event_kind::step_began, .at = clock.now(), .part = part};
        e.step = step;
        r.write(e);
        clock.advance(20ms);
        e.kind = event_kind::step_ended;
        e.at = clock.now();
        e.elapsed = 20ms;
        e.text = "what it said";
        if (run == 0 || step == component_step::start) r.write(e);
      }
    }
    r.write({.kind = event_kind::control, .at = clock.now(), .verb = "stop", .allowed = true});
    std::ifstream in(file, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::filesystem::remove(file);
  return bytes;
}

void read_all_of(std::string_view bytes) {
  if (detail::check_recorder_file(bytes)) return;
  const flight_recording r = detail::assemble(detail::read_history(bytes));
  static_cast<void>(tell(r));
  static_cast<void>(to_json(r));
  static_cast<void>(measured_steps(r));
}

/// A record that is whole and claims whatever it likes.
void forge(std::string& bytes, std::mt19937& random) {
  const std::size_t slots = detail::recorder_rings::of(bytes.size()).whole;
  const std::size_t at = detail::recorder_rings::offset(random() % slots);
  detail::recorder_slot s;
  std::memcpy(static_cast<void*>(&s), bytes.data() + at, sizeof s);
  auto* const raw = reinterpret_cast<unsigned char*>(&s);
  for (int i = 0; i != 12; ++i) {
    raw[random() % sizeof s] = random() % 2 != 0 ? static_cast<unsigned char>(random()) : 0xff;
  }
  if (random() % 2 != 0) s.at = (std::numeric_limits<std::int64_t>::min)();
  if (random() % 2 != 0) s.elapsed = (std::numeric_limits<std::int64_t>::max)();
  if (random() % 2 != 0) s.part_size = 7, s.text_size = 5;
  s.run = s.run % 5 + 1;
  s.number &= 0xffff;
  s.checksum = detail::checksum_of(s);
  std::memcpy(bytes.data() + at, &s, sizeof s);
}

}  // namespace

TEST_CASE("how a run ended is one line") {
  flight_run run = a_run();
  CHECK(how_it_ended(run) == "ended without a word while running");
  run.stopping = true;
  run.reason = {stop_cause::console, 2};
  CHECK(how_it_ended(run) == "did not end: while stopping, reason console close");
  run.steps.push_back(open_stop("db-pool"));
  run.steps.push_back(open_stop("listener"));
  run.steps[1].limit = (time_source::duration::max)();
  run.steps[1].text = "3 left";
  run.steps[1].abandoned = true;
  CHECK(how_it_ended(run) ==
        "did not end: inside stop of db-pool, 4.9 s of 5 s used, inside stop of listener, 4.9 s "
        "used, abandoned (3 left), reason console close");
  run.ended = true;
  run.steps.pop_back();
  run.outcome = "forced to end: console close";
  CHECK(how_it_ended(run) ==
        "ended: forced to end: console close, inside stop of db-pool, 4.9 s of 5 s used");
}

TEST_CASE("of many open steps the first ones are named and the others counted") {
  flight_run run = a_run();
  for (int i = 0; i != 10; ++i) run.steps.push_back(open_stop("part " + std::to_string(i)));
  const std::string text = how_it_ended(run);
  CHECK(text.find("part 3") != text.npos);
  CHECK(text.find("part 4") == text.npos);
  CHECK(text.ends_with(", and 6 more"));
}

TEST_CASE("a recording is told with a line for each run and one for each step of the last") {
  flight_recording r{.version = 1, .runs = {a_run(), a_run()}};
  r.runs[0].ended = true;
  r.runs[0].outcome = "finished";
  r.runs[1].steps.push_back(open_stop("db-pool"));
  r.runs[1].notes.push_back({event_kind::fault, 40ms, "listener", "the port is gone"});
  CHECK(tell(r) ==
        "a run (pid 4711, began 2023-11-14 22:13:20 UTC) ended: finished\n"
        "the last run (pid 4711, began 2023-11-14 22:13:20 UTC) did not end: inside stop of "
        "db-pool, 4.9 s of 5 s used\n"
        "  stop of db-pool: open, 4.9 s of 5 s\n"
        "  after 40 ms: fault, listener: the port is gone\n");
  CHECK(tell({}).empty());
  CHECK(how_the_last_run_ended({}).empty());
}

TEST_CASE("a recording as JSON") {
  flight_recording r{.version = 1, .live = true, .runs = {a_run()}};
  r.runs[0].steps.push_back(open_stop("db-pool"));
  r.runs[0].notes.push_back({event_kind::ready, 40ms});
  CHECK(to_json(r) ==
        R"({"version":1,"live":true,"runs":[{"run":7,"pid":4711,"began":"2023-11-14T22:13:20Z",)"
        R"("lasted":5000000,"ready":true,"stopping":false,"reason":"none","ended":false,)"
        R"("outcome":"","steps":[{"part":"db-pool","step":"stop","began":0,"elapsed":4950000,)"
        R"("limit":5000000,"state":"open","text":""}],)"
        R"("notes":[{"kind":"ready","at":40000,"part":"","text":""}]}]})");
}

TEST_CASE("steps that did not come to their end are not measured") {
  flight_recording r{.runs = {a_run(), a_run()}};
  for (flight_run& run : r.runs) run.steps.push_back(open_stop("db-pool"));
  CHECK(measured_steps(r).empty());
  r.runs[0].steps[0].ended = true;
  REQUIRE(measured_steps(r).size() == 1);
  CHECK(measured_steps(r)[0].count == 1);
  CHECK(measured_steps(r)[0].longest == 4950ms);
}

TEST_CASE("a record that is torn anywhere is left out and the others are not") {
  const std::string whole = valid_bytes();
  const auto all = detail::read_history(whole);
  const std::size_t ring = detail::recorder_rings::of(whole.size()).talk;
  const std::size_t at = detail::recorder_rings::offset(ring + 1);
  const std::string before(sizeof(detail::recorder_slot), '\0');
  int missing = 0;
  for (std::size_t torn = 0; torn != before.size(); ++torn) {
    std::string bytes = whole;
    bytes.replace(at + torn, before.size() - torn, before, 0, before.size() - torn);
    if (bytes == whole) continue;
    ++missing;
    CHECK(detail::read_history(bytes).records.size() == all.records.size() - 1);
  }
  CHECK(missing > 80);
}

TEST_CASE("what begins late because its beginning is lost is still measured") {
  const std::string whole = valid_bytes();
  const std::size_t ring = detail::recorder_rings::of(whole.size()).talk;
  std::string bytes = whole;
  bytes[detail::recorder_rings::offset(ring) + 50] ^= 1;  // the first step's beginning
  const flight_recording r = detail::assemble(detail::read_history(bytes));
  REQUIRE(r.runs.size() == 2);
  CHECK(r.runs[0].steps.size() == 4);
  CHECK(r.runs[0].steps[0].elapsed == 20ms);
  CHECK(r.runs[0].steps[0].began == 0ms);
}

TEST_CASE("ten thousand damaged recordings are read without harm") {
  const std::string whole = valid_bytes();
  std::mt19937 random(4711);  // NOLINT: the same every time
  for (int i = 0; i != 10000; ++i) {
    std::string bytes = whole;
    const auto flips = random() % 64;
    for (unsigned n = 0; n != flips; ++n) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    read_all_of(bytes);
  }
}

TEST_CASE("records that are whole and claim anything are read without harm") {
  const std::string whole = valid_bytes();
  std::mt19937 random(4712);  // NOLINT: the same every time
  std::size_t kept = 0;
  for (int i = 0; i != 3000; ++i) {
    std::string bytes = whole;
    for (int n = 0; n != 20; ++n) forge(bytes, random);
    kept += detail::read_history(bytes).records.size();
    read_all_of(bytes);
  }
  CHECK(kept > 3000 * 20);
}

TEST_CASE("what is no file of a recorder is not read") {
  const std::string file = temporary_file();
  std::error_code ec;
  CHECK(read_flight_recording(file, ec).runs.empty());
  CHECK(ec == std::errc::no_such_file_or_directory);
  std::ofstream(file, std::ios::binary) << "something else";
  CHECK(read_flight_recording(file, ec).runs.empty());
  CHECK(ec == std::errc::invalid_argument);
  std::filesystem::remove(file);
}
