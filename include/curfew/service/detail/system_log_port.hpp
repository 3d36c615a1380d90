// SPDX-License-Identifier: BSL-1.0
//
// The log that the system keeps.
#ifndef CURFEW_SERVICE_DETAIL_SYSTEM_LOG_PORT_HPP
#define CURFEW_SERVICE_DETAIL_SYSTEM_LOG_PORT_HPP

#include <curfew/config.hpp>

// Selector: backends define, in curfew::detail:
//   class X, which becomes system_log_port
//     explicit X(std::string_view service)
//     bool is_open() const noexcept     there is such a log
//     bool put(severity, const lifecycle_event&)     false: it was not taken
#if CURFEW_LINUX
#include <curfew/service/detail/posix/journal_port.hpp>
#elif CURFEW_WINDOWS
#include <curfew/service/detail/windows/event_log_port.hpp>
#else
#include <curfew/service/detail/null_log_port.hpp>
#endif

CURFEW_BEGIN
namespace detail {

#if CURFEW_LINUX
using system_log_port = journal_port;
#elif CURFEW_WINDOWS
using system_log_port = event_log_port;
#else
using system_log_port = null_log_port;
#endif

}  // namespace detail
CURFEW_END

#endif
