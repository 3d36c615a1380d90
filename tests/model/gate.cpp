// SPDX-License-Identifier: BSL-1.0
// Model checks of the gate: entering, leaving, closing, waiting and a stop against each other, and
// the end of the gate as soon as it may end.
#include "model.hpp"

#include <curfew/release/gate.hpp>

using curfew::gate;
using curfew::stop_source;

namespace {

// The waiter gets to know of the last hold, and what was done under it.
struct drained_by_the_last : model::suite<drained_by_the_last, 3> {
  gate g;
  rl::var<int> work[2];

  void before() { work[0]($) = work[1]($) = 0; }
  void thread(unsigned index) {
    if (index == 2) {
      g.close();
      RL_ASSERT(g.wait(curfew::stop_token()));
      RL_ASSERT(g.count() == 0);
      RL_ASSERT(work[0]($) + work[1]($) <= 2);
    } else if (auto hold = g.enter()) {
      work[index]($) = 1;
    }
  }
};

// Two holds that are in already; closing, and waiting before it.
struct closed_by_another : model::suite<closed_by_another, 4> {
  gate g;
  gate::hold holds[2];
  rl::var<int> work[2];

  void before() {
    for (int i = 0; i < 2; ++i) {
      work[i]($) = 0;
      holds[i] = g.enter();
    }
  }
  void thread(unsigned index) {
    if (index < 2) {
      work[index]($) = 1;
      holds[index].reset();
    } else if (index == 2) {
      g.close();
    } else {
      RL_ASSERT(g.wait(curfew::stop_token()));
      RL_ASSERT(work[0]($) + work[1]($) == 2);
    }
  }
};

// Whoever is refused sees what was done before the close.
struct refused_sees_the_close : model::suite<refused_sees_the_close, 2> {
  gate g;
  rl::var<int> payload{0};

  void thread(unsigned index) {
    if (index == 0) {
      payload($) = 1;
      g.close();
    } else if (!g.enter()) {
      RL_ASSERT(payload($) == 1);
    }
  }
};

// The gate goes when the wait returns; the one who left last is done with it.
struct gone_after_the_wait : model::suite<gone_after_the_wait, 3> {
  std::optional<gate> g;
  gate::hold holds[2];

  void before() {
    g.emplace();
    for (auto& h : holds) h = g->enter();
  }
  void thread(unsigned index) {
    if (index < 2) {
      holds[index].reset();
    } else {
      g->close();
      RL_ASSERT(g->wait(curfew::stop_token()));
      g.reset();
    }
  }
};

// The gate goes when its count is zero, without a wait.
struct gone_when_empty : model::suite<gone_when_empty, 2> {
  std::unique_ptr<gate> g;
  gate::hold hold;

  void before() {
    g = std::make_unique<gate>();
    hold = g->enter();
  }
  void thread(unsigned index) {
    if (index == 0) {
      hold.reset();
    } else {
      g->close();
      if (g->count() == 0) g.reset();
    }
  }
  void after() { g.reset(); }
};

// A stop ends the wait of the one whose token it is; the other waits for the hold.
struct stopped_while_waiting : model::suite<stopped_while_waiting, 4> {
  gate g;
  gate::hold hold;
  stop_source source;

  void before() { hold = g.enter(); }
  void thread(unsigned index) {
    if (index == 0) source.request_stop();
    if (index == 1) g.wait(source.get_token());
    if (index == 2) RL_ASSERT(g.wait(curfew::stop_token()));
    if (index == 3) {
      g.close();
      hold.reset();
    }
  }
};

// Two stops of two waiters: neither takes the other's wake.
struct two_stops_of_two_waiters : model::suite<two_stops_of_two_waiters, 4> {
  gate g;
  stop_source sources[2];

  void thread(unsigned index) {
    if (index < 2) {
      sources[index].request_stop();
    } else {
      RL_ASSERT(!g.wait(sources[index - 2].get_token()));
    }
  }
};

}  // namespace

int main() {
  bool good = true;
  good &= model::holds<drained_by_the_last>("a gate drained by the last hold");
  good &= model::holds<closed_by_another>("a gate closed beside a waiter");
  good &= model::holds<refused_sees_the_close>("who is refused sees the close");
  good &= model::holds<gone_after_the_wait>("a gate that goes after the wait");
  good &= model::holds<gone_when_empty>("a gate that goes when it is empty");
  good &= model::holds<stopped_while_waiting>("a stop while waiting");
  good &= model::holds<two_stops_of_two_waiters>("two stops of two waiters");
  return good ? 0 : 1;
}
