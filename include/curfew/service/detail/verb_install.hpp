// SPDX-License-Identifier: BSL-1.0
//
// The verbs install and uninstall: a difference is computed, shown, and applied as a whole.
#ifndef CURFEW_SERVICE_DETAIL_VERB_INSTALL_HPP
#define CURFEW_SERVICE_DETAIL_VERB_INSTALL_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/apply_plan.hpp>
#include <curfew/host/install/checks.hpp>
#include <curfew/service/detail/verb_control.hpp>
#include <curfew/service/detail/verb_orders.hpp>
#include <curfew/service/detail/verb_session.hpp>
#include <curfew/service/detail/verb_text.hpp>

#include <string>
#include <utility>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] int verb_install(verb_session& s);
[[nodiscard]] int verb_uninstall(verb_session& s);

/// What the command line asks for, checked and with absolute paths: report().request.
[[nodiscard]] failure prepare_request(verb_session& s);

// ---------------------------------------------------------------------------------------------

/// The installed command line begins with the first argument: a verb there would be obeyed.
[[nodiscard]] inline failure examine_arguments(const service_spec& spec) {
  if (spec.arguments.empty() || verb_of(spec.arguments[0]) == verb::none) return {};
  return {failure::kind_type::failed, "the service's first argument must not be the verb '" +
                                          spec.arguments[0] + "'; put another one before it"};
}

inline failure prepare_request(verb_session& s) {
  install_request asked{s.spec(), {}, s.line().user};
  if (s.line().has_own) asked.spec.arguments.assign(s.line().own.begin(), s.line().own.end());
  failure why = s.backend().resolve(asked);
  if (!why) why = examine_arguments(asked.spec);
  if (!why) why = check_request(asked);
  if (!why) s.report().request = std::move(asked);
  return why;
}

/// For people to read.
[[nodiscard]] inline std::string command_text(const install_request& r) {
  std::string text = command_words(r.executable, r.spec.arguments);
  if (!r.spec.working_directory.empty()) text += ", in " + r.spec.working_directory;
  return text;
}

/// Shows the difference. True: that is all there is to do.
inline bool show_plan(verb_session& s, const install_plan& plan) {
  s.report().steps = results_of(plan);
  s.note(plan_text(plan));
  if (!s.line().dry_run) return false;
  s.succeed(counted(plan.size(), "change") + " would be made (dry run)");
  return true;
}

/// Which of them could not be taken back is told with the other problems.
[[nodiscard]] inline std::string what_is_left(const apply_report& r) {
  if (r.unfinished()) return "what is marked with ! is done, and in force when nobody holds it";
  if (r.half_done()) return "what is marked with ! could not be undone; look after it";
  return "nothing is changed";
}

/// 0, or the exit code of what has been told.
inline int apply_and_tell(verb_session& s, const install_plan& plan) {
  const apply_report r = apply_plan(plan, s.stop());
  s.report().steps = r.steps;
  s.report().changed = r.changed();
  s.note(step_problems(r));
  if (r.interrupted) return s.interrupt(what_is_left(r));
  return r.why ? s.fail(r.why, what_is_left(r)) : 0;
}

/// What to do next, where there is something.
inline void advise(verb_session& s, const service_status& before) {
  const bool fresh = before.state == service_state::not_installed;
  if (fresh) s.note("next: " + s.command(verb::start) + '\n');
  if (ended_states.contains(before.state)) return;
  s.report().restart_needed = true;
  s.note("next: " + s.command(verb::restart) + ", for the running service to take it up\n");
}

inline int finish_install(verb_session& s, const service_status& before) {
  const bool upgrade = before.state != service_state::not_installed;
  const bool changed = s.report().changed.value_or(false);
  if (!changed) return s.succeed("no change");
  s.succeed(upgrade ? "updated" : "installed");
  s.note("runs: " + command_text(*s.report().request) + '\n');
  advise(s, before);
  return 0;
}

inline int verb_install(verb_session& s) {
  install_plan plan;
  service_status before;
  s.report().changed = false;
  failure why = prepare_request(s);
  if (!why) why = s.manager().plan_install(*s.report().request, plan);  // which asks for rights
  if (!why) why = s.manager().query(s.name(), before);
  if (why) return s.fail(std::move(why));
  if (plan.empty()) return s.succeed("no change");
  if (show_plan(s, plan)) return 0;
  const int code = apply_and_tell(s, plan);
  return code != 0 ? code : finish_install(s, before);
}

[[nodiscard]] inline install_step stop_step(const service_status& now) {
  return {.what = "service", .from = state_text(now), .to = "stopped"};
}

/// A failed one may be about to be started again by its manager.
[[nodiscard]] inline bool rests(service_state state) noexcept {
  return state == service_state::stopped || state == service_state::not_installed;
}

/// A service that was stopped for its removal, and is still there, goes on as before.
inline void start_again(verb_session& s) {
  const failure why = s.manager().start(s.name());
  s.note(why ? "  ! could not be started again: " + why.text + '\n' : "started again\n");
}

/// 0, or the exit code of what has been told: it came back in the moment before it was removed.
inline int tell_of_survivor(verb_session& s) {
  service_status left;
  if (s.manager().query(s.name(), left) || ended_states(left)) return 0;
  if (left.state == service_state::unknown) return 0;
  return s.fail(
      {failure::kind_type::failed, "was removed, but has been started again meanwhile and is " +
                                       state_text(left) + ": it is gone when that has ended"},
      "next: " + s.command(verb::stop));
}

/// What there is to remove is asked for anew, since a service that has ended may have left more.
inline int remove_stopped(verb_session& s, bool ran) {
  install_plan plan;
  failure why = s.manager().plan_uninstall(s.name(), plan);
  const int code = why ? s.fail(why) : apply_and_tell(s, plan);
  const bool goes = !why && apply_report{*s.report().steps}.unfinished();
  if (code != 0 && ran && !goes) start_again(s);
  if (code != 0) return code;
  s.report().changed = true;
  s.report().status.reset();
  const int survivor = tell_of_survivor(s);
  return survivor != 0 ? survivor : s.succeed("uninstalled");
}

inline int verb_uninstall(verb_session& s) {
  install_plan plan;
  service_status now;
  s.report().changed = false;
  failure why = s.manager().plan_uninstall(s.name(), plan);
  if (!why) why = s.manager().query(s.name(), now);
  if (why) return s.fail(std::move(why));
  if (!now.ours) return refuse_foreign(s);
  if (plan.empty() && ended_states(now)) return s.succeed("is not installed");
  if (!rests(now.state)) plan.insert(plan.begin(), stop_step(now));
  if (show_plan(s, plan)) return 0;
  const control_result r = rests(now.state) ? control_result{} : end_for_good(s, now);
  if (!r.ok()) return conclude(s, r, {});
  return remove_stopped(s, alive_states.contains(now.state));
}

}  // namespace detail
CURFEW_END

#endif
