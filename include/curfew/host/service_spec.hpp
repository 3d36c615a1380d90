// SPDX-License-Identifier: BSL-1.0
//
// What a service is called and how long it may take: declared once, used by whatever runs it.
#ifndef CURFEW_HOST_SERVICE_SPEC_HPP
#define CURFEW_HOST_SERVICE_SPEC_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/duration.hpp>

#include <chrono>
#include <string>

CURFEW_BEGIN

/// The timeouts take a duration of any type; hours::max() means no limit.
struct service_spec {
  std::string name = {};          ///< short, for systems and in front of log lines: "orders-api"
  std::string display_name = {};  ///< for people; empty: the name
  std::string description = {};   ///< a sentence for people

  /// From the start until ready() is called. The foreground has nobody who waits for that.
  detail::saturated start_timeout = std::chrono::seconds(30);

  /// From the moment of a stop until the end: for main to return and for all resources to be
  /// released. When it is spent the process is ended, with a report of what was still open.
  /// Zero or less: no time at all.
  detail::saturated stop_timeout = std::chrono::seconds(30);
};

CURFEW_END

#endif
