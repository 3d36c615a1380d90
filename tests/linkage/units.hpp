// SPDX-License-Identifier: BSL-1.0
//
// What the other translation units of the program offer to the tests in program.cpp.
#pragma once

#include <curfew/stop/stop_token.hpp>

/// The same functions of curfew's as program.cpp uses: the linker must fold them into one.
namespace second_unit {
curfew::time_source* process_clock();
bool child_stops_with(curfew::stop_source& parent);
}  // namespace second_unit

/// Built without exceptions, so in another inline namespace: only plain values can cross.
namespace other_mode {
bool deadline_stops_a_context();
}  // namespace other_mode
