// SPDX-License-Identifier: BSL-1.0
//
// The end of a process on Windows: as the console handler has it.
#ifndef CURFEW_SERVICE_DETAIL_WINDOWS_END_PROCESS_HPP
#define CURFEW_SERVICE_DETAIL_WINDOWS_END_PROCESS_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/console_handler.hpp>

#include <cstdint>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] inline std::intptr_t process_id() noexcept {
  return static_cast<std::intptr_t>(GetCurrentProcessId());
}

}  // namespace detail
CURFEW_END

#endif
#endif
