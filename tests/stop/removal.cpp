// SPDX-License-Identifier: BSL-1.0
// Taking a callback back: remove() waits until it is not running, try_remove() does not wait and
// says whether it was running. Both before, during and after the stop, from inside and outside.
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

using namespace std::chrono_literals;
using curfew::stop_callback;
using curfew::stop_source;
using curfew::stop_token;
using any_callback = stop_callback<std::function<void()>>;

namespace {

// A stop on another thread that is held inside its only callback until it is let go.
class held_stop {
 public:
  held_stop() {
    stopper_ = std::thread{[this] { source.request_stop(); }};
    entered_.pass();
  }
  ~held_stop() { stopper_.join(); }
  void let_go() { leave_.open(); }

  stop_source source;
  std::atomic<bool> finished{false};

 private:
  test::gate entered_;
  test::gate leave_;

 public:
  std::optional<any_callback> callback{std::in_place, source.get_token(), [this] {
                                         entered_.open();
                                         leave_.pass();
                                         finished.store(true);
                                       }};

 private:
  std::thread stopper_;
};

TEST_CASE("a removed callback does not run and may be removed again") {
  stop_source s;
  int runs = 0;
  stop_callback removed(s.get_token(), [&] { ++runs; });
  stop_callback tried(s.get_token(), [&] { ++runs; });
  removed.remove();
  removed.remove();
  CHECK(removed.try_remove());
  CHECK(tried.try_remove());
  CHECK(tried.try_remove());
  tried.remove();
  s.request_stop();
  CHECK(runs == 0);
}

TEST_CASE("removing a callback that was never registered is nothing") {
  stop_callback on_empty(stop_token{}, [] {});
  on_empty.remove();
  CHECK(on_empty.try_remove());
  stop_callback on_orphan(stop_source{}.get_token(), [] {});
  CHECK(on_orphan.try_remove());
  on_orphan.remove();
}

TEST_CASE("removing a callback that has run is nothing") {
  stop_source s;
  int runs = 0;
  stop_callback before(s.get_token(), [&] { ++runs; });
  s.request_stop();
  stop_callback in_constructor(s.get_token(), [&] { ++runs; });
  CHECK(runs == 2);
  CHECK(before.try_remove());
  before.remove();
  CHECK(in_constructor.try_remove());
  in_constructor.remove();
  CHECK(runs == 2);
}

TEST_CASE("remove waits for a callback that runs on another thread") {
  held_stop stop;
  std::thread opener{[&] { stop.let_go(); }};
  stop.callback->remove();
  CHECK(stop.finished.load());
  opener.join();
}

TEST_CASE("trying to remove does not wait for a running callback and says that it runs") {
  held_stop stop;
  CHECK_FALSE(stop.callback->try_remove());
  CHECK_FALSE(stop.finished.load());
  CHECK_FALSE(stop.callback->try_remove());
  stop.let_go();
  stop.callback->remove();
  CHECK(stop.finished.load());
  CHECK(stop.callback->try_remove());
}

TEST_CASE("the destructor after a failed try to remove still waits") {
  held_stop stop;
  CHECK_FALSE(stop.callback->try_remove());
  std::thread opener{[&] { stop.let_go(); }};
  stop.callback.reset();
  CHECK(stop.finished.load());
  opener.join();
}

TEST_CASE("removing another callback does not wait for the one that runs") {
  stop_source s;
  test::gate entered;
  test::gate leave;
  int runs = 0;
  stop_callback older(s.get_token(), [&] { ++runs; });
  const stop_callback busy(s.get_token(), [&] {
    entered.open();
    leave.pass();
  });
  stop_callback oldest_of_child(s.get_token(), [] {});
  std::thread stopper{[&] { s.request_stop(); }};
  entered.pass();
  older.remove();
  CHECK(oldest_of_child.try_remove());
  leave.open();
  stopper.join();
  CHECK(runs == 0);
}

TEST_CASE("a callback of a descendant that is still to come can be taken back during the stop") {
  stop_source parent;
  stop_source older{parent.get_token()};
  stop_source newer{parent.get_token()};
  int runs = 0;
  stop_callback on_parent(parent.get_token(), [&] { ++runs; });
  stop_callback on_older(older.get_token(), [&] { ++runs; });
  bool both = false;
  const stop_callback on_newer(newer.get_token(),
                               [&] { both = on_parent.try_remove() && on_older.try_remove(); });
  parent.request_stop();
  CHECK(both);
  CHECK(runs == 0);
}

TEST_CASE("a callback that removes itself does not wait for itself") {
  stop_source s;
  int runs = 0;
  std::optional<any_callback> self;
  self.emplace(s.get_token(), [&] {
    ++runs;
    self->remove();
  });
  s.request_stop();
  CHECK(runs == 1);
  self->remove();
  CHECK(self->try_remove());
}

TEST_CASE("a callback that tries to remove itself is told that it runs") {
  stop_source s;
  bool answer = true;
  std::optional<any_callback> self;
  self.emplace(s.get_token(), [&] { answer = self->try_remove(); });
  s.request_stop();
  CHECK_FALSE(answer);
  CHECK(self->try_remove());
}

TEST_CASE("a callback that removed itself may be destroyed by another while it is still running") {
  // Removal from inside detaches it for good, so it is the callback that must be waited for by
  // whoever destroys it from outside.
  stop_source s;
  test::gate removed;
  test::gate leave;
  std::atomic<bool> finished{false};
  std::optional<any_callback> self;
  self.emplace(s.get_token(), [&] {
    self->remove();
    removed.open();
    leave.pass();
    finished.store(true);
  });
  std::thread stopper{[&] { s.request_stop(); }};
  removed.pass();
  std::thread opener{[&] { leave.open(); }};
  self.reset();
  CHECK(finished.load());
  opener.join();
  stopper.join();
}

TEST_CASE("a callback that destroys another one that nests into it does not hang") {
  stop_source outer;
  stop_source inner;
  int runs = 0;
  std::optional<any_callback> on_outer;
  std::optional<any_callback> on_inner;
  on_outer.emplace(outer.get_token(), [&] {
    ++runs;
    inner.request_stop();  // on_inner runs here, inside on_outer
  });
  on_inner.emplace(inner.get_token(), [&] {
    ++runs;
    on_outer->remove();  // runs right now, on this very thread: must not wait for itself
  });
  outer.request_stop();
  CHECK(runs == 2);
}

TEST_CASE("two callbacks on two contexts that try to remove each other both return") {
  for (int round = 0; round < 100; ++round) {
    stop_source a;
    stop_source b;
    test::starting_line inside{2};
    std::optional<any_callback> on_a;
    std::optional<any_callback> on_b;
    bool removed[2] = {true, true};
    on_a.emplace(a.get_token(), [&] {
      inside.await();
      removed[0] = on_b->try_remove();
    });
    on_b.emplace(b.get_token(), [&] {
      inside.await();
      removed[1] = on_a->try_remove();
    });
    std::thread stopper{[&] { a.request_stop(); }};
    b.request_stop();
    stopper.join();
    REQUIRE_FALSE((removed[0] && removed[1]));
  }
}

TEST_CASE("after remove the function object is not touched again") {
  for (int round = 0; round < 500; ++round) {
    stop_source s;
    test::starting_line line{2};
    auto plain = std::make_unique<int>(0);
    any_callback cb(s.get_token(), [&p = *plain] { ++p; });
    std::thread stopper{[&] {
      line.await();
      s.request_stop();
    }};
    line.await();
    cb.remove();
    plain.reset();  // a use after free unless remove() has waited
    stopper.join();
  }
}

TEST_CASE("trying to remove while a stop comes is right about what it says") {
  for (int round = 0; round < 500; ++round) {
    stop_source s;
    test::starting_line line{2};
    std::atomic<int> runs{0};
    any_callback cb(s.get_token(), [&] { runs.fetch_add(1); });
    std::thread stopper{[&] {
      line.await();
      s.request_stop();
    }};
    line.await();
    const bool removed = cb.try_remove();
    const int at_answer = runs.load();
    stopper.join();
    if (removed) REQUIRE(runs.load() == at_answer);
    if (!removed) REQUIRE(runs.load() == 1);
  }
}

TEST_CASE("removing and trying to remove an inplace callback") {
  curfew::inplace_stop_source s;
  int runs = 0;
  curfew::inplace_stop_callback removed(s.get_token(), [&] { ++runs; });
  curfew::inplace_stop_callback tried(s.get_token(), [&] { ++runs; });
  curfew::inplace_stop_callback kept(s.get_token(), [&] { ++runs; });
  removed.remove();
  CHECK(tried.try_remove());
  s.request_stop();
  CHECK(runs == 1);
  CHECK(kept.try_remove());
}

TEST_CASE("a callback of a deadline can be taken back while another one of it runs") {
  curfew::manual_clock clock;
  const stop_source s{clock, 1s};
  test::gate entered;
  test::gate leave;
  int runs = 0;
  stop_callback older(s.get_token(), [&] { ++runs; });
  const stop_callback busy(s.get_token(), [&] {
    entered.open();
    leave.pass();
  });
  std::thread advancing{[&] { clock.advance(1s); }};
  entered.pass();
  CHECK(older.try_remove());
  leave.open();
  advancing.join();
  CHECK(runs == 0);
}

}  // namespace
