// SPDX-License-Identifier: BSL-1.0
//
// Where lines for people go when there is no terminal, and where they wait until that is known.
#ifndef CURFEW_HOST_MESSAGE_SINK_HPP
#define CURFEW_HOST_MESSAGE_SINK_HPP

#include <curfew/config.hpp>

#include <string_view>

CURFEW_BEGIN

/// The numbers are syslog's.
enum class severity { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

/// Where lines for people go: a terminal, the journal, the event log, a test's vector.
class message_sink {
 public:
  /// A line, without its end. Any thread; never throws, and never waits for long.
  virtual void write(severity level, std::string_view line) noexcept = 0;

 protected:
  ~message_sink() = default;
};

CURFEW_END

#endif
