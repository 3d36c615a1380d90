// SPDX-License-Identifier: BSL-1.0
//
// What is written is read by the next recorder, and whatever stands in the place of the file harms
// no start.
#include <curfew/service/flight_recorder.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#if CURFEW_POSIX
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

using namespace std::chrono_literals;
using namespace curfew;
namespace fs = std::filesystem;

namespace {

/// A folder of its own for each test.
struct place {
  place() : folder(fs::temp_directory_path() / ("curfew-recorder-" + unique())) {
    fs::create_directories(folder);
    file = (folder / "subject.flight").string();
  }
  ~place() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  static std::string unique() {
    static int count = 0;
    return std::to_string(detail::process_id()) + "-" + std::to_string(++count);
  }

  void put(std::string_view bytes) const {
    std::ofstream(file, std::ios::binary).write(bytes.data(), std::ssize(bytes));
  }
  [[nodiscard]] std::string get() const {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] flight_recording read() const {
    std::error_code ec;
    flight_recording r = read_flight_recording(file, ec);
    CHECK_FALSE(ec);
    return r;
  }

  fs::path folder;
  std::string file;
};

lifecycle_event step_event(event_kind kind, std::string_view part, component_step step,
                           const time_source& clock, time_source::duration elapsed = {}) {
  return {
      .kind = kind, .at = clock.now(), .part = part, .step = step, .elapsed = elapsed, .limit = 5s};
}

/// A run that is dropped without its destructor having a say: the bytes as they were before.
template <class Body>
void killed_run(const place& p, manual_clock& clock, Body body) {
  std::string bytes;
  {
    std::error_code ec;
    flight_recorder recorder(p.file, ec, {.clock = &clock});
    REQUIRE_FALSE(ec);
    body(recorder);
    bytes = p.get();
  }
  p.put(bytes);
}

void stop_that_hangs(flight_recorder& r, manual_clock& clock) {
  r.write({.kind = event_kind::ready, .at = clock.now()});
  r.write({.kind = event_kind::stopping, .at = clock.now(), .reason = {stop_cause::console, 2}});
  r.write(step_event(event_kind::step_began, "db-pool", component_step::stop, clock));
  clock.advance(4900ms);
  r.touch();
}

std::error_code error_of(const std::string& file) {
  std::error_code ec;
  flight_recorder recorder(file, ec);
  CHECK(recorder.is_recording() == !ec);
  recorder.write({.text = "nobody hears this"});
  recorder.touch();
  return ec;
}

}  // namespace

TEST_CASE("the next run says how the last one ended that was killed inside a stop") {
  const place p;
  manual_clock clock;
  killed_run(p, clock, [&](flight_recorder& r) { stop_that_hangs(r, clock); });
  std::error_code ec;
  const flight_recorder next(p.file, ec, {.clock = &clock});
  REQUIRE(next.is_recording());
  REQUIRE(next.earlier().runs.size() == 1);
  CHECK(how_it_ended(next.earlier().runs[0]) ==
        "did not end: inside stop of db-pool, 4.9 s of 5 s used, reason console close");
  CHECK(next.earlier().runs[0].pid == detail::process_id());
}

TEST_CASE("a run that ends in order says with what outcome") {
  const place p;
  std::error_code ec;
  {
    flight_recorder r(p.file, ec);
    r.write({.kind = event_kind::run_ended, .text = "stopped: signal SIGTERM, exit code 0"});
  }
  CHECK(how_it_ended(p.read().runs[0]) == "ended: stopped: signal SIGTERM, exit code 0");
}

TEST_CASE("a recorder that is destroyed in order has seen the end of its run") {
  const place p;
  std::error_code ec;
  { const flight_recorder r(p.file, ec); }
  CHECK(how_it_ended(p.read().runs[0]) == "ended");
}

TEST_CASE("a run that is killed between its steps ended without a word") {
  const place p;
  manual_clock clock;
  killed_run(p, clock, [](flight_recorder&) {});
  killed_run(p, clock, [&](flight_recorder& r) {
    r.write({.kind = event_kind::ready, .at = clock.now()});
    clock.advance(90s);
    r.touch();
  });
  const flight_recording got = p.read();
  REQUIRE(got.runs.size() == 2);
  CHECK(how_it_ended(got.runs[0]) == "ended without a word while starting");
  CHECK(how_it_ended(got.runs[1]) == "ended without a word while running");
  CHECK(got.runs[1].lasted == 90s);
}

