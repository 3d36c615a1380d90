// SPDX-License-Identifier: BSL-1.0
//
// A service of Windows as its service control manager (SCM) wants it. Nothing here is Windows' own:
// the SCM is a port and calls of control(), so that a script can take its place anywhere.
#ifndef CURFEW_HOST_DETAIL_SCM_HOST_HPP
#define CURFEW_HOST_DETAIL_SCM_HOST_HPP

#include <curfew/host/detail/scm_ledger.hpp>
#include <curfew/host/detail/scm_status.hpp>
#include <curfew/host/service_host.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/stop/detail/park.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <type_traits>

CURFEW_BEGIN
namespace detail {

/// How long the system lets a service live after events that it does not negotiate. These are the
/// documented values, which a system may have changed.
struct scm_limits {
  time_source::duration shutdown = std::chrono::seconds(20);
  time_source::duration console = std::chrono::seconds(5);  ///< CLOSE and LOGOFF
};

/// Thread safety: any thread may call any member at any time; attach() is the exception.
///
/// Trivially destructible: one with static storage is still there when a handler comes late.
class scm_host final : public service_host {
 public:
  /// Writes START_PENDING. The port must live as long as the host, the spec need not.
  scm_host(scm_port& port, const service_spec& spec, const scm_limits& limits = {}) noexcept;
  scm_host(const scm_host&) = delete;
  scm_host& operator=(const scm_host&) = delete;

  /// What the system's handler (HandlerEx) is called with and has to return. It waits for nothing,
  /// and the listener's answer() to a power or session event is the only code of the user's in it.
  [[nodiscard]] std::uint32_t control(std::uint32_t code, std::uint32_t event_type,
                                      const void* event_data) noexcept;

  [[nodiscard]] host_kind kind() const noexcept override { return host_kind::scm; }
  void attach(host_listener& to) noexcept override { listener_.store(&to); }
  void detach() noexcept override;
  void accept(const host_interests& what) noexcept override { ledger_.accept(what); }
  void ready() noexcept override { ledger_.ready(); }
  void progress(std::string_view, duration need) noexcept override { ledger_.progress(need); }
  void reloading() noexcept override {}
  /// Also after a resume that failed; resumed() also after a pause that failed.
  void paused() noexcept override { ledger_.settle(scm_state::paused); }
  void resumed() noexcept override { ledger_.settle(scm_state::running); }
  void alive() noexcept override {}
  /// Of a stop that the SCM asked for it knows already.
  void stopping(const stop_reason&, duration budget) noexcept override {
    ledger_.begin_stop(budget);
  }
  void stopped(const outcome& how) noexcept override { ledger_.end(how); }
  [[nodiscard]] duration allowed(const stop_reason& reason) const noexcept override;

 private:
  using listener = host_listener;

  [[nodiscard]] std::uint32_t answer(std::uint32_t code, std::uint32_t type, const void* data,
                                     listener& to) noexcept;
  [[nodiscard]] std::uint32_t stop(std::uint32_t code, listener& to) noexcept;
  [[nodiscard]] std::uint32_t change(const scm_change& c, listener& to) noexcept;
  [[nodiscard]] static std::uint32_t queue(bool wanted, host_event what, std::uint32_t code,
                                           listener& to) noexcept;
  [[nodiscard]] duration before_shutdown() const noexcept;

