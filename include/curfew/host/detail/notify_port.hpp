// SPDX-License-Identifier: BSL-1.0
//
// Where notifications for systemd go: its socket, or a test's list.
#ifndef CURFEW_HOST_DETAIL_NOTIFY_PORT_HPP
#define CURFEW_HOST_DETAIL_NOTIFY_PORT_HPP

#include <curfew/config.hpp>

#include <string_view>

CURFEW_BEGIN
namespace detail {

/// A datagram arrives whole or not at all, and in the order of sending. False: it did not get
/// through.
class notify_port {
 public:
  /// Waits for room, but for a bounded time.
  virtual bool send(std::string_view datagram) noexcept = 0;
  /// For what may be lost: does not wait.
  virtual bool offer(std::string_view datagram) noexcept { return send(datagram); }

 protected:
  ~notify_port() = default;
};

}  // namespace detail
CURFEW_END

#endif
