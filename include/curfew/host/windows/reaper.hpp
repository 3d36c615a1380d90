// SPDX-License-Identifier: BSL-1.0
//
// Windows knows no children that have ended: a process goes with its last handle.
#ifndef CURFEW_HOST_WINDOWS_REAPER_HPP
#define CURFEW_HOST_WINDOWS_REAPER_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <cstddef>

CURFEW_BEGIN
namespace detail {

inline std::size_t reap_children() noexcept { return 0; }

}  // namespace detail
CURFEW_END

#endif
#endif
