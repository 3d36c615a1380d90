// SPDX-License-Identifier: BSL-1.0
//
// A file that loads whole, and loads wherever it is cut.
#include <curfew/service/chrome_trace.hpp>

#include <doctest/doctest.h>

#include <curfew/service/detail/json_reader.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "temporary_folder.hpp"

#if CURFEW_POSIX
#include <csignal>

#include <sys/resource.h>
#endif

using namespace std::chrono_literals;
using namespace curfew;
using detail::json_value;

namespace {

/// As viewers read it: the last bracket may be missing, and with it the end of the last event,
/// which is then left out. Nothing else is forgiven.
std::vector<json_value> load(std::string_view bytes) {
  json_value v;
  if (detail::read_json(bytes, v)) return v.items;
  const std::size_t last = bytes.find_last_not_of(", \n");
  if (detail::read_json(std::string(bytes.substr(0, last + 1)) + "]", v)) return v.items;
  const std::size_t comma = bytes.rfind(",\n");
  const bool loads = detail::read_json(std::string(bytes.substr(0, comma)) + "]", v);
  CHECK_MESSAGE(loads, "more than the last event is damaged");
  return v.items;
}

std::string text(const json_value& v, std::string_view name) {
  const json_value* const found = v.find(name);
  return found == nullptr ? "" : found->text;
}
std::int64_t number(const json_value& v, std::string_view name) {
  const json_value* const found = v.find(name);
  return found == nullptr ? -1 : found->number;
}

/// "B stop 7": what it is, of what name, on which track.
std::string shape(const json_value& v) {
  std::string s = text(v, "ph");
  if (!text(v, "name").empty()) s += " " + text(v, "name");
  return s + " " + std::to_string(number(v, "tid"));
}

/// What came after the names of tracks.
std::vector<std::string> shapes(const std::vector<json_value>& events) {
  std::vector<std::string> all;
  for (const json_value& v : events)
    if (text(v, "ph") != "M") all.push_back(shape(v));
  return all;
}

std::vector<std::string> tracks(const std::vector<json_value>& events) {
  std::vector<std::string> names;
  for (const json_value& v : events) {
    if (text(v, "name") != "thread_name") continue;
    CHECK(number(v, "tid") == static_cast<std::int64_t>(names.size()));
    names.push_back(text(*v.find("args"), "name"));
  }
  return names;
}

time_source::time_point at(time_source::duration d) { return time_source::time_point(d); }

lifecycle_event step(event_kind k, std::string_view part, component_step s,
                     time_source::duration when, time_source::duration elapsed = {}) {
  return {.kind = k, .at = at(when), .part = part, .step = s, .elapsed = elapsed};
}

std::vector<lifecycle_event> whole_run() {
  using k = event_kind;
  using s = component_step;
  return {
      {.kind = k::run_began, .at = at(1s)},
      step(k::step_began, "db-pool", s::start, 1s),
      step(k::step_ended, "db-pool", s::start, 1500ms, 500ms),
      {.kind = k::ready, .at = at(1500ms)},
      {.kind = k::stopping, .at = at(9s), .limit = 5s, .reason = {stop_cause::signal, 15, 7, 0}},
      step(k::step_began, "db-pool", s::stop, 9s),
      {.kind = k::escalated, .at = at(10s), .text = "stop"},
      step(k::step_late, "db-pool", s::stop, 10s, 1s),
      step(k::step_began, "db-pool", s::abort, 11s),
      step(k::step_ended, "db-pool", s::stop, 12s, 3s),
      step(k::step_ended, "db-pool", s::abort, 13s, 2s),
      {.kind = k::run_ended, .at = at(13s), .elapsed = 4s, .text = "stopped, exit code 0"}};
}

std::vector<json_value> drawn(const std::vector<lifecycle_event>& events) {
  const temporary_folder folder;
  const std::string file = folder.file("trace.json");
  {
    chrome_trace trace(file, "orders");
    for (const lifecycle_event& e : events) trace.write(e);
    CHECK(trace.flush({}));
    CHECK(trace.lost() == 0);
  }
  json_value v;
  REQUIRE(detail::read_json(bytes_of(file), v));  // strictly, when it has been ended
  return v.items;
}

}  // namespace

