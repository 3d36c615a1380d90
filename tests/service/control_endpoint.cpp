// SPDX-License-Identifier: BSL-1.0
#include <curfew/service/control_answer.hpp>
#include <curfew/service/control_endpoint.hpp>
#include <curfew/service/control_options.hpp>
#include <curfew/stop/stop_token.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "control_support.hpp"

#if CURFEW_POSIX
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace std::chrono_literals;
using curfew::control_answer;
using curfew::control_client;
using curfew::control_decision;
using curfew::control_endpoint;
using curfew::control_options;
using curfew::control_request;
using curfew::detail::framed;

namespace {

const std::string status = R"({"curfew":1,"verb":"status"})";

control_answer echo(const control_request& r) {
  return control_answer::done("\"" + std::string(r.verb) + "\"");
}

struct door_for_a_test {
  explicit door_for_a_test(control_options o = {}, curfew::control_handler h = echo)
      : door(at(std::move(o), place.path()), std::move(h), audit) {
    std::error_code ec;
    door.open(ec);
    REQUIRE_MESSAGE(!ec, ec.message());
  }
  static control_options at(control_options o, std::string path) {
    o.path = std::move(path);
    return o;
  }
  control_answer ask(const std::string& verb) {
    std::error_code ec;
    control_client c(place.path(), a_minute(), ec);
    return ec ? control_answer::refused(ec.message()) : c.ask(verb, a_minute());
  }

  control_place_for_a_test place;
  kept_audit audit;
  control_endpoint door;
};

/// It takes a second pipe for the first of its name.
bool is_wine() {
#if CURFEW_WINDOWS
  HINSTANCE__* const system = GetModuleHandleA("ntdll.dll");
  return system != nullptr && GetProcAddress(system, "wine_get_version") != nullptr;
#else
  return false;
#endif
}

std::error_code error_of(const std::string& path) {
  kept_audit audit;
  control_endpoint door({.path = path}, echo, audit);
  std::error_code ec;
  door.open(ec);
  return ec;
}

}  // namespace

// ---- asking

TEST_CASE("an operator gets an answer and the audit a line with his process and user") {
  door_for_a_test d;
  const control_answer a = d.ask("status");
  CHECK(a.ok);
  CHECK(a.answered);
  CHECK(a.body == "\"status\"");
  CHECK(d.audit.lines() == std::vector<std::string>{"allowed status"});
  CHECK(d.audit.caller().pid == curfew::detail::process_id());
#if CURFEW_POSIX
  CHECK(d.audit.caller().uid == static_cast<std::int64_t>(::geteuid()));
#else
  CHECK(d.audit.caller().sid.substr(0, 4) == "S-1-");
#endif
}

TEST_CASE("one connection may ask several times and the change stands in the audit") {
  door_for_a_test d;
  control_client c(d.place.path(), a_minute());
  CHECK(c.ask("one", a_minute()).body == "\"one\"");
  CHECK(c.ask("two", a_minute(), {.change = "CHG-7"}).body == "\"two\"");
  CHECK(d.audit.lines() == std::vector<std::string>{"allowed one", "allowed two for CHG-7"});
}

TEST_CASE("arguments reach the handler as they were written") {
  std::string seen;
  door_for_a_test d({}, [&](const control_request& r) {
    seen = r.arguments;
    return control_answer::done();
  });
  control_client c(d.place.path(), a_minute());
  CHECK(c.ask("x", a_minute(), {.arguments = R"({"a":[1,{"b":"}"}]})"}).ok);
  CHECK(seen == R"({"a":[1,{"b":"}"}]})");
}

TEST_CASE("a refusal says why and what is no JSON breaks no frame") {
  door_for_a_test d({}, [](const control_request& r) {
    return r.verb == "torn" ? control_answer::done("{\"a\":")
                            : control_answer::refused("not \"today\"", "[1.5e3]");
  });
  const control_answer a = d.ask("x");
  CHECK_FALSE(a.ok);
  CHECK(a.answered);
  CHECK(a.error == "not \"today\"");
  CHECK(a.body == "[1.5e3]");
  CHECK(d.ask("torn").body.empty());
}

#if CURFEW_EXCEPTIONS
TEST_CASE("a handler that throws is an answer and the endpoint goes on") {
  door_for_a_test d({}, [](const control_request&) -> control_answer {
    throw std::runtime_error("the disk is full");
  });
  CHECK(d.ask("x").error == "the disk is full");
  CHECK(d.ask("x").error == "the disk is full");
}

