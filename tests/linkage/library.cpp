// SPDX-License-Identifier: BSL-1.0
#include "library.hpp"

#include <curfew/curfew.hpp>

namespace library {

struct count_up {
  explicit count_up(std::atomic<int>& counted) : calls(counted) {}
  std::atomic<int>& calls;
  void operator()() const noexcept { ++calls; }
};

struct listener {
  listener(const curfew::stop_token& token, std::atomic<int>& calls) : callback(token, calls) {}
  curfew::stop_callback<count_up> callback;
};

curfew::stop_source root() { return curfew::stop_source{}; }
curfew::stop_source root(curfew::time_source& clock) { return curfew::stop_source{clock}; }
curfew::stop_source child(const curfew::stop_token& parent) { return curfew::stop_source{parent}; }
curfew::stop_source child(const curfew::stop_token& parent, std::chrono::milliseconds timeout) {
  return curfew::stop_source{parent, timeout};
}

listener* listen(const curfew::stop_token& token, std::atomic<int>& calls) {
  return new listener{token, calls};
}
void forget(listener* registered) { delete registered; }

bool request_stop(curfew::stop_source& source, curfew::stop_reason reason) {
  return source.request_stop(reason);
}
bool stop_requested(const curfew::stop_token& token) { return token.stop_requested(); }
curfew::stop_reason reason(const curfew::stop_token& token) { return token.reason(); }
bool wait(const curfew::stop_token& token) { return token.wait(); }

}  // namespace library
