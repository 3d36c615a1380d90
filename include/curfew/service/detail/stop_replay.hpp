// SPDX-License-Identifier: BSL-1.0
//
// A stop of all parts as a calculation: who begins when, and with how much time.
#ifndef CURFEW_SERVICE_DETAIL_STOP_REPLAY_HPP
#define CURFEW_SERVICE_DETAIL_STOP_REPLAY_HPP

#include <curfew/service/detail/share.hpp>
#include <curfew/service/plan_part.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/time_source.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <system_error>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// Durations that are not negative; max() is without end.
[[nodiscard]] constexpr time_source::duration one_after_the_other(
    time_source::duration a, time_source::duration b) noexcept {
  return a > (time_source::duration::max)() - b ? (time_source::duration::max)() : a + b;
}

/// How long the steps of a part go on when nobody cuts them short.
struct step_times {
  time_source::duration drain = {};
  time_source::duration stop = {};
  time_source::duration abort = {};

  [[nodiscard]] constexpr time_source::duration sum() const noexcept {
    return one_after_the_other(drain, one_after_the_other(stop, abort));
  }
};

[[nodiscard]] constexpr time_source::duration not_negative(time_source::duration d) noexcept {
  return greater(d, time_source::duration::zero());
}

[[nodiscard]] inline step_times declared_times(const plan_part& p) noexcept {
  return {not_negative(p.drain), not_negative(p.stop), not_negative(p.abort)};
}

[[nodiscard]] inline part_fate fate_of(const plan_part& p, const part_share& share,
                                       const step_times& takes) noexcept {
  if (takes.stop > share.stop)
    return p.abort > p.abort.zero() ? part_fate::aborted : part_fate::abandoned;
  return takes.drain > share.drain ? part_fate::cut : part_fate::done;
}

/// The order of the parts, and what of each one hangs on it.
class part_chains {
 public:
  explicit part_chains(std::span<const plan_part> parts);

  /// Whether nothing in them waits for itself, or for what is not there.
  [[nodiscard]] static bool are_possible(std::span<const plan_part> parts);

  /// Each part after all that it depends on.
  [[nodiscard]] const std::vector<std::size_t>& order() const noexcept { return order_; }
  /// What all that are stopped after it, one after the other, take at most.
  [[nodiscard]] time_source::duration behind(std::size_t part) const noexcept {
    return behind_[part];
  }
  [[nodiscard]] critical_path start_path(std::span<const plan_part> parts) const;
  [[nodiscard]] critical_path stop_path(std::span<const plan_part> parts) const;

 private:
  template <class Time>
  static critical_path longest(std::span<const plan_part> parts,
                               const std::vector<std::size_t>& order, Time time);
  /// Those that wait for each other are left out.
  [[nodiscard]] static std::vector<std::size_t> sorted(std::span<const plan_part> parts);

  std::vector<std::size_t> order_;
  std::vector<time_source::duration> behind_;
};

struct stop_replay {
  std::vector<part_share> shares = {};
  time_source::duration ended = {};  ///< the last part is down, or given up
};

/// As a lifecycle does it with `time` for the whole: what a part does not use is there for those
/// after it. The fates are left open.
[[nodiscard]] stop_replay replay_stop(const part_chains& chains, std::span<const plan_part> parts,
                                      std::span<const step_times> takes,
                                      time_source::duration time);

// ---------------------------------------------------------------------------------------------

inline bool part_chains::are_possible(std::span<const plan_part> parts) {
  for (const plan_part& p : parts) {
    for (const std::size_t d : p.after) {
      if (d >= parts.size()) return false;
    }
  }
  return sorted(parts).size() == parts.size();
}

inline part_chains::part_chains(std::span<const plan_part> parts) : behind_(parts.size()) {
  if (!are_possible(parts)) {
    throw_errc(std::errc::invalid_argument,
               "a plan of parts that wait for each other, or for one that is not in it: none could "
               "be the first; mend their `after`");
  }
  order_ = sorted(parts);
  for (const std::size_t i : order_) {
    for (const std::size_t d : parts[i].after) {
      const auto chain = one_after_the_other(behind_[d], declared_times(parts[d]).sum());
      behind_[i] = greater(behind_[i], chain);
    }
  }
}

