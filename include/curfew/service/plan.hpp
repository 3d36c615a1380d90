// SPDX-License-Identifier: BSL-1.0
//
// Whether a stop fits into the time that its reason leaves: computed before it happens.
#ifndef CURFEW_SERVICE_PLAN_HPP
#define CURFEW_SERVICE_PLAN_HPP

#include <curfew/host/service_spec.hpp>
#include <curfew/service/detail/stop_replay.hpp>
#include <curfew/service/plan_part.hpp>
#include <curfew/service/stop_budget.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

CURFEW_BEGIN

/// A stop for one reason, in which each part and all that are stopped before it take as long as
/// they may.
struct reason_plan {
  stop_budget budget = {};
  std::vector<part_share> shares = {};  ///< one for each part

  [[nodiscard]] bool fits() const noexcept;
};

/// Who waits for whom, how long that takes, and what is late for which reason of a stop.
struct stop_plan {
  std::vector<plan_part> parts = {};
  critical_path start = {};
  critical_path stop = {};
  std::vector<reason_plan> reasons = {};

  /// The reason of that name; null: there is none.
  [[nodiscard]] const reason_plan* find(std::string_view reason) const noexcept;
};

/// The same for the same parts and budgets, in a time that grows with the parts and their
/// dependencies. The shares are those that a lifecycle divides a stop into. Parts that wait for
/// each other, or for a place that is not in the list, throw std::system_error (invalid_argument).
[[nodiscard]] stop_plan make_plan(std::span<const plan_part> parts,
                                  std::span<const stop_budget> budgets);

/// As the start_timeout or stop_timeout of a service_spec: as long as its parts declare, one after
/// the other where they must be, a lame duck before them, and a reserve. For service_main, which
/// asks main for its parts.
inline constexpr detail::saturated as_planned{(time_source::duration::min)()};

/// `spec` without as_planned. Of a program without parts a timeout that is planned is the usual
/// one.
[[nodiscard]] service_spec resolve_timeouts(service_spec spec, std::span<const plan_part> parts,
                                            detail::saturated lame_duck = std::chrono::seconds(0));

// ---------------------------------------------------------------------------------------------

inline bool reason_plan::fits() const noexcept {
  for (const part_share& s : shares) {
    if (s.fate != part_fate::done) return false;
  }
  return true;
}

inline const reason_plan* stop_plan::find(std::string_view reason) const noexcept {
  for (const reason_plan& r : reasons) {
    if (r.budget.name == reason) return &r;
  }
  return nullptr;
}

namespace detail {

[[nodiscard]] inline reason_plan plan_for(const part_chains& chains,
                                          std::span<const plan_part> parts,
                                          const stop_budget& budget) {
  constexpr auto all = (time_source::duration::max)();
  const std::vector<step_times> whole(parts.size(), step_times{all, all, all});
  reason_plan plan{budget, replay_stop(chains, parts, whole, budget.time).shares};
  for (std::size_t i = 0; i != parts.size(); ++i) {
    plan.shares[i].fate = fate_of(parts[i], plan.shares[i], declared_times(parts[i]));
  }
  return plan;
}

}  // namespace detail

inline stop_plan make_plan(std::span<const plan_part> parts, std::span<const stop_budget> budgets) {
  const detail::part_chains chains(parts);
  stop_plan plan{{parts.begin(), parts.end()}, chains.start_path(parts), chains.stop_path(parts)};
  for (const stop_budget& b : budgets) plan.reasons.push_back(plan_for(chains, parts, b));
  return plan;
}

inline service_spec resolve_timeouts(service_spec spec, std::span<const plan_part> parts,
                                     detail::saturated lame_duck) {
  const detail::part_chains chains(parts);
  const service_spec usual;
  const auto resolve = [&](detail::saturated& timeout, time_source::duration needed,
                           const detail::saturated& otherwise) {
    if (timeout != as_planned) return;
    timeout = parts.empty() ? otherwise : detail::saturated(detail::with_end(needed));
  };
  const auto duck = detail::not_negative(lame_duck);
  resolve(spec.start_timeout, chains.start_path(parts).length, usual.start_timeout);
  resolve(spec.stop_timeout, detail::one_after_the_other(duck, chains.stop_path(parts).length),
          usual.stop_timeout);
  return spec;
}

CURFEW_END

#endif
