// SPDX-License-Identifier: BSL-1.0
//
// What may happen to components that are explored, one thing at a time, and how it is said.
#ifndef CURFEW_TESTING_DETAIL_EXPLORED_EVENT_HPP
#define CURFEW_TESTING_DETAIL_EXPLORED_EVENT_HPP

#include <curfew/config.hpp>
#include <curfew/service/lifecycle_event.hpp>

#include <cstdint>
#include <string>
#include <vector>

CURFEW_BEGIN
namespace detail {

enum class explored_kind : std::uint8_t {
  start,
  ends,    // a function: `part`, `step`, `outcome`
  late,    // a function ends when its time is spent, and nobody has noticed that yet
  waits,   // a prepare that will be ready in a while
  passes,  // the time until something is due
  stop,
  shorten,
  hurry,
  prepare,
  resume,
  fault,       // of a part
  bring_down,  // a part
  bring_back,
};

struct explored_event {
  explored_kind kind = explored_kind::start;
  std::uint32_t part = 0;
  component_step step = component_step::none;
  step_outcome outcome = step_outcome::done;
  bool surprise = false;
};

[[nodiscard]] inline std::string how_it_ends(const explored_event& e) {
  if (e.outcome == step_outcome::vetoed) return "says no";
  return e.outcome == step_outcome::failed ? "fails" : "ends";
}

[[nodiscard]] inline std::string to_string(const explored_event& e,
                                           const std::vector<std::string>& names) {
  const auto of = [&](const char* what) { return names[e.part] + " " + what; };
  switch (e.kind) {
    case explored_kind::start: return "a start";
    case explored_kind::ends: return of(to_string(e.step)) + " " + how_it_ends(e);
    case explored_kind::late: return of(to_string(e.step)) + " ends late";
    case explored_kind::waits: return of("prepare asks for time");
    case explored_kind::passes: return "time passes";
    case explored_kind::stop: return "a stop";
    case explored_kind::shorten: return "the stop has less time";
    case explored_kind::hurry: return "a further signal";
    case explored_kind::prepare: return "a stop is considered";
    case explored_kind::resume: return "and not any more";
    case explored_kind::fault: return of("fails while it is up");
    case explored_kind::bring_down: return of("is brought down");
    case explored_kind::bring_back: return of("is brought back");
  }
  return "unknown";
}

}  // namespace detail
CURFEW_END

#endif
