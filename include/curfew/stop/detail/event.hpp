// SPDX-License-Identifier: BSL-1.0
//
// Selector: an object of the system's that threads wait for together with others (descriptors,
// handles), and that stays signalled once it is. Backends define, in curfew::detail:
//   class native_event   immovable
//     using native_handle_type; static constexpr native_handle_type none
//     explicit native_event(std::error_code&) noexcept      with an error it holds `none`
//     void signal() const noexcept                   leaves errno or the last error alone
//     native_handle_type native_handle() const noexcept
#ifndef CURFEW_STOP_DETAIL_EVENT_HPP
#define CURFEW_STOP_DETAIL_EVENT_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS
#include <curfew/stop/detail/windows/event.hpp>
#else
#include <curfew/stop/detail/posix/event.hpp>
#endif

#endif
