// SPDX-License-Identifier: BSL-1.0
//
// What whoever runs a program may ask of it, beside the stop.
#ifndef CURFEW_HOST_HOST_EVENT_HPP
#define CURFEW_HOST_HOST_EVENT_HPP

#include <curfew/config.hpp>

#include <cstdint>

CURFEW_BEGIN

/// Events that a thread of ours takes one after the other, in the order in which they came.
enum class host_event : std::uint8_t {
  reload,  ///< read your configuration anew: SIGHUP, SERVICE_CONTROL_PARAMCHANGE
  pause,
  resume,  ///< SERVICE_CONTROL_CONTINUE
  user,    ///< a code of the program's own, 128 to 255
};

/// What the system asks while it waits for the answer: power and session changes of Windows.
struct system_event {
  /// What has changed: the supply of power, or who is logged on.
  enum class kind_type : std::uint8_t { power, session };

  kind_type kind = kind_type::power;
  std::uint32_t type = 0;      ///< PBT_APMSUSPEND, WTS_SESSION_LOGON ...: as Windows has them
  const void* data = nullptr;  ///< the system's own structure for that type; gone after the call
};

CURFEW_END

#endif
