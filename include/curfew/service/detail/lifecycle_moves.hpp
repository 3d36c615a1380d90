// SPDX-License-Identifier: BSL-1.0
//
// The machine's bodies, first third: how the whole moves. What a part does is in part_moves.hpp.
#ifndef CURFEW_SERVICE_DETAIL_LIFECYCLE_MOVES_HPP
#define CURFEW_SERVICE_DETAIL_LIFECYCLE_MOVES_HPP

#include <curfew/service/detail/lifecycle_machine.hpp>

CURFEW_BEGIN
namespace detail {

// ---- orders

inline void lifecycle_machine::start(time_point now, duration rollback) noexcept {
  now_ = now;
  rollback_ = rollback;
  deadline_ = never;
  rung_ = stop_rung::none;
  culprit_ = nobody;
  rolled_back_ = false;
  for (std::uint32_t i = 0; i != parts_.size(); ++i) {
    part_life& p = parts_[i];
    p.wanted = p.phase != part_phase::lost;
    p.falling = p.start_failed = false;
    p.not_before = {};
    satisfy(i, false);
  }
  enter(whole_phase::starting);
  settle();
}

inline void lifecycle_machine::stop(time_point now, time_point deadline,
                                    duration lame_duck) noexcept {
  now_ = now;
  if (whole_ == whole_phase::stopped) return;
  if (whole_ == whole_phase::stopping) {
    if (deadline >= deadline_) return;
    deadline_ = deadline;
    for (std::uint32_t i = 0; i != parts_.size(); ++i) fit(i);
    return;
  }
  deadline_ = deadline;
  failed_stops_ = late_stops_ = 0;  // of restarts and pauses
  desk_->cut(component_step::start);
  desk_->cut(component_step::prepare);
  for (part_life& p : parts_) p.wanted = false;
  enter(whole_phase::stopping);
  const bool waits = lame_duck > duration::zero();
  rung_ = waits ? stop_rung::lame_duck : stop_rung::drain;
  if (waits) lame_until_ = saturating_add(now, lame_duck);
  for (std::uint32_t i = 0; waits && i != parts_.size(); ++i)
    if (parts_[i].phase == part_phase::starting) hasten(i);
  if (!waits) all_fall();
  settle();
}

inline void lifecycle_machine::escalate(time_point now, stop_rung least) noexcept {
  now_ = now;
  if (whole_ != whole_phase::stopping) return;
  const stop_rung next = rung_ == stop_rung::lame_duck         ? stop_rung::drain
                         : rung_ < stop_rung::stop && drains() ? stop_rung::stop
                                                               : stop_rung::abort;
  const stop_rung target = least == stop_rung::none ? next : least;
  if (target > rung_) enter_rung(target);
  settle();
}

inline bool lifecycle_machine::prepare(time_point now, duration lease) noexcept {
  if (whole_ != whole_phase::up || !settled()) return false;
  for (const part_life& p : parts_)
    if (p.busy) return false;  // in a prepare that has been given up
  now_ = now;
  lease_ = lease;
  enter(whole_phase::preparing);
  settle();
  return true;
}

inline bool lifecycle_machine::commit(time_point now) noexcept {
  const bool in_time = whole_ == whole_phase::prepared && now < lame_until_;
  if (in_time) lame_until_ = never;
  return in_time;
}

inline bool lifecycle_machine::resume(time_point now, std::string_view why) noexcept {
  if (whole_ != whole_phase::preparing && whole_ != whole_phase::prepared) return false;
  now_ = now;
  desk_->tell({.kind = event_kind::resumed, .text = why});
  desk_->cut(component_step::prepare);
  for (std::uint32_t i = 0; i != parts_.size(); ++i) {
    part_life& p = parts_[i];
    if (!ready_soon(p)) continue;
    p.phase = part_phase::prepared;
    due_[i] = never;
  }
  enter(whole_phase::resuming);
  settle();
  return true;
}

/// A part is wanted only together with all that it depends on.
inline void lifecycle_machine::want(std::uint32_t part, bool up) noexcept {
  if (!up) return bring_down(part, false);
  std::size_t size = 0;
  const auto take = [&](std::uint32_t i) {
    part_life& p = parts_[i];
    if (p.wanted || p.phase == part_phase::lost) return;
    p.wanted = true;
    if (p.start_failed && p.satisfied) satisfy(i, false);
    p.start_failed = false;
    p.not_before = {};
    touch(i);
    scratch_[size++] = i;
  };
  take(part);
  while (size != 0) {
    for (const std::uint32_t d : declared(scratch_[--size]).after) take(d);
  }
}

inline bool lifecycle_machine::converge(time_point now) noexcept {
  now_ = now;
  if (whole_ != whole_phase::up) return false;
  settle();
  return true;
}

// ---- time

inline void lifecycle_machine::tick(time_point now) noexcept {
  now_ = now;
  const bool waited = now >= lame_until_;
  if (whole_ == whole_phase::stopping && rung_ == stop_rung::lame_duck && waited)
    enter_rung(stop_rung::drain);
  if (whole_ == whole_phase::prepared && waited) resume(now, "nobody has decided in time");
  if (whole_ == whole_phase::stopping && now >= deadline_) lose_the_rest();
  for (std::uint32_t i = 0; i != due_.size(); ++i) {
    if (due_[i] > now) continue;
    due_[i] = never;
    due(i);
    touch(i);
  }
  settle();
}

inline lifecycle_machine::time_point lifecycle_machine::next_due() const noexcept {
  time_point next = never;
  for (const time_point t : due_) next = lesser(next, t);
  if (whole_ == whole_phase::stopping) next = lesser(next, deadline_);
  const bool waits = rung_ == stop_rung::lame_duck || whole_ == whole_phase::prepared;
  return waits ? lesser(next, lame_until_) : next;
}

// ---- the whole

inline bool lifecycle_machine::unsettled(const part_life& p) const noexcept {
  switch (whole_) {
    case whole_phase::starting:
    case whole_phase::up:
      if (p.phase == part_phase::lost) return false;
      if (p.phase == part_phase::preparing && p.cut && !p.falling) return false;  // nobody waits
      return p.falling || p.phase != (p.wanted ? part_phase::up : part_phase::down);
    case whole_phase::preparing:
      return p.phase == part_phase::up || p.phase == part_phase::preparing;
    case whole_phase::resuming:
      return p.phase == part_phase::prepared || p.phase == part_phase::resuming;
    case whole_phase::stopping: return !is_gone(p);
    case whole_phase::idle:
    case whole_phase::prepared:
    case whole_phase::stopped: break;
  }
  return false;
}

inline void lifecycle_machine::touch(std::uint32_t i) noexcept {
  if (parts_[i].queued) return;
  parts_[i].queued = true;
  work_[(work_begin_ + work_size_++) % work_.size()] = i;
}

inline void lifecycle_machine::enter(whole_phase next) noexcept {
  whole_ = next;
  unsettled_ = 0;
  for (std::uint32_t i = 0; i != parts_.size(); ++i) {
    parts_[i].counted = unsettled(parts_[i]);
    if (parts_[i].counted) ++unsettled_;
    touch(i);
  }
}

inline void lifecycle_machine::settle() noexcept {
  do {
    while (work_size_ != 0) {
      const std::uint32_t i = work_[work_begin_];
      work_begin_ = (work_begin_ + 1) % work_.size();
      --work_size_;
      parts_[i].queued = false;
      advance(i);
    }
  } while (turn());
}

/// When all parts have come to where the whole wants them, the whole is there.
inline bool lifecycle_machine::turn() noexcept {
  if (unsettled_ != 0) return false;
  switch (whole_) {
    case whole_phase::starting:
    case whole_phase::resuming: enter(whole_phase::up); return true;
    case whole_phase::stopping:
      enter(whole_phase::stopped);
      rung_ = stop_rung::none;
      deadline_ = never;
      return true;
    case whole_phase::preparing:
      enter(whole_phase::prepared);
      lame_until_ = saturating_add(now_, lease_);
      desk_->tell({.kind = event_kind::prepared, .limit = lease_});
      return true;
    default: return false;
  }
}

// ---- rungs

inline bool lifecycle_machine::drains() const noexcept {
  for (std::uint32_t i = 0; i != parts_.size(); ++i) {
    const part_life& p = parts_[i];
    if (declared(i).does(component_step::drain) && !p.drained && !is_gone(p) &&
        p.phase != part_phase::stopping)
      return true;
  }
  return false;
}

inline void lifecycle_machine::enter_rung(stop_rung r) noexcept {
  const bool was_lame = rung_ == stop_rung::lame_duck;
  rung_ = r;
  desk_->tell({.kind = event_kind::escalated, .text = to_string(r)});
  if (was_lame) all_fall();
  if (r < stop_rung::stop) return;
  desk_->cut(component_step::drain);
  if (r == stop_rung::abort) desk_->cut(component_step::stop);
  for (std::uint32_t i = 0; i != parts_.size(); ++i) {
    const part_life& p = parts_[i];
    if (!p.busy) continue;
    if (p.phase == part_phase::draining) hasten(i);
    if (r == stop_rung::abort && declared(i).does(component_step::abort) && !p.aborting)
      run_abort(i);
  }
}

/// What runs a function is told, by its token, to end it, and is waited for for a while.
inline void lifecycle_machine::hasten(std::uint32_t i) noexcept {
  part_life& p = parts_[i];
  if (!p.busy || p.cut) return;
  p.cut = true;
  due_[i] = saturating_add(now_, grace(i));
}

inline void lifecycle_machine::all_fall() noexcept {
  for (std::uint32_t i = 0; i != parts_.size(); ++i) {
    part_life& p = parts_[i];
    if (is_gone(p)) continue;
    p.falling = true;
    satisfy(i, false);
    if (ready_soon(p)) {
      p.phase = part_phase::prepared;
      due_[i] = never;
    }
    const bool asked_before = p.phase == part_phase::starting || p.phase == part_phase::preparing ||
                              p.phase == part_phase::resuming;
    if (asked_before) p.cut = false;
    if (asked_before) hasten(i);
    touch(i);
  }
}

inline void lifecycle_machine::lose_the_rest() noexcept {
  for (std::uint32_t i = 0; i != parts_.size(); ++i) {
    if (is_gone(parts_[i])) continue;
    const bool begun = parts_[i].busy;
    lose(i, begun ? "the time for stopping is spent" : "its stop could not begin in time");
  }
}

/// Together with all that depends on it. A part that starts just now comes to the end of that
/// first, and so does one that is being prepared, which has less time from now on. Without one that
/// is given up already, those after it go on.
inline void lifecycle_machine::bring_down(std::uint32_t part, bool still_wanted) noexcept {
  std::size_t size = 0;
  const auto take = [&](std::uint32_t i) {
    part_life& p = parts_[i];
    if (still_wanted ? p.falling || (is_gone(p) && !p.wanted) : !p.wanted) return;
    p.wanted = p.wanted && still_wanted;
    p.falling = !is_gone(p);
    if (p.phase == part_phase::preparing) p.cut = false;
    if (p.phase == part_phase::preparing) hasten(i);
    satisfy(i, false);
    touch(i);
    if (p.falling || !still_wanted) scratch_[size++] = i;
  };
  take(part);
  while (size != 0) {
    for (const std::uint32_t b : declared(scratch_[--size]).before) take(b);
  }
}

}  // namespace detail
CURFEW_END

#include <curfew/service/detail/part_moves.hpp>

#endif