TEST_CASE("a policy that throws has denied") {
  door_for_a_test d({.policy = [](const control_request&) -> control_decision {
    throw std::runtime_error("no directory service");
  }});
  CHECK(d.ask("stop").error == "the policy failed: no directory service");
  CHECK(d.audit.lines() ==
        std::vector<std::string>{"denied stop: the policy failed: no directory service"});
}
#endif

TEST_CASE("the policy decides about each verb and every decision is told") {
  door_for_a_test d({.policy = [](const control_request& r) {
    const bool harmless = r.verb == "status" && r.same_user;
    return harmless ? control_decision::allow("harmless") : control_decision::deny("read only");
  }});
  CHECK(d.ask("status").ok);
  CHECK(d.ask("stop").error == "read only");
  CHECK(d.audit.lines() ==
        std::vector<std::string>{"allowed status: harmless", "denied stop: read only"});
}

// ---- those who behave badly

TEST_CASE("garbage is refused and holds up nobody") {
  door_for_a_test d;
  const std::string garbage[] = {"",
                                 "{}",
                                 "\0\0\0\0",
                                 "{\"curfew\":2,\"verb\":\"stop\"}",
                                 "{\"curfew\":1,\"verb\":7}",
                                 "{\"curfew\":1,\"verb\":\"stop\",\"arguments\":[]}",
                                 "\xff\xfe garbage",
                                 std::string(5000, '[')};
  for (const std::string& text : garbage) {
    rude_client c(d.place.path());
    REQUIRE(c.say(framed(text)));
    CHECK(c.hear().find("this is no request of version 1") != std::string::npos);
    CHECK(c.is_cut_off());
  }
  CHECK(d.ask("status").ok);
}

TEST_CASE("a length of four gigabytes is refused without room for it") {
  door_for_a_test d;
  for (const char* const head : {"\xff\xff\xff\xff", "\x01\x00\x01\x00"}) {
    rude_client c(d.place.path());
    REQUIRE(c.say(std::string_view(head, 4)));
    CHECK(c.hear().find("it has at most 65536 bytes") != std::string::npos);
    CHECK(c.is_cut_off());
  }
  CHECK(d.ask("status").ok);
}

TEST_CASE("the longest request that is allowed is served") {
  door_for_a_test d;
  rude_client c(d.place.path());
  std::string text = status;
  text.append(curfew::detail::most_of_a_request - text.size(), ' ');
  REQUIRE(c.say(framed(text)));
  CHECK(c.hear().find("\"ok\":true") != std::string::npos);
}

TEST_CASE("a client that is silent or stops half way is cut off and others are served meanwhile") {
  door_for_a_test d({.patience = 300ms});
  rude_client silent(d.place.path()), half_a_head(d.place.path()), half(d.place.path());
  REQUIRE(half_a_head.say("\x10"));
  REQUIRE(half.say(framed(status).substr(0, 12)));
  CHECK(d.ask("status").ok);
  CHECK(silent.is_cut_off());
  CHECK(half_a_head.is_cut_off());
  CHECK(half.is_cut_off());
}

TEST_CASE("a client that trickles has no more time than one that is silent") {
  door_for_a_test d({.patience = 500ms});
  rude_client c(d.place.path());
  const std::string frame = framed(status);
  const auto began = std::chrono::steady_clock::now();
  std::size_t said = 0;
  while (said != frame.size() && c.say(frame.substr(said, 1))) {
    ++said;
    std::this_thread::sleep_for(100ms);
  }
  CHECK(said < frame.size());
  CHECK(std::chrono::steady_clock::now() - began < 30s);
}

TEST_CASE("a client that does not take its answers is cut off") {
  const std::string much = "\"" + std::string(std::size_t{4} << 20, 'x') + "\"";
  door_for_a_test d({.patience = 2s},
                    [&](const control_request&) { return control_answer::done(much); });
  rude_client c(d.place.path());
  REQUIRE(c.say(framed(status)));
  CHECK(d.ask("status").body.size() == much.size());
  std::this_thread::sleep_for(3s);
  CHECK(c.is_cut_off());  // what was on its way comes first
}

TEST_CASE("who finds all places taken is told so and finds one when they are free") {
  door_for_a_test d({.clients = 2, .patience = 1h});
  auto first = std::make_unique<rude_client>(d.place.path());
  rude_client second(d.place.path());
  REQUIRE(first->say(framed(status)));
  REQUIRE(second.say(framed(status)));
  CHECK_FALSE(first->hear().empty());
  CHECK_FALSE(second.hear().empty());
  CHECK(d.ask("status").error == "too many clients");
  first.reset();
  control_answer a;
  for (int i = 0; i != 1000 && !a.ok; ++i) a = d.ask("status");
  CHECK(a.ok);
}

