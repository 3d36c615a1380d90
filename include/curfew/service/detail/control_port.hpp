// SPDX-License-Identifier: BSL-1.0
//
// Selector: how a control endpoint and its clients reach each other on this system.
#ifndef CURFEW_SERVICE_DETAIL_CONTROL_PORT_HPP
#define CURFEW_SERVICE_DETAIL_CONTROL_PORT_HPP

#include <curfew/config.hpp>

// Backends define, in curfew::detail:
//   class control_connection   of a server or a client; closes itself. Its waits end at a point of
//                              the real clock, or at once after cut()
//     static constexpr bool knows_peer_at_once     else only when something has been read
//     explicit control_connection(std::error_code&) noexcept
//     void connect(const std::string& path, control_time limit, std::error_code&)
//     void adopt(control_connection& from) noexcept       what that is connected to
//     void drop() noexcept                                the peer finds itself alone
//     control_io wait(limit) noexcept                     done: something can be read, or never
//     will control_io read(void*, std::size_t, limit) noexcept            all of it control_io
//     write(const void*, std::size_t, limit) noexcept     all of it void ring() noexcept, void
//     cut() noexcept           from any thread: ends one wait(); all waits,
//                                                         for good
//     bool identify(control_peer&)                        of a server: whom the system knows there
//     std::int64_t server_pid() const noexcept            of a client: the same; 0: unknown
//   class control_listener
//     explicit control_listener(std::error_code&) noexcept
//     void open(const std::string& path, std::error_code&)
//          of no other process, and for its user and administrators alone from the beginning:
//          errc::address_in_use, filename_too_long, invalid_argument
//     control_io accept(control_connection& into) noexcept     late: try again in a while
//     void ring() noexcept                                     from any thread: ends one accept()
//     void close() noexcept                                    the path is free
#if CURFEW_WINDOWS
#include <curfew/service/detail/windows/control_port.hpp>
#else
#include <curfew/service/detail/posix/control_port.hpp>
#endif

#endif
