// SPDX-License-Identifier: BSL-1.0
//
// Services in a box whose host, threads and end get in each other's way. What is checked holds in
// every order; the sanitizers look at the rest.
#include <curfew/testing/host_in_a_box.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using curfew::host_in_a_box;
using curfew::host_kind;
using curfew::service;
using curfew::stop_cause;
using curfew::stop_token;
using curfew::system_event;
using test::door;
using test::serve;

using state = host_in_a_box::state;

namespace {

constexpr int rounds = 30;

bool may_follow(state before, state after) {
  switch (after) {
    case state::start_pending: return before == state::start_pending;
    case state::running: return before != state::stop_pending && before != state::stopped;
    case state::stop_pending: return before != state::stopped;
    case state::stopped: return before == state::stop_pending;
    default:
      return before != state::start_pending && before != state::stop_pending &&
             before != state::stopped;
  }
}

/// SCM rules 7, 8 and 9.
bool in_order(const host_in_a_box& box) {
  const auto all = box.statuses();
  for (std::size_t i = 1; i < all.size(); ++i) {
    const bool same = all[i].state == all[i - 1].state;
    if (!may_follow(all[i - 1].state, all[i].state)) return false;
    if (same && all[i].checkpoint != 0 && all[i].checkpoint <= all[i - 1].checkpoint) return false;
  }
  return all.front().state == state::start_pending && all.back().state == state::stopped;
}

/// While it lives another thread does something over and over.
class meanwhile {
 public:
  template <class F>
  explicit meanwhile(F f)
      : thread_([this, f] {
          while (!done_) f();
        }) {}
  ~meanwhile() {
    done_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("SCM rule 8 - ready from another thread may race the stop") {
  for (int i = 0; i < rounds; ++i) {
    host_in_a_box box(host_kind::scm);
    box.start({.name = "web"}, [](service& s) {
      std::thread starter([&] { s.ready(); });
      s.token().wait();
      starter.join();
    });
    box.console_close();
    CHECK(box.await_end() == 0);
    CHECK(in_order(box));
  }
}

TEST_CASE("SCM rule 7 - checkpoints only rise when many threads report progress during a stop") {
  for (int i = 0; i < rounds; ++i) {
    host_in_a_box box(host_kind::scm);
    box.start({.name = "web"}, [](service& s) {
      s.ready();
      const auto work = [&] {
        s.token().wait();
        for (int step = 0; step < 20; ++step) s.progress("flushing", 1s);
      };
      std::thread one(work);
      std::thread two(work);
      one.join();
      two.join();
    });
    CHECK(box.await_ready());
    box.scm_stop();
    CHECK(box.await_end() == 0);
    CHECK(in_order(box));
    const auto all = box.statuses();
    CHECK(all[all.size() - 2].checkpoint == 41);
  }
}

TEST_CASE("a service may end by itself while its host goes on asking") {
  for (int i = 0; i < rounds; ++i) {
    door go;
    host_in_a_box box(host_kind::scm);
    box.start({.name = "web"}, [&](service& s) {
      s.on_pause([] {}, [] {});
      s.on_reload([] {});
      s.on_user_code([](int) {});
      s.on_system_event([](const system_event&) -> std::uint32_t { return 7; });
      s.ready();
      go.wait();
    });
    CHECK(box.await_ready());
    go.open();
    while (!box.ended()) {
      box.scm_user(128);
      box.scm_pause();
      box.scm_param_change();
      box.scm_power(4);
      box.scm_continue();
    }
    CHECK(box.await_end() == 0);
    CHECK(in_order(box));
    CHECK(box.scm_user(128) == 1061);
  }
}

TEST_CASE("an answer to the system is waited for before anything is released") {
  for (int i = 0; i < rounds; ++i) {
    std::atomic<bool> released{false};
    bool too_early = false;
    door go;
    host_in_a_box box(host_kind::scm);
    box.start({.name = "web"}, [&](service& s) {
      s.resources().defer("pool", [&] { released = true; });
      s.on_system_event([&, stop = s.token()](const system_event&) -> std::uint32_t {
        go.open();
        stop.wait();
        for (int spin = 0; spin < 100; ++spin) std::this_thread::yield();
        too_early = released;
        return 7;
      });
      s.ready();
      go.wait();
    });
    CHECK(box.await_ready());
    CHECK(box.scm_power(4) == 7);
    CHECK_FALSE(too_early);
    CHECK(box.await_end() == 0);
  }
}

TEST_CASE("heartbeats and progress may come from any thread until main returns") {
  for (int i = 0; i < rounds; ++i) {
    host_in_a_box box(host_kind::systemd);
    box.start({.name = "web", .watchdog = 1s}, [](service& s) {
      const meanwhile beats([&] { s.heartbeat(); });
      const meanwhile moves([&] { s.progress("working"); });
      serve(s);
    });
    CHECK(box.await_ready());
    box.advance(10s);
    box.signal(SIGTERM);
    CHECK(box.await_end() == 0);
    const auto told = box.datagrams();
    const auto is_stop = [](const std::string& d) { return d.starts_with("STOPPING=1"); };
    const auto is_beat = [](const std::string& d) { return d == "WATCHDOG=1"; };
    const auto stop = std::find_if(told.begin(), told.end(), is_stop);
    CHECK(std::count_if(told.begin(), told.end(), is_stop) == 1);
    CHECK(std::none_of(stop, told.end(), is_beat));
  }
}

TEST_CASE("stops of all kinds at once are one stop") {
  for (int i = 0; i < rounds; ++i) {
    host_in_a_box box(host_kind::scm);
    box.start({.name = "web", .stop_timeout = 1h}, [](service& s) {
      s.on_user_code([&](int) { s.request_stop(); });
      std::thread other([&] { s.request_stop(); });
      serve(s);
      other.join();
    });
    box.scm_user(128);
    box.console_close();
    box.scm_stop();
    CHECK(box.await_end() == 0);
    CHECK(in_order(box));
  }
}

#if CURFEW_POSIX
TEST_CASE("systemd rule 37 - reloads at any moment are followed by READY or the end") {
  for (int i = 0; i < rounds; ++i) {
    door go;
    host_in_a_box box(host_kind::systemd);
    box.start({.name = "web"}, [&](service& s) {
      s.on_reload([] {});
      go.open();
      serve(s);
    });
    go.wait();
    for (int n = 0; n < 20; ++n) box.signal(SIGHUP);
    CHECK(box.await_ready());
    for (int n = 0; n < 20; ++n) box.signal(SIGHUP);
    box.signal(SIGTERM);
    while (!box.ended()) box.signal(SIGHUP);
    CHECK(box.await_end() == 0);
    const auto told = box.datagrams();
    bool reloads = false;
    for (const auto& d : told) {
      const bool begins = d.starts_with("RELOADING=1");
      CHECK_FALSE((begins && reloads));
      reloads = begins;
    }
    CHECK(told.front().starts_with("READY=1"));
    CHECK(told.back().starts_with("EXIT_STATUS=0"));
  }
}
#endif

TEST_CASE("a clock that runs on while a stop goes well does not make it a failure") {
  for (int i = 0; i < 10 * rounds; ++i) {
    host_in_a_box box(host_kind::scm);
    box.start({.name = "web", .stop_timeout = std::chrono::hours::max()}, serve);
    CHECK(box.await_ready());
    box.scm_stop();
    while (!box.ended()) box.advance(3s);
    CHECK(box.await_end() == 0);
  }
}

// ---- the end of a box

TEST_CASE("a box may be destroyed in every phase of its service") {
  for (int i = 0; i < rounds; ++i) {
    for (const auto kind : {host_kind::console, host_kind::systemd, host_kind::scm}) {
      { const host_in_a_box never_started(kind); }
      host_in_a_box starting(kind);
      starting.start({.name = "web"}, [](service& s) { s.token().wait(); });
      host_in_a_box running(kind);
      running.start({.name = "web"}, serve);
      CHECK(running.await_ready());
      host_in_a_box stopping(kind);
      stopping.start({.name = "web"}, [](service& s) {
        serve(s);
        s.hurry().wait();
      });
      CHECK(stopping.await_ready());
      stopping.signal(SIGTERM);
      host_in_a_box ended(kind);
      ended.start({.name = "web"}, [](service&) { return 1; });
      CHECK(ended.await_end() == 1);
    }
  }
}

TEST_CASE("a box waits in its destructor for a main that was ended by force") {
  for (int i = 0; i < rounds; ++i) {
    door go;
    bool returned = false;
    std::thread opener;
    {
      host_in_a_box box(host_kind::scm);
      box.start({.name = "web", .stop_timeout = 1s}, [&](service& s) {
        s.ready();
        go.wait();
        returned = true;
      });
      CHECK(box.await_ready());
      box.scm_stop();
      box.advance(1s);
      CHECK(box.await_end() == 124);
      opener = std::thread([&] { go.open(); });
    }
    CHECK(returned);
    opener.join();
  }
}

TEST_CASE("boxes on many threads do not know of each other") {
  std::vector<std::thread> threads;
  std::atomic<int> clean{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) {
        host_in_a_box box(i % 2 == 0 ? host_kind::scm : host_kind::systemd);
        box.start({.name = "web"}, serve);
        if (!box.await_ready()) return;
        box.signal(SIGTERM);
        clean += box.await_end() == 0 ? 1 : 0;
      }
    });
  }
  for (auto& t : threads) t.join();
  CHECK(clean == 4 * rounds);
}