TEST_CASE("a flood of two hundred silent clients ends within their patience") {
  door_for_a_test d({.patience = 500ms});
  std::vector<std::unique_ptr<rude_client>> flood;
  for (int i = 0; i != 200; ++i) flood.push_back(std::make_unique<rude_client>(d.place.path()));
  control_answer a;
  const auto began = std::chrono::steady_clock::now();
  while (!a.ok && std::chrono::steady_clock::now() - began < 30s) a = d.ask("status");
  CHECK(a.ok);
}

TEST_CASE("a flood of refusals leaves some lines in the audit and their number") {
  door_for_a_test d({.policy = [](const control_request& r) {
    return r.verb == "status" ? control_decision::allow() : control_decision::deny("no");
  }});
  control_client c(d.place.path(), a_minute());
  for (int i = 0; i != 500; ++i) CHECK(c.ask("stop", a_minute()).error == "no");
  const std::size_t told = d.audit.lines().size();
  CHECK(told >= 16);
  CHECK(told < 500);
  std::this_thread::sleep_for(1100ms);
  CHECK(c.ask("stop", a_minute()).error == "no");
  CHECK(d.audit.lines().back().find("denied stop: no (") == 0);
  CHECK(d.audit.lines().back().find(" more have been denied before)") != std::string::npos);
}

TEST_CASE("refusals that were not told are counted when the endpoint closes") {
  door_for_a_test d(
      {.policy = [](const control_request&) { return control_decision::deny("no"); }});
  control_client c(d.place.path(), a_minute());
  for (int i = 0; i != 200; ++i) CHECK(c.ask("stop", a_minute()).error == "no");
  d.door.close();
  const std::vector<std::string> lines = d.audit.lines();
  std::size_t told = 0;
  for (const std::string& line : lines) {
    const std::size_t at = line.find('(');
    if (line.find("denied stop") == 0) ++told;
    if (at != line.npos) told += static_cast<std::size_t>(std::atoi(line.c_str() + at + 1));
  }
  CHECK(told == 200);
}

/// Counts who is inside of it at a time.
struct counting_audit final : curfew::event_sink {
  void write(const curfew::lifecycle_event&) noexcept override {
    if (++inside != 1) crowded = true;
    std::this_thread::sleep_for(1ms);
    --inside;
    ++lines;
  }
  std::atomic<int> inside{0}, lines{0};
  std::atomic<bool> crowded{false};
};

TEST_CASE("the audit is told by one thread at a time") {
  control_place_for_a_test place;
  counting_audit audit;
  control_endpoint door({.path = place.path()}, echo, audit);
  door.open();
  std::vector<std::thread> askers;
  for (int i = 0; i != 4; ++i) {
    askers.emplace_back([&] {
      control_client c(place.path(), a_minute());
      for (int n = 0; n != 20; ++n) CHECK(c.ask("status", a_minute()).ok);
    });
  }
  for (std::thread& t : askers) t.join();
  CHECK(audit.lines == 80);
  CHECK_FALSE(audit.crowded);
}

// ---- watching

TEST_CASE("who watches gets the events as they happen and what a slow one has missed is counted") {
  door_for_a_test d({.patience = 1min});
  rude_client c(d.place.path());
  REQUIRE(c.say(framed(R"({"curfew":1,"verb":"watch"})")));
  CHECK(c.hear().find("\"ok\":true") != std::string::npos);
  d.door.write({.kind = curfew::event_kind::step_ended,
                .part = "db",
                .step = curfew::component_step::stop,
                .elapsed = 3ms,
                .text = "done"});
  const std::string event = c.hear();
  CHECK(event.find(R"("event":"step ended")") != std::string::npos);
  CHECK(event.find(R"("part":"db","step":"stop","outcome":"done","elapsed_ms":3)") !=
        std::string::npos);
  const std::string text(390, 'x');
  for (int i = 0; i != 20000; ++i)
    d.door.write({.kind = curfew::event_kind::progress, .text = text});
  d.door.write({.kind = curfew::event_kind::ready});
  std::string heard;
  bool lost = false;
  while (heard.find("\"ready\"") == std::string::npos && !(heard = c.hear()).empty())
    lost = lost || heard.find(R"("event":"lost","count":)") != std::string::npos;
  CHECK(lost);
  CHECK_FALSE(heard.empty());
}

