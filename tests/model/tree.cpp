// SPDX-License-Identifier: BSL-1.0
// Model checks of contexts under contexts: a stop on its way down against children that come, go,
// and are stopped themselves.
#include "model.hpp"

using curfew::linked;
using curfew::stop_reason;
using curfew::stop_source;
using curfew::stop_token;
using model::callback;

namespace {

stop_reason numbered(unsigned n) {
  return {curfew::stop_cause::control, static_cast<int>(n), 0, -1};
}

// A child made while its parent stops is stopped in the end, with the parent's reason.
struct child_made_against_stop : model::suite<child_made_against_stop, 2> {
  stop_source parent;
  std::optional<stop_source> child;
  callback cb;
  int runs = 0;

  void thread(unsigned index) {
    if (index == 0) {
      parent.request_stop(numbered(7));
      return;
    }
    child.emplace(parent.get_token());
    cb.emplace(child->get_token(), [this] { ++runs; });
    if (parent.stop_requested()) RL_ASSERT(parent.get_token().reason().code == 7);
  }
  void after() {
    RL_ASSERT(child->get_token().reason().code == 7);
    RL_ASSERT(runs == 1);
    cb.reset();
  }
};

// Children go in the middle of a stop of their parent, from a list of three.
struct children_go_against_stop : model::suite<children_go_against_stop, 3> {
  stop_source parent;
  std::optional<stop_source> children[3];
  std::optional<stop_source> grandchild;

  void before() {
    for (auto& child : children) child.emplace(parent.get_token());
    grandchild.emplace(children[1]->get_token());
  }
  void thread(unsigned index) {
    if (index == 0) parent.request_stop();
    if (index == 1) {
      children[1].reset();
      grandchild.reset();
    }
    if (index == 2) children[2].reset();
  }
  void after() { RL_ASSERT(children[0]->stop_requested()); }
};

// Whoever is called back finds everything below stopped, also when two threads stop at two levels.
struct parent_and_child_stopped : model::suite<parent_and_child_stopped, 2> {
  stop_source parent;
  stop_source child{parent.get_token()};
  stop_source grandchild{child.get_token()};
  callback on_parent;
  callback on_child;
  int runs = 0;

  void before() {
    const auto look = [this] {
      ++runs;
      RL_ASSERT(child.stop_requested());
      RL_ASSERT(grandchild.stop_requested());
    };
    on_parent.emplace(parent.get_token(), look);
    on_child.emplace(child.get_token(), look);
  }
  void thread(unsigned index) {
    if (index == 0) parent.request_stop(numbered(1));
    if (index == 1) child.request_stop(numbered(2));
  }
  void after() {
    RL_ASSERT(runs == 2);
    RL_ASSERT(parent.get_token().reason().code == 1);
    RL_ASSERT(child.get_token().reason().code == grandchild.get_token().reason().code);
    on_parent.reset();
    on_child.reset();
  }
};

// A stop that comes second and returns false finds everything below stopped all the same.
struct loser_finds_all_stopped : model::suite<loser_finds_all_stopped, 2> {
  stop_source parent;
  stop_source child{parent.get_token()};

  void thread(unsigned) {
    parent.request_stop();
    // A registration that runs its callback at once may come only after the flags are up.
    callback cb;
    cb.emplace(parent.get_token(), [this] { RL_ASSERT(child.stop_requested()); });
    cb.reset();
  }
};

// A diamond stopped at both sides at once: one reason, one run.
struct diamond_stopped_twice : model::suite<diamond_stopped_twice, 2> {
  stop_source left;
  stop_source right;
  std::optional<stop_source> bottom;
  std::optional<stop_source> below;
  callback cb;
  int runs = 0;

  void before() {
    bottom.emplace(linked(left.get_token(), right.get_token()));
    below.emplace(bottom->get_token());
    cb.emplace(below->get_token(), [this] { ++runs; });
  }
  void thread(unsigned index) { (index == 0 ? left : right).request_stop(numbered(index + 1)); }
  void after() {
    const int code = bottom->get_token().reason().code;
    RL_ASSERT(code == 1 || code == 2);
    RL_ASSERT(below->get_token().reason().code == code);
    RL_ASSERT(runs == 1);
    cb.reset();
    below.reset();
    bottom.reset();
  }
};

// The bottom of a diamond goes, or is made, while both of its parents stop.
struct diamond_goes_against_stops : model::suite<diamond_goes_against_stops, 3> {
  stop_source left;
  stop_source right;
  std::optional<stop_source> bottom;

  void before() { bottom.emplace(linked(left.get_token(), right.get_token())); }
  void thread(unsigned index) {
    if (index == 0) left.request_stop();
    if (index == 1) right.request_stop();
    if (index == 2) bottom.reset();
  }
};

struct diamond_made_against_stops : model::suite<diamond_made_against_stops, 3> {
  stop_source left;
  stop_source right;
  std::optional<stop_source> bottom;

  void thread(unsigned index) {
    if (index == 0) left.request_stop(numbered(1));
    if (index == 1) right.request_stop(numbered(2));
    if (index == 2) bottom.emplace(linked(left.get_token(), right.get_token()));
  }
  void after() {
    RL_ASSERT(bottom->stop_requested());
    RL_ASSERT(bottom->get_token().reason().code != 0);
    bottom.reset();
  }
};

// The last handle of a chain goes while its root stops: a burial against a walk.
struct chain_buried_against_stop : model::suite<chain_buried_against_stop, 2> {
  stop_source root;
  std::optional<stop_source> leaf;

  void before() {
    leaf.emplace(stop_source{stop_source{root.get_token()}.get_token()}.get_token());
  }
  void thread(unsigned index) {
    if (index == 0) root.request_stop();
    if (index == 1) leaf.reset();
  }
};

}  // namespace

int main() {
  bool good = true;
  good &= model::holds<child_made_against_stop>("a child made against a stop of its parent");
  good &= model::holds<children_go_against_stop>("children that go against a stop of their parent");
  good &= model::holds<parent_and_child_stopped>("a stop of a parent against one of its child");
  good &= model::holds<loser_finds_all_stopped>("a stop that comes second finds all stopped");
  good &= model::holds<diamond_stopped_twice>("a diamond stopped from both sides");
  good &= model::holds<diamond_goes_against_stops>("a diamond that goes against two stops");
  good &= model::holds<diamond_made_against_stops>("a diamond made against two stops");
  good &= model::holds<chain_buried_against_stop>("a chain buried against a stop of its root");
  return good ? 0 : 1;
}
