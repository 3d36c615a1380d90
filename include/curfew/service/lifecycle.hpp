// SPDX-License-Identifier: BSL-1.0
//
// Brings the components of a program up in the order of their dependencies, keeps them up, and
// brings them down in reverse, each within its time.
#ifndef CURFEW_SERVICE_LIFECYCLE_HPP
#define CURFEW_SERVICE_LIFECYCLE_HPP

#include <curfew/release/label.hpp>
#include <curfew/service/component.hpp>
#include <curfew/service/detail/lifecycle_state.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/service/lifecycle_status.hpp>
#include <curfew/service/plan_part.hpp>
#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN
namespace detail {
struct lifecycle_access;
}

/// Components, declared once, then started and stopped as a whole:
///
///     curfew::lifecycle parts;
///     parts.add("database", {.start = [&] { db.open(); }, .stop = [&] { db.close(); }});
///     parts.add("listener", {.after = {"database"}, .start = ..., .stop = ...});
///     if (const auto started = parts.start(token); !started) return tell(started.error);
///     token.wait();
///     parts.stop(20s, hurry);
///
/// Components that do not depend on each other start and stop at the same time, each on a thread of
/// its own that waits, made by start(), while it has nothing to do: a stop needs no new one.
///
/// Thread safety: declare with one thread, then start(); the other members may be called from any
/// thread. Those that change something wait until it is so; their waits end, because every step has
/// a limit. Called from a function of a component, or from a callback of a token that a thread of
/// the lifecycle stops, they begin what is asked for and do not wait, since they would wait for
/// themselves. Destroying a lifecycle stops it, each component
/// within its own limits. What has been abandoned by then keeps what it needs of the lifecycle, and
/// only that: the program should end soon.
class lifecycle {
 public:
  using duration = time_source::duration;

  lifecycle() : lifecycle(time_source::process()) {}
  /// Limits and measured times are those of `clock`, which outlives all components, also those that
  /// are abandoned.
  explicit lifecycle(time_source& clock)
      : state_(std::make_shared<detail::lifecycle_state>(clock)) {}
  lifecycle(const lifecycle&) = delete;
  lifecycle& operator=(const lifecycle&) = delete;
  ~lifecycle() { state_->close(); }

  // ---- declaring, before start()

  /// What it is after may be declared later. A name that is taken, a component after itself, and
  /// one that closes a loop, which is named, throw std::system_error (invalid_argument).
  component_link add(label name, component what) { return state_->add(name, std::move(what)); }
  /// Throws the same when somebody is after a component that is not declared. start() does it, too.
  void validate() const { state_->validate(); }
  /// For a plan.
  [[nodiscard]] std::vector<plan_part> parts() const { return state_->plan_parts(); }
  /// Is told of every event, at once: it must store and return, since a stop waits for it, and
  /// calls nothing of the lifecycle. For something slower an event_stream stands between. It
  /// outlives the lifecycle.
  void observe(event_sink& sink) { state_->observe(sink); }
  /// The time that the components that have started get when a start fails or is cut short.
  void set_rollback_timeout(detail::saturated t) noexcept { state_->set_rollback(t); }

  // ---- the whole

  /// Returns when all components are up; or, when one fails or `token` stops meanwhile, when those
  /// that had started are down again, and then says which was the first to fail. A lifecycle that
  /// is stopped can be started again, unless a component had to be abandoned.
  [[nodiscard]] start_report start(stop_token token = {}) { return state_->start(token); }

  /// Returns when all components are down or given up: when `budget` is spent at the latest. Before
  /// it begins all stay up for `lame_duck`. `hurry` moves the stop up one rung when it stops, and
  /// to the last one when it stops for want of time. Called while a stop goes on, it waits for
  /// that, and the earlier end counts.
  stop_report stop(detail::saturated budget = (duration::max)(), stop_token hurry = {},
                   detail::saturated lame_duck = duration::zero()) noexcept {
    return state_->stop(budget, hurry, lame_duck);
  }
  /// A stop that goes on has no more time than that from now on; it does not wait.
  void shorten(detail::saturated left) noexcept { state_->shorten(left); }
  /// One rung up.
  void escalate() noexcept { state_->escalate(stop_rung::none); }

  /// Stops with the cause `fault` when a component has failed the whole. Nothing is stopped by
  /// that: it is up to whoever started it.
  [[nodiscard]] stop_token failed() const noexcept { return state_->failed_token(); }

  // ---- a stop that is only considered

  /// Asks all components whether they may be stopped, those first that nobody depends on. True when
  /// all agree: then stop() follows, or resume() takes it back, as does the end of `lease`.
  /// When one says no, fails or takes too long, everybody is resumed, in order.
  [[nodiscard]] prepare_report prepare(detail::saturated lease = std::chrono::seconds(30)) {
    return state_->prepare(lease);
  }
  /// What is prepared stays so, whatever its lease, for a stop() that is sure to come. False: it is
  /// not prepared, or not any more.
  bool commit() noexcept { return state_->commit(); }
  /// False: there was nothing to take back.
  bool resume(std::string_view why) noexcept { return state_->resume(why); }

  // ---- parts of it

  [[nodiscard]] lifecycle_snapshot snapshot() const { return state_->snapshot(); }
  /// Brings up what is up in the snapshot, with what that needs, and everything else down. False:
  /// not all of it is as it was, or the whole is not up.
  bool restore(const lifecycle_snapshot& wanted) { return state_->restore(wanted); }
  /// Brings down what is declared to be pausable, and what depends on it; and says what had been up
  /// before, for restore().
  lifecycle_snapshot pause() { return state_->pause(); }

  /// Whether any component is declared to be pausable.
  [[nodiscard]] bool can_pause() const noexcept { return state_->can_pause(); }
  [[nodiscard]] whole_phase phase() const noexcept { return state_->phase(); }
  [[nodiscard]] std::vector<component_status> status() const { return state_->status(); }

 private:
  friend struct detail::lifecycle_access;

  std::shared_ptr<detail::lifecycle_state> state_;
};

namespace detail {

/// For tests, which drive the same rules without threads, and for a health.
struct lifecycle_access {
  [[nodiscard]] static std::weak_ptr<const lifecycle_state> state(const lifecycle& l) noexcept {
    return l.state_;
  }
  [[nodiscard]] static const part_graph& graph(const lifecycle& l) noexcept {
    return l.state_->graph();
  }
};

}  // namespace detail

CURFEW_END

#endif