TEST_CASE("a client that watches and never reads is cut off and slows nobody") {
  door_for_a_test d({.patience = 300ms});
  rude_client c(d.place.path());
  REQUIRE(c.say(framed(R"({"curfew":1,"verb":"watch"})")));
  CHECK(c.hear().find("\"ok\":true") != std::string::npos);
  const std::string text(390, 'x');
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i != 10000; ++i)
    d.door.write({.kind = curfew::event_kind::progress, .text = text});
  CHECK(std::chrono::steady_clock::now() - began < 20s);
  std::this_thread::sleep_for(600ms);
  CHECK(c.is_cut_off());
}

TEST_CASE("closing passes on what was seen to those who watch") {
  for (int round = 0; round != 20; ++round) {
    door_for_a_test d;
    rude_client watcher(d.place.path());
    REQUIRE(watcher.say(framed(R"({"curfew":1,"verb":"watch"})")));
    CHECK(watcher.hear().find("\"ok\":true") != std::string::npos);
    d.door.write({.kind = curfew::event_kind::ready});
    CHECK(watcher.hear().find("\"ready\"") != std::string::npos);
    std::this_thread::sleep_for(5ms);  // it sleeps, and finds both news at once
    d.door.write({.kind = curfew::event_kind::run_ended, .text = "clean"});
    d.door.close();
    CHECK(watcher.hear().find("\"run ended\"") != std::string::npos);
    CHECK(watcher.is_cut_off());
  }
}

TEST_CASE("closing does not wait for who has just taken the last of what he watches") {
  auto shortest = std::chrono::steady_clock::duration::max();
  for (int round = 0; round != 5; ++round) {
    door_for_a_test d({.patience = 1min});
    rude_client watcher(d.place.path());
    REQUIRE(watcher.say(framed(R"({"curfew":1,"verb":"watch"})")));
    CHECK(watcher.hear().find("\"ok\":true") != std::string::npos);
    const std::string text(390, 'x');
    for (int i = 0; i != 4000; ++i)
      d.door.write({.kind = curfew::event_kind::progress, .text = text});
    std::this_thread::sleep_for(50ms);  // it waits for room
    std::thread closer([&] {
      const auto began = std::chrono::steady_clock::now();
      d.door.close();
      shortest = std::min(shortest, std::chrono::steady_clock::now() - began);
    });
    std::this_thread::sleep_for(50ms);
    while (!watcher.hear().empty()) {
    }
    closer.join();
  }
  if (CURFEW_POSIX != 0)
    CHECK(shortest < 400ms);  // Wine's pipes are slower than that by themselves
}

// ---- closing

TEST_CASE("closing lets an answer get through that is being made") {
  std::atomic<bool> inside{false};
  door_for_a_test d({}, [&](const control_request&) {
    inside = true;
    std::this_thread::sleep_for(100ms);
    return control_answer::done("\"late\"");
  });
  std::thread asker([&] { CHECK(d.ask("x").body == "\"late\""); });
  while (!inside) std::this_thread::yield();
  d.door.close();
  asker.join();
}

TEST_CASE("closing is bounded although clients are idle and a handler hangs") {
  std::atomic<bool> inside{false}, let_go{false}, gone{false};
  const auto shared = std::make_shared<int>(1);
  {
    door_for_a_test d({}, [&, shared](const control_request& r) {
      if (r.verb != "hang") return control_answer::done();
      inside = true;
      while (!let_go) std::this_thread::sleep_for(1ms);
      gone = true;
      return control_answer::done();
    });
    rude_client idle(d.place.path()), hangs(d.place.path());
    REQUIRE(hangs.say(framed(R"({"curfew":1,"verb":"hang"})")));
    while (!inside) std::this_thread::sleep_for(1ms);
    const auto began = std::chrono::steady_clock::now();
    d.door.close();
    CHECK(std::chrono::steady_clock::now() - began < 20s);
    CHECK(idle.is_cut_off());
#if CURFEW_POSIX  // a pipe lives as long as the handler that is to write to it
    CHECK(error_of(d.place.path()) == std::error_code());
#endif
  }
  let_go = true;
  while (!gone) std::this_thread::sleep_for(1ms);
  while (shared.use_count() != 1) std::this_thread::sleep_for(1ms);
}

