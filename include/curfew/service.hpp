// SPDX-License-Identifier: BSL-1.0
//
// One include for the service floor: the whole program. What installs it and answers its verbs
// stands in service/service_main.hpp.
#ifndef CURFEW_SERVICE_HPP
#define CURFEW_SERVICE_HPP

#include <curfew/service/audit_log.hpp>
#include <curfew/service/chrome_trace.hpp>
#include <curfew/service/component.hpp>
#include <curfew/service/component_options.hpp>
#include <curfew/service/components.hpp>
#include <curfew/service/control_answer.hpp>
#include <curfew/service/control_client.hpp>
#include <curfew/service/control_endpoint.hpp>
#include <curfew/service/control_options.hpp>
#include <curfew/service/control_policy.hpp>
#include <curfew/service/coordinator.hpp>
#include <curfew/service/coordinator_report.hpp>
#include <curfew/service/drill.hpp>
#include <curfew/service/event_stream.hpp>
#include <curfew/service/exit_codes.hpp>
#include <curfew/service/fleet_member.hpp>
#include <curfew/service/flight_recorder.hpp>
#include <curfew/service/flight_recording.hpp>
#include <curfew/service/health.hpp>
#include <curfew/service/health_options.hpp>
#include <curfew/service/health_report.hpp>
#include <curfew/service/heartbeat.hpp>
#include <curfew/service/lifecycle.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/service/lifecycle_status.hpp>
#include <curfew/service/plan.hpp>
#include <curfew/service/plan_diff.hpp>
#include <curfew/service/plan_part.hpp>
#include <curfew/service/plan_text.hpp>
#include <curfew/service/presets.hpp>
#include <curfew/service/run.hpp>
#include <curfew/service/stop_budget.hpp>
#include <curfew/service/system_log.hpp>
#include <curfew/service/timeline.hpp>

#endif
