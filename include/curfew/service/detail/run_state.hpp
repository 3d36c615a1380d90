// SPDX-License-Identifier: BSL-1.0
//
// What the threads of one run share: the main thread, the watchdog and the narrator.
#ifndef CURFEW_SERVICE_DETAIL_RUN_STATE_HPP
#define CURFEW_SERVICE_DETAIL_RUN_STATE_HPP

#include <curfew/host/outcome.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/host/signals.hpp>
#include <curfew/release/gate.hpp>
#include <curfew/release/resource_stack.hpp>
#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/service/detail/journal.hpp>
#include <curfew/service/detail/terminal.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// When the stop was noticed, and what follows from that.
struct stop_moment {
  time_source::time_point at;
  time_source::duration budget;  ///< what the spec says, or less where the system leaves less
  time_source::time_point limit;
};

/// Lives in run(), on the main thread's stack, until every thread that knows it has been joined. A
/// forced end leaves it as it is, and so does a call of exit().
class run_state {
 public:
  run_state(const service_spec& s, std::span<char* const> a) : spec(s), args(a) {
    if (!spec.name.empty()) prefix.append(spec.name).append(": ");
  }

  const service_spec& spec;
  const std::span<char* const> args;
  fixed_text<64> prefix;  // of every line that is told
  terminal screen;
  stop_source root;
  stop_source spent;               // the last part of the time for stopping has begun
  stop_source hurry{nostopstate};  // that, or the second signal; there from the bridge on
  std::optional<signal_bridge> bridge;
  gate hurrying;  // held while `spent` is stopped; closed when nothing of the user's may begin
  resource_stack resources;
  bool releasing = false;  // main has returned; belongs to its thread
  journal log;
  std::atomic<bool> by_itself{false};  // main returned, and nobody had asked for a stop

  // Each of these happens once, in this order.
  inplace_stop_source decided;  // the outcome is known
  inplace_stop_source told;     // it has been written, as far as it could be
  inplace_stop_source over;     // nothing is left that could hang

  [[nodiscard]] static time_source::time_point now() noexcept {
    return time_source::process().now();
  }

  /// Why it stopped; cause none: main returned by itself.
  [[nodiscard]] stop_reason reason() const noexcept {
    return by_itself ? stop_reason{} : root.get_token().reason();
  }

  /// A stop that no signal asked for.
  bool request_stop(stop_reason why) noexcept {
    bridge->stopping();
    return root.request_stop(why);
  }

  /// Called after the stop, by each thread when it notices. The first call fixes the moment, and
  /// from then on main is what closes.
  stop_moment noticed() noexcept;

  /// The limit as it is now: a console that is closed during a stop leaves less than there was.
  time_source::time_point limit() noexcept;

  /// Said of the part that is open, which main is from the stop on, noticed or not.
  void progress(std::string_view what) noexcept {
    if (root.stop_requested()) noticed();
    log.note(what);
  }

  /// True for exactly one caller: its outcome, which must live on, is the outcome of the run.
  bool decide(const outcome& o) noexcept {
    const outcome* none = nullptr;
    if (!outcome_.compare_exchange_strong(none, &o, std::memory_order_acq_rel)) return false;
    return decided.request_stop();
  }
  /// After `decided`, or after decide() was false.
  [[nodiscard]] const outcome& decision() const noexcept {
    return *outcome_.load(std::memory_order_acquire);
  }

 private:
  [[nodiscard]] time_source::duration budget(const stop_reason& why) const noexcept;

  std::atomic<const outcome*> outcome_{nullptr};
  spin_lock lock_;  // of what follows
  bool noticed_ = false;
  bool shortened_ = false;
  stop_moment moment_{};
};

/// Of a limit of the system's, a part is kept for telling what was open.
inline time_source::duration run_state::budget(const stop_reason& why) const noexcept {
  const auto allowed = bridge->allowed(why);
  const bool limited = allowed != (time_source::duration::max)();
  const auto usable = limited ? allowed - allowed / 10 : allowed;
  return std::clamp<time_source::duration>(spec.stop_timeout, time_source::duration::zero(),
                                           usable);
}

inline stop_moment run_state::noticed() noexcept {
  const spin_guard guard(lock_);
  if (noticed_) return moment_;
  noticed_ = true;
  moment_.at = now();
  moment_.budget = budget(root.get_token().reason());
  moment_.limit = saturating_add(moment_.at, moment_.budget);
  log.begin({.name = fixed_text<48>("main"), .began = moment_.at, .limit = moment_.budget}, 0);
  return moment_;
}

inline time_source::time_point run_state::limit() noexcept {
  const stop_moment stop = noticed();
  const stop_reason why = hurry.get_token().reason();
  const spin_guard guard(lock_);
  if (!shortened_ && why.cause == stop_cause::console) {
    shortened_ = true;
    moment_.limit = (std::min)(stop.limit, saturating_add(now(), budget(why)));
  }
  return moment_.limit;
}

}  // namespace detail
CURFEW_END

#endif
