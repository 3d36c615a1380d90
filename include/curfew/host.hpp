// SPDX-License-Identifier: BSL-1.0
//
// One include for the host floor: who runs us and how it speaks.
#ifndef CURFEW_HOST_HPP
#define CURFEW_HOST_HPP

#include <curfew/host/host_kind.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/host/signal_options.hpp>
#include <curfew/host/signals.hpp>

#endif
