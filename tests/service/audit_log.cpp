// SPDX-License-Identifier: BSL-1.0
//
// Lines that can be read back whatever they are made of, and files that cannot be written to.
#include <curfew/service/audit_log.hpp>

#include <doctest/doctest.h>

#include <curfew/service/detail/json_reader.hpp>
#include <curfew/service/event_stream.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "temporary_folder.hpp"

#if CURFEW_POSIX
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

using namespace std::chrono_literals;
using namespace curfew;
using detail::json_value;

namespace {

constexpr auto all_kinds = {
    event_kind::run_began, event_kind::ready,      event_kind::stopping,   event_kind::escalated,
    event_kind::run_ended, event_kind::step_began, event_kind::step_ended, event_kind::progress,
    event_kind::step_late, event_kind::abandoned,  event_kind::fault,      event_kind::restarting,
    event_kind::prepared,  event_kind::resumed,    event_kind::lost,       event_kind::control};

/// 2026-11-30T19:48:08.123456Z
const auto noon = std::chrono::system_clock::time_point(
    std::chrono::duration_cast<std::chrono::system_clock::duration>(1796068088123456us));

lifecycle_event order() {
  return {.kind = event_kind::control,
          .wall = noon,
          .text = "maintenance",
          .caller = {.pid = 815, .uid = 1000},
          .verb = "stop",
          .change = "C-7",
          .allowed = true};
}

/// The lines of a log that was told these.
std::vector<std::string> told(const std::vector<lifecycle_event>& events,
                              audit_options options = {}) {
  const temporary_folder folder;
  const std::string file = folder.file("audit");
  audit_log log(file, std::move(options));
  for (const lifecycle_event& e : events) log.write(e);
  CHECK(log.flush({}));
  CHECK(log.lost() == 0);
  return lines_of(file);
}

json_value read(const std::string& line) {
  json_value v;
  INFO(line);
  REQUIRE(detail::read_json(line, v));
  REQUIRE(v.what == json_value::kind::object);
  return v;
}

json_value line_of(const lifecycle_event& e, audit_options options = {.all_events = true}) {
  const auto lines = told({e}, std::move(options));
  REQUIRE(lines.size() == 1);
  return read(lines[0]);
}

std::string text(const json_value& v, std::string_view name) {
  const json_value* const found = v.find(name);
  return found == nullptr ? "(none)" : found->text;
}

std::int64_t number(const json_value& v, std::string_view name) {
  const json_value* const found = v.find(name);
  return found == nullptr ? -999 : found->number;
}

#if CURFEW_WINDOWS
/// Where an append is two steps: to look for the end of the file, and to write there.
bool appends_in_two_steps() {
  HINSTANCE__* const system = GetModuleHandleA("ntdll.dll");
  return system != nullptr && GetProcAddress(system, "wine_get_version") != nullptr;
}
#else
bool appends_in_two_steps() { return false; }
#endif

}  // namespace

TEST_CASE("a line says who asked for what and what was decided") {
  const auto lines = told({order()}, {.service = "orders"});
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == R"({"time":"2026-11-30T19:48:08.123456Z","service":"orders","pid":)" +
                        std::to_string(detail::process_id()) +
                        R"(,"event":"control","actor":{"pid":815,"uid":1000},"verb":"stop",)"
                        R"("change":"C-7","decision":"allow","text":"maintenance"})");
}

TEST_CASE("a caller of whom nothing is known is left out and one with a SID has that") {
  lifecycle_event e = order();
  e.caller = {};
  e.allowed = false;
  json_value v = line_of(e);
  CHECK(v.find("actor") == nullptr);
  CHECK(text(v, "decision") == "deny");
  e.caller.sid = "S-1-5-18";
  v = line_of(e);
  REQUIRE(v.find("actor") != nullptr);
  CHECK(text(*v.find("actor"), "sid") == "S-1-5-18");
  CHECK(v.find("actor")->items.size() == 1);
}

