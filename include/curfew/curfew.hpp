// SPDX-License-Identifier: BSL-1.0
//
// The three lower floors and run(). A program of components, with all that looks at it, costs more
// to include, and has curfew/service.hpp.
#ifndef CURFEW_CURFEW_HPP
#define CURFEW_CURFEW_HPP

#include <curfew/config.hpp>
#include <curfew/host.hpp>
#include <curfew/release.hpp>
#include <curfew/service/run.hpp>
#include <curfew/service/timeline.hpp>
#include <curfew/stop.hpp>
#include <curfew/version.hpp>

#endif
