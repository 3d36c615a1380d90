// SPDX-License-Identifier: BSL-1.0
//
// Components in one of the states of an exploration: what may happen next, and whether what the
// machine then does is as it must be.
#ifndef CURFEW_TESTING_DETAIL_EXPLORED_WORLD_HPP
#define CURFEW_TESTING_DETAIL_EXPLORED_WORLD_HPP

#include <curfew/service/detail/lifecycle_machine.hpp>
#include <curfew/service/detail/part_graph.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/service/lifecycle_status.hpp>
#include <curfew/testing/detail/explored_event.hpp>
#include <curfew/testing/detail/explored_part.hpp>
#include <curfew/testing/explore_options.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// A value. Machine: as lifecycle_machine.
template <class Machine>
class explored_world final : public machine_desk {
 public:
  using duration = time_source::duration;

  explored_world(const part_graph& graph, const std::vector<std::string>& names,
                 const explore_options& options)
      : graph_(&graph),
        names_(&names),
        options_(&options),
        machine_(graph),
        parts_(graph.size()),
        surprises_(options.surprises),
        hangs_(options.hangs) {}

  /// Nothing: it has come to its end.
  void list(std::vector<explored_event>& to) const;
  void happen(const explored_event& e);
  /// The first rule that was; empty: none.
  [[nodiscard]] const std::string& broken() const noexcept { return broken_; }
  [[nodiscard]] std::uint64_t digest() const;
  [[nodiscard]] whole_phase whole() const noexcept { return machine_.whole(); }

 private:
  static constexpr time_point never = lifecycle_machine::never;

  // ---- what may happen
  void list_surprises(std::vector<explored_event>& to) const;
  void list_ends(std::vector<explored_event>& to, std::uint32_t i) const;
  void list_faults(std::vector<explored_event>& to, std::uint32_t i) const;

  // ---- what happens
  void carry_out(const explored_event& e);
  void end(const explored_event& e);
  void pass();
  void order_stop(duration left);
  void start();
  void press();
  void keep_down(std::uint32_t i);
  void let_up(std::uint32_t i);

  // ---- what the machine does about it
  void begin(std::uint32_t part, component_step step, time_point cut_at) noexcept override;
  void cut(component_step kind) noexcept override { cuts_ |= 1u << index_of(kind); }
  void hurry(std::uint32_t) noexcept override {}
  void tell(std::uint32_t part, const lifecycle_event& e) noexcept override;
  void tell(const lifecycle_event&) noexcept override { ++moves_; }
  void failed(std::uint32_t) noexcept override { has_failed_ = true; }
  double random() noexcept override { return 0.5; }

  // ---- the rules
  void rule(bool kept, const char* text);
  void rule(bool kept, std::uint32_t part, const char* text);
  void judge_begin(std::uint32_t i, component_step s);
  void judge();
  void judge_rest(std::uint32_t i);

  [[nodiscard]] bool does(std::uint32_t i, component_step s) const noexcept {
    return (*graph_)[i].does(s);
  }
  /// There is a function between one life of it and the next.
  [[nodiscard]] bool is_seen_to_go(std::uint32_t i) const noexcept {
    return does(i, component_step::start) || does(i, component_step::stop);
  }
  /// It may be in use: it has started, and has not stopped.
  [[nodiscard]] bool alive(std::uint32_t i) const noexcept;
  /// Nothing of it is left, so that what it uses may go.
  [[nodiscard]] bool gone(std::uint32_t i) const noexcept {
    const explored_part& p = parts_[i];
    return p.lost || (!alive(i) && p.runs == component_step::none && !p.aborts);
  }
  [[nodiscard]] bool may_be_used(std::uint32_t i) const noexcept;
  /// It is to go down anyway, since something that it needs does.
  [[nodiscard]] bool excused(std::uint32_t i) const;
  [[nodiscard]] bool changing() const noexcept;
  [[nodiscard]] bool may_be_late(std::uint32_t i) const noexcept;
  /// Something runs that is declared to have no limit.
  [[nodiscard]] bool endless() const noexcept;
  /// Something runs of which that could not be said before.
  [[nodiscard]] bool would_hang() const noexcept;

  const part_graph* graph_;
  const std::vector<std::string>* names_;
  const explore_options* options_;
  Machine machine_;
  std::vector<explored_part> parts_;
  time_point now_ = {};
  time_point deadline_ = never;
  unsigned surprises_;
  unsigned hangs_;
  unsigned starts_ = 0;
  bool has_failed_ = false;
  unsigned cuts_ = 0;    // the kinds of steps whose tokens have stopped
  unsigned faults_ = 0;  // told in this one event
  std::uint32_t culprit_ = lifecycle_machine::nobody;
  std::size_t moves_ = 0;  // in this one event
  bool quiet_ = true;      // nothing was done in it but to name who is late
  std::string broken_;
};

// ---------------------------------------------------------------------------------------------

template <class Machine>
bool explored_world<Machine>::alive(std::uint32_t i) const noexcept {
  if (parts_[i].lost || (does(i, component_step::start) && !parts_[i].has_started)) return false;
  if (does(i, component_step::start) && does(i, component_step::stop)) return true;
  const part_phase p = machine_.phase(i);  // without functions there is nothing else to go by
  return p != part_phase::down && p != part_phase::starting && p != part_phase::lost;
}

template <class Machine>
bool explored_world<Machine>::may_be_used(std::uint32_t i) const noexcept {
  if (gone(i)) return (*graph_)[i].optional;
  const component_step s = parts_[i].runs;
  return alive(i) && s != component_step::drain && s != component_step::stop;
}

