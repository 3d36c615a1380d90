// SPDX-License-Identifier: BSL-1.0
//
// How a program is reached by a control endpoint.
#ifndef CURFEW_SERVICE_CONTROL_OPTIONS_HPP
#define CURFEW_SERVICE_CONTROL_OPTIONS_HPP

#include <curfew/service/control_policy.hpp>
#include <curfew/stop/detail/duration.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

CURFEW_BEGIN

/// Where a control endpoint listens, to whom, and for how long.
struct control_options {
  /// Of a Unix socket, in a directory where only its user may write; of a named pipe,
  /// "\\.\pipe\orders" or just "orders". Empty: there is no endpoint.
  std::string path = {};

  /// Empty: default_policy.
  control_policy policy = {};

  /// The policy is for other users as well. Without it they are turned away before they have taken
  /// a place, whatever the mode of the socket has become. With it they get three quarters of the
  /// places at most, and the rest is for the program's own user and administrators. On Windows the
  /// pipe's access list lets nobody else in, with or without it.
  bool strangers = false;

  /// At a time. Whoever comes when all places are taken is told so, and is gone.
  std::size_t clients = 16;

  /// How long a client may take for one request or for taking one answer.
  detail::saturated patience = std::chrono::seconds(5);
  /// How long it may be silent between two requests.
  detail::saturated idle = std::chrono::minutes(1);

  /// What `health` answers: JSON. Called by several threads at a time, and bounded in time.
  std::function<std::string()> health = {};
};

CURFEW_END

#endif