TEST_CASE("a run is a row of slices and each component has a track of its own") {
  const auto events = drawn(whole_run());
  CHECK(tracks(events) == std::vector<std::string>{"the run", "db-pool", "db-pool (abort)"});
  CHECK(shapes(events) == std::vector<std::string>{"B starting 0", "B start 1", "E 1", "E 0",
                                                   "B running 0", "E 0", "B stopping 0", "B stop 1",
                                                   "i escalated 0", "i step late 1", "B abort 2",
                                                   "E 1", "E 2", "E 0"});
  CHECK(text(events[0], "name") == "process_name");
  CHECK(text(*events[0].find("args"), "name") == "orders");
}

TEST_CASE("times are microseconds and what an event says stands beside it") {
  const auto events = drawn(whole_run());
  const auto find = [&](std::string_view wanted) {
    for (const json_value& v : events)
      if (shape(v) == wanted) return v;
    FAIL_CHECK(wanted);
    return json_value();
  };
  const json_value stopping = find("B stopping 0");
  CHECK(number(stopping, "ts") == 9'000'000);
  CHECK(number(stopping, "pid") == static_cast<std::int64_t>(detail::process_id()));
  const json_value* const args = stopping.find("args");
  REQUIRE(args != nullptr);
  CHECK(text(*args->find("reason"), "text") == "signal SIGTERM from pid 7 (uid 0)");
  CHECK(number(*args, "limit_us") == 5'000'000);
  CHECK(text(find("i step late 1"), "s") == "t");
  CHECK(text(find("i escalated 0"), "s") == "p");
  CHECK(text(*find("i escalated 0").find("args"), "text") == "stop");
}

TEST_CASE("slices of one track do not overlap and each that ends has begun") {
  std::vector<int> open(8, 0);
  std::vector<std::int64_t> last(8, 0);
  for (const json_value& v : drawn(whole_run())) {
    const auto t = static_cast<std::size_t>(number(v, "tid"));
    if (text(v, "ph") == "M") continue;
    CHECK(number(v, "ts") >= last[t]);
    last[t] = number(v, "ts");
    if (text(v, "ph") == "B") CHECK(++open[t] == 1);
    if (text(v, "ph") == "E") CHECK(--open[t] == 0);
  }
  for (const int count : open) CHECK(count == 0);
}

TEST_CASE("a step without a beginning is drawn as a whole and one that is given up ends there") {
  using k = event_kind;
  using s = component_step;
  const auto events = drawn({step(k::step_ended, "cache", s::stop, 5s, 2s),
                             step(k::step_began, "cache", s::drain, 6s),
                             step(k::abandoned, "cache", s::drain, 7s, 1s),
                             step(k::step_ended, "cache", s::drain, 8s, 2s),
                             {.kind = k::run_ended, .at = at(9s)}});
  CHECK(shapes(events) ==
        std::vector<std::string>{"X stop 1", "B drain 1", "E 1", "i abandoned 1", "X drain 1"});
  for (const json_value& v : events) {
    if (shape(v) != "X stop 1") continue;
    CHECK(number(v, "ts") == 3'000'000);
    CHECK(number(v, "dur") == 2'000'000);
  }
}

TEST_CASE("every kind of event leaves a file that loads whatever its texts are made of") {
  std::vector<lifecycle_event> events;
  for (int k = 0; k <= static_cast<int>(event_kind::control); ++k) {
    for (const std::string_view t : {"", "\"\\\n\t", "\xff\xfe", "\xe2\x80\xa8"}) {
      events.push_back({.kind = static_cast<event_kind>(k),
                        .part = t,
                        .step = component_step::stop,
                        .place = {"a\\b.cpp", 3},
                        .text = t,
                        .verb = t});
    }
  }
  CHECK(drawn(events).size() > events.size());
}