TEST_CASE("what is said again and again does not drive out what matters") {
  const place p;
  manual_clock clock;
  std::error_code ec;
  flight_recorder r(p.file, ec, {.size = 16 * 1024, .clock = &clock});
  r.write(step_event(event_kind::step_began, "db-pool", component_step::stop, clock));
  for (int i = 0; i != 100000; ++i) {
    r.write({.kind = event_kind::progress, .at = clock.now(), .part = "db-pool", .text = "busy"});
  }
  REQUIRE(p.read().runs[0].steps.size() == 1);
  CHECK(p.read().runs[0].steps[0].text == "busy");
  CHECK(p.get().size() == 16 * 1024);
}

TEST_CASE("the measured steps of eight runs of twenty components are kept") {
  const place p;
  manual_clock clock;
  for (int run = 1; run <= 8; ++run) {
    std::error_code ec;
    flight_recorder r(p.file, ec, {.clock = &clock});
    for (const component_step step :
         {component_step::start, component_step::drain, component_step::stop}) {
      for (int part = 0; part != 20; ++part) {
        const std::string name = "part " + std::to_string(part);
        r.write(step_event(event_kind::step_began, name, step, clock));
        r.write(step_event(event_kind::step_ended, name, step, clock, run * 10ms));
      }
    }
  }
  const auto measured = measured_steps(p.read());
  REQUIRE(measured.size() == 60);
  for (const measured_step& m : measured) {
    CHECK(m.count == 8);
    CHECK(m.longest == 80ms);
  }
}

TEST_CASE("a ring that has gone round keeps the newest") {
  const place p;
  manual_clock clock;
  for (int run = 0; run != 40; ++run) {
    std::error_code ec;
    flight_recorder r(p.file, ec, {.size = 16 * 1024, .clock = &clock});
    for (int i = 0; i != 50; ++i) {
      const std::string name = "part " + std::to_string(i);
      r.write(step_event(event_kind::step_ended, name, component_step::stop, clock, 1ms));
    }
  }
  const flight_recording got = p.read();
  CHECK(got.runs.back().number == 40);
  REQUIRE(got.runs.back().steps.size() == 50);
  CHECK(got.runs.back().steps[49].part == "part 49");
  CHECK(got.runs.size() <= 16);
}

TEST_CASE("texts that are too long or not to be printed are cut and cleaned") {
  const place p;
  std::error_code ec;
  flight_recorder r(p.file, ec);
  const std::string name(47, 'n');
  const std::string wide = name + "\xc3\xa4\xc3\xa4";
  r.write({.kind = event_kind::fault, .part = wide, .text = std::string(1000, 't')});
  r.write({.kind = event_kind::fault, .part = "a\nb", .text = "\x1b[31m\xff"});
  const auto notes = p.read().runs[0].notes;
  REQUIRE(notes.size() == 2);
  CHECK(notes[0].part == name);
  CHECK(notes[0].text == std::string(86 - 47, 't'));
  CHECK(notes[1].part == "a b");
  CHECK(notes[1].text == " [31m ");
}

TEST_CASE("somebody who reads sees that the run is still going on") {
  const place p;
  std::error_code ec;
  flight_recorder r(p.file, ec);
  const flight_recording got = p.read();
  CHECK(got.live);
  CHECK(how_the_last_run_ended(got).find("is still going on") != std::string::npos);
}

TEST_CASE("a second recorder goes without and leaves the first one alone") {
  const place p;
  std::error_code ec;
  flight_recorder first(p.file, ec);
  CHECK(error_of(p.file) == std::errc::device_or_resource_busy);
  first.write({.kind = event_kind::ready});
  CHECK(p.read().runs[0].ready);
  CHECK(p.read().runs.size() == 1);
}

TEST_CASE("a recorder made of nothing records nothing") {
  flight_recorder r;
  r.write({});
  r.touch();
  CHECK_FALSE(r.is_recording());
}

TEST_CASE("what no recorder has made is left as it is") {
  const place p;
  p.put("precious");
  CHECK(error_of(p.file) == std::errc::file_exists);
  CHECK(p.get() == "precious");
}

TEST_CASE("a folder in place of the file and a folder that is missing are errors") {
  const place p;
  CHECK(error_of(p.folder.string()));
  CHECK(error_of((p.folder / "gone" / "file").string()));
  CHECK(error_of(""));
}

TEST_CASE("an empty file is taken") {
  const place p;
  p.put("");
  CHECK_FALSE(error_of(p.file));
  CHECK(p.read().runs.size() == 1);
}

TEST_CASE("a recording that was cut short or claims another size is made anew") {
  const place p;
  manual_clock clock;
  killed_run(p, clock, [&](flight_recorder& r) { stop_that_hangs(r, clock); });
  const std::string whole = p.get();
  for (const std::size_t size : {8u, 24u, 1500u, 4096u, 40000u}) {
    p.put(whole.substr(0, size));
    CHECK_FALSE(error_of(p.file));
    CHECK(p.get().size() == 256 * 1024);
  }
  p.put(whole + std::string(100, 'x'));
  CHECK_FALSE(error_of(p.file));
  CHECK(p.get().size() == 256 * 1024);
  std::string claims = whole;
  claims[16] = claims[17] = claims[18] = claims[19] = '\x7f';
  p.put(claims);
  CHECK_FALSE(error_of(p.file));
}

