// SPDX-License-Identifier: BSL-1.0
//
// Everything portable.
#ifndef CURFEW_CURFEW_HPP
#define CURFEW_CURFEW_HPP

#include <curfew/config.hpp>
#include <curfew/host.hpp>
#include <curfew/release.hpp>
#include <curfew/service.hpp>
#include <curfew/stop.hpp>
#include <curfew/version.hpp>

#endif
