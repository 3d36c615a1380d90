// SPDX-License-Identifier: BSL-1.0
#include <curfew/curfew.hpp>

#include <chrono>

namespace other_mode {

bool deadline_stops_a_context();

bool deadline_stops_a_context() {
  const curfew::stop_source source{std::chrono::milliseconds{1}};
  const curfew::stop_token token = source.get_token();
  return token.wait() && token.reason().cause == curfew::stop_cause::deadline;
}

}  // namespace other_mode
