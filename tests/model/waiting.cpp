// SPDX-License-Identifier: BSL-1.0
// Model checks of waiting: no wake is lost, whoever ends the wait. A lost one is a deadlock, which
// Relacy reports.
#include "model.hpp"

using curfew::linked;
using curfew::stop_source;
using curfew::stop_token;

namespace {

struct waiter_against_stop : model::suite<waiter_against_stop, 3> {
  stop_source parent;
  stop_source child{parent.get_token()};

  void thread(unsigned index) {
    if (index == 0) parent.request_stop();
    if (index == 1) RL_ASSERT(child.get_token().wait());
    if (index == 2) RL_ASSERT(parent.get_token().wait());
  }
};

struct waiter_against_last_source : model::suite<waiter_against_last_source, 3> {
  std::optional<stop_source> source;
  std::optional<stop_source> copy;
  stop_token token;

  void before() {
    source.emplace();
    copy.emplace(*source);
    token = source->get_token();
  }
  void thread(unsigned index) {
    if (index == 0) source.reset();
    if (index == 1) copy.reset();
    if (index == 2) RL_ASSERT(!token.wait());
  }
};

// The last source of the parent and that of the child go on two threads: whichever comes second
// must wake the waiter.
struct waiter_against_last_sources_of_two : model::suite<waiter_against_last_sources_of_two, 3> {
  std::optional<stop_source> parent;
  std::optional<stop_source> child;
  stop_token token;

  void before() {
    parent.emplace();
    child.emplace(parent->get_token());
    token = child->get_token();
  }
  void thread(unsigned index) {
    if (index == 0) parent.reset();
    if (index == 1) child.reset();
    if (index == 2) RL_ASSERT(!token.wait());
  }
  void after() {
    RL_ASSERT(!token.stop_possible());
    token = stop_token{};
  }
};

// The same through a link of two parents.
struct waiter_against_last_sources_of_link : model::suite<waiter_against_last_sources_of_link, 3> {
  std::optional<stop_source> left;
  std::optional<stop_source> right;
  stop_token token;

  void before() {
    left.emplace();
    right.emplace();
    token = linked(left->get_token(), right->get_token()).get_token();
  }
  void thread(unsigned index) {
    if (index == 0) left.reset();
    if (index == 1) right.reset();
    if (index == 2) RL_ASSERT(!token.wait());
  }
  void after() {
    RL_ASSERT(!token.stop_possible());
    token = stop_token{};
  }
};

// A stop and the end of another last source at once: the waiter always ends, and tells the truth.
struct waiter_against_stop_and_end : model::suite<waiter_against_stop_and_end, 3> {
  std::optional<stop_source> parent;
  std::optional<stop_source> child;
  stop_token token;

  void before() {
    parent.emplace();
    child.emplace(parent->get_token());
    token = child->get_token();
  }
  void thread(unsigned index) {
    if (index == 0) {
      parent->request_stop();
      parent.reset();
    }
    if (index == 1) child.reset();
    if (index == 2) RL_ASSERT(token.wait());
  }
  void after() { token = stop_token{}; }
};

// A child made under a parent that becomes impossible to stop meanwhile.
struct child_made_against_last_source : model::suite<child_made_against_last_source, 2> {
  std::optional<stop_source> parent;
  stop_token token;

  void before() {
    parent.emplace();
    token = parent->get_token();
  }
  void thread(unsigned index) {
    if (index == 0) {
      parent.reset();
    } else {
      const stop_token below = stop_source{token}.get_token();
      RL_ASSERT(!below.wait());
    }
  }
  void after() { token = stop_token{}; }
};

// A waiter that goes at once with its token, the last handle: nothing of it is touched afterwards.
struct waiter_goes_against_stop : model::suite<waiter_goes_against_stop, 2> {
  std::optional<stop_source> parent;
  std::optional<stop_token> token;

  void before() {
    parent.emplace();
    token.emplace(stop_source{parent->get_token()}.get_token());
  }
  void thread(unsigned index) {
    if (index == 0) {
      parent->request_stop();
      parent.reset();
    } else {
      token->wait();
      token.reset();
    }
  }
};

}  // namespace

int main() {
  bool good = true;
  good &= model::holds<waiter_against_stop>("waiters against a stop");
  good &= model::holds<waiter_against_last_source>("a waiter against the end of the last source");
  good &= model::holds<waiter_against_last_sources_of_two>(
      "a waiter against the last sources of parent and child");
  good &= model::holds<waiter_against_last_sources_of_link>(
      "a waiter on a link against the last sources of its parents");
  good &=
      model::holds<waiter_against_stop_and_end>("a waiter against a stop and the end of a source");
  good &=
      model::holds<child_made_against_last_source>("a child made against the end of its parent");
  good &= model::holds<waiter_goes_against_stop>("a waiter that goes against a stop");
  return good ? 0 : 1;
}