TEST_CASE("the file loads wherever it is cut and loses no more than the last event") {
  const temporary_folder folder;
  const std::string file = folder.file("trace.json");
  {
    chrome_trace trace(file, "orders");
    for (const lifecycle_event& e : whole_run()) trace.write(e);
  }
  const std::string bytes = bytes_of(file);
  std::size_t whole = 0;  // events that are whole before the cut
  for (std::size_t cut = 2; cut <= bytes.size(); ++cut) {
    const std::string_view left = std::string_view(bytes).substr(0, cut);
    if (left.ends_with("}") && (cut == bytes.size() || bytes[cut] == ',' || bytes[cut] == '\n'))
      if (bytes.compare(cut, 2, ",\n") == 0 || bytes.compare(cut, 2, "\n]") == 0) ++whole;
    if (whole == 0) continue;
    CAPTURE(cut);
    CHECK(load(left).size() == whole);
  }
  CHECK(whole > 20);
}

TEST_CASE("before it is ended the file on the disk ends with a whole event at any time") {
  const temporary_folder folder;
  const std::string file = folder.file("trace.json");
  chrome_trace trace(file);
  for (const lifecycle_event& e : whole_run()) {
    trace.write(e);
    json_value v;
    CHECK(detail::read_json(bytes_of(file) + "]", v));
  }
}

TEST_CASE("the check that a file loads does not forgive damage inside of it") {
  CHECK(load("[\n{\"a\":1},\n{\"b\":2}\n]\n").size() == 2);
  CHECK(load("[\n{\"a\":1},\n{\"b\":2}").size() == 2);
  CHECK(load("[\n{\"a\":1},\n{\"b\"").size() == 1);
  json_value v;
  CHECK_FALSE(detail::read_json("[\n{\"a\":1},\n]", v));
}

TEST_CASE("a file that was there is replaced") {
  const temporary_folder folder;
  const std::string file = folder.file("trace.json");
  put_bytes(file, std::string(5000, 'x'));
  { chrome_trace trace(file); }
  CHECK(load(bytes_of(file)).size() == 2);
}

TEST_CASE("a place where no file can be is an error and all is counted as lost") {
  const temporary_folder folder;
  for (const std::string& path : {folder.file(""), folder.file("none/trace"), std::string()}) {
    std::error_code ec;
    chrome_trace trace(path, ec, "orders");
    CHECK(ec);
    CHECK(trace.lost() == 0);
    trace.write({.kind = event_kind::fault});
    CHECK(trace.lost() != 0);
    CHECK_FALSE(trace.flush({}));
  }
#if CURFEW_EXCEPTIONS
  CHECK_THROWS_AS(chrome_trace(folder.file("none/trace")), std::system_error);
#endif
}

#if CURFEW_POSIX
TEST_CASE("an event that the disk took in part is completed when there is room again") {
  const temporary_folder folder;
  const std::string file = folder.file("trace.json");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  {
    chrome_trace trace(file);
    trace.write({.kind = event_kind::run_began});
    rlimit tight = before;
    tight.rlim_cur = bytes_of(file).size() + 10;
    setrlimit(RLIMIT_FSIZE, &tight);
    trace.write({.kind = event_kind::escalated});  // ten bytes of it
    CHECK_FALSE(trace.flush({}));
    trace.write({.kind = event_kind::fault});  // none
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK(trace.lost() == 1);
    trace.write({.kind = event_kind::lost});
  }
  const auto left = shapes(load(bytes_of(file)));
  CHECK(left == std::vector<std::string>{"B starting 0", "i escalated 0", "i lost 0"});
}
#endif

#if CURFEW_LINUX
TEST_CASE("a disk that is full from the beginning is told") {
  std::error_code ec;
  chrome_trace trace("/dev/full", ec, "orders");
  REQUIRE_FALSE(ec);
  trace.write({.kind = event_kind::fault});
  CHECK(trace.lost() != 0);
  CHECK_FALSE(trace.flush({}));
}
#endif