TEST_CASE("a recording of another version is made anew and told apart by those who read it") {
  const place p;
  CHECK_FALSE(error_of(p.file));
  std::string bytes = p.get();
  bytes[8] = 99;
  p.put(bytes);
  std::error_code ec;
  CHECK(read_flight_recording(p.file, ec).runs.empty());
  CHECK(ec == std::errc::not_supported);
  CHECK_FALSE(error_of(p.file));
  CHECK(p.read().runs.size() == 1);
}

TEST_CASE("others may say that the run is alive while it writes") {
  const place p;
  std::error_code ec;
  flight_recorder r(p.file, ec);
  std::atomic<bool> done{false};
  std::thread others[2];
  for (std::thread& t : others) {
    t = std::thread([&] {
      while (!done.load()) r.touch();
    });
  }
  for (int i = 0; i != 2000; ++i) r.write({.kind = event_kind::progress, .text = "busy"});
  done.store(true);
  for (std::thread& t : others) t.join();
  CHECK(p.read().runs[0].notes.size() == 201);
}

#if CURFEW_POSIX

TEST_CASE("the file belongs to its owner alone even if it did not before") {
  const place p;
  CHECK_FALSE(error_of(p.file));
  ::chmod(p.file.c_str(), 0666);
  CHECK_FALSE(error_of(p.file));
  CHECK(fs::status(p.file).permissions() == fs::perms(0600));
}

TEST_CASE("neither a link nor a pipe nor a device is recorded into") {
  const place p;
  const std::string target = (p.folder / "target").string();
  fs::create_symlink(target, p.file);
  CHECK(error_of(p.file) == std::errc::invalid_argument);
  CHECK_FALSE(fs::exists(target));
  const std::string pipe = (p.folder / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(error_of(pipe) == std::errc::invalid_argument);
  CHECK(error_of("/dev/null") == std::errc::invalid_argument);
  CHECK(error_of(p.folder.string()) == std::errc::is_a_directory);
}

TEST_CASE("a file that is cut short under a recorder ends the recording and nothing else") {
  const place p;
  std::error_code ec;
  flight_recorder r(p.file, ec);
  fs::resize_file(p.file, 0);
  r.touch();
  r.write({.kind = event_kind::ready});
  CHECK_FALSE(r.is_recording());
}

TEST_CASE("the holes of a file are filled before it is mapped") {
  const place p;
  CHECK_FALSE(error_of(p.file));
  p.put(p.get().substr(0, detail::recorder_slots_at));
  fs::resize_file(p.file, 256 * 1024);
  CHECK_FALSE(error_of(p.file));
  CHECK(p.read().runs.size() == 2);  // it went on, and nothing has written to the holes
  struct stat s = {};
  REQUIRE(::stat(p.file.c_str(), &s) == 0);
  CHECK(s.st_blocks * 512 >= 256 * 1024);
}

TEST_CASE("a file that may only be read is read and not recorded into") {
  if (::geteuid() == 0) return;  // who may write all
  const place p;
  CHECK_FALSE(error_of(p.file));
  fs::permissions(p.file, fs::perms(0400));
  std::error_code ec;
  const flight_recorder r(p.file, ec);
  CHECK(ec == std::errc::permission_denied);
  CHECK_FALSE(r.is_recording());
  CHECK(r.earlier().runs.size() == 1);
  fs::permissions(p.folder, fs::perms(0500));
  CHECK(error_of((p.folder / "other").string()) == std::errc::permission_denied);
  fs::permissions(p.folder, fs::perms(0700));
}

TEST_CASE("under systemd the file is kept in the state directory or else in the runtime one") {
  ::unsetenv("STATE_DIRECTORY");
  ::unsetenv("RUNTIME_DIRECTORY");
  CHECK(default_flight_path("orders").empty());
  ::setenv("RUNTIME_DIRECTORY", "/run/orders", 1);
  CHECK(default_flight_path("orders") == "/run/orders/orders.flight");
  ::setenv("STATE_DIRECTORY", "/var/lib/orders:/var/lib/more", 1);
  CHECK(default_flight_path("orders") == "/var/lib/orders/orders.flight");
  ::setenv("STATE_DIRECTORY", "here", 1);
  CHECK(default_flight_path("orders") == "/run/orders/orders.flight");
}

#endif
