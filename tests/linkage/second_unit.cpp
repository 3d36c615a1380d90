// SPDX-License-Identifier: BSL-1.0
#include "units.hpp"

#include <curfew/host.hpp>
#include <curfew/release.hpp>
#include <curfew/service.hpp>
#include <curfew/stop.hpp>

namespace second_unit {

curfew::time_source* process_clock() { return &curfew::time_source::process(); }

bool child_stops_with(curfew::stop_source& parent) {
  const curfew::stop_source child{parent.get_token()};
  parent.request_stop();
  return child.get_token().stop_requested();
}

}  // namespace second_unit
