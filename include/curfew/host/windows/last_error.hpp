// SPDX-License-Identifier: BSL-1.0
//
// Why a function of Windows has just failed.
#ifndef CURFEW_HOST_WINDOWS_LAST_ERROR_HPP
#define CURFEW_HOST_WINDOWS_LAST_ERROR_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/kernel32.hpp>

#include <system_error>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] inline std::error_code last_error() noexcept {
  return {static_cast<int>(GetLastError()), std::system_category()};
}

}  // namespace detail
CURFEW_END

#endif
#endif
