// SPDX-License-Identifier: BSL-1.0
//
// systemd as a host: what a Type=notify service tells, in an order that never contradicts itself.
// What systemd asks, it asks by signals, which are the bridge's part.
#ifndef CURFEW_HOST_DETAIL_SYSTEMD_HOST_HPP
#define CURFEW_HOST_DETAIL_SYSTEMD_HOST_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/notify_port.hpp>
#include <curfew/host/detail/notify_text.hpp>
#include <curfew/host/service_host.hpp>
#include <curfew/stop/detail/spin_lock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// Phases only move forward, but for running and reloading, which take turns. After STOPPING=1
/// nothing says that the service is ready, reloading or watched; after stopped() nothing is said.
///
/// A message that begins a phase waits for room in the manager's queue, as long as the port does.
/// When it still does not get through it is owed, and sent before whatever is said next. All other
/// messages may be lost.
///
/// Thread safety: all members from any thread; one message is on its way at a time, in the order of
/// the phases. Not from signal handlers, and not in a child made by fork, which may find the lock
/// held by a thread that it does not have.
class systemd_host final : public service_host {
 public:
  /// pid: of this process; 0: not to be told. watchdog: WATCHDOG_USEC; zero: nobody watches. Both
  /// references outlive the host.
  systemd_host(notify_port& port, time_source& time, std::int64_t pid,
               duration watchdog = duration::zero()) noexcept
      : port_(port), time_(time), pid_(pid), watchdog_(watchdog) {}
  systemd_host(const systemd_host&) = delete;
  systemd_host& operator=(const systemd_host&) = delete;
  ~systemd_host() = default;

  [[nodiscard]] host_kind kind() const noexcept override { return host_kind::systemd; }
  void attach(host_listener&) noexcept override {}
  void detach() noexcept override {}
  void accept(const host_interests&) noexcept override {}
  [[nodiscard]] duration allowed(const stop_reason&) const noexcept override {
    return (duration::max)();  // TimeoutStopSec is not told to the service
  }

  inline void ready() noexcept override;
  inline void progress(std::string_view what, duration need) noexcept override;
  inline void reloading() noexcept override;
  void paused() noexcept override { pause(true); }
  void resumed() noexcept override { pause(false); }
  inline void stopping(const stop_reason& reason, duration budget) noexcept override;
  inline void stopped(const outcome& how) noexcept override;

  /// Said when another gap like the one since the call before would go past half the interval, and
  /// only while the service runs. systemd takes any WATCHDOG=1 for the start of a new interval: one
  /// before READY=1 would have a slow start killed, one after STOPPING=1 a slow stop.
  inline void alive() noexcept override;
  /// The watched work will not come back: systemd shall not wait for the interval to be over.
  void fault() noexcept;

 private:
  enum class phase { starting, running, reloading, stopping, stopped };

  void enter(phase next) noexcept;
  void pause(bool on) noexcept;
  void settle() noexcept;
  [[nodiscard]] bool beat_is_due(time_source::time_point now) noexcept;
  [[nodiscard]] bool works() const noexcept {
    return phase_ == phase::running || phase_ == phase::reloading;
  }
  bool tell(const notify_text& text, bool urgent) noexcept;

  [[nodiscard]] notify_text news() const noexcept;
  void news_of_ready(notify_text& text) const noexcept;
  void news_of_reload(notify_text& text) const noexcept;
  void begin_stop(notify_text& text) const noexcept;
  void news_of_stop(notify_text& text) const noexcept;
  void news_of_end(notify_text& text) const noexcept;
  [[nodiscard]] const char* working() const noexcept { return paused_ ? "paused" : "running"; }

  notify_port& port_;
  time_source& time_;
  const std::int64_t pid_;
  const duration watchdog_;

  spin_lock lock_;  // of what follows; held while something is sent
  phase phase_ = phase::starting;
  bool paused_ = false;
  bool owed_ = false;  // the news of this phase have not got through
  bool stopping_told_ = false;
  bool deaf_ = false;  // the last message did not get through
  outcome outcome_{};  // from the stop on its reason, from the end on all of it
  std::optional<time_source::time_point> asked_;  // when alive() was called
  std::optional<time_source::time_point> beaten_;
};

inline std::int64_t in_microseconds(time_source::duration d) noexcept {
  return std::chrono::ceil<std::chrono::microseconds>(d).count();
}

// ---- what is called

inline void systemd_host::ready() noexcept {
  const spin_guard guard(lock_);
  if (phase_ == phase::starting || phase_ == phase::reloading) enter(phase::running);
}

inline void systemd_host::reloading() noexcept {
  const spin_guard guard(lock_);
  if (phase_ != phase::running) return;
  settle();
  enter(phase::reloading);
}

