// SPDX-License-Identifier: BSL-1.0
//
// Everything portable.
#ifndef CURFEW_CURFEW_HPP
#define CURFEW_CURFEW_HPP

#include <curfew/version.hpp>
#include <curfew/config.hpp>
#include <curfew/stop.hpp>
#include <curfew/release.hpp>
#include <curfew/host.hpp>
#include <curfew/service.hpp>

#endif
