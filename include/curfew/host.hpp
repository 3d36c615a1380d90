// SPDX-License-Identifier: BSL-1.0
//
// One include for the host floor: who runs us and how it speaks. What installs a service stands
// apart, in host/install/.
#ifndef CURFEW_HOST_HPP
#define CURFEW_HOST_HPP

#include <curfew/host/child_guard.hpp>
#include <curfew/host/container.hpp>
#include <curfew/host/executable.hpp>
#include <curfew/host/host_event.hpp>
#include <curfew/host/host_kind.hpp>
#include <curfew/host/message_buffer.hpp>
#include <curfew/host/message_sink.hpp>
#include <curfew/host/outcome.hpp>
#include <curfew/host/service_host.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/host/signal_options.hpp>
#include <curfew/host/signals.hpp>
#include <curfew/host/systemd/systemd_link.hpp>
#include <curfew/host/working_directory.hpp>

#endif
