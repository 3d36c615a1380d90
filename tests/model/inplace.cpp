// SPDX-License-Identifier: BSL-1.0
// Model checks of inplace contexts: nobody counts them, so their destructor has to wait for whoever
// is still inside, and for nobody else.
#include "model.hpp"

using curfew::inplace_stop_source;
using curfew::stop_source;
using model::callback;
using model::inplace_callback;

namespace {

struct child_goes_against_stop : model::suite<child_goes_against_stop, 2> {
  stop_source parent;
  std::optional<inplace_stop_source> child;
  std::optional<inplace_stop_source> grandchild;

  void before() {
    child.emplace(parent.get_token());
    grandchild.emplace(child->get_token());
  }
  void thread(unsigned index) {
    if (index == 0) {
      parent.request_stop();
    } else {
      grandchild.reset();
      child.reset();
    }
  }
};

// With a callback it is queued for firing, and may be taken out again by its own end.
struct queued_child_goes : model::suite<queued_child_goes, 2> {
  stop_source parent;
  std::optional<inplace_stop_source> child;
  inplace_callback cb;
  rl::var<int> touched{0};

  void before() {
    child.emplace(parent.get_token());
    cb.emplace(child->get_token(), [this] { touched($) += 1; });
  }
  void thread(unsigned index) {
    if (index == 0) {
      parent.request_stop();
    } else {
      cb.reset();
      touched($) += 1;
      child.reset();
    }
  }
};

// Several of them in one queue, of both kinds, that go from its middle and its ends.
struct queued_children_go : model::suite<queued_children_go, 3> {
  stop_source parent;
  stop_source shared{parent.get_token()};
  std::optional<inplace_stop_source> children[2];
  inplace_callback callbacks[2];
  callback on_shared;
  callback on_parent;
  int shared_runs = 0;

  void before() {
    on_shared.emplace(shared.get_token(), [this] { ++shared_runs; });
    on_parent.emplace(parent.get_token(), [this] { ++shared_runs; });
    for (int i = 0; i < 2; ++i) {
      children[i].emplace(parent.get_token());
      callbacks[i].emplace(children[i]->get_token(), [] {});
    }
  }
  void thread(unsigned index) {
    if (index == 0) {
      parent.request_stop();
    } else {
      callbacks[index - 1].reset();
      children[index - 1].reset();
    }
  }
  void after() {
    RL_ASSERT(shared_runs == 2);
    on_shared.reset();
    on_parent.reset();
  }
};

// Callbacks of one context destroy another one that is queued behind it: on the firing thread.
struct callback_destroys_queued : model::suite<callback_destroys_queued, 2> {
  stop_source parent;
  std::optional<inplace_stop_source> older;
  std::optional<inplace_stop_source> newer;
  inplace_callback on_older;
  inplace_callback on_newer;
  bool older_ran = false;

  void before() {
    older.emplace(parent.get_token());
    newer.emplace(parent.get_token());
    on_older.emplace(older->get_token(), [this] { older_ran = true; });
    on_newer.emplace(newer->get_token(), [this] {
      on_older.reset();
      older.reset();
    });
  }
  void thread(unsigned index) {
    if (index == 0) {
      parent.request_stop();
    } else {
      on_newer.reset();
      newer.reset();
    }
  }
  void after() {
    on_older.reset();
    older.reset();
  }
};

// A root is stopped on one thread and goes on another that has seen its callback run.
struct root_goes_after_its_callback : model::suite<root_goes_after_its_callback, 2> {
  std::optional<inplace_stop_source> source;
  inplace_callback cb;
  std::atomic<int> ran{0};

  void before() {
    source.emplace();
    cb.emplace(source->get_token(), [this] { ran.store(1, std::memory_order_release); });
  }
  void thread(unsigned index) {
    if (index == 0) {
      source->request_stop();
      ran.store(2, std::memory_order_release);
    } else {
      rl::linear_backoff wait;
      while (ran.load(std::memory_order_acquire) == 0) wait.yield($);
      cb.reset();
      while (ran.load(std::memory_order_acquire) != 2) wait.yield($);
      source.reset();
    }
  }
};

// A timer has it pinned while it goes.
struct deadline_against_destruction : model::suite<deadline_against_destruction, 2> {
  curfew::manual_clock clock;
  std::optional<inplace_stop_source> source;
  inplace_callback cb;
  rl::var<int> touched{0};

  void before() {
    source.emplace(clock, std::chrono::seconds(1));
    cb.emplace(source->get_token(), [this] { touched($) += 1; });
  }
  void thread(unsigned index) {
    if (index == 0) {
      clock.advance(std::chrono::seconds(1));
    } else {
      cb.reset();
      touched($) += 1;
      source.reset();
    }
  }
};

struct deadline_against_stop_and_destruction
    : model::suite<deadline_against_stop_and_destruction, 3> {
  curfew::manual_clock clock;
  stop_source parent{clock};
  std::optional<inplace_stop_source> source;
  inplace_callback cb;
  int runs = 0;

  void before() {
    source.emplace(parent.get_token(), std::chrono::seconds(1));
    cb.emplace(source->get_token(), [this] { ++runs; });
  }
  void thread(unsigned index) {
    if (index == 0) clock.advance(std::chrono::seconds(1));
    if (index == 1) parent.request_stop();
    if (index == 2) {
      cb.reset();
      source.reset();
    }
  }
  void after() { RL_ASSERT(runs <= 1); }
};

}  // namespace

int main() {
  bool good = true;
  good &= model::holds<child_goes_against_stop>("an inplace child that goes against a stop");
  good &= model::holds<queued_child_goes>("a queued inplace child that goes");
  good &= model::holds<queued_children_go>("inplace children that go from one queue");
  good &= model::holds<callback_destroys_queued>("a callback that destroys a queued context");
  good &= model::holds<root_goes_after_its_callback>("a root that goes after its callback");
  good &= model::holds<deadline_against_destruction>("a deadline against a destructor");
  good &= model::holds<deadline_against_stop_and_destruction>(
      "a deadline against a stop and a destructor");
  return good ? 0 : 1;
}
