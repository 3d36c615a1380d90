// SPDX-License-Identifier: BSL-1.0
//
// Windows has no process that is like the first one of a POSIX system.
#ifndef CURFEW_HOST_WINDOWS_PROCESS_ONE_HPP
#define CURFEW_HOST_WINDOWS_PROCESS_ONE_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

CURFEW_BEGIN

[[nodiscard]] inline bool is_process_one() noexcept { return false; }

CURFEW_END

#endif
#endif
