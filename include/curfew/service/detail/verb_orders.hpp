// SPDX-License-Identifier: BSL-1.0
//
// What the verbs ask of a manager, each until it is known what came of it.
#ifndef CURFEW_SERVICE_DETAIL_VERB_ORDERS_HPP
#define CURFEW_SERVICE_DETAIL_VERB_ORDERS_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/await_state.hpp>
#include <curfew/service/detail/verb_session.hpp>
#include <curfew/service/detail/verb_text.hpp>
#include <curfew/service/timeline.hpp>
#include <curfew/stop/detail/duration.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

CURFEW_BEGIN
namespace detail {

inline constexpr state_set at_work = {service_state::running};
inline constexpr state_set running_states = {service_state::running, service_state::reloading};
inline constexpr state_set alive_states = {service_state::running, service_state::reloading,
                                           service_state::pausing, service_state::paused,
                                           service_state::resuming};

/// A failure or an interruption that has been told already is a result that is not ok().
struct control_result {
  await_end end = await_end::reached;
  failure why = {};
  service_status status = {};

  [[nodiscard]] bool ok() const noexcept { return end == await_end::reached && !why; }
};

/// Waits, and lets people see how it goes when it takes longer than a second.
[[nodiscard]] control_result await_verb(verb_session& s, const state_goal& goal,
                                        time_source::duration limit);

/// Until it runs, from a state in which it does not.
[[nodiscard]] control_result start_service(verb_session& s, const service_status& now);
/// Until it has ended, from whatever state. It may have been started again since.
[[nodiscard]] control_result end_service(verb_session& s, const service_status& now);
/// Until it has ended; that somebody starts it again at once is a failure.
[[nodiscard]] control_result end_for_good(verb_session& s, const service_status& now);
/// Until it runs anew, in one go where the manager can do that.
[[nodiscard]] control_result restart_service(verb_session& s, const service_status& now);
/// Until it has reloaded, as far as that can be seen: status.since is not zero then.
[[nodiscard]] control_result reload_service(verb_session& s, service_status now);

// ---------------------------------------------------------------------------------------------

/// Where the system keeps what the service said.
[[nodiscard]] inline std::string where_to_look(const verb_session& s) {
  if constexpr (CURFEW_WINDOWS != 0) return "see the event log, source " + s.name();
  if constexpr (CURFEW_LINUX == 0) return "";
  return "see: journalctl " + std::string(s.line().user ? "--user " : "") + "-u " + s.name();
}

/// How something that did not come to the state wanted stands now, and what to do.
[[nodiscard]] inline failure await_failure(const verb_session& s, const await_result& r) {
  using kind = failure::kind_type;
  const std::string state = state_text(r.status);
  const std::string said = r.status.text.empty() ? "" : ": " + one_line(r.status.text);
  const std::string since = " after " + curfew::to_text(r.elapsed);
  switch (r.end) {
    case await_end::failed: return r.why;
    case await_end::ended:
      return {kind::failed, "it is " + state + since + ", which is not what was asked for" + said +
                                "; " + where_to_look(s)};
    case await_end::stuck:
      return {kind::not_in_time,
              "still " + state + since + said + ", and does not move; " + where_to_look(s)};
    case await_end::not_in_time:
      return {kind::not_in_time, "still " + state + since + said + "; it goes on. Look again: " +
                                     s.command(verb::status) + ", or wait longer with --timeout"};
    case await_end::reached:
    case await_end::interrupted: break;
  }
  return {};
}

inline control_result await_verb(verb_session& s, const state_goal& goal,
                                 time_source::duration limit) {
  std::string shown;
  const auto show = [&](const service_status& seen, time_source::duration elapsed) {
    std::string line = std::string("  ") + to_string(seen.state);
    if (!seen.text.empty()) line += ": " + one_line(seen.text);
    if (elapsed < std::chrono::seconds(1) || line == shown) return;
    s.note(line + '\n');
    shown = std::move(line);
  };
  const await_result r = await_state(s.manager(), s.name(), goal, limit, s.stop(), show);
  if (r.end != await_end::failed) s.report().status = r.status;
  return {r.end, await_failure(s, r), r.status};
}

/// The declaration may know less than what is installed, whose arguments can have changed it.
[[nodiscard]] inline time_source::duration start_time(const verb_session& s,
                                                      const service_status& now) {
  return (std::max<time_source::duration>)(s.spec().start_timeout, now.start_limit);
}

[[nodiscard]] inline time_source::duration stop_time(const verb_session& s,
                                                     const service_status& now) {
  return (std::max<time_source::duration>)(s.spec().stop_timeout, now.stop_limit);
}

inline control_result start_service(verb_session& s, const service_status& now) {
  failure why;
  if (now.state != service_state::starting) why = s.manager().start(s.name());
  const bool disabled = CURFEW_WINDOWS == 0 && s.spec().start == start_mode::disabled;
  if (why && disabled) why.text += ": it is disabled; install it with another start mode";
  if (why) return {await_end::failed, std::move(why)};
  s.report().changed = true;
  return await_verb(s, running_states, s.limit(start_time(s, now)));
}

/// Whether between two looks it has ended and been started again.
[[nodiscard]] inline bool runs_anew(const service_status& before, const service_status& seen) {
  const bool other = before.pid != 0 && seen.pid != 0 && seen.pid != before.pid;
  const bool ran = alive_states.contains(before.state) || before.state == service_state::stopping;
  return other || (ran && seen.state == service_state::starting);
}

/// A stop that is under way is not asked for again. A service that has failed is stopped as well:
/// its manager may be about to start it again.
inline control_result end_service(verb_session& s, const service_status& now) {
  failure why;
  if (now.state != service_state::stopping) why = s.manager().stop(s.name());
  if (why) return {await_end::failed, std::move(why)};
  s.report().changed = true;
  const auto ended = [&now](const service_status& seen) {
    return ended_states(seen) || runs_anew(now, seen);
  };
  return await_verb(s, ended, s.limit(stop_time(s, now)));
}

/// The command that ends what else starts the service; empty: nothing that is known.
[[nodiscard]] inline std::string end_triggers(const verb_session& s, const service_status& now) {
  if (now.triggers.empty()) return {};
  return std::string("systemctl ") + (s.line().user ? "--user " : "") + "stop " + now.triggers;
}

[[nodiscard]] inline failure started_again(const verb_session& s, const service_status& now) {
  const std::string who = now.triggers.empty() ? "somebody" : now.triggers;
  std::string next = end_triggers(s, now);
  next += (next.empty() ? "" : ", and then: ") + s.command(s.line().what);
  return {failure::kind_type::failed, "it has ended, but " + who + " has started it again: it is " +
                                          state_text(now) + "; next: " + next};
}

inline void pause_for(verb_session& s, std::chrono::milliseconds time) {
  const stop_source self(s.stop());  // a token without a source would not wait
  static_cast<void>(self.get_token().wait_for(time));
}

/// What a client who waits already brings back is at rest for an instant only.
inline control_result look_again(verb_session& s) {
  pause_for(s, std::chrono::milliseconds(200));
  const auto whatever = [](const service_status&) { return true; };
  return await_verb(s, whatever, time_source::duration::zero());
}

inline control_result end_for_good(verb_session& s, const service_status& now) {
  control_result r = end_service(s, now);
  if (r.ok() && ended_states(r.status) && !r.status.triggers.empty()) r = look_again(s);
  if (r.ok() && !ended_states(r.status)) r.why = started_again(s, r.status);
  return r;
}

inline control_result end_and_start(verb_session& s, const service_status& now) {
  control_result r;
  if (!ended_states(now)) r = end_service(s, now);
  service_status rested = now;
  rested.state = service_state::stopped;
  return r.ok() ? start_service(s, rested) : r;
}

/// One after the other.
[[nodiscard]] inline time_source::duration restart_time(const verb_session& s,
                                                        const service_status& now) {
  const auto least = time_source::duration::zero();
  const clock_time_point ended((std::max)(stop_time(s, now), least));
  return saturating_add(ended, (std::max)(start_time(s, now), least)).time_since_epoch();
}

/// Until the old process has ended, the service runs as if nothing had been ordered.
inline control_result restart_service(verb_session& s, const service_status& now) {
  failure why = s.manager().restart(s.name());
  if (why.kind == failure::kind_type::not_supported) return end_and_start(s, now);
  if (why) return {await_end::failed, std::move(why)};
  s.report().changed = true;
  const auto anew = [&now](const service_status& seen) {
    return running_states(seen) && (now.pid == 0 || seen.pid != now.pid);
  };
  return await_verb(s, anew, s.limit(restart_time(s, now)));
}

/// Where changes of the state are numbered there has been one when the service runs again. Else a
/// manager may hand the request on and not wait for the service to take it up; the first look comes
/// a little later, and what is seen then proves nothing.
inline control_result await_reload(verb_session& s, const service_status& before) {
  const auto limit = s.limit(start_time(s, before));
  if (before.since != 0) {
    const auto done = [&before](const service_status& seen) {
      return at_work(seen) && seen.since != before.since;
    };
    return await_verb(s, done, limit);
  }
  pause_for(s, std::chrono::milliseconds(100));
  return await_verb(s, at_work, limit);
}

[[nodiscard]] inline failure ended_by_reload(const verb_session& s, const service_status& now) {
  return {failure::kind_type::failed,
          "it has ended instead of reloading, and was started again: it is " + state_text(now) +
              "; " + where_to_look(s)};
}

/// A reload that is under way is let come to its end, for it not to be taken for ours.
inline control_result reload_service(verb_session& s, service_status now) {
  if (now.state == service_state::reloading) {
    const control_result before = await_verb(s, at_work, s.limit(start_time(s, now)));
    if (!before.ok()) return before;
    now = before.status;
  }
  failure why = s.manager().reload(s.name());
  if (why) return {await_end::failed, std::move(why)};
  s.report().changed = true;
  control_result r = await_reload(s, now);
  const bool silent = r.end == await_end::not_in_time && at_work(r.status);
  if (silent) r.why.text = "was told to reload, and has not said that it has: " + r.why.text;
  if (r.ok() && runs_anew(now, r.status)) r.why = ended_by_reload(s, r.status);
  return r;
}

}  // namespace detail
CURFEW_END

#endif
