// SPDX-License-Identifier: BSL-1.0
//
// A verb from its command line to its exit code.
#ifndef CURFEW_SERVICE_DETAIL_VERB_MAIN_HPP
#define CURFEW_SERVICE_DETAIL_VERB_MAIN_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/checks.hpp>
#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/detail/verb_ask.hpp>
#include <curfew/service/detail/verb_control.hpp>
#include <curfew/service/detail/verb_help.hpp>
#include <curfew/service/detail/verb_inspect.hpp>
#include <curfew/service/detail/verb_install.hpp>
#include <curfew/service/detail/verb_json.hpp>
#include <curfew/service/detail/verb_plan.hpp>
#include <curfew/service/detail/verb_session.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// Everything but `run`, which has no outcome of its own. Returns the exit code.
[[nodiscard]] int obey_verb(verb_backend& backend, const verb_call& call, verb_output& output);

// ---------------------------------------------------------------------------------------------

inline int dispatch_verb(verb_session& s) {
  switch (s.line().what) {
    case verb::install: return verb_install(s);
    case verb::uninstall: return verb_uninstall(s);
    case verb::start: return verb_start(s);
    case verb::stop: return verb_stop(s);
    case verb::restart: return verb_restart(s);
    case verb::reload: return verb_reload(s);
    case verb::status: return verb_status(s);
    case verb::render: return verb_render(s);
    case verb::doctor: return verb_doctor(s);
    case verb::plan: return verb_plan(s);
    case verb::drill: return verb_drill(s);
    case verb::codes: return verb_codes(s);
    case verb::last: return verb_last(s);
    case verb::ask: return verb_ask(s);
    case verb::run:
    case verb::help:
    case verb::none: break;
  }
  return s.refuse("there is nothing to do");
}

/// A name from the command line that cannot be one is wrong usage.
inline int examine_and_dispatch(verb_session& s) {
  if (!s.line().error.empty()) return s.refuse(s.line().error);
  failure why = check_service_name(s.name());
  if (!why) return dispatch_verb(s);
  return s.line().name.empty() ? s.fail(std::move(why)) : s.refuse(why.text);
}

inline int tell_help(verb_session& s, const verb_call& call) {
  const verb what = call.line.what;
  const bool all = what == verb::help;
  std::string text = all ? all_verbs_help(call.program) : verb_help(what, call.program);
  s.note(text);
  s.report().text = std::move(text);
  return 0;
}

/// How long the manager may take for one answer. A short --timeout is no reason to give up one that
/// is merely busy.
[[nodiscard]] inline time_source::duration patience(const verb_line& line) noexcept {
  constexpr time_source::duration least = std::chrono::seconds(5), most = std::chrono::seconds(60);
  return std::clamp(line.timeout.value_or(most), least, most);
}

inline int obey(verb_session& s, const verb_call& call) {
  if (call.line.help) return tell_help(s, call);
  if (call.line.what == verb::help && call.line.error.empty()) return tell_help(s, call);
  s.manager().bound(call.stop, patience(call.line));
  return examine_and_dispatch(s);
}

/// What nobody could read is not done for whoever asked for it.
[[nodiscard]] inline int unless_lost(int code, const verb_call& call, verb_output& output) {
  const std::string why = output.lost();
  if (why.empty()) return code;
  output.err(printable(call.program + ": some of the output is lost: " + why +
                       "; what nobody can read is not done: make room, and ask again" + '\n'));
  return code == 0 ? exit_code_verb_failed : code;
}

inline int obey_verb(verb_backend& backend, const verb_call& call, verb_output& output) {
  verb_session s(backend, call, output);
  const std::exception_ptr error = attempt([&] { obey(s, call); });
  if (error != nullptr) s.fail({failure::kind_type::failed, text_of(error)});
  if (call.line.json) output.out(verb_json(call.line, call.spec.name, s.report()) + '\n');
  return unless_lost(s.report().code, call, output);
}

}  // namespace detail
CURFEW_END

#endif