TEST_CASE("a stop says its reason and whoever is behind it") {
  const json_value v = line_of({.kind = event_kind::stopping,
                                .wall = noon,
                                .limit = 30s,
                                .reason = {stop_cause::signal, 15, 4711, 0}});
  CHECK(text(v, "event") == "stopping");
  CHECK(number(v, "limit_us") == 30'000'000);
  const json_value* const why = v.find("reason");
  REQUIRE(why != nullptr);
  CHECK(text(*why, "text") == "signal SIGTERM from pid 4711 (uid 0)");
  CHECK(text(*why, "cause") == "signal");
  CHECK(number(*why, "code") == 15);
  CHECK(number(*why, "pid") == 4711);
  CHECK(number(*why, "uid") == 0);
  REQUIRE(v.find("actor") != nullptr);
  CHECK(number(*v.find("actor"), "uid") == 0);
  CHECK(v.find("outcome") == nullptr);
  CHECK(v.find("step") == nullptr);
}

TEST_CASE("a step says its part its times and its outcome") {
  const json_value v = line_of({.kind = event_kind::step_ended,
                                .wall = noon,
                                .part = "db-pool",
                                .step = component_step::drain,
                                .outcome = step_outcome::failed,
                                .elapsed = 1500us,
                                .limit = 2s,
                                .place = {"src/db.cpp", 42},
                                .text = "connection reset"});
  CHECK(text(v, "event") == "step ended");
  CHECK(text(v, "part") == "db-pool");
  CHECK(text(v, "step") == "drain");
  CHECK(text(v, "outcome") == "failed");
  CHECK(number(v, "elapsed_us") == 1500);
  CHECK(number(v, "limit_us") == 2'000'000);
  CHECK(text(v, "text") == "connection reset");
  CHECK(text(v, "place") == "src/db.cpp:42");
  const json_value open = line_of({.kind = event_kind::step_began, .step = component_step::stop});
  CHECK(open.find("limit_us") == nullptr);
  CHECK(open.find("elapsed_us") == nullptr);
}

TEST_CASE("every kind is a line by its name and the audit keeps those that matter") {
  std::vector<lifecycle_event> events;
  for (const event_kind k : all_kinds) events.push_back({.kind = k, .wall = noon, .text = "t"});
  const auto all = told(events, {.all_events = true});
  REQUIRE(all.size() == events.size());
  std::string names;
  for (std::size_t i = 0; i != all.size(); ++i)
    CHECK(text(read(all[i]), "event") == to_string(events[i].kind));
  for (const std::string& line : told(events)) names += text(read(line), "event") + ", ";
  CHECK(names ==
        "run began, ready, stopping, escalated, run ended, abandoned, fault, prepared, resumed, "
        "lost, control, ");
}

TEST_CASE("a line is valid JSON whatever bytes it is made of") {
  for (int byte = 0; byte != 256; ++byte) {
    const std::string nasty = std::string("a") + static_cast<char>(byte) + "\"\\\n\xe2\x80\xa8z";
    lifecycle_event e = order();
    e.part = e.text = e.verb = e.change = e.caller.sid = nasty;
    const auto lines = told({e}, {.service = nasty});
    REQUIRE(lines.size() == 1);
    CHECK(detail::is_utf8(lines[0]));
    const std::string got = text(read(lines[0]), "verb");
    const bool is_text = byte < 0x80;
    CHECK(got == (is_text ? nasty : "a\xef\xbf\xbd\"\\\n\xe2\x80\xa8z"));
  }
}

TEST_CASE("times are those of RFC 3339 in microseconds") {
  const auto at = [](std::chrono::microseconds us) {
    return detail::rfc3339(std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(us)));
  };
  CHECK(at(0us) == "1970-01-01T00:00:00.000000Z");
  CHECK(at(-1us) == "1969-12-31T23:59:59.999999Z");
  CHECK(at(951782399999999us) == "2000-02-28T23:59:59.999999Z");
  CHECK(at(951782400000000us) == "2000-02-29T00:00:00.000000Z");
  CHECK(at(4102444800000001us) == "2100-01-01T00:00:00.000001Z");
  CHECK(text(line_of({.kind = event_kind::ready}), "time") > "2024");  // nobody has dated it
}

