// SPDX-License-Identifier: BSL-1.0
//
// Components as numbers: who stands after whom, and how long each may take. No names, no functions.
#ifndef CURFEW_SERVICE_DETAIL_PART_GRAPH_HPP
#define CURFEW_SERVICE_DETAIL_PART_GRAPH_HPP

#include <curfew/service/component.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/time_source.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

CURFEW_BEGIN
namespace detail {

inline constexpr std::size_t step_kinds = 7;

[[nodiscard]] constexpr std::size_t index_of(component_step s) noexcept {
  return static_cast<std::size_t>(s);
}

/// Two durations, neither of which is negative.
[[nodiscard]] constexpr time_source::duration saturating_sum(time_source::duration a,
                                                             time_source::duration b) noexcept {
  return a > (time_source::duration::max)() - b ? (time_source::duration::max)() : a + b;
}

struct graph_part {
  std::vector<std::uint32_t> after = {};   // its dependencies
  std::vector<std::uint32_t> before = {};  // its dependants
  std::array<time_source::duration, step_kinds> limit = {};
  std::array<bool, step_kinds> has = {};  // a function, or a condition to wait for
  bool base = false;
  bool optional = false;
  bool pausable = false;
  supervision restart = {};

  [[nodiscard]] bool does(component_step s) const noexcept { return has[index_of(s)]; }
  /// What it wants for a step; nothing for one that it has not.
  [[nodiscard]] time_source::duration wants(component_step s) const noexcept {
    return does(s) ? limit[index_of(s)] : time_source::duration::zero();
  }
};

/// Parts are numbered in the order of their declaration.
class part_graph {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return parts_.size(); }
  [[nodiscard]] const graph_part& operator[](std::size_t i) const noexcept { return parts_[i]; }
  [[nodiscard]] graph_part& operator[](std::size_t i) noexcept { return parts_[i]; }

  std::uint32_t add(graph_part part) {
    parts_.push_back(std::move(part));
    return static_cast<std::uint32_t>(parts_.size() - 1);
  }
  void link(std::uint32_t part, std::uint32_t dependency) {
    parts_[part].after.push_back(dependency);
    parts_[dependency].before.push_back(part);
  }

  /// What is declared to be a base comes before all that it does not need itself. Repeated, it adds
  /// only what is new.
  void stand_on_bases();

  /// From `from` along dependencies to `to`, both included; empty: there is no way.
  [[nodiscard]] std::vector<std::uint32_t> path(std::uint32_t from, std::uint32_t to) const;

  /// Each part after all that it depends on. The graph has no loop.
  [[nodiscard]] std::vector<std::uint32_t> order() const;

  /// The longest time from the beginning of each part's stop to the end of the last one's, if each
  /// takes all that it wants.
  [[nodiscard]] std::vector<time_source::duration> chains() const;

 private:
  [[nodiscard]] std::vector<bool> needed_by(std::uint32_t part) const;

  std::vector<graph_part> parts_;
};

/// Itself included.
inline std::vector<bool> part_graph::needed_by(std::uint32_t part) const {
  std::vector<bool> needed(size());
  std::vector<std::uint32_t> open = {part};
  while (!open.empty()) {
    const std::uint32_t i = open.back();
    open.pop_back();
    if (needed[i]) continue;
    needed[i] = true;
    open.insert(open.end(), parts_[i].after.begin(), parts_[i].after.end());
  }
  return needed;
}

inline void part_graph::stand_on_bases() {
  for (std::uint32_t b = 0; b != size(); ++b) {
    if (!parts_[b].base) continue;
    std::vector<bool> done = needed_by(b);
    for (const std::uint32_t user : parts_[b].before) done[user] = true;
    for (std::uint32_t i = 0; i != size(); ++i)
      if (!done[i] && !parts_[i].base) link(i, b);
  }
}

inline std::vector<std::uint32_t> part_graph::path(std::uint32_t from, std::uint32_t to) const {
  constexpr std::uint32_t unseen = 0xffff'ffffu;
  std::vector<std::uint32_t> came_from(size(), unseen), queue = {from};
  came_from[from] = from;
  for (std::size_t next = 0; next != queue.size() && came_from[to] == unseen; ++next) {
    for (const std::uint32_t d : parts_[queue[next]].after) {
      if (came_from[d] != unseen) continue;
      came_from[d] = queue[next];
      queue.push_back(d);
    }
  }
  if (came_from[to] == unseen) return {};
  std::vector<std::uint32_t> way = {to};
  while (way.back() != from) way.push_back(came_from[way.back()]);
  return {way.rbegin(), way.rend()};
}

inline std::vector<std::uint32_t> part_graph::order() const {
  std::vector<std::size_t> waits;
  std::vector<std::uint32_t> sorted;
  for (std::uint32_t i = 0; i != size(); ++i) {
    waits.push_back(parts_[i].after.size());
    if (waits.back() == 0) sorted.push_back(i);
  }
  for (std::size_t next = 0; next != sorted.size(); ++next) {
    for (const std::uint32_t b : parts_[sorted[next]].before)
      if (--waits[b] == 0) sorted.push_back(b);
  }
  return sorted;
}

inline std::vector<time_source::duration> part_graph::chains() const {
  std::vector<time_source::duration> chain(size());
  for (const std::uint32_t i : order()) {
    time_source::duration rest{};
    for (const std::uint32_t d : parts_[i].after) rest = greater(rest, chain[d]);
    for (const auto s : {component_step::drain, component_step::stop, component_step::abort})
      rest = saturating_sum(rest, parts_[i].wants(s));
    chain[i] = rest;
  }
  return chain;
}

}  // namespace detail
CURFEW_END

#endif
