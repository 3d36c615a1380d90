// SPDX-License-Identifier: BSL-1.0
// Model checks of one context: a stop against registration, removal, another stop, and the end of
// the last handle.
#include "model.hpp"

using curfew::stop_source;
using curfew::stop_token;
using model::callback;

namespace {

// Each callback runs exactly once, whoever comes first, and sees what was written before the stop.
struct registration_against_stop : model::suite<registration_against_stop, 2> {
  stop_source source;
  rl::var<int> payload{0};
  int runs = 0;

  void thread(unsigned index) {
    if (index == 0) {
      payload($) = 42;
      source.request_stop();
      return;
    }
    callback cb;
    cb.emplace(source.get_token(), [this] {
      ++runs;
      RL_ASSERT(payload($) == 42);
    });
    cb.reset();
    if (!source.stop_requested()) RL_ASSERT(runs == 0);
  }
  void after() { RL_ASSERT(runs <= 1); }
};

struct registration_outlives_stop : model::suite<registration_outlives_stop, 3> {
  stop_source source;
  callback first;
  callback second;
  rl::var<int> runs[2];

  void before() { runs[0]($) = runs[1]($) = 0; }
  void thread(unsigned index) {
    if (index == 0) {
      source.request_stop();
    } else {
      (index == 1 ? first : second).emplace(source.get_token(), [this, index] {
        runs[index - 1]($) += 1;
      });
    }
  }
  void after() {
    RL_ASSERT(runs[0]($) == 1 && runs[1]($) == 1);
    first.reset();
    second.reset();
  }
};

// After remove() the closure may be freed: a race or a use after free is found by Relacy.
struct removal_against_stop : model::suite<removal_against_stop, 2> {
  stop_source source;
  callback cb;
  rl::var<int> touched_by_callback{0};

  void before() {
    cb.emplace(source.get_token(), [this] { touched_by_callback($) += 1; });
  }
  void thread(unsigned index) {
    if (index == 0) {
      source.request_stop();
    } else {
      cb->remove();
      touched_by_callback($) += 1;
    }
  }
  void after() { cb.reset(); }
};

struct destruction_against_stop : model::suite<destruction_against_stop, 3> {
  stop_source source;
  callback older;
  callback newer;
  rl::var<int> old_one{0};
  rl::var<int> new_one{0};

  void before() {
    older.emplace(source.get_token(), [this] { old_one($) += 1; });
    newer.emplace(source.get_token(), [this] { new_one($) += 1; });
  }
  void thread(unsigned index) {
    if (index == 0) {
      source.request_stop();
    } else if (index == 1) {
      older.reset();
      old_one($) += 1;
    } else {
      newer.reset();
      new_one($) += 1;
    }
  }
};

// try_remove() is right about what it says: true, and the closure is ours; false, and it has run.
struct try_removal_against_stop : model::suite<try_removal_against_stop, 2> {
  stop_source source;
  callback cb;
  rl::var<int> touched_by_callback{0};

  void before() {
    cb.emplace(source.get_token(), [this] { touched_by_callback($) += 1; });
  }
  void thread(unsigned index) {
    if (index == 0) {
      source.request_stop();
    } else if (cb->try_remove()) {
      touched_by_callback($) += 1;
    } else {
      cb->remove();
      RL_ASSERT(touched_by_callback($) == 1);
    }
  }
  void after() { cb.reset(); }
};

// A callback destroys another one while its owner tries to.
struct callback_removes_another : model::suite<callback_removes_another, 2> {
  stop_source source;
  callback victim;
  callback remover;
  int runs = 0;

  void before() {
    victim.emplace(source.get_token(), [this] { ++runs; });
    remover.emplace(source.get_token(), [this] { victim->remove(); });
  }
  void thread(unsigned index) {
    if (index == 0) source.request_stop();
    if (index == 1) remover.reset();
  }
  void after() {
    RL_ASSERT(runs <= 1);
    victim.reset();
  }
};

// Two stops: one wins, the reason is the winner's, the callback runs once.
struct two_stops : model::suite<two_stops, 2> {
  stop_source source;
  callback cb;
  int runs = 0;
  bool won[2] = {};

  void before() {
    cb.emplace(source.get_token(), [this] { ++runs; });
  }
  void thread(unsigned index) {
    curfew::stop_reason reason{curfew::stop_cause::control, static_cast<int>(index), 0, -1};
    won[index] = source.request_stop(reason);
    RL_ASSERT(source.stop_requested());
  }
  void after() {
    RL_ASSERT(won[0] != won[1] && runs == 1);
    RL_ASSERT(source.get_token().reason().code == (won[0] ? 0 : 1));
    cb.reset();
  }
};

// A poll that sees the stop sees what came before it.
struct poll_against_stop : model::suite<poll_against_stop, 2> {
  stop_source source;
  rl::var<int> payload{0};

  void thread(unsigned index) {
    if (index == 0) {
      payload($) = 1;
      source.request_stop();
    } else if (source.stop_requested()) {
      RL_ASSERT(payload($) == 1);
      RL_ASSERT(source.get_token().reason().cause == curfew::stop_cause::requested);
    }
  }
};

// The last handles go on three threads at once: freed once, by whoever is last, and not too early.
struct last_handles : model::suite<last_handles, 3> {
  std::optional<stop_source> source;
  std::optional<stop_source> copy;
  std::optional<stop_token> token;

  void before() {
    source.emplace();
    copy.emplace(*source);
    token.emplace(source->get_token());
  }
  void thread(unsigned index) {
    if (index == 0) source.reset();
    if (index == 1) copy.reset();
    if (index == 2) {
      (void)token->stop_possible();
      token.reset();
    }
  }
};

// The source goes inside its own callback, with everything else.
struct source_goes_in_callback : model::suite<source_goes_in_callback, 2> {
  std::optional<stop_source> source;
  std::optional<stop_token> token;
  callback cb;

  void before() {
    source.emplace();
    token.emplace(source->get_token());
    cb.emplace(*token, [this] { source.reset(); });
  }
  void thread(unsigned index) {
    if (index == 0) source->request_stop();
    if (index == 1) {
      cb.reset();
      token.reset();
    }
  }
  void after() { source.reset(); }
};

}  // namespace

int main() {
  bool good = true;
  good &= model::holds<registration_against_stop>("a callback registered against a stop");
  good &= model::holds<registration_outlives_stop>("two callbacks registered and kept");
  good &= model::holds<removal_against_stop>("a removal against a stop");
  good &= model::holds<destruction_against_stop>("two destructors against a stop");
  good &= model::holds<try_removal_against_stop>("a try_remove against a stop");
  good &= model::holds<callback_removes_another>("a callback that removes another");
  good &= model::holds<two_stops>("two stops");
  good &= model::holds<poll_against_stop>("a poll against a stop");
  good &= model::holds<last_handles>("the last handles on three threads");
  good &= model::holds<source_goes_in_callback>("a source that goes in its own callback");
  return good ? 0 : 1;
}
