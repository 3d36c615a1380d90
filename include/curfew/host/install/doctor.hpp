// SPDX-License-Identifier: BSL-1.0
//
// Everything that is wrong, or will be, with a service of this system and with this process.
#ifndef CURFEW_HOST_INSTALL_DOCTOR_HPP
#define CURFEW_HOST_INSTALL_DOCTOR_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/finding.hpp>
#include <curfew/host/service_spec.hpp>

// Selector: backends define, in curfew:
//   examine_scm, examine_systemd, examine_process: findings, in any order
#if CURFEW_WINDOWS
#include <curfew/host/windows/service_doctor.hpp>
#else
#include <curfew/host/posix/process_doctor.hpp>
#include <curfew/host/posix/signal_change.hpp>
#include <curfew/host/systemd/service_doctor.hpp>
#endif

#include <algorithm>
#include <csignal>
#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// Looks at the service as it is installed under spec.name, and at the process that asks. `user`:
/// one of the calling user's own. Nothing is changed. The worst come first.
[[nodiscard]] findings examine_service(const service_spec& spec, bool user = false);

/// The worst come first, those of one kind in the order that they had.
[[nodiscard]] findings by_severity(const findings& found);

// ---------------------------------------------------------------------------------------------

inline findings by_severity(const findings& found) {
  findings sorted;
  for (const severity level :
       {severity::error, severity::warning, severity::notice, severity::info, severity::debug}) {
    std::copy_if(found.begin(), found.end(), std::back_inserter(sorted),
                 [level](const finding& f) { return f.level == level; });
  }
  return sorted;
}

inline findings examine_service(const service_spec& spec, bool user) {
#if CURFEW_WINDOWS
  static_cast<void>(user);
  return by_severity(examine_scm(spec, spec.name));
#else
  findings found = examine_process();
#if CURFEW_LINUX
  const detail::signal_change waited_for(SIGCHLD, SIG_IGN, SIG_DFL);  // or systemctl's end is lost
  findings more = examine_systemd(spec, spec.name, user);
  std::move(more.begin(), more.end(), std::back_inserter(found));
#else
  static_cast<void>(user);
#endif
  return by_severity(found);
#endif
}

CURFEW_END

#endif
