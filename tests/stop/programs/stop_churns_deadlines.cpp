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

}  // namespace

int main() {
  const stop_source parent{1h};
  for (int i = 0; i < 1000; ++i) create_and_cancel(parent);
  // The timer's thread has found out what is to be done, and sleeps.
  if (!stop_source{10ms}.get_token().wait()) return 1;
  if (stop_source{}.get_token().wait_for(50ms)) return 1;
  mark("begin");
  for (int i = 0; i < 100'000; ++i) create_and_cancel(parent);
  mark("end");
}
