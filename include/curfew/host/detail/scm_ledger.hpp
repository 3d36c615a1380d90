// SPDX-License-Identifier: BSL-1.0
//
// The status of one service as the service control manager knows it, and which may follow which.
#ifndef CURFEW_HOST_DETAIL_SCM_LEDGER_HPP
#define CURFEW_HOST_DETAIL_SCM_LEDGER_HPP

#include <curfew/host/detail/scm_status.hpp>
#include <curfew/host/outcome.hpp>
#include <curfew/host/service_host.hpp>
#include <curfew/stop/detail/spin_lock.hpp>
#include <curfew/stop/time_source.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

CURFEW_BEGIN
namespace detail {

/// PAUSE or CONTINUE: where it leads from, through and to.
struct scm_change {
  scm_state from, through, to;
  host_event event;
};
inline constexpr scm_change scm_pausing{scm_state::running, scm_state::pause_pending,
                                        scm_state::paused, host_event::pause};
inline constexpr scm_change scm_resuming{scm_state::paused, scm_state::continue_pending,
                                         scm_state::running, host_event::resume};

/// The states only go forward: once STOP_PENDING is written, whoever caused it, nothing follows but
/// higher checkpoints and STOPPED, which is written once and is the last that is written. The SCM
/// would believe anything, so what is not valid is not written.
///
/// Thread safety: any thread may call any member. The lock is held while a status is written, which
/// takes the SCM some microseconds; no code of the user's runs under it.
class scm_ledger {
 public:
  using duration = time_source::duration;

  /// Writes START_PENDING. `at_shutdown`: the control that is accepted for it, of scm_accept.
  scm_ledger(scm_port& port, std::uint32_t at_shutdown, duration start_hint) noexcept;

  /// What a control finds.
  struct moment {
    bool open;  ///< started, and not stopping yet: controls are accepted
    host_interests interests;
  };
  [[nodiscard]] moment look() noexcept;

  void accept(const host_interests& what) noexcept;
  void ready() noexcept;
  /// Nothing outside of the pending states: a service that runs has no checkpoints.
  void progress(duration need) noexcept;
  /// False: it has begun already, or all is over.
  bool begin_stop(duration hint) noexcept;
  /// Touches nothing of the ledger once STOPPED is written: its owner may have destroyed it.
  void end(const outcome& how) noexcept;

  /// None: it has begun. Else the answer to a control that changes nothing.
  [[nodiscard]] std::optional<std::uint32_t> begin(const scm_change& c, duration hint) noexcept;
  void take_back(const scm_change& c) noexcept;
  /// Also where a change has failed, and ends where it came from.
  void settle(scm_state running_or_paused) noexcept;

 private:
  // With the lock held.
  [[nodiscard]] bool is_pending() const noexcept;
  [[nodiscard]] bool is_open() const noexcept;
  [[nodiscard]] std::uint32_t mask() const noexcept;
  void enter(scm_state state, duration hint = duration::zero()) noexcept;