  const duration stop_timeout_;
  const duration preshutdown_timeout_;
  const scm_limits limits_;
  std::atomic<listener*> listener_{nullptr};
  std::atomic<std::uint32_t> inside_{0};  // calls of control() that may know the listener
  scm_ledger ledger_;
};

// ---------------------------------------------------------------------------------------------

inline scm_host::scm_host(scm_port& port, const service_spec& spec,
                          const scm_limits& limits) noexcept
    : stop_timeout_(spec.stop_timeout),
      preshutdown_timeout_(spec.preshutdown_timeout),
      limits_(limits),
      ledger_(
          port,
          preshutdown_timeout_ > duration::zero() ? scm_accept::preshutdown : scm_accept::shutdown,
          spec.start_timeout) {}

/// Counted in before the listener is read, counted out when it is used no more.
inline std::uint32_t scm_host::control(std::uint32_t code, std::uint32_t event_type,
                                       const void* event_data) noexcept {
  if (code == scm_control::interrogate) return scm_answer::done;
  inside_.fetch_add(1);
  std::uint32_t result = scm_answer::cannot_accept;
  if (listener* const to = listener_.load()) result = answer(code, event_type, event_data, *to);
  if (inside_.fetch_sub(1) == 1) unpark_all(inside_);
  return result;
}

inline void scm_host::detach() noexcept {
  listener_.store(nullptr);
  for (std::uint32_t n = inside_.load(); n != 0; n = inside_.load()) park(inside_, n);
}

inline std::uint32_t scm_host::answer(std::uint32_t code, std::uint32_t type, const void* data,
                                      listener& to) noexcept {
  using kind = system_event::kind_type;
  const auto [open, wanted] = ledger_.look();
  if (!open) return scm_answer::cannot_accept;
  switch (code) {
    case scm_control::stop:
    case scm_control::shutdown:
    case scm_control::preshutdown: return stop(code, to);
    case scm_control::pause: return change(scm_pausing, to);
    case scm_control::resume: return change(scm_resuming, to);
    case scm_control::param_change: return queue(wanted.reload, host_event::reload, 0, to);
    case scm_control::power_event:
    case scm_control::session_change: {
      if (!wanted.system) return scm_answer::not_implemented;
      return to.answer(
          {code == scm_control::power_event ? kind::power : kind::session, type, data});
    }
    default: break;
  }
  const bool user = code >= scm_control::first_user && code <= scm_control::last_user;
  return queue(user && wanted.user, host_event::user, code, to);
}

/// STOP_PENDING is told before anybody can act on the stop.
inline std::uint32_t scm_host::stop(std::uint32_t code, listener& to) noexcept {
  const stop_reason why{stop_cause::service_control, static_cast<int>(code)};
  if (!ledger_.begin_stop((std::min)(stop_timeout_, allowed(why))))
    return scm_answer::cannot_accept;
  to.stop(why);
  return scm_answer::done;
}

/// The pending state is told before the event can be taken, since who takes it tells the next one.
inline std::uint32_t scm_host::change(const scm_change& c, listener& to) noexcept {
  if (const auto nothing_to_do = ledger_.begin(c, stop_timeout_)) return *nothing_to_do;
  if (to.event(c.event, 0)) return scm_answer::done;
  ledger_.take_back(c);
  return scm_answer::cannot_accept;
}

inline std::uint32_t scm_host::queue(bool wanted, host_event what, std::uint32_t code,
                                     listener& to) noexcept {
  if (!wanted) return scm_answer::not_implemented;
  return to.event(what, static_cast<int>(code)) ? scm_answer::done : scm_answer::cannot_accept;
}

/// A STOP has no limit that cannot be moved by progress(), so what the spec says is what counts.
inline time_source::duration scm_host::allowed(const stop_reason& reason) const noexcept {
  constexpr int console_shutdown = 6;
  if (reason.cause == stop_cause::console)
    return reason.code == console_shutdown ? limits_.shutdown : limits_.console;
  if (reason.cause != stop_cause::service_control) return (duration::max)();
  switch (static_cast<std::uint32_t>(reason.code)) {
    case scm_control::shutdown: return limits_.shutdown;
    case scm_control::preshutdown: return before_shutdown();
    default: return (duration::max)();
  }
}

/// A tenth of it, and at most a second, is left for the end itself.
inline time_source::duration scm_host::before_shutdown() const noexcept {
  if (preshutdown_timeout_ <= duration::zero()) return limits_.shutdown;
  if (preshutdown_timeout_ == (duration::max)()) return preshutdown_timeout_;
  const duration second = std::chrono::seconds(1);
  return preshutdown_timeout_ - (std::min)(preshutdown_timeout_ / 10, second);
}

static_assert(std::is_trivially_destructible_v<scm_host>);

}  // namespace detail
CURFEW_END

#endif
