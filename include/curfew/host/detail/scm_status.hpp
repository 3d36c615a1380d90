// SPDX-License-Identifier: BSL-1.0
//
// What the service control manager (SCM) of Windows is told and what it sends, as plain numbers:
// the values are those of winsvc.h, which exists nowhere else.
#ifndef CURFEW_HOST_DETAIL_SCM_STATUS_HPP
#define CURFEW_HOST_DETAIL_SCM_STATUS_HPP

#include <curfew/config.hpp>

#include <cstdint>

CURFEW_BEGIN
namespace detail {

enum class scm_state : std::uint32_t {
  stopped = 1,
  start_pending,
  stop_pending,
  running,
  continue_pending,
  pause_pending,
  paused,
};

/// SERVICE_STATUS, without the type of the service.
struct scm_status {
  scm_state state = scm_state::start_pending;
  std::uint32_t accepted = 0;  ///< which controls may be sent, see scm_accept
  std::uint32_t win32_exit_code = 0;
  std::uint32_t service_exit_code = 0;  ///< counts when the one above is scm_answer::own_code
  std::uint32_t checkpoint = 0;
  std::uint32_t wait_hint_ms = 0;

  friend bool operator==(const scm_status&, const scm_status&) = default;
};

namespace scm_accept {
inline constexpr std::uint32_t stop = 0x001;
inline constexpr std::uint32_t pause_continue = 0x002;
inline constexpr std::uint32_t shutdown = 0x004;
inline constexpr std::uint32_t param_change = 0x008;
inline constexpr std::uint32_t power_event = 0x040;
inline constexpr std::uint32_t session_change = 0x080;
inline constexpr std::uint32_t preshutdown = 0x100;
}  // namespace scm_accept

namespace scm_control {
inline constexpr std::uint32_t stop = 1;
inline constexpr std::uint32_t pause = 2;
inline constexpr std::uint32_t resume = 3;
inline constexpr std::uint32_t interrogate = 4;
inline constexpr std::uint32_t shutdown = 5;
inline constexpr std::uint32_t param_change = 6;
inline constexpr std::uint32_t power_event = 13;
inline constexpr std::uint32_t session_change = 14;
inline constexpr std::uint32_t preshutdown = 15;
inline constexpr std::uint32_t first_user = 128;
inline constexpr std::uint32_t last_user = 255;
}  // namespace scm_control

/// Errors of Windows that a control is answered with, or that a service ends with.
namespace scm_answer {
inline constexpr std::uint32_t done = 0;
inline constexpr std::uint32_t not_implemented = 120;  // ERROR_CALL_NOT_IMPLEMENTED
inline constexpr std::uint32_t cannot_accept = 1061;   // ERROR_SERVICE_CANNOT_ACCEPT_CTRL
inline constexpr std::uint32_t own_code = 1066;        // ERROR_SERVICE_SPECIFIC_ERROR
}  // namespace scm_answer

/// Where statuses go: SetServiceStatus, or a script.
class scm_port {
 public:
  /// One call at a time. False: the SCM is not there any more.
  virtual bool set_status(const scm_status& status) noexcept = 0;

 protected:
  ~scm_port() = default;
};

}  // namespace detail
CURFEW_END

#endif
