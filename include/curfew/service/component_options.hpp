// SPDX-License-Identifier: BSL-1.0
//
// What a program that is made of components wants beside them.
#ifndef CURFEW_SERVICE_COMPONENT_OPTIONS_HPP
#define CURFEW_SERVICE_COMPONENT_OPTIONS_HPP

#include <curfew/service/control_options.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/duration.hpp>

#include <chrono>
#include <string>
#include <vector>

CURFEW_BEGIN

/// What a program of components wants beside them.
struct component_options {
  /// How long all stay up after a stop was asked for, so that load balancers look away. Of a short
  /// time no more than a quarter; and nothing for a Ctrl-C that somebody has typed, for a fault, or
  /// for a console that is closed.
  detail::saturated lame_duck = std::chrono::seconds(0);

  /// Where to keep what happens, for the next run to say how this one ended. Empty: nowhere.
  std::string recording = {};

  /// Who is told what happens: audit, trace. On a thread of their own; they outlive the run.
  std::vector<event_sink*> sinks = {};

  /// A stop that does not fit into the time that its reason leaves is an error before the start.
  bool plan_must_fit = false;

  /// Where the program can be asked for its status, a stop and more while it runs; without a path
  /// nowhere. A program that cannot open it does not start.
  control_options control = {};
};

CURFEW_END

#endif
