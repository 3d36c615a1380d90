// SPDX-License-Identifier: BSL-1.0
//
// The verbs about how a program ends: plan, drill, codes and last. They look and change nothing.
#ifndef CURFEW_SERVICE_DETAIL_VERB_PLAN_HPP
#define CURFEW_SERVICE_DETAIL_VERB_PLAN_HPP

#include <curfew/config.hpp>
#include <curfew/service/detail/recorder_file.hpp>
#include <curfew/service/detail/verb_session.hpp>
#include <curfew/service/detail/verb_text.hpp>
#include <curfew/service/drill.hpp>
#include <curfew/service/exit_codes.hpp>
#include <curfew/service/flight_recording.hpp>
#include <curfew/service/plan.hpp>
#include <curfew/service/plan_diff.hpp>
#include <curfew/service/plan_text.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] int verb_plan(verb_session& s);
[[nodiscard]] int verb_drill(verb_session& s);
[[nodiscard]] int verb_codes(verb_session& s);
[[nodiscard]] int verb_last(verb_session& s);

// ---------------------------------------------------------------------------------------------

[[nodiscard]] inline failure file_failure(const std::string& path, const std::error_code& ec) {
  return {failure::kind_type::failed, path + " cannot be read: " + ec.message() +
                                          "; name a file that is there and yours to read"};
}

/// A program that does not say what it is made of is one part.
[[nodiscard]] inline stop_plan plan_of(verb_session& s) {
  std::vector<plan_part> parts;
  if (s.facts().parts) parts = s.facts().parts();
  if (parts.empty()) {
    const auto limit = s.spec().stop_timeout;
    const bool bounded = limit < (time_source::duration::max)();
    const auto end = bounded ? kept_for_the_end(limit) : time_source::duration::zero();
    parts.push_back({.name = "main", .start = s.spec().start_timeout, .stop = limit - end});
  }
  return make_plan(parts, stop_budgets(s.spec(), s.facts().limits, s.facts().lame_duck));
}

/// What is wrong with --reason; empty: nothing.
[[nodiscard]] inline std::string wrong_reason(const stop_plan& plan, const std::string& asked) {
  if (asked.empty() || plan.find(asked) != nullptr) return {};
  std::string names;
  for (const reason_plan& r : plan.reasons) {
    names.append(names.empty() ? "" : ", ").append(r.budget.name);
  }
  return "there is no reason " + asked + ", but: " + names;
}

/// The differences to a plan that was kept.
inline int tell_difference(verb_session& s, const stop_plan& now) {
  const std::string& path = s.line().diff;
  recorder_file file;
  std::error_code ec;
  std::string kept, error;
  constexpr std::size_t most = std::size_t{64} << 20;
  file.open_to_read(path, ec);
  if (!ec) kept = file.read(most, ec);
  if (ec) return s.fail(file_failure(path, ec));
  const std::optional<stop_plan> before = read_plan(kept, error);
  if (!before)
    return s.fail({failure::kind_type::failed,
                   path + " holds no plan: " + error + "; keep one with: plan --json"});
  const plan_difference& d = s.report().difference.emplace(compare(*before, now));
  if (d.lines.empty()) return s.succeed("the plan is as it was");
  for (const std::string& line : d.lines) s.note("  " + line + '\n');
  return d.worse ? s.succeed("the plan is worse", exit_code_verb_failed)
                 : s.succeed("the plan is another one, and no worse");
}

inline int verb_plan(verb_session& s) {
  const stop_plan& plan = s.report().plan.emplace(plan_of(s));
  const std::string& reason = s.line().reason;
  if (const std::string wrong = wrong_reason(plan, reason); !wrong.empty()) return s.refuse(wrong);
  if (!s.line().diff.empty()) return tell_difference(s, plan);
  s.note(to_text(plan, reason));
  const bool fits = reason.empty() || plan.find(reason)->fits();
  return s.report().code = fits ? 0 : exit_code_verb_failed;
}

/// What the program keeps of its runs; no answer where something has been told instead.
[[nodiscard]] inline std::optional<flight_recording> read_recording(verb_session& s) {
  const std::string path = s.facts().recording ? s.facts().recording() : std::string();
  if (path.empty()) {
    s.fail({failure::kind_type::failed,
            "this program keeps no recording: its main has no recording(), or an empty one; "
            "give it the path of a file"});
    return std::nullopt;
  }
  std::error_code ec;
  flight_recording r = read_flight_recording(path, ec);
  if (!ec) return r;
  s.fail(file_failure(path, ec));
  return std::nullopt;
}

inline int verb_drill(verb_session& s) {
  const stop_plan plan = plan_of(s);
  const std::string& reason = s.line().reason;
  if (const std::string wrong = wrong_reason(plan, reason); !wrong.empty()) return s.refuse(wrong);
  const std::optional<flight_recording> recording = read_recording(s);
  if (!recording) return s.report().code;
  const std::vector<measured_step> measured = measured_steps(*recording);
  bool ok = true;
  for (const reason_plan& r : plan.reasons) {
    if (!reason.empty() && r.budget.name != reason) continue;
    const drill_report& report =
        s.report().drills.emplace_back(drill(plan.parts, r.budget, measured));
    s.note(to_text(report));
    ok = ok && report.ok();
  }
  return s.report().code = ok || reason.empty() ? 0 : exit_code_verb_failed;
}

inline int verb_codes(verb_session& s) {
  s.report().codes = true;
  s.note(exit_codes_text());
  return 0;
}

inline int verb_last(verb_session& s) {
  std::optional<flight_recording> recording = read_recording(s);
  if (!recording) return s.report().code;
  const flight_recording& r = s.report().recording.emplace(*std::move(recording));
  if (r.runs.empty()) return s.succeed("nothing is recorded yet");
  s.note(tell(r));
  s.report().text = how_the_last_run_ended(r);
  return 0;
}

}  // namespace detail
CURFEW_END

#endif
