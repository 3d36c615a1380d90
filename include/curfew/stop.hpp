// SPDX-License-Identifier: BSL-1.0
//
// One include for the stop floor: who asks us to stop, why, and until when.
#ifndef CURFEW_STOP_HPP
#define CURFEW_STOP_HPP

#include <curfew/stop/deadline_text.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/reason.hpp>
#include <curfew/stop/retry.hpp>
#include <curfew/stop/retry_budget.hpp>
#include <curfew/stop/retry_result.hpp>
#include <curfew/stop/stop_event.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/stopped_error.hpp>
#include <curfew/stop/task_group.hpp>
#include <curfew/stop/time_source.hpp>
#include <curfew/stop/wait.hpp>

#endif
