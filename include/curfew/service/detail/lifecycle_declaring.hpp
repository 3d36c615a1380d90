// SPDX-License-Identifier: BSL-1.0
//
// A lifecycle's bodies: declaring components, and saying what is declared and how it is.
#ifndef CURFEW_SERVICE_DETAIL_LIFECYCLE_DECLARING_HPP
#define CURFEW_SERVICE_DETAIL_LIFECYCLE_DECLARING_HPP

#include <curfew/service/detail/lifecycle_state.hpp>
#include <curfew/stop/detail/fail.hpp>

CURFEW_BEGIN
namespace detail {

[[noreturn]] inline void refuse_declaration(const std::string& why) {
  throw_errc(std::errc::invalid_argument, why.c_str());
}

/// A condition without a function is something to wait for as well.
[[nodiscard]] inline graph_part numbers_of(const component& c) {
  graph_part g;
  const auto set = [&g](component_step s, clock_duration limit, bool does) {
    g.limit[index_of(s)] = greater<clock_duration>(limit, clock_duration::zero());
    g.has[index_of(s)] = does;
  };
  set(component_step::start, c.start_timeout, c.start || c.start_when.holds);
  set(component_step::prepare, c.prepare_timeout, static_cast<bool>(c.prepare));
  set(component_step::resume, c.prepare_timeout, static_cast<bool>(c.resume));
  set(component_step::drain, c.drain_timeout, c.drain || c.drain_when.holds);
  set(component_step::stop, c.stop_timeout, c.stop || c.stop_when.holds);
  set(component_step::abort, c.abort_timeout, static_cast<bool>(c.abort));
  g.base = c.base;
  g.optional = c.optional;
  g.pausable = c.pausable;
  g.restart = c.restart;
  return g;
}

inline component_link lifecycle_state::add(const label& name, component what) {
  if (machine_) {
    refuse_declaration("component " + std::string(name.text) +
                       " is declared after start(), when all are known to each other; declare it "
                       "before");
  }
  if (name.text.empty()) {
    refuse_declaration("a component has no name, by which others and reports know it; give it one");
  }
  if (names_.find(name.text) != names_.end())
    refuse_declaration("there is a component " + std::string(name.text) +
                       " already, and others are declared after it by that name; choose another");
  const std::uint32_t part = graph_.add(numbers_of(what));
  names_.emplace(name.text, part);
  records_.emplace_back(name, std::move(what));
  for (const std::string& other : records_[part].what.after) {
    const std::uint32_t d = find(other);
    d != lifecycle_machine::nobody ? connect(part, d)
                                   : static_cast<void>(missing_.emplace(other, part));
  }
  for (auto at = missing_.find(name.text); at != missing_.end(); at = missing_.find(name.text)) {
    const std::uint32_t user = at->second;
    missing_.erase(at);
    connect(user, part);
  }
  return {weak_from_this(), part};
}

inline std::uint32_t lifecycle_state::find(std::string_view name) const noexcept {
  const auto at = names_.find(name);
  return at == names_.end() ? lifecycle_machine::nobody : at->second;
}

/// A loop is closed only by a part that somebody is after already, or by one after itself.
inline void lifecycle_state::connect(std::uint32_t part, std::uint32_t dependency) {
  const bool possible = part == dependency || !graph_[part].before.empty();
  const auto way = possible ? graph_.path(dependency, part) : std::vector<std::uint32_t>();
  if (way.empty()) return graph_.link(part, dependency);
  loop_ = text_of_loop(way);
  refuse_declaration(loop_);
}

inline std::string lifecycle_state::text_of_loop(const std::vector<std::uint32_t>& way) const {
  std::string text = "components wait for each other: " + records_[way.back()].name;
  for (const std::uint32_t i : way) text += " after " + records_[i].name;
  return text + ", and none could be the first; take one `after` out";
}

inline void lifecycle_state::validate() {
  graph_.stand_on_bases();
  if (!loop_.empty()) refuse_declaration(loop_);
  if (missing_.empty()) return;
  const auto& [name, part] = *missing_.begin();
  refuse_declaration("component " + records_[part].name + " is after " + name +
                     ", which is not declared and would never be up; declare it, or mend the name");
}

inline std::vector<plan_part> lifecycle_state::plan_parts() const {
  part_graph graph = graph_;  // what is not declared yet may be what a base needs
  graph.stand_on_bases();
  std::vector<plan_part> parts;
  for (std::size_t i = 0; i != graph.size(); ++i) {
    const graph_part& g = graph[i];
    parts.push_back({.name = records_[i].name,
                     .after = {g.after.begin(), g.after.end()},
                     .place = records_[i].place,
                     .start = g.wants(component_step::start),
                     .drain = g.wants(component_step::drain),
                     .stop = g.wants(component_step::stop),
                     .abort = g.wants(component_step::abort),
                     .optional = g.optional});
  }
  return parts;
}

inline whole_phase lifecycle_state::phase() const noexcept {
  const std::lock_guard guard(lock_);
  return machine_ ? machine_->whole() : whole_phase::idle;
}

inline std::vector<component_status> lifecycle_state::status() const {
  const std::lock_guard guard(lock_);
  std::vector<component_status> all;
  for (std::size_t i = 0; i != graph_.size(); ++i) {
    const component_record& r = records_[i];
    component_status s{.name = r.name, .place = r.place};
    if (machine_) {
      s.phase = machine_->phase(i);
      s.wanted = machine_->wanted(i);
      s.elapsed = saturating_subtract(clock_.now(), machine_->since(i));
      s.limit = machine_->limit(i);
      s.failures = machine_->failures(i);
    }
    s.note = r.note.str();
    s.error = r.error.str();
    all.push_back(std::move(s));
  }
  return all;
}

}  // namespace detail
CURFEW_END

#endif
