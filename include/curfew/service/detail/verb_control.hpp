// SPDX-License-Identifier: BSL-1.0
//
// The verbs start, stop, restart, reload and status.
#ifndef CURFEW_SERVICE_DETAIL_VERB_CONTROL_HPP
#define CURFEW_SERVICE_DETAIL_VERB_CONTROL_HPP

#include <curfew/config.hpp>
#include <curfew/service/detail/verb_orders.hpp>
#include <curfew/service/detail/verb_session.hpp>
#include <curfew/service/detail/verb_text.hpp>

#include <string>
#include <utility>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] int verb_start(verb_session& s);
[[nodiscard]] int verb_stop(verb_session& s);
[[nodiscard]] int verb_restart(verb_session& s);
[[nodiscard]] int verb_reload(verb_session& s);
[[nodiscard]] int verb_status(verb_session& s);

// ---------------------------------------------------------------------------------------------

/// What a verb says that has waited: the sentence for success, or why not.
inline int conclude(verb_session& s, const control_result& r, std::string done) {
  if (r.end == await_end::interrupted) {
    return s.interrupt("it is " + state_text(r.status) + ", and is left so");
  }
  return r.why ? s.fail(r.why) : s.succeed(std::move(done));
}

/// A service may be looked at, but not touched, when another program is its owner.
inline int refuse_foreign(verb_session& s) {
  return s.fail({failure::kind_type::failed,
                 "there is a service of that name already, and not of this program: take another "
                 "--name"});
}

/// The state to begin with. False: it has been told why there is none.
inline bool look_first(verb_session& s, service_status& into) {
  s.report().changed = false;
  if (failure why = s.manager().query(s.name(), into)) return s.fail(std::move(why)), false;
  s.report().status = into;
  if (!into.ours) return refuse_foreign(s), false;
  if (into.state != service_state::not_installed) return true;
  s.fail({failure::kind_type::not_installed,
          "is not installed: the system has no service of that name"},
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
    return s.fail(
        {failure::kind_type::failed, "is " + state_text(now) + ": a start is for what is down"},
        "next: sc continue " + s.name() + ", or " + s.command(verb::restart));
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
  const bool failed = r.status.state == service_state::failed;
  conclude(s, r, runs_now(s, failed ? "stopped; its last run has " : ""));
  if (r.ok() && !now.triggers.empty()) {
    s.note("  note    " + now.triggers +
           " may start it again; to end that: " + end_triggers(s, now) + '\n');
  }
  return s.report().code;
}

inline int verb_restart(verb_session& s) {
  service_status now;
  if (!look_first(s, now)) return s.report().code;
  if (would(s, "restarted", now)) return 0;
  const bool stopped = now.state == service_state::stopped;
  const control_result r = stopped ? start_service(s, now) : restart_service(s, now);
  return conclude(s, r, runs_now(s, ended_states(now) ? "started, is " : "restarted, is "));
}

inline int verb_reload(verb_session& s) {
  service_status now;
  if (!look_first(s, now)) return s.report().code;
  if (!s.spec().reloads) {
    return s.fail(
        {failure::kind_type::not_supported, "cannot reload: its declaration says that it does not"},
        "next: " + s.command(verb::restart));
  }
  if (!running_states.contains(now.state)) {
    return s.fail(
        {failure::kind_type::failed, "is " + state_text(now) + ": only what runs can reload"},
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
  if (!now.ours) s.note("  owner   not this program, which does not change it\n");
  const char* const saying = ended_states(now) ? "  said    " : "  note    ";  // before it ended
  if (!now.text.empty() && now.text != to_string(now.state)) {
    s.note(saying + one_line(now.text) + '\n');
  }
  return s.report().code;
}

}  // namespace detail
CURFEW_END

#endif
