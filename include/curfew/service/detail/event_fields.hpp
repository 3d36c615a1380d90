// SPDX-License-Identifier: BSL-1.0
//
// What an event says, as names and values that are the same in every file and every log.
#ifndef CURFEW_SERVICE_DETAIL_EVENT_FIELDS_HPP
#define CURFEW_SERVICE_DETAIL_EVENT_FIELDS_HPP

#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/reason.hpp>

#include <chrono>
#include <cstdint>
#include <string>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] constexpr bool has_outcome(event_kind k) noexcept {
  return k == event_kind::step_ended || k == event_kind::step_late || k == event_kind::run_ended;
}
[[nodiscard]] constexpr bool has_elapsed(event_kind k) noexcept {
  return has_outcome(k) || k == event_kind::abandoned;
}
[[nodiscard]] constexpr bool has_limit(const lifecycle_event& e) noexcept {
  if (e.limit == (time_source::duration::max)()) return false;
  return e.kind == event_kind::stopping || e.kind == event_kind::step_began ||
         e.kind == event_kind::step_ended || e.kind == event_kind::step_late ||
         e.kind == event_kind::restarting || e.kind == event_kind::prepared ||
         e.kind == event_kind::abandoned;
}

/// Whoever asked: of `control` the caller, else the one that a reason names.
[[nodiscard]] constexpr caller_identity actor_of(const lifecycle_event& e) noexcept {
  if (e.kind == event_kind::control) return e.caller;
  return {e.reason.pid, e.reason.uid, {}};
}

[[nodiscard]] inline std::int64_t microseconds_of(time_source::duration d) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

template <class Out>
void put_process(std::int64_t pid, std::int64_t uid, Out& out) {
  if (pid != 0) out.number("pid", pid);
  if (uid != -1) out.number("uid", uid);
}

template <class Out>
void put_reason(const stop_reason& r, Out& out) {
  if (r.cause == stop_cause::none) return;
  out.begin("reason", to_string(r));
  out.text("cause", cause_name(r.cause));
  if (code_counts(r)) out.number("code", r.code);
  put_process(r.pid, r.uid, out);
  out.end();
}

template <class Out>
void put_actor(const caller_identity& a, Out& out) {
  if (a.pid == 0 && a.uid == -1 && a.sid.empty()) return;
  out.begin("actor", {});
  put_process(a.pid, a.uid, out);
  if (!a.sid.empty()) out.text("sid", a.sid);
  out.end();
}

/// What has no meaning for an event is left out. Out: text(name, value), number(name, value),
/// begin(name, text) for what has parts, of which the text is the sum, and end().
template <class Out>
void put_fields(const lifecycle_event& e, Out& out) {
  const bool asked = e.kind == event_kind::control;
  out.text("event", to_string(e.kind));
  if (!e.part.empty()) out.text("part", e.part);
  if (e.step != component_step::none) out.text("step", to_string(e.step));
  if (has_outcome(e.kind)) out.text("outcome", to_string(e.outcome));
  if (has_elapsed(e.kind)) out.number("elapsed_us", microseconds_of(e.elapsed));
  if (has_limit(e)) out.number("limit_us", microseconds_of(e.limit));
  put_reason(e.reason, out);
  put_actor(actor_of(e), out);
  if (asked) out.text("verb", e.verb);
  if (asked && !e.change.empty()) out.text("change", e.change);
  if (asked) out.text("decision", e.allowed ? "allow" : "deny");
  if (!e.text.empty()) out.text("text", e.text);
}

}  // namespace detail
CURFEW_END

#endif
