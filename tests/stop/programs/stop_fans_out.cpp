// SPDX-License-Identifier: BSL-1.0
// Stops a context with 5000 callbacks and nobody waiting, between two marks (../syscalls.py).
#include <curfew/stop/stop_token.hpp>

#include <deque>

#include "mark.hpp"

int main() {
  curfew::stop_source source;
  int runs = 0;
  const auto count = [&runs] { ++runs; };
  std::deque<curfew::stop_callback<decltype(count)>> callbacks;
  for (int i = 0; i < 5000; ++i) callbacks.emplace_back(source.get_token(), count);
  mark("begin");
  source.request_stop();
  mark("end");
  return runs == 5000 ? 0 : 1;
}
