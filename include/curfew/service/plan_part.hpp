// SPDX-License-Identifier: BSL-1.0
//
// A component as far as time goes, and the time that it gets when it is stopped.
#ifndef CURFEW_SERVICE_PLAN_PART_HPP
#define CURFEW_SERVICE_PLAN_PART_HPP

#include <curfew/release/label.hpp>
#include <curfew/stop/time_source.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

CURFEW_BEGIN

/// A component as far as time goes.
struct plan_part {
  std::string name = {};
  std::vector<std::size_t> after = {};  ///< places in the same list
  source_place place = {};
  time_source::duration start = {};
  time_source::duration drain = {};  ///< zero: there is none
  time_source::duration stop = {};
  time_source::duration abort = {};  ///< zero: there is none
  bool optional = false;
};

/// What becomes of a part that goes on for so long; what comes later is worse.
enum class part_fate : std::uint8_t {
  done,       ///< it has all the time that it takes
  cut,        ///< its drain is cut short, and then it is stopped
  aborted,    ///< its stop is cut short by its abort
  abandoned,  ///< its stop is cut short, and nothing else ends it
};

/// The time that a part gets for each of its steps.
struct part_share {
  time_source::duration begins = {};  ///< since the stop
  time_source::duration drain = {};
  time_source::duration stop = {};
  time_source::duration abort = {};
  part_fate fate = part_fate::done;
};

/// The parts that one after the other take longest, in their order.
struct critical_path {
  std::vector<std::size_t> parts = {};
  time_source::duration length = {};
};

[[nodiscard]] constexpr const char* to_string(part_fate fate) noexcept {
  switch (fate) {
    case part_fate::done: return "done";
    case part_fate::cut: return "cut";
    case part_fate::aborted: return "aborted";
    case part_fate::abandoned: return "abandoned";
  }
  return "unknown";
}

CURFEW_END

#endif
