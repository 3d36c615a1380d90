// SPDX-License-Identifier: BSL-1.0
//
// With it a loop says that it still goes round, so that its program's liveness can tell.
#ifndef CURFEW_SERVICE_HEARTBEAT_HPP
#define CURFEW_SERVICE_HEARTBEAT_HPP

#include <curfew/stop/time_source.hpp>

#include <atomic>
#include <memory>
#include <utility>

CURFEW_BEGIN
namespace detail {

struct pulse {
  using duration = time_source::duration;
  static constexpr duration resting = (duration::max)();

  explicit pulse(time_source& c) noexcept : clock(c), last(now().count()) {}
  [[nodiscard]] duration now() const noexcept { return clock.now().time_since_epoch(); }

  time_source& clock;
  // Of the last beat, on the clock. Nothing is read on the strength of it: relaxed.
  std::atomic<duration::rep> last;
};

}  // namespace detail

/// Made by health::add_heartbeat(). Copies are the same heart. They may outlive the health, and
/// then change nothing; but a beat() looks at the health's clock, which must outlive it. One that
/// is gone without a rest() is late for ever, as a loop that ended when it should not have.
///
/// Thread safety: all members may be called from any thread; a beat is a look at the clock and a
/// store.
class heartbeat {
 public:
  heartbeat() noexcept = default;
  explicit heartbeat(std::shared_ptr<detail::pulse> p) noexcept : pulse_(std::move(p)) {}

  /// The next one is due within the time that was agreed.
  void beat() const noexcept {
    if (pulse_ != nullptr) pulse_->last.store(pulse_->now().count(), std::memory_order_relaxed);
  }
  /// None is due until there has been another: before a wait without an end, and at the end.
  void rest() const noexcept {
    if (pulse_ != nullptr)
      pulse_->last.store(detail::pulse::resting.count(), std::memory_order_relaxed);
  }

 private:
  std::shared_ptr<detail::pulse> pulse_;
};

CURFEW_END

#endif
