// SPDX-License-Identifier: BSL-1.0
//
// What systemd has for a service beside the start and the stop.
#ifndef CURFEW_HOST_SYSTEMD_SYSTEMD_LINK_HPP
#define CURFEW_HOST_SYSTEMD_SYSTEMD_LINK_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/systemd/environment.hpp>
#include <curfew/host/systemd/listen_fds.hpp>
#include <curfew/host/systemd/notify_socket.hpp>

#include <optional>
#include <string>

CURFEW_BEGIN

/// From service::systemd(). Lives as long as the run.
struct systemd_link {
  passed_descriptors passed = {};                   ///< sockets, and what was stored
  std::optional<notify_socket> notifications = {};  ///< store(), remove(), barrier()
  std::string invocation_id = {};                   ///< of this run of the unit
};

CURFEW_END

#endif
#endif
