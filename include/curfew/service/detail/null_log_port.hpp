// SPDX-License-Identifier: BSL-1.0
//
// The log of a system that keeps none.
#ifndef CURFEW_SERVICE_DETAIL_NULL_LOG_PORT_HPP
#define CURFEW_SERVICE_DETAIL_NULL_LOG_PORT_HPP

#include <curfew/host/message_sink.hpp>
#include <curfew/service/lifecycle_event.hpp>

#include <string_view>

CURFEW_BEGIN
namespace detail {

class null_log_port {
 public:
  explicit null_log_port(std::string_view) noexcept {}
  [[nodiscard]] bool is_open() const noexcept { return false; }
  bool put(severity, const lifecycle_event&) noexcept { return false; }
};

}  // namespace detail
CURFEW_END

#endif
