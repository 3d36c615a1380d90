// SPDX-License-Identifier: BSL-1.0
//
// The rules that hold in every state of an exploration.
#ifndef CURFEW_TESTING_DETAIL_EXPLORED_RULES_HPP
#define CURFEW_TESTING_DETAIL_EXPLORED_RULES_HPP

#include <curfew/testing/detail/explored_world.hpp>

CURFEW_BEGIN
namespace detail {

template <class Machine>
void explored_world<Machine>::rule(bool kept, const char* text) {
  if (!kept && broken_.empty()) broken_ = text;
}

template <class Machine>
void explored_world<Machine>::rule(bool kept, std::uint32_t part, const char* text) {
  if (!kept && broken_.empty()) broken_ = (*names_)[part] + " " + text;
}

template <class Machine>
void explored_world<Machine>::begin(std::uint32_t i, component_step s, time_point) noexcept {
  ++moves_;
  quiet_ = false;
  judge_begin(i, s);
  explored_part& p = parts_[i];
  if (s == component_step::abort) return static_cast<void>(p.aborts = p.aborted = true);
  p.runs = s;
  if (s == component_step::start)
    p.defective = p.drained = p.suspended = p.prepared = p.aborted = false;
}

template <class Machine>
void explored_world<Machine>::tell(std::uint32_t i, const lifecycle_event& e) noexcept {
  ++moves_;
  if (e.kind != event_kind::step_late) quiet_ = false;
  if (e.kind == event_kind::fault) ++faults_;
  if (e.kind != event_kind::abandoned) return;
  rule(!gone(i), i, "is told as abandoned, and was not there");
  parts_[i].lost = true;
}

template <class Machine>
void explored_world<Machine>::judge_begin(std::uint32_t i, component_step s) {
  const explored_part& p = parts_[i];
  const whole_phase w = machine_.whole();
  rule(w != whole_phase::stopped && w != whole_phase::idle, i, "begins a step after the end");
  rule(!p.lost, i, "begins a step after it was given up");
  rule(does(i, s), i, "begins a step that it does not have");
  if (s == component_step::abort)
    return rule(p.runs != component_step::none && !p.aborts, i, "is aborted without need");
  rule(p.runs == component_step::none && !p.aborts, i, "begins a step during another");
  if (s == component_step::start) {
    rule(!alive(i), i, "is started twice");
    rule(!p.kept_down, i, "is started, and is to be down");
    rule(w == whole_phase::starting || w == whole_phase::up, i, "is started during a stop");
    for (const std::uint32_t d : (*graph_)[i].after)
      rule(may_be_used(d), i, "is started before what it is after");
    return;
  }
  rule(alive(i), i, "is asked for a step, and is not up");
  for (const std::uint32_t b : (*graph_)[i].before) {
    if (s == component_step::drain || s == component_step::stop)
      rule(gone(b), i, "goes down under one that is after it");
    if (s == component_step::prepare && does(b, s))
      rule(gone(b) || parts_[b].prepared, i, "is asked before one that is after it");
  }
  rule(s != component_step::prepare || !p.no, i, "is asked again after it has said no");
  for (const std::uint32_t d : (*graph_)[i].after) {
    if (s != component_step::resume) break;
    const bool prepares = parts_[d].runs == component_step::prepare && !parts_[d].hangs;
    rule(gone(d) || (!parts_[d].suspended && !prepares), i, "is resumed before what it is after");
  }
  if (s == component_step::drain) rule(!p.drained, i, "is drained twice");
  if (s == component_step::stop && machine_.rung() < stop_rung::stop)
    rule(p.drained || !does(i, component_step::drain), i, "is stopped and not drained");
}

template <class Machine>
void explored_world<Machine>::judge() {
  const whole_phase w = machine_.whole();
  rule(moves_ <= 32 * (parts_.size() + 1), "one event has too many consequences");
  rule(w != whole_phase::stopping || now_ <= deadline_, "the stop goes on after its deadline");
  rule(w != whole_phase::stopping || machine_.next_due() <= deadline_,
       "nobody looks at the deadline of the stop");
  rule(!changing() || machine_.next_due() != never || endless(), "it may wait for ever");
  rule(culprit_ == lifecycle_machine::nobody || culprit_ == machine_.culprit(),
       "the first failure is forgotten");
  culprit_ = machine_.culprit();
  rule(!machine_.rolled_back() || culprit_ != lifecycle_machine::nobody,
       "a start was taken back for nothing");
  const auto is_cut = [this](component_step s) { return (cuts_ >> index_of(s) & 1u) != 0; };
  const stop_rung rung = machine_.rung();
  rule(w != whole_phase::stopping || is_cut(component_step::start), "starts are not cut short");
  rule(rung < stop_rung::stop || is_cut(component_step::drain), "drains are not cut short");
  rule(rung < stop_rung::abort || is_cut(component_step::stop), "stops are not told to hurry");
  for (std::uint32_t i = 0; i != parts_.size(); ++i) {
    rule(w != whole_phase::prepared || gone(i) || parts_[i].ready_at <= now_, i,
         "is not given the time it asked for");
    if (w == whole_phase::stopped) rule(gone(i), i, "is left behind by the stop");
    const bool agrees = !parts_[i].no && (!parts_[i].defective || has_failed_);
    if (w == whole_phase::prepared) rule(gone(i) || agrees, i, "does not agree to the stop");
    if (w == whole_phase::up && !changing()) judge_rest(i);
  }
}

/// All is as it is to be, for now.
template <class Machine>
void explored_world<Machine>::judge_rest(std::uint32_t i) {
  const explored_part& p = parts_[i];
  const bool runs = p.runs != component_step::none;
  if (has_failed_) return;
  rule(runs || !p.suspended || gone(i), i, "was prepared and not resumed");
  rule(runs || !p.defective || gone(i), i, "does not work and nothing is done about it");
  if (p.kept_down) return rule(!alive(i), i, "is up, and is to be down");
  bool needs = (*graph_)[i].optional;
  for (const std::uint32_t d : (*graph_)[i].after) needs = needs || parts_[d].kept_down;
  rule(alive(i) || needs, i, "is not up, and nobody is told");
}

}  // namespace detail
CURFEW_END

#endif
