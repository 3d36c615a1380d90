// SPDX-License-Identifier: BSL-1.0
//
// Who may ask a program for what, through its control endpoint.
#ifndef CURFEW_SERVICE_CONTROL_POLICY_HPP
#define CURFEW_SERVICE_CONTROL_POLICY_HPP

#include <curfew/service/lifecycle_event.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

CURFEW_BEGIN

/// The views last as long as the call that passes it on.
struct control_request {
  caller_identity caller = {};
  bool same_user = false;      ///< the caller is the user that this program runs as
  bool administrator = false;  ///< root; SYSTEM, or an administrator who acts as one
  std::string_view verb = {};
  std::string_view change = {};     ///< the name the caller has given the matter
  std::string_view arguments = {};  ///< a JSON object; empty: none
  std::chrono::system_clock::time_point when = {};
};

/// Whether a request is granted, and why not.
struct control_decision {
  bool allowed = false;
  std::string why = {};  ///< told to the caller when it is denied, and to the audit

  [[nodiscard]] static control_decision allow(std::string why = {}) {
    return {true, std::move(why)};
  }
  [[nodiscard]] static control_decision deny(std::string why) { return {false, std::move(why)}; }
};

/// Called for every request, by several threads at a time. One that throws has denied.
using control_policy = std::function<control_decision(const control_request&)>;

/// The program's own user and administrators may do everything, nobody else anything.
[[nodiscard]] inline control_decision default_policy(const control_request& r) {
  if (r.same_user || r.administrator) return control_decision::allow();
  return control_decision::deny(
      "you may not ask: only the user of this program and administrators may; ask as one of these");
}

CURFEW_END

#endif
