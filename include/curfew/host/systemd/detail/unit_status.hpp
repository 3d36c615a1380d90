// SPDX-License-Identifier: BSL-1.0
//
// The state of a service out of what systemd says of its unit.
#ifndef CURFEW_HOST_SYSTEMD_DETAIL_UNIT_STATUS_HPP
#define CURFEW_HOST_SYSTEMD_DETAIL_UNIT_STATUS_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/install/service_manager.hpp>
#include <curfew/host/systemd/detail/systemctl.hpp>
#include <curfew/host/systemd/unit.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <string>

CURFEW_BEGIN
namespace detail {

/// Between two attempts a service counts as failed: it does not run, and its last run was a
/// failure. With an order that systemd has not begun with it is on its way to something else.
[[nodiscard]] inline service_state moving_state(const unit_properties& unit) {
  const std::string& state = unit["ActiveState"];
  if (state == "activating") {
    const bool rests = unit["SubState"] == "auto-restart" && unit.number("Job") == 0;
    return rests ? service_state::failed : service_state::starting;
  }
  if (state == "deactivating") return service_state::stopping;
  if (state == "reloading" || state == "refreshing") return service_state::reloading;
  return state == "active" ? service_state::running : service_state::unknown;
}

/// What does not run, but has an order that systemd has not begun with, is starting.
[[nodiscard]] inline service_state state_of(const unit_properties& unit) {
  const std::string& state = unit["ActiveState"];
  const bool resting = state == "inactive" || state == "failed";
  if (!resting) return moving_state(unit);
  if (unit["LoadState"] == "not-found") return service_state::not_installed;
  if (unit.number("Job") != 0) return service_state::starting;
  return state == "failed" ? service_state::failed : service_state::stopped;
}

/// As outcome has it: 128 + n for signal n.
[[nodiscard]] inline int exit_code_of(const unit_properties& unit) {
  const int status = static_cast<int>(unit.number("ExecMainStatus"));
  const bool by_signal = unit.number("ExecMainCode") > CLD_EXITED;
  return by_signal ? 128 + status : status;
}

/// Its last word is that of the run which systemd tells of, unless that was killed: then it is of a
/// time when all was well.
[[nodiscard]] inline bool has_spoken(const unit_properties& unit) {
  return unit.number("MainPID") != 0 || unit.number("ExecMainCode") <= CLD_EXITED;
}

/// Our own limit, as installed: systemd's is longer by its patience. Zero: not known.
[[nodiscard]] inline clock_duration own_limit(const unit_properties& unit, const char* property) {
  const auto theirs = parse_span(unit["LoadState"] == "loaded" ? unit[property] : "");
  if (!theirs || *theirs == (clock_duration::max)()) return theirs.value_or(clock_duration{});
  return (std::max)(*theirs - manager_patience, clock_duration::zero());
}

[[nodiscard]] inline service_status status_of(const unit_properties& unit) {
  service_status status;
  status.state = state_of(unit);
  status.pid = unit.number("MainPID");
  status.exit_code = exit_code_of(unit);
  if (has_spoken(unit)) status.text = unit["StatusText"];
  status.enabled = unit["UnitFileState"] == "enabled";
  status.start_limit = own_limit(unit, "TimeoutStartUSec");
  status.stop_limit = own_limit(unit, "TimeoutStopUSec");
  status.since = static_cast<std::uint64_t>(unit.number("StateChangeTimestampMonotonic"));
  status.triggers = unit["TriggeredBy"];
  return status;
}

}  // namespace detail
CURFEW_END

#endif
#endif
