// SPDX-License-Identifier: BSL-1.0
// Model checks of what keeps a context: its handles by a count, its callbacks and children by a
// share of that count, which whoever comes last gives up. It is freed once, and not too early.
#include "model.hpp"

using curfew::stop_source;
using curfew::stop_token;
using model::callback;

namespace {

// The last token and the last callback go at once.
struct token_and_callback_go : model::suite<token_and_callback_go, 2> {
  std::optional<stop_token> token;
  callback cb;

  void before() {
    const stop_source source;
    token.emplace(source.get_token());
    cb.emplace(*token, [] {});
  }
  void thread(unsigned index) {
    if (index == 0) token.reset();
    if (index == 1) cb.reset();
  }
};

// Two callbacks are all that keeps the context, and go at once.
struct two_callbacks_go : model::suite<two_callbacks_go, 2> {
  callback cb[2];

  void before() {
    const stop_source source;
    for (callback& c : cb) c.emplace(source.get_token(), [] {});
  }
  void thread(unsigned index) { cb[index].reset(); }
};

// The only source and a callback go at once, and nobody has a token any more.
struct source_and_callback_go : model::suite<source_and_callback_go, 2> {
  std::optional<stop_source> source;
  callback cb;

  void before() {
    source.emplace();
    cb.emplace(source->get_token(), [] {});
  }
  void thread(unsigned index) {
    if (index == 0) source.reset();
    if (index == 1) cb.reset();
  }
};

// A callback comes and goes on a token of its own while the source goes.
struct callback_comes_and_goes : model::suite<callback_comes_and_goes, 2> {
  std::optional<stop_source> source;
  std::optional<stop_token> token;

  void before() {
    source.emplace();
    token.emplace(source->get_token());
  }
  void thread(unsigned index) {
    if (index == 0) {
      source.reset();
      return;
    }
    callback cb;
    cb.emplace(std::move(*token), [] {});
    token.reset();
    cb.reset();
  }
};

// A parent that only its children keep: they go at once, and take it with them.
struct children_take_parent_along : model::suite<children_take_parent_along, 2> {
  std::optional<stop_source> children[2];

  void before() {
    const stop_source parent;
    for (auto& child : children) child.emplace(parent.get_token());
  }
  void thread(unsigned index) { children[index].reset(); }
};

// Its last handle and its last child go at once.
struct parent_and_child_go : model::suite<parent_and_child_go, 2> {
  std::optional<stop_source> parent;
  std::optional<stop_source> child;

  void before() {
    parent.emplace();
    child.emplace(parent->get_token());
  }
  void thread(unsigned index) {
    if (index == 0) parent.reset();
    if (index == 1) child.reset();
  }
};

// A stop comes from above to a context that only its callback keeps, while that goes.
struct stop_finds_orphan : model::suite<stop_finds_orphan, 2> {
  stop_source root;
  callback cb;
  int runs = 0;

  void before() {
    cb.emplace(stop_source{root.get_token()}.get_token(), [this] { ++runs; });
  }
  void thread(unsigned index) {
    if (index == 0) root.request_stop();
    if (index == 1) cb.reset();
  }
  void after() { RL_ASSERT(runs <= 1); }
};

// A callback that has run still has its context, whoever else has gone.
struct callback_goes_after_it_ran : model::suite<callback_goes_after_it_ran, 2> {
  std::optional<stop_source> source;
  callback cb[2];
  int runs = 0;

  void before() {
    source.emplace();
    for (callback& c : cb) c.emplace(source->get_token(), [this] { ++runs; });
  }
  void thread(unsigned index) {
    if (index == 0) {
      source->request_stop();
      source.reset();
      cb[0].reset();
    }
    if (index == 1) cb[1].reset();
  }
  void after() { RL_ASSERT(runs == 1 || runs == 2); }
};

// A deadline comes while the only source goes: the timer has pinned the context, or never sees it.
struct source_goes_at_deadline : model::suite<source_goes_at_deadline, 2> {
  curfew::manual_clock clock;
  std::optional<stop_source> source;

  void before() { source.emplace(clock, std::chrono::nanoseconds(100)); }
  void thread(unsigned index) {
    if (index == 0) clock.advance(std::chrono::nanoseconds(100));
    if (index == 1) source.reset();
  }
};

// The same for a context that only a callback keeps.
struct callback_goes_at_deadline : model::suite<callback_goes_at_deadline, 2> {
  curfew::manual_clock clock;
  callback cb;
  int runs = 0;

  void before() {
    const stop_source source(clock, std::chrono::nanoseconds(100));
    cb.emplace(source.get_token(), [this] { ++runs; });
  }
  void thread(unsigned index) {
    if (index == 0) clock.advance(std::chrono::nanoseconds(100));
    if (index == 1) cb.reset();
  }
  void after() { RL_ASSERT(runs <= 1); }
};

// The last handle of a linked context goes, and both of its parents go.
struct linked_and_parents_go : model::suite<linked_and_parents_go, 3> {
  std::optional<stop_source> left;
  std::optional<stop_source> right;
  std::optional<stop_token> token;

  void before() {
    left.emplace();
    right.emplace();
    token.emplace(curfew::linked(left->get_token(), right->get_token()).get_token());
  }
  void thread(unsigned index) {
    if (index == 0) token.reset();
    if (index == 1) left.reset();
    if (index == 2) right.reset();
  }
};

// A child with a deadline of its own goes by itself while its parent stops and its deadline comes.
struct timed_child_goes : model::suite<timed_child_goes, 3> {
  curfew::manual_clock clock;
  std::optional<stop_source> parent;
  std::optional<stop_source> child;

  void before() {
    parent.emplace(clock);
    child.emplace(parent->get_token(), std::chrono::nanoseconds(100));
  }
  void thread(unsigned index) {
    if (index == 0) clock.advance(std::chrono::nanoseconds(100));
    if (index == 1) child.reset();
    if (index == 2) {
      parent->request_stop();
      parent.reset();
    }
  }
};

}  // namespace

int main() {
  bool good = true;
  good &= model::holds<token_and_callback_go>("the last token and the last callback go");
  good &= model::holds<two_callbacks_go>("the last two callbacks go");
  good &= model::holds<source_and_callback_go>("the only source and the only callback go");
  good &= model::holds<callback_comes_and_goes>("a callback comes and goes while the source goes");
  good &= model::holds<children_take_parent_along>("the last two children go");
  good &= model::holds<parent_and_child_go>("the last source and the last child go");
  good &= model::holds<stop_finds_orphan>("a stop from above against the last callback");
  good &= model::holds<callback_goes_after_it_ran>("callbacks that have run go after the source");
  good &= model::holds<source_goes_at_deadline>("the only source against the deadline");
  good &= model::holds<callback_goes_at_deadline>("the last callback against the deadline");
  good &= model::holds<linked_and_parents_go>("a linked context and both of its parents go");
  good &=
      model::holds<timed_child_goes>("a timed child against its deadline and its parent's stop");
  return good ? 0 : 1;
}