TEST_CASE("closing is bounded although a client does not take its answer") {
  const std::string much = "\"" + std::string(std::size_t{4} << 20, 'x') + "\"";
  std::atomic<bool> answering{false};
  door_for_a_test d({.patience = 1h}, [&](const control_request&) {
    answering = true;
    return control_answer::done(much);
  });
  rude_client deaf(d.place.path());
  REQUIRE(deaf.say(framed(status)));
  while (!answering) std::this_thread::sleep_for(1ms);
  d.door.close();
  bool heard = true;  // before it has taken anything
  for (int i = 0; i != 1000 && heard; ++i) {
    heard = deaf.say("x");
    if (heard) std::this_thread::sleep_for(10ms);
  }
  CHECK_FALSE(heard);
}

TEST_CASE("an endpoint may be closed from its own handler by way of another thread") {
  door_for_a_test d;
  control_endpoint* door = &d.door;
  std::thread closer;
  control_place_for_a_test place;
  kept_audit audit;
  control_endpoint other(
      {.path = place.path()},
      [&](const control_request&) {
        closer = std::thread([&] { door->close(); });
        return control_answer::done();
      },
      audit);
  other.open();
  control_client c(place.path(), a_minute());
  CHECK(c.ask("close", a_minute()).ok);
  closer.join();
  CHECK_FALSE(d.ask("status").answered);
}

TEST_CASE("clients that come and go while an endpoint closes harm nobody") {
  for (int round = 0; round != 20; ++round) {
    auto d = std::make_unique<door_for_a_test>();
    const std::string path = d->place.path();
    std::atomic<bool> over{false};
    std::vector<std::thread> askers;
    for (int i = 0; i != 4; ++i) {
      askers.emplace_back([&] {
        while (!over) {
          std::error_code ec;
          control_client c(path, a_minute(), ec);
          if (!ec) (void)c.ask("status", a_minute());
        }
      });
    }
    REQUIRE(d->audit.await(20));
    d->door.close();
    over = true;
    for (std::thread& t : askers) t.join();
  }
}

TEST_CASE("an endpoint that was never opened is closed like any other") {
  kept_audit audit;
  control_endpoint door({.path = "never"}, echo, audit);
  door.write({.kind = curfew::event_kind::ready});
  door.close();
}

// ---- the path

TEST_CASE("two programs on one path is an error for the second and the first is unharmed") {
  door_for_a_test d;
  if (!is_wine()) CHECK(error_of(d.place.path()) == std::errc::address_in_use);
  CHECK(d.ask("status").ok);
  d.door.close();
  CHECK(error_of(d.place.path()) == std::error_code());
}

#if CURFEW_POSIX

