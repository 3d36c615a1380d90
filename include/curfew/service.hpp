// SPDX-License-Identifier: BSL-1.0
//
// One include for the service floor: the whole program.
#ifndef CURFEW_SERVICE_HPP
#define CURFEW_SERVICE_HPP

#include <curfew/service/run.hpp>
#include <curfew/service/timeline.hpp>

#endif