  scm_port& port_;
  const std::uint32_t at_shutdown_;
  spin_lock lock_;  // of what follows, and of the port until STOPPED
  scm_status status_;
  host_interests interests_;
};

// ---------------------------------------------------------------------------------------------

/// A wait hint: never so long that somebody who adds to it overflows.
[[nodiscard]] inline std::uint32_t scm_milliseconds(time_source::duration d) noexcept {
  using milliseconds = std::chrono::milliseconds;
  constexpr milliseconds longest(0x7FFFFFFF);
  const auto whole = std::chrono::ceil<milliseconds>(d);
  return static_cast<std::uint32_t>(std::clamp(whole, milliseconds::zero(), longest).count());
}

inline scm_ledger::scm_ledger(scm_port& port, std::uint32_t at_shutdown,
                              duration start_hint) noexcept
    : port_(port), at_shutdown_(at_shutdown) {
  const spin_guard guard(lock_);
  enter(scm_state::start_pending, start_hint);
}

inline scm_ledger::moment scm_ledger::look() noexcept {
  const spin_guard guard(lock_);
  return {is_open(), interests_};
}

inline void scm_ledger::accept(const host_interests& what) noexcept {
  const spin_guard guard(lock_);
  interests_ = what;
  if (status_.accepted == mask()) return;
  status_.accepted = mask();
  port_.set_status(status_);
}

/// A stop that came first stays: RUNNING follows nothing but START_PENDING.
inline void scm_ledger::ready() noexcept {
  const spin_guard guard(lock_);
  if (status_.state == scm_state::start_pending) enter(scm_state::running);
}

inline void scm_ledger::progress(duration need) noexcept {
  const spin_guard guard(lock_);
  if (!is_pending()) return;
  ++status_.checkpoint;
  status_.wait_hint_ms = scm_milliseconds(need);
  port_.set_status(status_);
}

inline bool scm_ledger::begin_stop(duration hint) noexcept {
  const spin_guard guard(lock_);
  if (status_.state == scm_state::stop_pending || status_.state == scm_state::stopped) return false;
  enter(scm_state::stop_pending, hint);
  return true;
}

/// Whoever finds the state at STOPPED writes nothing any more. So this write needs no lock, which
/// nobody could give back after it.
inline void scm_ledger::end(const outcome& how) noexcept {
  scm_status last{.state = scm_state::stopped};
  if (!how.ok()) {
    last.win32_exit_code = scm_answer::own_code;
    last.service_exit_code = static_cast<std::uint32_t>(exit_code(how));
  }
  scm_port& port = port_;
  {
    const spin_guard guard(lock_);
    if (status_.state == scm_state::stopped) return;
    status_ = last;
  }
  port.set_status(last);
}

/// What is so already, or will be, is no error. In the middle of the opposite it is refused: else
/// nobody could say which of the two has ended when one of them ends.
inline std::optional<std::uint32_t> scm_ledger::begin(const scm_change& c, duration hint) noexcept {
  const spin_guard guard(lock_);
  if (!interests_.pause) return scm_answer::not_implemented;
  if (status_.state == c.to || status_.state == c.through) return scm_answer::done;
  if (status_.state != c.from) return scm_answer::cannot_accept;
  enter(c.through, hint);
  return std::nullopt;
}

inline void scm_ledger::take_back(const scm_change& c) noexcept {
  const spin_guard guard(lock_);
  if (status_.state == c.through) enter(c.from);
}

inline void scm_ledger::settle(scm_state running_or_paused) noexcept {
  const spin_guard guard(lock_);
  const scm_state now = status_.state;
  if (now == scm_pausing.through || now == scm_resuming.through) enter(running_or_paused);
}

inline bool scm_ledger::is_pending() const noexcept {
  switch (status_.state) {
    case scm_state::start_pending:
    case scm_state::stop_pending:
    case scm_state::continue_pending:
    case scm_state::pause_pending: return true;
    default: return false;
  }
}

inline bool scm_ledger::is_open() const noexcept {
  switch (status_.state) {
    case scm_state::start_pending:
    case scm_state::stop_pending:
    case scm_state::stopped: return false;
    default: return true;
  }
}

inline std::uint32_t scm_ledger::mask() const noexcept {
  if (!is_open()) return 0;
  std::uint32_t m = scm_accept::stop | at_shutdown_;
  if (interests_.pause) m |= scm_accept::pause_continue;
  if (interests_.reload) m |= scm_accept::param_change;
  if (interests_.system) m |= scm_accept::power_event | scm_accept::session_change;
  return m;
}

inline void scm_ledger::enter(scm_state state, duration hint) noexcept {
  status_.state = state;
  status_.accepted = mask();
  status_.checkpoint = is_pending() ? 1 : 0;
  status_.wait_hint_ms = is_pending() ? scm_milliseconds(hint) : 0;
  port_.set_status(status_);
}

}  // namespace detail
CURFEW_END

#endif
