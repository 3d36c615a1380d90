// SPDX-License-Identifier: BSL-1.0
//
// The policy, with scripted events: the same on every system, no real signal and no thread of ours.
#include <curfew/host/detail/signal_inbox.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "doctest/doctest.h"

namespace {

using curfew::press;
using curfew::signal_options;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::detail::route;
using curfew::detail::signal_inbox;
using answer = signal_inbox::answer;

constexpr stop_reason interrupt{stop_cause::signal, SIGINT, 7, 8};
constexpr stop_reason terminate_{stop_cause::signal, SIGTERM, 9, 10};
constexpr stop_reason closing{stop_cause::console, 2};

/// Each signal is a press, however soon it comes.
std::unique_ptr<signal_inbox> open_inbox(signal_options options = {}) {
  auto inbox = std::make_unique<signal_inbox>();
  options.same_press = std::chrono::milliseconds(0);
  inbox->open(options);
  inbox->set_route(SIGINT, route::press);
  inbox->set_route(SIGTERM, route::press);
  return inbox;
}

bool take(curfew::detail::notice& from) {
  stop_reason ignored;
  return from.take(ignored);
}

}  // namespace

TEST_CASE("a signal without a route is not ours") {
  auto inbox = open_inbox();
  CHECK(inbox->arrived({stop_cause::signal, 5}) == answer::not_ours);
  CHECK(inbox->arrived({stop_cause::signal, 0}) == answer::not_ours);
  CHECK(inbox->arrived({stop_cause::signal, 128}) == answer::not_ours);
  CHECK(!take(inbox->stop.note));
}

TEST_CASE("signals that come within a moment of a press belong to it and it does not grow") {
  auto inbox = open_inbox();
  inbox->open({.same_press = std::chrono::milliseconds(200)});
  inbox->set_route(SIGTERM, route::press);
  const auto at = [&](std::uint32_t now) { return inbox->arrived(terminate_, now); };
  for (std::uint32_t now = 1001; now < 1200; ++now) CHECK(at(now) == answer::noted);
  CHECK(!take(inbox->hurry.note));
  CHECK(at(1201) == answer::noted);
  CHECK(take(inbox->hurry.note));
  CHECK(at(1400) == answer::noted);
  CHECK(at(1401) == answer::end);
}

TEST_CASE("a signal that counts at any time counts however soon it comes") {
  auto inbox = open_inbox();
  inbox->open({.same_press = std::chrono::hours(1)});
  inbox->set_route(SIGTERM, route::press);
  const auto send = [&] { return inbox->arrived(terminate_, curfew::detail::any_time); };
  CHECK(send() == answer::noted);
  CHECK(send() == answer::noted);
  CHECK(take(inbox->hurry.note));
  CHECK(send() == answer::end);
}

TEST_CASE("of signals that come at once from many threads one is counted") {
  auto inbox = open_inbox();
  inbox->open({.same_press = std::chrono::hours(1)});
  inbox->set_route(SIGINT, route::press);
  std::vector<std::thread> senders;
  for (int i = 0; i < 8; ++i) {
    senders.emplace_back([&] { CHECK(inbox->arrived(interrupt, 7) == answer::noted); });
  }
  for (auto& sender : senders) sender.join();
  CHECK(!take(inbox->hurry.note));
}

TEST_CASE("a stop that no signal asked for is the first press") {
  auto inbox = open_inbox();
  inbox->stopping();
  inbox->stopping();
  CHECK(inbox->arrived(interrupt) == answer::noted);
  CHECK(take(inbox->hurry.note));
  CHECK(inbox->arrived(interrupt) == answer::end);
}

TEST_CASE("a stop that comes with a signal is the same press") {
  auto inbox = open_inbox();
  CHECK(inbox->arrived(interrupt) == answer::noted);
  inbox->stopping();
  CHECK(!take(inbox->hurry.note));
  CHECK(inbox->arrived(interrupt) == answer::noted);
  CHECK(take(inbox->hurry.note));
}

TEST_CASE("the first press stops and the second hurries and the third ends") {
  auto inbox = open_inbox();
  CHECK(inbox->arrived(interrupt) == answer::noted);
  stop_reason reason;
  REQUIRE(inbox->stop.note.take(reason));
  CHECK(reason == interrupt);
  CHECK(!take(inbox->hurry.note));
  CHECK(inbox->arrived(terminate_) == answer::noted);
  REQUIRE(inbox->hurry.note.take(reason));
  CHECK(reason == terminate_);
  CHECK(inbox->arrived(interrupt) == answer::end);
  CHECK(inbox->arrived(interrupt) == answer::end);
}