inline std::vector<std::size_t> part_chains::sorted(std::span<const plan_part> parts) {
  std::vector<std::vector<std::size_t>> before(parts.size());
  std::vector<std::size_t> waits(parts.size()), order;
  for (std::size_t i = 0; i != parts.size(); ++i) {
    for (const std::size_t d : parts[i].after) before[d].push_back(i);
    waits[i] = parts[i].after.size();
    if (waits[i] == 0) order.push_back(i);
  }
  for (std::size_t next = 0; next != order.size(); ++next) {
    for (const std::size_t b : before[order[next]]) {
      if (--waits[b] == 0) order.push_back(b);
    }
  }
  return order;
}

/// From the first in the order to the last.
template <class Time>
critical_path part_chains::longest(std::span<const plan_part> parts,
                                   const std::vector<std::size_t>& order, Time time) {
  const std::size_t nobody = parts.size();
  std::vector<time_source::duration> chain(parts.size());
  std::vector<std::size_t> from(parts.size(), nobody);
  std::size_t last = nobody;
  for (const std::size_t i : order) {
    for (const std::size_t d : parts[i].after) {
      if (from[i] == nobody || chain[d] > chain[from[i]]) from[i] = d;
    }
    chain[i] = time(parts[i]);
    if (from[i] != nobody) chain[i] = one_after_the_other(chain[from[i]], chain[i]);
    if (last == nobody || chain[i] > chain[last]) last = i;
  }
  critical_path path;
  if (last != nobody) path.length = chain[last];
  for (std::size_t i = last; i != nobody; i = from[i]) path.parts.push_back(i);
  std::reverse(path.parts.begin(), path.parts.end());
  return path;
}

inline critical_path part_chains::start_path(std::span<const plan_part> parts) const {
  return longest(parts, order_, [](const plan_part& p) { return not_negative(p.start); });
}

/// The way back of those that are longest from the other end.
inline critical_path part_chains::stop_path(std::span<const plan_part> parts) const {
  critical_path path =
      longest(parts, order_, [](const plan_part& p) { return declared_times(p).sum(); });
  std::reverse(path.parts.begin(), path.parts.end());
  return path;
}

/// One part. Returns when it has ended.
inline time_source::duration replay_part(part_share& share, const step_times& wants,
                                         const step_times& takes, time_source::duration behind,
                                         time_source::duration time) {
  const bool endless = time == (time_source::duration::max)();
  time_source::duration left = endless ? time : time - lesser(share.begins, time);
  const auto use = [&](time_source::duration& given, time_source::duration wanted,
                       time_source::duration tail, time_source::duration taken) {
    given = share_of(left, wanted, one_after_the_other(wanted, tail));
    const auto used = lesser(given, taken);
    if (!endless) left -= lesser(used, left);
    return used;
  };
  const auto after_stop = one_after_the_other(wants.abort, behind);
  auto used =
      use(share.drain, wants.drain, one_after_the_other(wants.stop, after_stop), takes.drain);
  used = one_after_the_other(used, use(share.stop, wants.stop, after_stop, takes.stop));
  const auto abort = takes.stop > share.stop ? takes.abort : time_source::duration::zero();
  used = one_after_the_other(used, use(share.abort, wants.abort, behind, abort));
  return one_after_the_other(share.begins, used);
}

inline stop_replay replay_stop(const part_chains& chains, std::span<const plan_part> parts,
                               std::span<const step_times> takes, time_source::duration time) {
  stop_replay r{std::vector<part_share>(parts.size())};
  for (auto at = chains.order().rbegin(); at != chains.order().rend(); ++at) {
    const std::size_t i = *at;
    const auto end = replay_part(r.shares[i], declared_times(parts[i]), takes[i], chains.behind(i),
                                 not_negative(time));
    for (const std::size_t d : parts[i].after) {
      r.shares[d].begins = greater(r.shares[d].begins, end);
    }
    r.ended = greater(r.ended, end);
  }
  return r;
}

}  // namespace detail
CURFEW_END

#endif