inline void systemd_host::stopping(const stop_reason& reason, duration) noexcept {
  const spin_guard guard(lock_);
  if (phase_ >= phase::stopping) return;
  outcome_.reason = reason;
  enter(phase::stopping);
}

inline void systemd_host::stopped(const outcome& how) noexcept {
  const spin_guard guard(lock_);
  if (phase_ == phase::stopped) return;
  outcome_ = how;
  enter(phase::stopped);
}

/// Only a start and a stop are on a clock of the manager's that may be extended; an extension while
/// it runs would add to RuntimeMaxSec, which is the administrator's.
inline void systemd_host::progress(std::string_view what, duration need) noexcept {
  const spin_guard guard(lock_);
  if (phase_ == phase::stopped) return;
  settle();
  const bool timed = !works() && need > duration::zero();
  notify_text text;
  if (timed) text.line("EXTEND_TIMEOUT_USEC=", in_microseconds(need));
  if (!what.empty()) text.line("STATUS=").text(what);
  if (!text.empty()) tell(text, timed && !deaf_);
}

inline void systemd_host::pause(bool on) noexcept {
  const spin_guard guard(lock_);
  paused_ = on;
  if (phase_ != phase::running) return;
  settle();
  tell(notify_text().line("STATUS=").text(working()), false);
}

inline void systemd_host::alive() noexcept {
  const spin_guard guard(lock_);
  if (watchdog_ <= duration::zero() || !works()) return;
  settle();
  const auto now = time_.now();
  if (beat_is_due(now) && tell(notify_text().line("WATCHDOG=1"), false)) beaten_ = now;
  asked_ = now;
}

inline void systemd_host::fault() noexcept {
  const spin_guard guard(lock_);
  if (phase_ < phase::stopping) tell(notify_text().line("WATCHDOG=trigger"), true);
}

// ---- how it is told

inline bool systemd_host::beat_is_due(time_source::time_point now) noexcept {
  return !beaten_ || saturating_subtract(now, *beaten_) > watchdog_ / 2 - (now - *asked_);
}

inline bool systemd_host::tell(const notify_text& text, bool urgent) noexcept {
  deaf_ = !(urgent ? port_.send(text.view()) : port_.offer(text.view()));
  return !deaf_;
}

inline void systemd_host::enter(phase next) noexcept {
  phase_ = next;
  owed_ = !tell(news(), true);
  if (phase_ == phase::stopping) stopping_told_ = !owed_;
}

/// It has been waited for once; now only if there is room.
inline void systemd_host::settle() noexcept {
  if (!owed_) return;
  owed_ = !tell(news(), false);
  if (phase_ == phase::stopping) stopping_told_ = !owed_;
}

inline notify_text systemd_host::news() const noexcept {
  notify_text text;
  switch (phase_) {
    case phase::starting: break;
    case phase::running: news_of_ready(text); break;
    case phase::reloading: news_of_reload(text); break;
    case phase::stopping: news_of_stop(text); break;
    case phase::stopped: news_of_end(text); break;
  }
  return text;
}

/// Process 1 is that of a container, and its number means nothing to a manager outside.
inline void systemd_host::news_of_ready(notify_text& text) const noexcept {
  text.line("READY=1");
  if (pid_ > 1) text.line("MAINPID=", pid_);
  text.line("STATUS=").text(working());
}

/// The time is how the manager knows that this is the reload that it has asked for.
inline void systemd_host::news_of_reload(notify_text& text) const noexcept {
  text.line("RELOADING=1");
  text.line("MONOTONIC_USEC=", time_.now().time_since_epoch() / std::chrono::microseconds(1));
  text.line("STATUS=reloading");
}

/// A beat may have crossed the manager's own SIGTERM on its way, and have started an interval that
/// nobody keeps any more; so the watchdog is switched off until the next start.
inline void systemd_host::begin_stop(notify_text& text) const noexcept {
  text.line("STOPPING=1");
  if (watchdog_ > duration::zero()) text.line("WATCHDOG_USEC=0");
}

inline void systemd_host::news_of_stop(notify_text& text) const noexcept {
  begin_stop(text);
  text.line("STATUS=stopping: ").reason(outcome_.reason);
}

inline void systemd_host::news_of_end(notify_text& text) const noexcept {
  if (!stopping_told_) begin_stop(text);
  text.line("EXIT_STATUS=", exit_code(outcome_));
  if (outcome_.error != 0) text.line("ERRNO=", outcome_.error);
  text.line("STATUS=").how(outcome_);
}

}  // namespace detail
CURFEW_END

#endif
