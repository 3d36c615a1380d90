// SPDX-License-Identifier: BSL-1.0
//
// The machine's bodies, second third: what one part does next.
#ifndef CURFEW_SERVICE_DETAIL_PART_MOVES_HPP
#define CURFEW_SERVICE_DETAIL_PART_MOVES_HPP

#include <curfew/service/detail/lifecycle_machine.hpp>

CURFEW_BEGIN
namespace detail {

inline void lifecycle_machine::advance(std::uint32_t i) noexcept {
  part_life& p = parts_[i];
  switch (p.phase) {
    case part_phase::down: rise(i); break;
    case part_phase::up:
      if (p.falling) {
        fall(i);
      } else if (whole_ == whole_phase::preparing) {
        prepare_in_turn(i);
      }
      break;
    case part_phase::prepared:
      if (p.falling) {
        fall(i);
      } else if (whole_ == whole_phase::resuming || whole_ == whole_phase::up) {
        resume_in_turn(i);
      }
      break;
    default: break;
  }
  const bool open = unsettled(p);
  unsettled_ += (open ? 1u : 0u);
  unsettled_ -= (p.counted ? 1u : 0u);
  p.counted = open;
}

inline void lifecycle_machine::rise(std::uint32_t i) noexcept {
  part_life& p = parts_[i];
  if (!p.wanted || waits_up_[i] != 0 || !starts_are_allowed()) return;
  if (now_ < p.not_before) return static_cast<void>(due_[i] = p.not_before);
  for (const std::uint32_t d : declared(i).after) ++waits_down_[d];
  p.start_failed = false;
  begin(i, component_step::start);
}

inline void lifecycle_machine::fall(std::uint32_t i) noexcept {
  if (waits_down_[i] != 0) return;
  const bool drains = declared(i).does(component_step::drain) && !parts_[i].drained;
  begin(i, drains && rung_ < stop_rung::stop ? component_step::drain : component_step::stop);
}

inline void lifecycle_machine::prepare_in_turn(std::uint32_t i) noexcept {
  for (const std::uint32_t b : declared(i).before) {
    const part_life& user = parts_[b];
    if (!is_gone(user) && user.phase != part_phase::prepared) return;
  }
  begin(i, component_step::prepare);
}

/// A prepare that goes on is waited for, as long as it has time: it is to be taken back first.
inline void lifecycle_machine::resume_in_turn(std::uint32_t i) noexcept {
  for (const std::uint32_t d : declared(i).after) {
    const part_life& used = parts_[d];
    const bool prepares = used.phase == part_phase::preparing && !used.cut;
    if (prepares || used.phase == part_phase::prepared || used.phase == part_phase::resuming)
      return;
  }
  begin(i, component_step::resume);
}

// ---- a step

inline lifecycle_machine::duration lifecycle_machine::time_left() const noexcept {
  return deadline_ == never ? (duration::max)() : saturating_subtract(deadline_, now_);
}

/// What all that follows a step of a stop wants.
inline lifecycle_machine::duration lifecycle_machine::rest(std::uint32_t i,
                                                           component_step s) const noexcept {
  duration after = chains_[i];
  for (const auto done : {component_step::drain, component_step::stop, component_step::abort})
    if (done <= s) after -= lesser(after, declared(i).wants(done));
  return after;
}

inline lifecycle_machine::duration lifecycle_machine::share(std::uint32_t i,
                                                            component_step s) const noexcept {
  const duration wanted = declared(i).limit[index_of(s)];
  if (s < component_step::drain) return wanted;
  return share_of(time_left(), wanted, saturating_sum(wanted, rest(i, s)));
}

/// For a function that should have ended to do so: the time that a stop has.
inline lifecycle_machine::duration lifecycle_machine::grace(std::uint32_t i) const noexcept {
  const duration wanted = declared(i).limit[index_of(component_step::stop)];
  return share_of(time_left(), wanted, greater(wanted, chains_[i]));
}

[[nodiscard]] constexpr part_phase phase_of(component_step s) noexcept {
  switch (s) {
    case component_step::start: return part_phase::starting;
    case component_step::prepare: return part_phase::preparing;
    case component_step::resume: return part_phase::resuming;
    case component_step::drain: return part_phase::draining;
    default: return part_phase::stopping;
  }
}

/// The token of a stop stops when nine tenths of its time are spent, so that who obeys it is not
/// given up.
[[nodiscard]] constexpr time_source::duration time_before_cut(
    component_step s, time_source::duration limit) noexcept {
  return s == component_step::stop ? limit - limit / 10 : limit;
}

inline void lifecycle_machine::begin(std::uint32_t i, component_step s) noexcept {
  part_life& p = parts_[i];
  p.phase = phase_of(s);
  p.step = s;
  p.began = now_;
  p.limit = share(i, s);
  p.cut = false;
  p.mark = 0;
  if (!declared(i).does(s)) return conclude(i, s, step_outcome::done, {}, {});
  p.busy = true;
  tell_step(event_kind::step_began, i, step_outcome::done, {});
  desk_->begin(i, s, saturating_add(now_, time_before_cut(s, p.limit)));
  await_mark(i);
}

/// Half, nine tenths, all of the limit.
inline void lifecycle_machine::await_mark(std::uint32_t i) noexcept {
  const part_life& p = parts_[i];
  if (p.limit == (duration::max)()) return static_cast<void>(due_[i] = never);
  const duration until = p.mark == 0 ? p.limit / 2 : p.mark == 1 ? p.limit - p.limit / 10 : p.limit;
  due_[i] = saturating_add(p.began, until);
}

/// A step that runs gets less, as those after it do, when there is less time than there was.
inline void lifecycle_machine::fit(std::uint32_t i) noexcept {
  part_life& p = parts_[i];
  const bool ends = p.phase == part_phase::draining || p.phase == part_phase::stopping;
  if (!ends || !p.busy || p.cut || p.aborting) return;
  const duration used = now_ - p.began;
  const duration wanted = greater(p.limit - used, duration::zero());
  const duration left = share_of(time_left(), wanted, saturating_sum(wanted, rest(i, p.step)));
  if (used + left >= p.limit) return;
  p.limit = used + left;
  await_mark(i);
}

inline void lifecycle_machine::finished(time_point now, std::uint32_t i, component_step s,
                                        step_outcome o, std::string_view text,
                                        duration wait) noexcept {
  now_ = now;
  part_life& p = parts_[i];
  if (p.phase == part_phase::lost) return;
  if (s == component_step::abort) {
    const auto limit = declared(i).limit[index_of(s)];
    desk_->tell(
        i, {.kind = event_kind::step_ended, .step = s, .outcome = o, .limit = limit, .text = text});
    if (o == step_outcome::failed) ++failed_stops_;
    p.abort_runs = false;
    if (!p.busy) conclude(i, p.step, p.ended, {}, {});
    touch(i);
    return settle();
  }
  if (!p.busy || s != p.step) return;
  p.busy = false;
  if (o == step_outcome::done && now_ - p.began >= p.limit) o = step_outcome::late;
  tell_step(event_kind::step_ended, i, o, text);
  p.ended = o;
  if (p.abort_runs) return;  // it is down when both have ended
  due_[i] = never;
  conclude(i, s, o, text, wait);
  touch(i);
  settle();
}

inline void lifecycle_machine::conclude(std::uint32_t i, component_step s, step_outcome o,
                                        std::string_view text, duration wait) noexcept {
  switch (s) {
    case component_step::start: started(i, o, text); break;
    case component_step::prepare: prepared(i, o, text, wait); break;
    case component_step::resume: resumed(i, o, text); break;
    case component_step::drain: drained(i, o); break;
    default: went_down(i, o); break;
  }
  touch(i);
}

// ---- time that passes

inline void lifecycle_machine::due(std::uint32_t i) noexcept {
  part_life& p = parts_[i];
  if (p.phase == part_phase::down) return;  // its delay is over
  if (ready_soon(p)) {
    p.phase = part_phase::prepared;
    for (const std::uint32_t d : declared(i).after) touch(d);
  } else if (p.cut || p.aborting) {
    abort_or_lose(i);
  } else {
    tell_step(event_kind::step_late, i, step_outcome::late, {});
    if (p.mark == (p.step == component_step::stop ? 1 : 2)) desk_->hurry(i);
    if (p.mark == 2) return overdue(i);
    ++p.mark;
    await_mark(i);
  }
}

inline void lifecycle_machine::overdue(std::uint32_t i) noexcept {
  part_life& p = parts_[i];
  hasten(i);
  switch (p.phase) {
    case part_phase::starting:
      if (!parts_[i].falling) start_failed(i, "it took longer than its start_timeout");
      break;
    case part_phase::preparing:
      due_[i] = never;  // the service stays up, and so there is time
      resume(now_, "a prepare took longer than its prepare_timeout");
      for (const std::uint32_t b : declared(i).before) touch(b);
      break;
    case part_phase::resuming:
      tell_part(event_kind::fault, i, "its resume took longer than its prepare_timeout");
      give_up(i);
      break;
    case part_phase::stopping: abort_or_lose(i); break;
    default: break;
  }
}

inline void lifecycle_machine::abort_or_lose(std::uint32_t i) noexcept {
  if (declared(i).does(component_step::abort) && !parts_[i].aborting) return run_abort(i);
  lose(i, "it hangs");
}

inline void lifecycle_machine::run_abort(std::uint32_t i) noexcept {
  const duration limit = share(i, component_step::abort);
  parts_[i].aborting = parts_[i].abort_runs = true;
  due_[i] = saturating_add(now_, limit);
  desk_->tell(i, {.kind = event_kind::step_began, .step = component_step::abort, .limit = limit});
  desk_->begin(i, component_step::abort, due_[i]);
}

// ---- how steps end

/// A start under which a dependency has failed is not its own failure.
inline void lifecycle_machine::started(std::uint32_t i, step_outcome o,
                                       std::string_view text) noexcept {
  part_life& p = parts_[i];
  const bool counts = starts_are_allowed() && !p.start_failed && !p.falling;
  if (o == step_outcome::failed) {
    left(i);
    if (counts) start_failed(i, text);
    return;
  }
  p.phase = part_phase::up;
  if (o == step_outcome::late && counts) start_failed(i, "it took longer than its start_timeout");
  if (p.start_failed || !p.wanted) p.falling = true;
  if (!p.falling) satisfy(i, true);
}

/// What took too long is brought down when it returns after all.
inline void lifecycle_machine::start_failed(std::uint32_t i, std::string_view text) noexcept {
  part_life& p = parts_[i];
  p.start_failed = true;
  if (whole_ != whole_phase::starting) return count_failure(i, text);
  if (p.phase != part_phase::down) tell_part(event_kind::fault, i, text);
  if (declared(i).optional) {
    p.wanted = false;
    if (p.phase == part_phase::down) satisfy(i, true);
    return;
  }
  culprit_ = i;
  rolled_back_ = true;
  stop(now_, saturating_add(now_, rollback_), {});
}

inline void lifecycle_machine::prepared(std::uint32_t i, step_outcome o, std::string_view text,
                                        duration wait) noexcept {
  part_life& p = parts_[i];
  if (o == step_outcome::vetoed || o == step_outcome::failed) {
    p.phase = part_phase::up;
    for (const std::uint32_t b : declared(i).before) touch(b);
    if (whole_ == whole_phase::preparing) resume(now_, text);
    return;
  }
  if (wait > duration::zero() && whole_ == whole_phase::preparing) {
    if (saturating_add(now_, wait) > saturating_add(p.began, p.limit)) {
      p.phase = part_phase::prepared;
      resume(now_, "a prepare asks for more time than its prepare_timeout");
      return;
    }
    due_[i] = saturating_add(now_, wait);
    return;
  }
  p.phase = part_phase::prepared;
  for (const std::uint32_t d : declared(i).after) touch(d);
}

inline void lifecycle_machine::resumed(std::uint32_t i, step_outcome o,
                                       std::string_view text) noexcept {
  parts_[i].phase = part_phase::up;
  for (const std::uint32_t b : declared(i).before) touch(b);
  if (o == step_outcome::failed && whole_ != whole_phase::stopping) count_failure(i, text);
}

inline void lifecycle_machine::drained(std::uint32_t i, step_outcome o) noexcept {
  if (o == step_outcome::failed) ++failed_stops_;
  if (o == step_outcome::late) ++late_stops_;
  parts_[i].phase = part_phase::up;
  parts_[i].drained = true;
}

inline void lifecycle_machine::went_down(std::uint32_t i, step_outcome o) noexcept {
  if (o == step_outcome::failed) ++failed_stops_;
  if (o == step_outcome::late) ++late_stops_;
  left(i);
}

/// It is down, for whatever reason.
inline void lifecycle_machine::left(std::uint32_t i) noexcept {
  part_life& p = parts_[i];
  p.phase = part_phase::down;
  p.falling = p.drained = p.aborting = p.cut = false;
  due_[i] = never;
  for (const std::uint32_t d : declared(i).after) {
    --waits_down_[d];
    touch(d);
  }
  if (!p.wanted && p.start_failed && declared(i).optional) satisfy(i, true);
}

/// Nothing is begun in it any more, nor listened to.
inline void lifecycle_machine::lose(std::uint32_t i, std::string_view why) noexcept {
  tell_part(event_kind::abandoned, i, why, parts_[i].limit);
  left(i);
  part_life& p = parts_[i];
  p.phase = part_phase::lost;
  p.busy = p.abort_runs = false;
  ++lost_;
  touch(i);
  const bool matters = whole_ != whole_phase::stopping;
  if (matters && !declared(i).optional) fail_all(i);
  p.wanted = false;
  if (matters && declared(i).optional) satisfy(i, true);
}

inline void lifecycle_machine::satisfy(std::uint32_t i, bool yes) noexcept {
  part_life& p = parts_[i];
  if (p.satisfied == yes) return;
  p.satisfied = yes;
  for (const std::uint32_t b : declared(i).before) {
    waits_up_[b] = yes ? waits_up_[b] - 1 : waits_up_[b] + 1;
    touch(b);
  }
}

// ---- what is told

inline void lifecycle_machine::tell_step(event_kind kind, std::uint32_t i, step_outcome o,
                                         std::string_view text) noexcept {
  const part_life& p = parts_[i];
  desk_->tell(i, {.kind = kind,
                  .step = p.step,
                  .outcome = o,
                  .elapsed = now_ - p.began,
                  .limit = p.limit,
                  .text = text});
}

inline void lifecycle_machine::tell_part(event_kind kind, std::uint32_t i, std::string_view text,
                                         duration limit) noexcept {
  const part_life& p = parts_[i];
  desk_->tell(
      i, {.kind = kind, .step = p.step, .elapsed = now_ - p.began, .limit = limit, .text = text});
}

}  // namespace detail
CURFEW_END

#include <curfew/service/detail/part_faults.hpp>

#endif