TEST_CASE("lines are appended to what is there and a torn one before them is ended") {
  const temporary_folder folder;
  const std::string file = folder.file("audit");
  for (const char* const before : {"", "kept\n", "torn"}) {
    put_bytes(file, before);
    audit_log(file).write(order());
    audit_log(file).write(order());
    const auto lines = lines_of(file);
    REQUIRE(lines.size() == (*before == '\0' ? 2 : 3));
    if (*before != '\0') CHECK(lines[0] == std::string(before, 4));
    read(lines[lines.size() - 2]);
    read(lines.back());
    CHECK(bytes_of(file).back() == '\n');
  }
}

TEST_CASE("after a rotation lines go to the new file and none is lost") {
  const temporary_folder folder;
  const std::string file = folder.file("audit"), old = folder.file("audit.1");
  audit_log log(file);
  log.write(order());
  std::filesystem::rename(file, old);
  log.write(order());
  std::error_code ec;
  log.reopen(ec);
  REQUIRE_FALSE(ec);
  log.write(order());
  CHECK(log.flush({}));
  CHECK(lines_of(old).size() == 2);
  CHECK(lines_of(file).size() == 1);
}

TEST_CASE("a rotation at any moment leaves every line whole in one of the files") {
  const temporary_folder folder;
  const std::string file = folder.file("audit");
  audit_log log(file, {.sync = audit_sync::never});
  std::atomic<bool> over{false};
  int rotations = 0;
  std::thread rotator([&] {
    while (!over) {
      std::error_code ec;
      std::filesystem::rename(file, folder.file("audit." + std::to_string(rotations)), ec);
      if (!ec) ++rotations;
      log.reopen(ec);
      CHECK_FALSE(ec);
    }
  });
  constexpr std::size_t written = 2000;
  for (std::size_t i = 0; i != written; ++i) log.write(order());
  over = true;
  rotator.join();
  std::size_t found = 0;
  const auto count = [&](const std::string& name) {
    for (const std::string& line : lines_of(name)) {
      json_value v;
      if (detail::read_json(line, v)) ++found;
    }
  };
  count(file);
  for (int i = 0; i != rotations; ++i) count(folder.file("audit." + std::to_string(i)));
  CHECK(found == written);
  CHECK(log.lost() == 0);
}

TEST_CASE("several logs append to one file at once and no line is torn") {
  if (appends_in_two_steps()) return;  // Wine's
  const temporary_folder folder;
  const std::string file = folder.file("audit");
  std::vector<std::thread> writers;
  for (int w = 0; w != 4; ++w) {
    writers.emplace_back([&file, w] {
      audit_log log(file, {.service = std::to_string(w), .sync = audit_sync::never});
      for (int i = 0; i != 250; ++i) log.write(order());
      CHECK(log.lost() == 0);
    });
  }
  for (std::thread& t : writers) t.join();
  const auto lines = lines_of(file);
  CHECK(lines.size() == 1000);
  for (const std::string& line : lines) read(line);
}

TEST_CASE("a place where no file can be is an error and all lines are counted as lost") {
  const temporary_folder folder;
  const std::string file = folder.file("audit");
  std::filesystem::create_directory(file);
  for (const std::string& path : {file, folder.file("none/audit"), std::string()}) {
    std::error_code ec;
    audit_log log(path, ec);
    CHECK(ec);
    log.write(order());
    log.write({.kind = event_kind::progress});
    CHECK(log.lost() == 1);
    CHECK_FALSE(log.flush({}));
    CHECK_FALSE(std::filesystem::is_regular_file(path));
  }
  std::error_code ec;
  audit_log log(file, ec);
  std::filesystem::remove(file);
  log.reopen(ec);
  CHECK_FALSE(ec);
  log.write(order());
  CHECK(lines_of(file).size() == 1);
  std::filesystem::rename(file, folder.file("audit.1"));
  std::filesystem::create_directory(file);
  log.reopen(ec);
  CHECK(ec);
  log.write(order());  // goes where it went before
  CHECK(lines_of(folder.file("audit.1")).size() == 2);
}

