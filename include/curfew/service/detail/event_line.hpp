// SPDX-License-Identifier: BSL-1.0
//
// An event as a line for people, and how much it matters.
#ifndef CURFEW_SERVICE_DETAIL_EVENT_LINE_HPP
#define CURFEW_SERVICE_DETAIL_EVENT_LINE_HPP

#include <curfew/host/message_sink.hpp>
#include <curfew/service/detail/event_fields.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/service/timeline.hpp>
#include <curfew/stop/reason.hpp>

#include <string>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] constexpr severity severity_of(const lifecycle_event& e) noexcept {
  switch (e.kind) {
    case event_kind::fault:
    case event_kind::abandoned: return severity::error;
    case event_kind::run_ended:
      return e.outcome == step_outcome::done ? severity::notice : severity::error;
    case event_kind::step_ended:
      return e.outcome == step_outcome::done ? severity::info : severity::warning;
    case event_kind::escalated:
    case event_kind::step_late:
    case event_kind::restarting:
    case event_kind::resumed:
    case event_kind::lost: return severity::warning;
    case event_kind::stopping: return severity::notice;
    case event_kind::control: return e.allowed ? severity::notice : severity::warning;
    case event_kind::step_began:
    case event_kind::progress: return severity::debug;
    default: return severity::info;
  }
}

/// "stop done in 3 ms", "drain vetoed in 1.2 s"
[[nodiscard]] inline std::string ended_text(const lifecycle_event& e) {
  std::string text = std::string(to_string(e.step)).append(1, ' ').append(to_string(e.outcome));
  return text + " in " + to_text(e.elapsed);
}

/// "stop allowed, asked for by pid 815 (uid 1000), change C-7"
[[nodiscard]] inline std::string asked_line(const lifecycle_event& e) {
  std::string text = std::string(e.verb) + (e.allowed ? " allowed" : " denied");
  const caller_identity& who = e.caller;
  const bool has_user = who.uid != -1 || !who.sid.empty();
  const std::string user =
      who.sid.empty() ? "uid " + std::to_string(who.uid) : std::string(who.sid);
  if (who.pid != 0) text += ", asked for by pid " + std::to_string(who.pid);
  if (has_user) text += who.pid != 0 ? " (" + user + ")" : ", asked for by " + user;
  if (!e.change.empty()) text.append(", change ").append(e.change);
  return text;
}

/// Without its text.
[[nodiscard]] inline std::string said_of(const lifecycle_event& e) {
  const std::string step = to_string(e.step);
  switch (e.kind) {
    case event_kind::run_began: return "begins";
    case event_kind::ready: return "ready";
    case event_kind::stopping: return "stopping: " + to_string(e.reason);
    case event_kind::escalated: return "the stop moves up";
    case event_kind::run_ended: return "ended";
    case event_kind::step_began: return step + " begins";
    case event_kind::step_ended: return ended_text(e);
    case event_kind::step_late:
      return step + " has used " + to_text(e.elapsed) + " of " + to_text(e.limit);
    case event_kind::abandoned: return "abandoned after " + to_text(e.elapsed);
    case event_kind::fault: return "failed";
    case event_kind::restarting: return "is started again in " + to_text(e.limit);
    case event_kind::prepared: return "prepared to stop";
    case event_kind::resumed: return "the stop is not made";
    case event_kind::control: return asked_line(e);
    default: return {};
  }
}

/// "db-pool: stop failed in 1.2 s: connection reset"
[[nodiscard]] inline std::string event_line(const lifecycle_event& e) {
  std::string line(e.part);
  for (const std::string& next : {said_of(e), std::string(e.text)}) {
    if (!line.empty() && !next.empty()) line += ": ";
    line += next;
  }
  return line;
}

}  // namespace detail
CURFEW_END

#endif
