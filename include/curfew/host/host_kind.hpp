// SPDX-License-Identifier: BSL-1.0
//
// Who started this process and will ask it to stop.
#ifndef CURFEW_HOST_HOST_KIND_HPP
#define CURFEW_HOST_HOST_KIND_HPP

#include <curfew/config.hpp>

CURFEW_BEGIN

/// Who started the program, and is told how it is.
enum class host_kind {
  console,  ///< a person at a terminal, a script, a container: signals and console events
  systemd,  ///< a unit of systemd that listens for notifications
  scm,      ///< the service control manager of Windows
};

CURFEW_END

#endif
