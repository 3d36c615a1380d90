// SPDX-License-Identifier: BSL-1.0
//
// Applies a change of the system's configuration as a whole: all of it, or nothing.
#ifndef CURFEW_HOST_INSTALL_APPLY_PLAN_HPP
#define CURFEW_HOST_INSTALL_APPLY_PLAN_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/install_step.hpp>
#include <curfew/release/detail/attempt.hpp>
#include <curfew/stop/stop_token.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// What has become of a step.
enum class apply_outcome {
  not_reached,    ///< nothing was done about it
  applied,        ///< it is as asked
  unfinished,     ///< it is done, comes into force later, and cannot be taken back
  not_supported,  ///< this system cannot; optional, or the reason why all was undone
  failed,         ///< it is as before
  undone,         ///< it was applied, and is as before again
  undo_failed,    ///< it was applied, and could not be taken back: somebody has to look after it
};

[[nodiscard]] constexpr const char* to_string(apply_outcome outcome) noexcept;

/// A step of the plan, and what became of it.
struct step_result {
  std::string what = {};
  std::string from = {};
  std::string to = {};
  apply_outcome outcome = apply_outcome::not_reached;
  std::string text = {};  ///< what went wrong with it
};

/// What was done, step by step, and whether the system is as asked now.
struct apply_report {
  std::vector<step_result> steps = {};  ///< one for each step of the plan, in its order
  failure why = {};                     ///< why all was undone, or is not in force yet; empty:
                                        ///< the plan is applied
  bool interrupted = false;             ///< it was undone because of a stop

  [[nodiscard]] bool ok() const noexcept { return !why && !interrupted; }
  [[nodiscard]] bool changed() const noexcept;     ///< something is not as before
  [[nodiscard]] bool half_done() const noexcept;   ///< something could not be undone
  [[nodiscard]] bool unfinished() const noexcept;  ///< it is done, but is not in force yet
  [[nodiscard]] bool has(apply_outcome outcome) const noexcept;
};

/// In order, on the calling thread. A step that is optional may be one that the system does not
/// support. When a step fails otherwise, all that were applied are undone, newest first, each of
/// them whatever becomes of the others. A stop is noticed between two steps and is a reason to
/// undo, too; undoing does not stop. An exception out of a step is its failure.
///
/// A step that fails with not_in_time is done all the same, only not in force yet: nothing is
/// undone from then on, and the rest of the plan is applied as far as it can be.
[[nodiscard]] apply_report apply_plan(const install_plan& plan, const stop_token& stop = {});

// ---------------------------------------------------------------------------------------------

namespace detail {

[[nodiscard]] inline std::string text_of(const std::exception_ptr& error) {
#if CURFEW_EXCEPTIONS
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
  }
#else
  static_cast<void>(error);
#endif
  return "an exception of an unknown type";
}

[[nodiscard]] inline failure call_step(const std::function<failure()>& f) {
  failure what;
  if (!f) return what;
  const std::exception_ptr error = attempt([&] { what = f(); });
  return error == nullptr ? what : failure{failure::kind_type::failed, text_of(error)};
}

[[nodiscard]] constexpr apply_outcome outcome_of(failure::kind_type kind) noexcept {
  switch (kind) {
    case failure::kind_type::none: return apply_outcome::applied;
    case failure::kind_type::not_supported: return apply_outcome::not_supported;
    case failure::kind_type::not_in_time: return apply_outcome::unfinished;
    default: return apply_outcome::failed;
  }
}

/// False: the plan ends here. The first reason stays.
inline bool apply_step(const install_step& step, step_result& result, failure& why) {
  failure error = call_step(step.apply);
  result.outcome = outcome_of(error.kind);
  result.text = error.text;
  if (!error || (step.optional && result.outcome == apply_outcome::not_supported)) return true;
  if (!why) why = std::move(error);
  return result.outcome == apply_outcome::unfinished;
}

inline void undo_step(const install_step& step, step_result& result) {
  if (result.outcome != apply_outcome::applied) return;
  failure error = call_step(step.undo);
  result.outcome = error ? apply_outcome::undo_failed : apply_outcome::undone;
  result.text = std::move(error.text);
}

[[nodiscard]] inline std::vector<step_result> results_of(const install_plan& plan) {
  std::vector<step_result> results;
  results.reserve(plan.size());
  for (const install_step& s : plan) results.push_back({s.what, s.from, s.to});
  return results;
}

}  // namespace detail

inline apply_report apply_plan(const install_plan& plan, const stop_token& stop) {
  apply_report report;
  report.steps = detail::results_of(plan);
  std::size_t done = 0;
  for (; done < plan.size(); ++done) {
    report.interrupted = !report.unfinished() && stop.stop_requested();
    if (report.interrupted || !detail::apply_step(plan[done], report.steps[done], report.why))
      break;
  }
  if (report.ok() || report.unfinished()) return report;
  while (done-- > 0) detail::undo_step(plan[done], report.steps[done]);
  return report;
}

inline bool apply_report::has(apply_outcome outcome) const noexcept {
  return std::any_of(steps.begin(), steps.end(),
                     [outcome](const step_result& s) { return s.outcome == outcome; });
}

inline bool apply_report::changed() const noexcept {
  return has(apply_outcome::applied) || unfinished() || half_done();
}

inline bool apply_report::half_done() const noexcept { return has(apply_outcome::undo_failed); }

inline bool apply_report::unfinished() const noexcept { return has(apply_outcome::unfinished); }

constexpr const char* to_string(apply_outcome outcome) noexcept {
  switch (outcome) {
    case apply_outcome::not_reached: return "not reached";
    case apply_outcome::applied: return "applied";
    case apply_outcome::unfinished: return "unfinished";
    case apply_outcome::not_supported: return "not supported";
    case apply_outcome::failed: return "failed";
    case apply_outcome::undone: return "undone";
    case apply_outcome::undo_failed: return "undo failed";
  }
  return "unknown";
}

CURFEW_END

#endif
