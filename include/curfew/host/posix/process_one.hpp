// SPDX-License-Identifier: BSL-1.0
//
// The first process of a system or of a container.
#ifndef CURFEW_HOST_POSIX_PROCESS_ONE_HPP
#define CURFEW_HOST_POSIX_PROCESS_ONE_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <unistd.h>

CURFEW_BEGIN

/// For it a signal without a handler is no signal: SIGTERM does not end it. And what its children
/// leave behind is its own: see reaper.hpp.
[[nodiscard]] inline bool is_process_one() noexcept { return ::getpid() == 1; }

CURFEW_END

#endif
#endif
