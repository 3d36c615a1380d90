// SPDX-License-Identifier: BSL-1.0
// Model checks of deadlines: the thread that drives a clock against requests, late questions, and
// the end of contexts. The clock is a manual one; the process's does the same with its lists.
#include "model.hpp"

using curfew::stop_cause;
using curfew::stop_reason;
using curfew::stop_source;
using curfew::stop_token;
using model::callback;
using std::chrono::seconds;

namespace {

constexpr stop_reason asked{stop_cause::signal, 15, 0, -1};

struct deadline_against_request : model::suite<deadline_against_request, 2> {
  curfew::manual_clock clock;
  stop_source source{clock, seconds(1)};
  stop_source child{source.get_token()};
  callback on_source;
  callback on_child;
  int runs = 0;
  bool won = false;

  void before() {
    on_source.emplace(source.get_token(), [this] { ++runs; });
    on_child.emplace(child.get_token(), [this] { ++runs; });
  }
  void thread(unsigned index) {
    if (index == 0) clock.advance(seconds(1));
    if (index == 1) won = source.request_stop(asked);
  }
  void after() {
    RL_ASSERT(runs == 2);
    RL_ASSERT(source.get_token().reason().cause ==
              (won ? stop_cause::signal : stop_cause::deadline));
    RL_ASSERT(child.get_token().reason() == source.get_token().reason());
    on_source.reset();
    on_child.reset();
  }
};

// The last handle goes while the driver holds the entry.
struct deadline_against_last_handle : model::suite<deadline_against_last_handle, 3> {
  curfew::manual_clock clock;
  std::optional<stop_source> source;
  std::optional<stop_token> token;

  void before() {
    source.emplace(clock, seconds(1));
    token.emplace(source->get_token());
  }
  void thread(unsigned index) {
    if (index == 0) clock.advance(seconds(1));
    if (index == 1) source.reset();
    if (index == 2) token.reset();
  }
};

struct deadline_against_registration : model::suite<deadline_against_registration, 2> {
  curfew::manual_clock clock;
  stop_source source{clock, seconds(1)};
  callback cb;
  rl::var<int> runs{0};

  void thread(unsigned index) {
    if (index == 0) clock.advance(seconds(1));
    if (index == 1) cb.emplace(source.get_token(), [this] { runs($) += 1; });
  }
  void after() {
    RL_ASSERT(runs($) == 1);
    cb.reset();
  }
};

struct deadline_against_removal : model::suite<deadline_against_removal, 2> {
  curfew::manual_clock clock;
  stop_source source{clock, seconds(1)};
  callback cb;
  rl::var<int> touched{0};

  void before() {
    cb.emplace(source.get_token(), [this] { touched($) += 1; });
  }
  void thread(unsigned index) {
    if (index == 0) {
      clock.advance(seconds(1));
    } else {
      cb->remove();
      touched($) += 1;
    }
  }
  void after() { cb.reset(); }
};

// Whoever asks late latches; the driver collects; the callback runs once and the reason is one.
struct late_question_against_driver : model::suite<late_question_against_driver, 3> {
  curfew::manual_clock clock;
  stop_source source{clock, seconds(1)};
  stop_source child{source.get_token()};
  callback cb;
  int runs = 0;

  void before() {
    cb.emplace(child.get_token(), [this] {
      ++runs;
      if (child.get_token().reason().cause == stop_cause::deadline)
        RL_ASSERT(source.stop_requested());
    });
  }
  void thread(unsigned index) {
    if (index == 0) clock.advance(seconds(1));
    if (index == 1 && child.get_token().reason().cause == stop_cause::deadline)
      RL_ASSERT(child.stop_requested());
    if (index == 2) child.request_stop(asked);
  }
  void after() {
    RL_ASSERT(runs == 1);
    RL_ASSERT(source.get_token().reason().cause == stop_cause::deadline);
    cb.reset();
  }
};

// A parent stopped by its deadline and its child by its own, which falls due in the same advance.
struct two_deadlines_and_a_stop : model::suite<two_deadlines_and_a_stop, 2> {
  curfew::manual_clock clock;
  stop_source parent{clock, seconds(2)};
  stop_source child{parent.get_token(), seconds(1)};
  callback on_parent;
  callback on_child;
  int runs = 0;

  void before() {
    on_parent.emplace(parent.get_token(), [this] { ++runs; });
    on_child.emplace(child.get_token(), [this] { ++runs; });
  }
  void thread(unsigned index) {
    if (index == 0) clock.advance(seconds(2));
    if (index == 1) parent.request_stop(asked);
  }
  void after() {
    RL_ASSERT(runs == 2);
    on_parent.reset();
    on_child.reset();
  }
};

// A waiter with a limit on this clock: a child on its stack, ended by the driver or by a stop.
struct limit_against_stop : model::suite<limit_against_stop, 3> {
  curfew::manual_clock clock;
  stop_source source{clock};

  void thread(unsigned index) {
    if (index == 0) clock.advance(seconds(1));
    if (index == 1) source.request_stop();
    if (index == 2) source.get_token().wait_until(clock.now() + std::chrono::nanoseconds(1));
  }
};

}  // namespace

int main() {
  bool good = true;
  good &= model::holds<deadline_against_request>("a deadline against a request");
  good &= model::holds<deadline_against_last_handle>("a deadline against the last handles");
  good &= model::holds<deadline_against_registration>("a deadline against a registration");
  good &= model::holds<deadline_against_removal>("a deadline against a removal");
  good &= model::holds<late_question_against_driver>("late questions against the driver");
  good &= model::holds<two_deadlines_and_a_stop>("two deadlines against a stop");
  good &= model::holds<limit_against_stop>("a wait with a limit against a stop");
  return good ? 0 : 1;
}
