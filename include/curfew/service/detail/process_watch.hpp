// SPDX-License-Identifier: BSL-1.0
//
// Selector: another process, of which one wants to know when it has ended. Backends define, in
// curfew::detail:
//   class process_watch   of nobody at first; ends nothing
//     void watch(std::int64_t pid) noexcept           of that one from now on; 0: of nobody
//     bool known() const noexcept                     whether the system tells of its end
//     bool ended() const noexcept                     false when it is not known
//     bool await_end(const stop_token& limit) const   what ended() says then
//
// A number is given again to other processes. Who is watched is who has it when watch() is called;
// so whoever hears of the process after that, over a connection that is older, has watched the
// right one.
#ifndef CURFEW_SERVICE_DETAIL_PROCESS_WATCH_HPP
#define CURFEW_SERVICE_DETAIL_PROCESS_WATCH_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS
#include <curfew/service/detail/windows/process_watch.hpp>
#else
#include <curfew/service/detail/posix/process_watch.hpp>
#endif

#endif