TEST_CASE("the first reason is kept when presses come before anyone has looked") {
  auto inbox = open_inbox();
  inbox->arrived(interrupt);
  inbox->arrived(terminate_);
  stop_reason reason;
  REQUIRE(inbox->stop.note.take(reason));
  CHECK(reason == interrupt);
  REQUIRE(inbox->hurry.note.take(reason));
  CHECK(reason == terminate_);
}

TEST_CASE("what each press does is an option") {
  auto inbox =
      open_inbox({.first = press::nothing, .second = press::stop, .third = press::nothing});
  CHECK(inbox->arrived(interrupt) == answer::noted);
  CHECK(!take(inbox->stop.note));
  CHECK(inbox->arrived(interrupt) == answer::noted);
  CHECK(take(inbox->stop.note));
  for (int i = 0; i < 10; ++i) CHECK(inbox->arrived(interrupt) == answer::noted);
  CHECK(!take(inbox->stop.note));
  CHECK(!take(inbox->hurry.note));
}

TEST_CASE("a first press that hurries also stops") {
  auto inbox = open_inbox({.first = press::hurry});
  inbox->arrived(interrupt);
  CHECK(take(inbox->stop.note));
  CHECK(take(inbox->hurry.note));
}

TEST_CASE("a first press that ends leaves no stop behind") {
  auto inbox = open_inbox({.first = press::end});
  CHECK(inbox->arrived(interrupt) == answer::end);
  CHECK(!take(inbox->stop.note));
}

TEST_CASE("a signal that runs a function is not a press") {
  auto inbox = open_inbox();
  inbox->set_route(SIGINT, route::call);
  for (int i = 0; i < 5; ++i) CHECK(inbox->arrived(interrupt) == answer::noted);
  CHECK(take(inbox->calls[SIGINT]));
  CHECK(!take(inbox->calls[SIGINT]));
  CHECK(!take(inbox->stop.note));
  CHECK(inbox->arrived(terminate_) == answer::noted);
  CHECK(take(inbox->stop.note));
}

TEST_CASE("the end of the console is a stop or the hurry of one and never the end") {
  auto inbox = open_inbox();
  inbox->ending(closing);
  stop_reason reason;
  REQUIRE(inbox->stop.note.take(reason));
  CHECK(reason == closing);
  CHECK(!take(inbox->hurry.note));
  for (int i = 0; i < 3; ++i) inbox->ending(closing);
  CHECK(take(inbox->hurry.note));
}

TEST_CASE("the end of the console stops whatever the options say of presses") {
  auto inbox = open_inbox({.first = press::nothing, .second = press::nothing});
  inbox->ending(closing);
  CHECK(take(inbox->stop.note));
}

TEST_CASE("opening an inbox anew forgets presses and notices and routes") {
  auto inbox = open_inbox();
  inbox->arrived(interrupt);
  inbox->arrived(interrupt);
  inbox->open({});
  CHECK(!take(inbox->stop.note));
  CHECK(!take(inbox->hurry.note));
  CHECK(inbox->arrived(interrupt) == answer::not_ours);
  inbox->set_route(SIGINT, route::press);
  CHECK(inbox->arrived(interrupt) == answer::noted);
}

TEST_CASE("presses from many threads are counted each once") {
  for (int round = 0; round < 200; ++round) {
    auto inbox = open_inbox();
    std::atomic<int> ends{0};
    auto press_it = [&] { ends += inbox->arrived(interrupt) == answer::end; };
    std::thread threads[] = {std::thread(press_it), std::thread(press_it), std::thread(press_it),
                             std::thread(press_it)};
    for (auto& thread : threads) thread.join();
    REQUIRE(ends == 2);
    REQUIRE(take(inbox->stop.note));
    REQUIRE(take(inbox->hurry.note));
  }
}

TEST_CASE("a notice is never torn and never lost") {
  curfew::detail::notice note;
  std::atomic<bool> done{false};
  auto put_all = [&](int base) {
    for (int i = 0; i < 20000; ++i) note.put({stop_cause::signal, base, base * 10, base * 100});
  };
  std::thread writers([&] {
    std::thread other(put_all, 2);
    put_all(1);
    other.join();
    done = true;
  });
  int taken = 0;
  for (bool last = false; !last;) {
    last = done;
    stop_reason r;
    while (note.take(r)) {
      ++taken;
      REQUIRE(r.pid == r.code * 10);
      REQUIRE(r.uid == r.code * 100);
    }
  }
  writers.join();
  CHECK(taken > 0);
}