namespace {

int bound_socket(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

void leave_a_dead_socket(const std::string& path) { ::close(bound_socket(path)); }

}  // namespace

TEST_CASE("a path that cannot be one is an error that says so") {
  CHECK(error_of("") == std::errc::invalid_argument);
  CHECK(error_of("@orders") == std::errc::invalid_argument);
  CHECK(error_of("/tmp/" + std::string(103, 'x')) == std::errc::filename_too_long);
  CHECK(error_of("/no such folder/control") == std::errc::no_such_file_or_directory);
}

TEST_CASE("the socket is for its user alone whatever the umask and the umask stays") {
  for (const mode_t mask : {0000u, 0022u, 0777u}) {
    const mode_t before = ::umask(mask);
    door_for_a_test d;
    CHECK(::umask(before) == mask);
    struct stat s = {};
    REQUIRE(::stat(d.place.path().c_str(), &s) == 0);
    CHECK(S_ISSOCK(s.st_mode));
    CHECK((s.st_mode & 07777) == 0600);
  }
}

TEST_CASE("nothing is left at the path by an endpoint that is closed") {
  door_for_a_test d;
  d.door.close();
  CHECK(std::filesystem::is_empty(d.place.folder()));
}

TEST_CASE("what a dead program has left at the path is replaced") {
  control_place_for_a_test place;
  leave_a_dead_socket(place.path());
  CHECK(error_of(place.path()) == std::error_code());
}

TEST_CASE("a socket on which another program listens and a file are left alone") {
  control_place_for_a_test place, other;
  const int fd = bound_socket(place.path());
  REQUIRE(::listen(fd, 1) == 0);
  CHECK(error_of(place.path()) == std::errc::address_in_use);
  CHECK(std::filesystem::is_socket(place.path()));
  ::close(fd);
  std::ofstream(other.path()) << "precious";
  CHECK(error_of(other.path()) == std::errc::address_in_use);
  CHECK(std::filesystem::file_size(other.path()) == 8);
}

TEST_CASE("what somebody else has put at the path meanwhile is left to him") {
  door_for_a_test d;
  std::filesystem::remove(d.place.path());
  std::ofstream(d.place.path()) << "another one";
  d.door.close();
  CHECK(std::filesystem::exists(d.place.path()));
}

TEST_CASE("of many programs that start at once on the path of a dead one exactly one has it") {
  for (int round = 0; round != 300; ++round) {
    control_place_for_a_test place;
    leave_a_dead_socket(place.path());
    std::atomic<int> opened{0}, refused{0};
    std::atomic<bool> go{false};
    std::vector<std::thread> starters;
    for (int i = 0; i != 6; ++i) {
      starters.emplace_back([&] {
        kept_audit audit;
        control_endpoint door({.path = place.path(), .clients = 1}, echo, audit);
        while (!go) std::this_thread::yield();
        std::error_code ec;
        door.open(ec);
        ++(ec ? refused : opened);
        while (opened + refused != 6) std::this_thread::yield();
      });
    }
    go = true;
    for (std::thread& t : starters) t.join();
    CHECK(opened == 1);
  }
}

TEST_CASE("a forked child that ends takes nothing from its parent") {
  control_place_for_a_test place;
  auto* const path = new curfew::detail::control_path;
  const int fd = curfew::detail::control_socket();
  std::error_code ec;
  path->claim(place.path(), ec);
  REQUIRE(!ec);
  path->bind(fd, ec);
  REQUIRE(!ec);
  const pid_t child = ::fork();
  if (child == 0) {
    delete path;
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(std::filesystem::exists(place.path()));
  CHECK(std::filesystem::exists(place.path() + ".lock"));
  delete path;
  ::close(fd);
  CHECK(std::filesystem::is_empty(place.folder()));
}

/// Writes, and does not return until it may.
struct slow_audit final : curfew::event_sink {
  void write(const curfew::lifecycle_event&) noexcept override {
    inside = true;
    while (!let_go) std::this_thread::sleep_for(1ms);
  }
  std::atomic<bool> inside{false}, let_go{false};
};

TEST_CASE("a forked child waits for no thread of its parent") {
  control_place_for_a_test place;
  slow_audit audit;
  auto door =
      std::make_unique<control_endpoint>(control_options{.path = place.path()}, echo, audit);
  door->open();
  rude_client asks(place.path());
  REQUIRE(asks.say(framed(status)));
  while (!audit.inside) std::this_thread::sleep_for(1ms);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    door.reset();
    ::_exit(0);
  }
  int how = 0;
  REQUIRE(::waitpid(child, &how, 0) == child);
  CHECK(WIFEXITED(how));
  audit.let_go = true;
  CHECK(asks.hear().find("\"ok\":true") != std::string::npos);
  CHECK(std::filesystem::exists(place.path()));
}

TEST_CASE("an endpoint that was made before a fork is not opened in the child and closed at once") {
  control_place_for_a_test place;
  kept_audit audit;
  auto door =
      std::make_unique<control_endpoint>(control_options{.path = place.path()}, echo, audit);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    std::error_code ec;
    door->open(ec);
    door.reset();
    ::_exit(ec == std::errc::operation_not_permitted ? 0 : 1);
  }
  int how = 0;
  REQUIRE(::waitpid(child, &how, 0) == child);
  CHECK(how == 0);
  door->open();
  control_client c(place.path(), a_minute());
  CHECK(c.ask("status", a_minute()).ok);
}

TEST_CASE("a forked child that has closed its copy does not keep the path of a dead parent") {
  control_place_for_a_test place;
  int ends[2] = {};
  REQUIRE(::pipe(ends) == 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    std::error_code ec;
    curfew::detail::control_path path;
    path.claim(place.path(), ec);
    const pid_t child = ec ? 0 : ::fork();
    if (child == 0) {
      path.give_back();
      const pid_t self = ::getpid();
      if (::write(ends[1], &self, sizeof self) < 0) ::_exit(1);
    }
    ::alarm(20);
    for (;;) ::pause();
  }
  ::close(ends[1]);
  pid_t child = 0;
  REQUIRE(::read(ends[0], &child, sizeof child) == sizeof child);
  ::kill(parent, SIGKILL);
  REQUIRE(::waitpid(parent, nullptr, 0) == parent);
  curfew::detail::control_path path;
  std::error_code ec;
  path.claim(place.path(), ec);
  CHECK(ec == std::error_code());
  ::kill(child, SIGKILL);
  ::close(ends[0]);
}

#endif
