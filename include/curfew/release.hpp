// SPDX-License-Identifier: BSL-1.0
//
// One include for the release floor: what must be given back, in which order, by when.
#ifndef CURFEW_RELEASE_HPP
#define CURFEW_RELEASE_HPP

#include <curfew/release/batch_buffer.hpp>
#include <curfew/release/batch_options.hpp>
#include <curfew/release/batch_report.hpp>
#include <curfew/release/gate.hpp>
#include <curfew/release/label.hpp>
#include <curfew/release/release_entry.hpp>
#include <curfew/release/release_observer.hpp>
#include <curfew/release/release_report.hpp>
#include <curfew/release/resource_stack.hpp>
#include <curfew/release/roster.hpp>

#endif
