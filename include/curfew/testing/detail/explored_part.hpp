// SPDX-License-Identifier: BSL-1.0
//
// What is true of a component that is explored, whatever the machine believes of it; and the
// numbers by which two states of the exploration are known to be the same.
#ifndef CURFEW_TESTING_DETAIL_EXPLORED_PART_HPP
#define CURFEW_TESTING_DETAIL_EXPLORED_PART_HPP

#include <curfew/service/detail/lifecycle_machine.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/time_source.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

CURFEW_BEGIN
namespace detail {

struct explored_part {
  component_step runs = component_step::none;  // the function that runs
  bool aborts = false;                         // beside it
  bool aborted = false;                        // that has been so, once in its life
  bool hangs = false;                          // one of both does
  bool has_started = false;                    // and its stop has not ended
  bool drained = false;
  bool prepared = false;   // its prepare has agreed
  bool suspended = false;  // and its resume has not ended
  bool no = false;         // its prepare has not agreed
  bool defective = false;  // it does not work any more
  bool kept_down = false;  // somebody wants it down
  bool lost = false;
  time_source::time_point ready_at = {};  // as its prepare has said
};

/// Of many values in their order: FNV-1a, which is mixed at the end.
class explored_digest {
 public:
  template <class T>
  void operator()(const T& value) noexcept {
    add(static_cast<std::uint64_t>(value));
  }
  void operator()(const double& value) noexcept {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    add(bits);
  }
  void operator()(const time_source::duration& value) noexcept {
    add(static_cast<std::uint64_t>(value.count()));
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return sum_ ^ (sum_ >> 31); }

 private:
  void add(std::uint64_t value) noexcept {
    sum_ = (sum_ ^ value) * 0x9e37'79b9'7f4a'7c15u;
    sum_ ^= sum_ >> 29;
  }

  std::uint64_t sum_ = 0xcbf2'9ce4'8422'2325u;
};

/// Reads what decides about the future of a machine, with times as they are from now on.
struct machine_probe {
  using time_point = lifecycle_machine::time_point;
  using duration = lifecycle_machine::duration;

  static void read(const lifecycle_machine& m, time_point now, explored_digest& take) {
    take(m.whole_);
    take(m.rung_);
    take(until(now, m.deadline_));
    const bool lame = m.rung_ == stop_rung::lame_duck || m.whole_ == whole_phase::prepared;
    take(lame ? until(now, m.lame_until_) : duration::zero());
    take(m.culprit_);
    take(m.rolled_back_);
    take(m.lost_ != 0);
    for (std::size_t i = 0; i != m.parts_.size(); ++i) read_part(m, now, i, take);
  }

 private:
  /// What is past is past, however long.
  [[nodiscard]] static duration until(time_point now, time_point t) noexcept {
    return t <= now ? duration::zero() : saturating_subtract(t, now);
  }

  static void read_part(const lifecycle_machine& m, time_point now, std::size_t i,
                        explored_digest& take) {
    const auto& p = m.parts_[i];
    take(p.phase);
    take(p.step);
    std::uint64_t flags = 0;
    for (const bool flag : {p.wanted, p.falling, p.satisfied, p.busy, p.cut, p.aborting,
                            p.abort_runs, p.drained, p.start_failed})
      flags = flags * 2 + (flag ? 1 : 0);
    take(flags);
    take(p.ended);
    take(p.busy ? p.mark : 0);
    take(p.busy ? now - p.began : duration::zero());
    take(p.busy ? p.limit : duration::zero());
    take(until(now, p.not_before));
    take(until(now, m.due_[i]));
    take(p.failures);
    take(p.failures > 0 ? now - p.failed_at : duration::zero());
    take(m.waits_up_[i]);
    take(m.waits_down_[i]);
  }
};

}  // namespace detail
CURFEW_END

#endif
