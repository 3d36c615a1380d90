// SPDX-License-Identifier: BSL-1.0
//
// What a doctor finds: something that will go wrong, and what to do about it.
#ifndef CURFEW_HOST_INSTALL_FINDING_HPP
#define CURFEW_HOST_INSTALL_FINDING_HPP

#include <curfew/config.hpp>
#include <curfew/host/message_sink.hpp>

#include <string>
#include <vector>

CURFEW_BEGIN

/// Something that is not as it should be, and what to do about it.
struct finding {
  severity level = severity::warning;  ///< error: it does not work; warning: one day it will not
  std::string what = {};
  std::string fix = {};
};

/// In the order in which they were found; empty: all is well.
using findings = std::vector<finding>;

CURFEW_END

#endif
