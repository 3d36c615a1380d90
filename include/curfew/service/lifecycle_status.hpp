// SPDX-License-Identifier: BSL-1.0
//
// What a lifecycle says of itself and of what it was asked for.
#ifndef CURFEW_SERVICE_LIFECYCLE_STATUS_HPP
#define CURFEW_SERVICE_LIFECYCLE_STATUS_HPP

#include <curfew/release/label.hpp>
#include <curfew/stop/time_source.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

CURFEW_BEGIN

/// Where a component is on its way up or down.
enum class part_phase : std::uint8_t {
  down,
  starting,
  up,
  preparing,
  prepared,
  resuming,
  draining,
  stopping,
  lost,  ///< given up while a function of it hung
};

/// Where all of them together are.
enum class whole_phase : std::uint8_t {
  idle,
  starting,
  up,
  preparing,
  prepared,
  resuming,
  stopping,
  stopped,
};

/// How hard a stop presses. A second signal moves it up one rung; so does what is left of the time.
enum class stop_rung : std::uint8_t {
  none,
  lame_duck,  ///< all is up still, and nobody is to send new work
  drain,      ///< work in flight is waited for
  stop,       ///< it is not: drains are cut short
  abort,      ///< what hangs in its stop is aborted
};

/// How a start went; when it failed, who was the first and why.
struct start_report {
  bool up = false;
  bool stopped = false;       ///< it was asked to stop before it was up
  std::string part = {};      ///< the first that failed; empty: none, or it was not a component
  std::string error = {};     ///< what that said
  source_place place = {};    ///< where it is declared
  std::size_t abandoned = 0;  ///< of those that had to be stopped again

  explicit operator bool() const noexcept { return up; }
};

/// How many components did not stop as they should.
struct stop_report {
  std::size_t failed = 0;
  std::size_t late = 0;
  std::size_t abandoned = 0;

  [[nodiscard]] bool ok() const noexcept { return failed + late + abandoned == 0; }
};

/// Whether all agreed to a stop; if not, who did not and why.
struct prepare_report {
  bool prepared = false;
  std::string part = {};  ///< who said no, if it was a component
  std::string why = {};

  explicit operator bool() const noexcept { return prepared; }
};

/// The names of those that are to be up.
struct lifecycle_snapshot {
  std::vector<std::string> up = {};
};

/// A component at one moment.
struct component_status {
  std::string name = {};
  part_phase phase = part_phase::down;
  bool wanted = false;                                           ///< it is to be up
  time_source::duration elapsed = {};                            ///< since its last step began
  time_source::duration limit = (time_source::duration::max)();  ///< of that step; max(): none
  double failures = 0;                                           ///< counted, and decayed
  std::string note = {};                                         ///< what it last said of itself
  std::string error = {};                                        ///< of its last failure
  source_place place = {};
};

[[nodiscard]] constexpr const char* to_string(part_phase p) noexcept {
  switch (p) {
    case part_phase::down: return "down";
    case part_phase::starting: return "starting";
    case part_phase::up: return "up";
    case part_phase::preparing: return "preparing";
    case part_phase::prepared: return "prepared";
    case part_phase::resuming: return "resuming";
    case part_phase::draining: return "draining";
    case part_phase::stopping: return "stopping";
    case part_phase::lost: return "abandoned";
  }
  return "unknown";
}

[[nodiscard]] constexpr const char* to_string(whole_phase p) noexcept {
  switch (p) {
    case whole_phase::idle: return "idle";
    case whole_phase::starting: return "starting";
    case whole_phase::up: return "up";
    case whole_phase::preparing: return "preparing";
    case whole_phase::prepared: return "prepared";
    case whole_phase::resuming: return "resuming";
    case whole_phase::stopping: return "stopping";
    case whole_phase::stopped: return "stopped";
  }
  return "unknown";
}

[[nodiscard]] constexpr const char* to_string(stop_rung r) noexcept {
  switch (r) {
    case stop_rung::none: return "none";
    case stop_rung::lame_duck: return "lame duck";
    case stop_rung::drain: return "drain";
    case stop_rung::stop: return "stop";
    case stop_rung::abort: return "abort";
  }
  return "unknown";
}

CURFEW_END

#endif
