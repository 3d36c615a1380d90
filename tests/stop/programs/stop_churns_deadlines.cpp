// SPDX-License-Identifier: BSL-1.0
// Creates and cancels contexts with deadlines in the steady state, between two marks that a tracer
// of system calls can see (../syscalls.py).
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <chrono>

#include "mark.hpp"

using namespace std::chrono_literals;
using curfew::inplace_stop_source;
using curfew::stop_callback;
using curfew::stop_source;

namespace {

template <class Parent>
void create_and_cancel(const Parent& parent) {
  stop_source child{parent.get_token(), 30min};
  const inplace_stop_source below{child.get_token(), 20min};
  const stop_source root{40min};
  const stop_callback cb(root.get_token(), [] {});
  child.request_stop();
}

void pause() {
  const auto until = std::chrono::steady_clock::now() + 100us;
  while (std::chrono::steady_clock::now() < until) {
  }
}

// In a row, and one now and then: the timer's thread must not be told of each.
void churn(const stop_source& parent, int in_a_row, int now_and_then) {
  for (int i = 0; i < in_a_row; ++i) create_and_cancel(parent);
  for (int i = 0; i < now_and_then; ++i) {
    pause();
    create_and_cancel(parent);
  }
}

}  // namespace

int main() {
  const stop_source parent{1h};
  churn(parent, 1000, 50);
  if (stop_source{}.get_token().wait_for(500ms)) return 1;  // the timer's thread sleeps by now
  mark("begin");
  churn(parent, 100'000, 500);
  mark("end");
}