#if CURFEW_EXCEPTIONS
TEST_CASE("without an error code a file that cannot be opened is an exception") {
  const temporary_folder folder;
  CHECK_THROWS_AS(audit_log(folder.file("none/audit")), std::system_error);
}
#endif

TEST_CASE("a stream that feeds a log that cannot write says so and goes on") {
  const temporary_folder folder;
  std::error_code ec;
  audit_log lost(folder.file("none/audit"), ec), kept(folder.file("audit"));
  event_stream s;
  s.add(lost);
  s.add(kept);
  s.start(ec);
  REQUIRE_FALSE(ec);
  s.write(order());
  CHECK_FALSE(s.flush({}));
  CHECK(lost.lost() == 1);
  CHECK(lines_of(folder.file("audit")).size() == 1);
}

TEST_CASE("lines are there with every way of forcing them to the disk") {
  for (const auto sync : {audit_sync::never, audit_sync::at_flush, audit_sync::each_line})
    CHECK(told({order(), order()}, {.sync = sync}).size() == 2);
}

#if CURFEW_POSIX

TEST_CASE("a new file is for its owner alone and one that is there keeps its mode") {
  const temporary_folder folder;
  const auto mode_of = [](const std::string& path) {
    struct stat s = {};
    REQUIRE(stat(path.c_str(), &s) == 0);
    return s.st_mode & 07777;
  };
  const mode_t before = umask(0);
  audit_log(folder.file("own")).write(order());
  audit_log(folder.file("group"), {.mode = 0640}).write(order());
  umask(before);
  CHECK(mode_of(folder.file("own")) == 0600);
  CHECK(mode_of(folder.file("group")) == 0640);
  chmod(folder.file("own").c_str(), 0644);
  audit_log(folder.file("own")).write(order());
  CHECK(mode_of(folder.file("own")) == 0644);
}

TEST_CASE("the file is not inherited by programs that this one starts") {
  const temporary_folder folder;
  const int lowest = dup(0);  // the number that the next descriptor gets
  REQUIRE(lowest >= 0);
  close(lowest);
  const audit_log log(folder.file("audit"));
  CHECK((fcntl(lowest, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl(lowest, F_GETFL) & O_APPEND) != 0);
}

TEST_CASE("a pipe takes lines and what it has no room for is lost without waiting") {
  const temporary_folder folder;
  const std::string pipe = folder.file("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  std::error_code ec;
  { audit_log log(pipe, ec); }
  CHECK(ec.value() == ENXIO);  // nobody reads it
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  audit_log log(pipe, ec);
  REQUIRE_FALSE(ec);
  log.write(order());
  CHECK(log.flush({}));
  while (log.lost() == 0) log.write(order());
  CHECK_FALSE(log.flush({}));
  close(reader);
}

#if CURFEW_LINUX
TEST_CASE("a full disk is told") {
  std::error_code ec;
  audit_log log("/dev/full", ec);
  REQUIRE_FALSE(ec);
  CHECK(log.flush({}));
  log.write(order());
  CHECK(log.lost() == 1);
  CHECK_FALSE(log.flush({}));
}

TEST_CASE("errno is what it was") {
  std::error_code ec;
  audit_log log("/dev/full", ec);
  errno = 4242;
  log.write(order());
  static_cast<void>(log.flush({}));
  CHECK(errno == 4242);
}
#endif

TEST_CASE("a line that the disk took in part is lost and the next one begins anew") {
  const temporary_folder folder;
  const std::string file = folder.file("audit");
  std::signal(SIGXFSZ, SIG_IGN);
  audit_log log(file);
  log.write(order());
  const std::size_t whole = bytes_of(file).size();
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit tight = before;
  tight.rlim_cur = whole + 10;
  setrlimit(RLIMIT_FSIZE, &tight);
  log.write(order());  // ten bytes of it
  log.write(order());  // none
  setrlimit(RLIMIT_FSIZE, &before);
  log.write(order());
  CHECK(log.lost() == 2);
  CHECK_FALSE(log.flush({}));
  const auto lines = lines_of(file);
  REQUIRE(lines.size() == 3);
  read(lines[0]);
  CHECK(lines[1].size() == 10);
  read(lines[2]);
}

#endif