template <class Machine>
bool explored_world<Machine>::excused(std::uint32_t i) const {
  if (parts_[i].kept_down || !machine_.wanted(i)) return true;
  std::vector<std::uint32_t> way = {i};
  for (std::size_t next = 0; next != way.size(); ++next) {
    if (parts_[way[next]].defective || parts_[way[next]].hangs) return true;
    for (const std::uint32_t d : (*graph_)[way[next]].after) way.push_back(d);
  }
  return false;
}

template <class Machine>
bool explored_world<Machine>::changing() const noexcept {
  const whole_phase w = machine_.whole();
  if (w == whole_phase::up) return !has_failed_ && !machine_.settled();
  return w == whole_phase::starting || w == whole_phase::preparing || w == whole_phase::resuming ||
         w == whole_phase::stopping;
}

template <class Machine>
bool explored_world<Machine>::endless() const noexcept {
  for (std::uint32_t i = 0; i != parts_.size(); ++i) {
    const bool runs = parts_[i].aborts || parts_[i].runs != component_step::none;
    if (runs && !parts_[i].lost && machine_.limit(i) == (duration::max)()) return true;
  }
  return false;
}

template <class Machine>
bool explored_world<Machine>::may_be_late(std::uint32_t i) const noexcept {
  const time_point spent = saturating_add(machine_.since(i), machine_.limit(i));
  return hangs_ != 0 && !parts_[i].lost && !parts_[i].hangs && spent > now_ && spent < deadline_;
}

template <class Machine>
bool explored_world<Machine>::would_hang() const noexcept {
  for (const explored_part& p : parts_) {
    if (!p.lost && !p.hangs && (p.aborts || p.runs != component_step::none)) return true;
  }
  return false;
}

// ---- what may happen

template <class Machine>
void explored_world<Machine>::list(std::vector<explored_event>& to) const {
  if (starts_ == 0) return to.push_back({});
  for (std::uint32_t i = 0; i != parts_.size(); ++i) list_ends(to, i);
  if (machine_.next_due() != never && (hangs_ != 0 || !would_hang()))
    to.push_back({explored_kind::passes});
  if (surprises_ != 0) {
    list_surprises(to);
  } else if ((machine_.whole() == whole_phase::up && !changing()) ||
             machine_.whole() == whole_phase::prepared) {
    to.push_back({explored_kind::stop});
  }
}

template <class Machine>
void explored_world<Machine>::list_ends(std::vector<explored_event>& to, std::uint32_t i) const {
  const explored_part& p = parts_[i];
  const bool fails = options_->failures && surprises_ != 0 && !p.lost;
  const auto add = [&](component_step s, step_outcome o) {
    to.push_back({explored_kind::ends, i, s, o, o != step_outcome::done});
  };
  if (p.aborts) add(component_step::abort, step_outcome::done);
  if (p.aborts && fails) add(component_step::abort, step_outcome::failed);
  if (p.runs == component_step::none) return;
  add(p.runs, step_outcome::done);
  if (may_be_late(i)) to.push_back({explored_kind::late, i, p.runs});
  if (!fails) return;
  add(p.runs, step_outcome::failed);
  if (p.runs != component_step::prepare) return;
  add(p.runs, step_outcome::vetoed);
  to.push_back({explored_kind::waits, i, p.runs, step_outcome::done, true});
}

template <class Machine>
void explored_world<Machine>::list_surprises(std::vector<explored_event>& to) const {
  const explore_options& o = *options_;
  const whole_phase w = machine_.whole();
  const bool stops = w == whole_phase::stopping;
  const auto may = [&](bool wanted, explored_kind kind) {
    if (wanted) to.push_back({kind, 0, {}, {}, true});
  };
  may(o.stops && !stops && w != whole_phase::stopped, explored_kind::stop);
  may(o.shortens && stops && deadline_ > now_ + o.shortened, explored_kind::shorten);
  may(o.hurries && stops && machine_.rung() != stop_rung::abort, explored_kind::hurry);
  may(o.prepares && w == whole_phase::up, explored_kind::prepare);
  may(o.prepares && (w == whole_phase::preparing || w == whole_phase::prepared),
      explored_kind::resume);
  may(o.restarts && w == whole_phase::stopped && machine_.lost() == 0, explored_kind::start);
  for (std::uint32_t i = 0; i != parts_.size(); ++i) list_faults(to, i);
}

template <class Machine>
void explored_world<Machine>::list_faults(std::vector<explored_event>& to, std::uint32_t i) const {
  const explored_part& p = parts_[i];
  if (options_->faults && alive(i) && !p.defective)
    to.push_back({explored_kind::fault, i, {}, {}, true});
  if (!options_->pauses || machine_.whole() != whole_phase::up || p.lost) return;
  const auto kind = p.kept_down ? explored_kind::bring_back : explored_kind::bring_down;
  to.push_back({kind, i, {}, {}, true});
}

template <class Machine>
std::uint64_t explored_world<Machine>::digest() const {
  explored_digest sum;
  sum(surprises_);
  sum(hangs_);
  sum(starts_ != 0);
  sum(has_failed_);
  sum(cuts_);
  sum(deadline_ <= now_ ? duration::zero() : saturating_subtract(deadline_, now_));
  for (const explored_part& p : parts_) {
    sum(p.runs);
    std::uint64_t flags = 0;
    for (const bool flag : {p.aborts, p.aborted, p.hangs, p.has_started, p.drained, p.prepared,
                            p.suspended, p.no, p.defective, p.kept_down, p.lost})
      flags = flags * 2 + (flag ? 1 : 0);
    sum(flags);
    sum(p.ready_at <= now_ ? duration::zero() : p.ready_at - now_);
  }
  machine_probe::read(machine_, now_, sum);
  return sum.value();
}

}  // namespace detail
CURFEW_END

#include <curfew/testing/detail/explored_moves.hpp>
#include <curfew/testing/detail/explored_rules.hpp>

#endif
