// SPDX-License-Identifier: BSL-1.0
//
// The verbs start, stop, restart, reload and status: asks the manager, and waits for what comes of
// it.
#ifndef CURFEW_SERVICE_DETAIL_VERB_CONTROL_HPP
#define CURFEW_SERVICE_DETAIL_VERB_CONTROL_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/await_state.hpp>
#include <curfew/service/detail/verb_session.hpp>
#include <curfew/service/detail/verb_text.hpp>
#include <curfew/service/timeline.hpp>

#include <chrono>
#include <string>

CURFEW_BEGIN
namespace detail {

inline constexpr state_set at_work = {service_state::running};
inline constexpr state_set running_states = {service_state::running, service_state::reloading};
inline constexpr state_set alive_states = {service_state::running, service_state::reloading,
                                           service_state::pausing, service_state::paused,
                                           service_state::resuming};

[[nodiscard]] int verb_start(verb_session& s);
[[nodiscard]] int verb_stop(verb_session& s);
[[nodiscard]] int verb_restart(verb_session& s);
[[nodiscard]] int verb_reload(verb_session& s);
[[nodiscard]] int verb_status(verb_session& s);

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
  const std::string said = r.status.text.empty() ? "" : ": " + r.status.text;
  const std::string since = " after " + curfew::to_text(r.elapsed);
  switch (r.end) {
    case await_end::failed: return r.why;
    case await_end::ended:
      return {kind::failed, "it is " + state + since + said + "; " + where_to_look(s)};
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
    if (!seen.text.empty()) line += ": " + seen.text;
    if (elapsed < std::chrono::seconds(1) || line == shown) return;
    s.note(line + '\n');
    shown = std::move(line);
  };
  const await_result r = await_state(s.manager(), s.name(), goal, limit, s.stop(), show);
  if (r.end != await_end::failed) s.report().status = r.status;
  return {r.end, await_failure(s, r), r.status};
}

/// What a verb says that has waited: the sentence for success, or why not.
inline int conclude(verb_session& s, const control_result& r, std::string done) {
  if (r.end == await_end::interrupted) {
    return s.interrupt("it is " + state_text(r.status) + ", and is left so");
  }
  return r.why ? s.fail(r.why) : s.succeed(std::move(done));
}

