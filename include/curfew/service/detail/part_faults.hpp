// SPDX-License-Identifier: BSL-1.0
//
// The machine's bodies, last third: what becomes of a part that fails while it is up.
#ifndef CURFEW_SERVICE_DETAIL_PART_FAULTS_HPP
#define CURFEW_SERVICE_DETAIL_PART_FAULTS_HPP

#include <curfew/service/detail/lifecycle_machine.hpp>

CURFEW_BEGIN
namespace detail {

/// What is left of a count after so many half-lives; between two whole ones in a straight line.
[[nodiscard]] constexpr double decayed(double count, double half_lives) noexcept {
  for (; half_lives >= 1 && count > 1e-6; half_lives -= 1) count /= 2;
  return half_lives < 1 ? count * (1 - half_lives / 2) : 0;
}

/// Also one that is asked for something: it does not work, whatever it answers.
inline bool lifecycle_machine::fault(time_point now, std::uint32_t i,
                                     std::string_view why) noexcept {
  if (!serves(parts_[i].phase) || parts_[i].falling || whole_ == whole_phase::stopping)
    return false;
  now_ = now;
  if (whole_ == whole_phase::prepared || whole_ == whole_phase::preparing)
    resume(now, "a component has failed");
  count_failure(i, why);
  touch(i);
  settle();
  return true;
}

inline void lifecycle_machine::count_failure(std::uint32_t i, std::string_view why) noexcept {
  part_life& p = parts_[i];
  const supervision& s = declared(i).restart;
  const double gone = static_cast<double>((now_ - p.failed_at).count());
  const double half = static_cast<double>(s.decay.count());
  p.failures = 1 + (half > 0 ? decayed(p.failures, gone / half) : 0.0);
  p.failed_at = now_;
  tell_part(event_kind::fault, i, why);
  return p.failures > s.most ? give_up(i) : restart(i);
}

inline void lifecycle_machine::restart(std::uint32_t i) noexcept {
  part_life& p = parts_[i];
  const supervision& s = declared(i).restart;
  const double longest = static_cast<double>(s.longest_delay.count());
  double delay = static_cast<double>(s.delay.count());
  for (double n = p.failures; n >= 2 && delay < longest; n -= 1) delay *= 2;
  const double taken = (delay < longest ? delay : longest) * (1 - desk_->random() / 2);
  const duration wait(static_cast<duration::rep>(taken));
  p.not_before = saturating_add(now_, wait);
  tell_part(event_kind::restarting, i, {}, wait);
  bring_down(i, true);
}

/// One that is optional goes down, and what depends on it is started again without it.
inline void lifecycle_machine::give_up(std::uint32_t i) noexcept {
  part_life& p = parts_[i];
  if (!declared(i).optional) return fail_all(i);
  p.start_failed = true;
  bring_down(i, true);
  p.wanted = false;
  if (p.phase == part_phase::down) satisfy(i, true);
}

/// While the whole still starts, that start has failed. What does not serve any more is not started
/// again, nor is who waits for it.
inline void lifecycle_machine::fail_all(std::uint32_t i) noexcept {
  if (culprit_ == nobody) culprit_ = i;
  if (!serves(parts_[i].phase) || parts_[i].start_failed) bring_down(i, false);
  if (whole_ != whole_phase::starting) return desk_->failed(i);
  rolled_back_ = true;
  stop(now_, saturating_add(now_, rollback_), {});
}

}  // namespace detail
CURFEW_END

#endif
