// SPDX-License-Identifier: BSL-1.0
//
// The bodies of a coordinator's stop: how a question goes from member to member, and what is made
// of the answers.
#ifndef CURFEW_SERVICE_DETAIL_FLEET_WAVES_HPP
#define CURFEW_SERVICE_DETAIL_FLEET_WAVES_HPP

#include <curfew/service/detail/fleet_run.hpp>

CURFEW_BEGIN
namespace detail {

inline void fleet_run::wave(fleet_step step) {
  for (fleet_seat& s : seats_)
    s.at = takes_part(step, s) ? fleet_seat::stage::waits : fleet_seat::stage::over;
  for (;;) {
    hear(step);
    if (!ask_in_turn(step)) return;
    await();
  }
}

inline bool fleet_run::takes_part(fleet_step step, const fleet_seat& s) const noexcept {
  return step == fleet_step::prepare || (s.prepared && !s.lost);
}

/// False: nobody is asked, and nobody will be.
inline bool fleet_run::ask_in_turn(fleet_step step) {
  bool any = false;
  for (std::size_t i = 0; i != seats_.size(); ++i) {
    const bool ends = step == fleet_step::prepare && considered_.stop_requested();
    if (!ends && is_next(step, i)) ask(step, i);
    any = any || seats_[i].at == fleet_seat::stage::asked;
  }
  return any;
}

/// Those that nobody depends on are prepared and stopped first, and go on last.
inline bool fleet_run::is_next(fleet_step step, std::size_t i) const noexcept {
  if (seats_[i].at != fleet_seat::stage::waits) return false;
  const auto& others = step == fleet_step::abort ? graph_[i].after : graph_[i].before;
  for (const std::uint32_t other : others) {
    if (seats_[other].at != fleet_seat::stage::over) return false;
  }
  return true;
}

inline void fleet_run::ask(fleet_step step, std::size_t i) {
  fleet_seat& s = seats_[i];
  const time_point now = clock_.now();
  const duration limit = limit_of(step, i);
  report_.members[i].asked.push_back({.step = step, .begins = now - began_, .limit = limit});
  const std::lock_guard guard(lock_);
  s.at = fleet_seat::stage::asked;
  s.heard = false;
  s.give_up_at = saturating_add(now, limit);
  s.worker.give({static_cast<std::uint32_t>(i), order_for(step),
                 saturating_add(now, limit - tenth_of(limit))});
}

inline void fleet_run::hear(fleet_step step) {
  obey_stop(step);
  for (std::size_t i = 0; i != seats_.size(); ++i) {
    if (seats_[i].at == fleet_seat::stage::asked) hear(step, i);
  }
}

/// Whose prepare is cut short gets a tenth of its time to notice that.
inline void fleet_run::obey_stop(fleet_step step) noexcept {
  if (step != fleet_step::prepare || !considered_.stop_requested()) return;
  for (std::size_t i = 0; i != seats_.size(); ++i) {
    const time_point soon = saturating_add(clock_.now(), tenth_of(limit_of(step, i)));
    seats_[i].give_up_at = lesser(seats_[i].give_up_at, soon);
  }
}

inline void fleet_run::hear(fleet_step step, std::size_t i) {
  fleet_seat& s = seats_[i];
  member_answer answer{.word = member_word::silent};
  {
    const std::lock_guard guard(lock_);
    if (!s.heard && clock_.now() < s.give_up_at) return;
    if (s.heard) answer = std::move(s.answer);
    if (!s.heard) s.worker.abandon();
    s.lost = !s.heard;
  }
  s.at = fleet_seat::stage::over;
  conclude(step, i, std::move(answer));
}

inline void fleet_run::conclude(fleet_step step, std::size_t i, member_answer answer) {
  fleet_seat& s = seats_[i];
  member_report& r = report_.members[i];
  member_exchange& e = r.asked.back();
  const member_word word = answer.word;
  e.elapsed = clock_.now() - began_ - e.begins;
  e.answer = std::move(answer);
  if (e.answer.pid != 0) r.pid = e.answer.pid;
  r.fate = fate_after(step, word);
  if (step != fleet_step::prepare) return;
  s.pid = e.answer.pid;
  s.prepared = r.fate == member_fate::in_doubt;
  const std::string_view unsaid = word == member_word::silent ? "it does not answer"
                                  : word == member_word::gone ? "there is no such process"
                                                              : "";
  if (word == member_word::gone && graph_[i].optional) {
    r.fate = member_fate::absent;
    return;
  }
  if (word != member_word::yes) refuse(r.name, e.answer.text.empty() ? unsaid : e.answer.text);
}

inline member_fate fleet_run::fate_after(fleet_step step, member_word word) noexcept {
  if (word == member_word::gone) return member_fate::died;
  const bool yes = word == member_word::yes;
  switch (step) {
    case fleet_step::prepare:
      return word == member_word::no ? member_fate::refused : member_fate::in_doubt;
    case fleet_step::commit: return yes ? member_fate::stopped : member_fate::left;
    case fleet_step::abort: break;
  }
  return yes ? member_fate::resumed : member_fate::in_doubt;
}

}  // namespace detail
CURFEW_END

#endif