inline control_result start_service(verb_session& s, const service_status& now) {
  failure why;
  if (now.state != service_state::starting) why = s.manager().start(s.name());
  if (why) return {await_end::failed, std::move(why)};
  s.report().changed = true;
  return await_verb(s, running_states, s.limit(s.spec().start_timeout));
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
  return await_verb(s, ended, s.limit(s.spec().stop_timeout));
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

inline control_result end_for_good(verb_session& s, const service_status& now) {
  control_result r = end_service(s, now);
  if (r.ok() && !ended_states(r.status)) r.why = started_again(s, r.status);
  return r;
}

/// The state to begin with. False: it has been told why there is none.
inline bool look_first(verb_session& s, service_status& into) {
  s.report().changed = false;
  if (failure why = s.manager().query(s.name(), into)) return s.fail(std::move(why)), false;
  s.report().status = into;
  if (into.state != service_state::not_installed) return true;
  s.fail({failure::kind_type::not_installed, "is not installed"},
         "next: " + s.command(verb::install));
  return false;
}

/// Whether a dry run ends here.
inline bool would(verb_session& s, const char* what, const service_status& now) {
  if (!s.line().dry_run) return false;
  s.succeed(std::string("would be ") + what + ", is " + state_text(now) + " (dry run)");
  return true;
}

[[nodiscard]] inline std::string runs_now(verb_session& s, const char* how) {
  return std::string(how) + state_text(s.report().status.value_or(service_status{}));
}

inline int verb_start(verb_session& s) {
  service_status now;
  if (!look_first(s, now)) return s.report().code;
  if (running_states.contains(now.state)) return s.succeed("is " + state_text(now) + " already");
  if (alive_states.contains(now.state)) {
    return s.fail({failure::kind_type::failed, "is " + state_text(now)},
                  "next: resume it, or " + s.command(verb::restart));
  }
  if (would(s, "started", now)) return 0;
  control_result r;
  if (now.state == service_state::stopping) r = end_service(s, now);  // a start would be refused
  if (r.ok()) r = start_service(s, now);
  return conclude(s, r, runs_now(s, ""));
}

inline int verb_stop(verb_session& s) {
  service_status now;
  if (!look_first(s, now)) return s.report().code;
  if (now.state == service_state::stopped) return s.succeed("is " + state_text(now) + " already");
  if (would(s, "stopped", now)) return 0;
  const control_result r = end_for_good(s, now);
  conclude(s, r, runs_now(s, ""));
  if (r.ok() && !now.triggers.empty()) {
    s.note("  note    " + now.triggers +
           " may start it again; to end that: " + end_triggers(s, now) + '\n');
  }
  return s.report().code;
}

inline control_result end_and_start(verb_session& s, const service_status& now) {
  control_result r;
  if (!ended_states(now)) r = end_service(s, now);
  return r.ok() ? start_service(s, {}) : r;
}

/// One after the other.
[[nodiscard]] inline time_source::duration restart_time(const service_spec& spec) {
  const auto least = time_source::duration::zero();
  const clock_time_point ended((std::max<time_source::duration>)(spec.stop_timeout, least));
  return saturating_add(ended, (std::max<time_source::duration>)(spec.start_timeout, least))
      .time_since_epoch();
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
  return await_verb(s, anew, s.limit(restart_time(s.spec())));
}

inline int verb_restart(verb_session& s) {
  service_status now;
  if (!look_first(s, now)) return s.report().code;
  if (would(s, "restarted", now)) return 0;
  const bool stopped = now.state == service_state::stopped;
  const control_result r = stopped ? start_service(s, now) : restart_service(s, now);
  return conclude(s, r, runs_now(s, ended_states(now) ? "started, is " : "restarted, is "));
}

/// Where changes of the state are numbered there has been one when the service runs again. Else a
/// manager may hand the request on and not wait for the service to take it up; the first look comes
/// a little later, and what is seen then proves nothing.
inline control_result await_reload(verb_session& s, const service_status& before) {
  const auto limit = s.limit(s.spec().start_timeout);
  if (before.since != 0) {
    const auto done = [&before](const service_status& seen) {
      return at_work(seen) && seen.since != before.since;
    };
    return await_verb(s, done, limit);
  }
  const stop_source self(s.stop());
  static_cast<void>(self.get_token().wait_for(std::chrono::milliseconds(100)));
  return await_verb(s, at_work, limit);
}

/// A reload that is under way is let come to its end, for it not to be taken for ours.
inline control_result reload_service(verb_session& s, service_status now) {
  if (now.state == service_state::reloading) {
    const control_result before = await_verb(s, at_work, s.limit(s.spec().start_timeout));
    if (!before.ok()) return before;
    now = before.status;
  }
  failure why = s.manager().reload(s.name());
  if (why) return {await_end::failed, std::move(why)};
  s.report().changed = true;
  control_result r = await_reload(s, now);
  const bool silent = r.end == await_end::not_in_time && at_work(r.status);
  if (silent) r.why.text = "was told to reload, and has not said that it has: " + r.why.text;
  return r;
}

inline int verb_reload(verb_session& s) {
  service_status now;
  if (!look_first(s, now)) return s.report().code;
  if (!s.spec().reloads) {
    return s.fail({failure::kind_type::not_supported, "cannot reload"},
                  "next: " + s.command(verb::restart));
  }
  if (!running_states.contains(now.state)) {
    return s.fail({failure::kind_type::failed, "is " + state_text(now)},
                  "next: " + s.command(verb::start));
  }
  if (would(s, "reloaded", now)) return 0;
  const control_result r = reload_service(s, now);
  const bool seen = r.status.since != 0;
  return conclude(s, r,
                  seen ? runs_now(s, "reloaded, is ")
                       : runs_now(s, "told to reload, is ") + "; when it has cannot be seen here");
}

/// As scripts expect it of a service.
[[nodiscard]] constexpr int status_code(service_state state) noexcept {
  if (state == service_state::not_installed) return 4;
  if (state == service_state::unknown) return exit_code_verb_failed;
  return alive_states.contains(state) ? 0 : 3;
}

inline int verb_status(verb_session& s) {
  service_status now;
  if (failure why = s.manager().query(s.name(), now)) return s.fail(std::move(why));
  s.report().status = now;
  s.succeed(state_text(now), status_code(now.state));
  if (now.state == service_state::not_installed) return s.report().code;
  s.note(std::string("  starts  ") + (now.enabled ? "with the system\n" : "when asked\n"));
  if (!now.text.empty() && now.text != to_string(now.state)) s.note("  note    " + now.text + '\n');
  return s.report().code;
}

}  // namespace detail
CURFEW_END

#endif
