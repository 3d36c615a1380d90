// SPDX-License-Identifier: BSL-1.0
//
// The end of a process on POSIX systems.
#ifndef CURFEW_SERVICE_DETAIL_POSIX_END_PROCESS_HPP
#define CURFEW_SERVICE_DETAIL_POSIX_END_PROCESS_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <cstdint>

#include <unistd.h>

CURFEW_BEGIN
namespace detail {

[[noreturn]] inline void end_process(int code) noexcept { ::_exit(code); }

[[nodiscard]] inline std::intptr_t process_id() noexcept { return ::getpid(); }

}  // namespace detail
CURFEW_END

#endif
#endif
