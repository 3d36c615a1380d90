// SPDX-License-Identifier: BSL-1.0
//
// The stop as an exception, for code that has to leave many calls at once.
#ifndef CURFEW_STOP_STOPPED_ERROR_HPP
#define CURFEW_STOP_STOPPED_ERROR_HPP

#include <curfew/stop/reason.hpp>

#include <system_error>

CURFEW_BEGIN

/// Thrown by throw_if_stopped(): carries why. Its code is std::errc::timed_out for a deadline and
/// std::errc::operation_canceled for everything else.
class stopped_error : public std::system_error {
 public:
  explicit stopped_error(stop_reason reason)
      : std::system_error(std::make_error_code(reason.cause == stop_cause::deadline
                                                   ? std::errc::timed_out
                                                   : std::errc::operation_canceled),
                          "stopped: " + to_string(reason)),
        reason_(reason) {}
  [[nodiscard]] stop_reason reason() const noexcept { return reason_; }

 private:
  stop_reason reason_;
};

CURFEW_END

#endif
