// SPDX-License-Identifier: BSL-1.0
//
// An event of an exploration happens: what that means to the components, and to the machine.
#ifndef CURFEW_TESTING_DETAIL_EXPLORED_MOVES_HPP
#define CURFEW_TESTING_DETAIL_EXPLORED_MOVES_HPP

#include <curfew/testing/detail/explored_world.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

CURFEW_BEGIN
namespace detail {

template <class Machine>
void explored_world<Machine>::happen(const explored_event& e) {
  machine_.serve(*graph_, *this);
  moves_ = faults_ = 0;
  if (e.surprise) --surprises_;
  carry_out(e);
  if (machine_.whole() == whole_phase::stopping && deadline_ == never)
    deadline_ = saturating_add(now_, options_->rollback);  // by itself: a start is taken back
  judge();
}

template <class Machine>
void explored_world<Machine>::carry_out(const explored_event& e) {
  switch (e.kind) {
    case explored_kind::start: return start();
    case explored_kind::ends: return end(e);
    case explored_kind::late:
      --hangs_;
      now_ = greater(now_, saturating_add(machine_.since(e.part), machine_.limit(e.part)));
      return end(e);
    case explored_kind::waits:
      parts_[e.part].runs = component_step::none;
      parts_[e.part].prepared = true;
      parts_[e.part].ready_at = now_ + std::chrono::seconds(1);
      parts_[e.part].suspended = is_seen_to_go(e.part) && does(e.part, component_step::resume);
      return machine_.finished(now_, e.part, e.step, e.outcome, {}, std::chrono::seconds(1));
    case explored_kind::passes: return pass();
    case explored_kind::stop: return order_stop(options_->budget);
    case explored_kind::shorten: return order_stop(options_->shortened);
    case explored_kind::hurry: return press();
    case explored_kind::prepare:
      for (explored_part& p : parts_) p.no = p.prepared = false;
      for (explored_part& p : parts_) p.ready_at = now_;
      cuts_ = 0;
      return static_cast<void>(machine_.prepare(now_, options_->lease));
    case explored_kind::resume: return static_cast<void>(machine_.resume(now_, "not any more"));
    case explored_kind::fault:
      parts_[e.part].defective =
          machine_.fault(now_, e.part, "it does not work") && does(e.part, component_step::start);
      return;
    case explored_kind::bring_down: return keep_down(e.part);
    case explored_kind::bring_back: return let_up(e.part);
  }
}

template <class Machine>
void explored_world<Machine>::start() {
  ++starts_;
  has_failed_ = false;
  culprit_ = lifecycle_machine::nobody;
  deadline_ = never;
  cuts_ = 0;
  for (explored_part& p : parts_) p.kept_down = false;
  machine_.start(now_, options_->rollback);
}

template <class Machine>
void explored_world<Machine>::end(const explored_event& e) {
  explored_part& p = parts_[e.part];
  const bool well = e.outcome == step_outcome::done;
  const bool matters = e.step == component_step::start && !well && !p.lost && !excused(e.part);
  if (e.step == component_step::abort) {
    p.aborts = false;
  } else {
    p.runs = component_step::none;
    p.hangs = false;
  }
  switch (e.step) {
    case component_step::start: p.has_started = well && !p.lost; break;
    case component_step::stop:
      p.has_started = p.drained = p.suspended = p.prepared = p.aborted = false;
      break;
    case component_step::drain: p.drained = does(e.part, component_step::stop); break;
    case component_step::prepare:
      p.prepared = well;
      p.no = !well;
      p.suspended = well && is_seen_to_go(e.part) && does(e.part, component_step::resume);
      break;
    case component_step::resume: p.suspended = false; break;
    default: break;
  }
  const bool was_lost = p.lost;
  const whole_phase before = machine_.whole();
  machine_.finished(now_, e.part, e.step, e.outcome, "it failed");
  rule(!was_lost || moves_ == 0, e.part, "was given up, and is listened to when it returns");
  const bool answered = before == whole_phase::starting
                            ? (*graph_)[e.part].optional || machine_.rolled_back()
                            : faults_ != 0 || before != whole_phase::up;
  rule(!matters || answered, e.part, "has failed to start, and that counts for nothing");
}

/// Until the machine does something about it.
template <class Machine>
void explored_world<Machine>::pass() {
  quiet_ = true;
  if (would_hang()) --hangs_;
  for (explored_part& p : parts_) p.hangs = p.aborts || p.runs != component_step::none;
  for (int ticks = 0; quiet_ && machine_.next_due() != never; ++ticks) {
    const whole_phase before = machine_.whole();
    now_ = greater(now_, machine_.next_due());
    machine_.tick(now_);
    quiet_ = quiet_ && machine_.whole() == before;
    if (ticks > 100) return rule(false, "time passes, and what is due is not done");
  }
}

template <class Machine>
void explored_world<Machine>::order_stop(duration left) {
  const bool first = machine_.whole() != whole_phase::stopping;
  deadline_ = lesser(deadline_, saturating_add(now_, left));
  machine_.stop(now_, saturating_add(now_, left),
                first ? duration(options_->lame_duck) : duration::zero());
}

template <class Machine>
void explored_world<Machine>::press() {
  machine_.escalate(now_);
  for (std::uint32_t i = 0; i != parts_.size() && machine_.rung() == stop_rung::abort; ++i) {
    const explored_part& p = parts_[i];
    const bool needs = !p.lost && p.runs != component_step::none && does(i, component_step::abort);
    rule(!needs || p.aborted, i, "is not aborted on the last rung");
  }
}

template <class Machine>
void explored_world<Machine>::keep_down(std::uint32_t i) {
  parts_[i].kept_down = true;
  std::vector<std::uint32_t> way = {i};
  for (std::size_t next = 0; next != way.size(); ++next) {
    for (const std::uint32_t b : (*graph_)[way[next]].before) {
      if (!std::exchange(parts_[b].kept_down, true)) way.push_back(b);
    }
  }
  for (const std::uint32_t p : way) machine_.want(p, false);
  machine_.converge(now_);
}

template <class Machine>
void explored_world<Machine>::let_up(std::uint32_t i) {
  parts_[i].kept_down = false;
  std::vector<std::uint32_t> way = {i};
  for (std::size_t next = 0; next != way.size(); ++next) {
    for (const std::uint32_t d : (*graph_)[way[next]].after) {
      if (!parts_[d].lost && std::exchange(parts_[d].kept_down, false)) way.push_back(d);
    }
  }
  machine_.want(i, true);
  machine_.converge(now_);
}

}  // namespace detail
CURFEW_END

#endif
