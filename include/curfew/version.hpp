// SPDX-License-Identifier: BSL-1.0
//
// The version, in the only place where it is written: build files and packages read it from here.
#ifndef CURFEW_VERSION_HPP
#define CURFEW_VERSION_HPP

#define CURFEW_VERSION_MAJOR 0
#define CURFEW_VERSION_MINOR 1
#define CURFEW_VERSION_PATCH 0

#endif
