// SPDX-License-Identifier: BSL-1.0
//
// What this system grants a stop, as far as it tells.
#ifndef CURFEW_SERVICE_DETAIL_SYSTEM_LIMITS_HPP
#define CURFEW_SERVICE_DETAIL_SYSTEM_LIMITS_HPP

#include <curfew/config.hpp>
#include <curfew/host/container.hpp>
#include <curfew/service/stop_budget.hpp>
#include <curfew/stop/time_source.hpp>

#if CURFEW_WINDOWS
#include <curfew/host/windows/scm_limit.hpp>
#endif

CURFEW_BEGIN
namespace detail {

/// Reads the environment: before other threads exist.
[[nodiscard]] inline system_limits read_system_limits() {
  system_limits limits;
  const auto grace = grace_from_environment();
  if (grace != (time_source::duration::max)()) limits.grace = grace;
#if CURFEW_WINDOWS
  const scm_limits read = system_scm_limits();
  limits.console = read.console;
  limits.shutdown = read.shutdown;
  limits.windows = true;
#endif
  return limits;
}

}  // namespace detail
CURFEW_END

#endif
