// SPDX-License-Identifier: BSL-1.0
//
// How long a stop may take: that depends on why it is made, and on the system.
#ifndef CURFEW_SERVICE_STOP_BUDGET_HPP
#define CURFEW_SERVICE_STOP_BUDGET_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/scm_host.hpp>
#include <curfew/host/install/kubernetes.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/host/systemd/unit.hpp>
#include <curfew/service/detail/share.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/reason.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// From where it is known what a system grants.
enum class limit_basis : std::uint8_t {
  none,      ///< it sets no limit
  read,      ///< from this system
  declared,  ///< install and render write it, from what the program declares
  assumed,   ///< another system's, as its makers document it
};

/// What the systems grant, where they do not take it from the program.
struct system_limits {
  time_source::duration console = std::chrono::seconds(5);    ///< a closed window, a logoff
  time_source::duration shutdown = std::chrono::seconds(20);  ///< to a service of Windows
  bool windows = false;                                       ///< those two are this system's
  /// Of the pod that this process runs in; none: there is none, or it has not been told.
  std::optional<time_source::duration> grace = {};
};

/// The time of a stop for one reason.
struct stop_budget {
  std::string name = {};    ///< in one word: "scm-shutdown"
  stop_reason reason = {};  ///< as it would stand in the token
  limit_basis basis = limit_basis::none;
  time_source::duration granted = (time_source::duration::max)();  ///< by the system; max(): any
  time_source::duration usable = (time_source::duration::max)();  ///< of that, so that we are first
  time_source::duration limit = {};  ///< of the whole stop: as declared, or less
  time_source::duration time = {};   ///< of that, for parts: without the lame duck before them, and
                                     ///< the end, in which what is still open is told to hurry
  time_source::duration lame_duck = {};  ///< for which all stay up first
};

/// One for each reason that a host may have, each time in the same order: of a terminal, a console
/// of Windows, its service manager, systemd, a pod, and the program's own.
[[nodiscard]] std::vector<stop_budget> stop_budgets(
    const service_spec& spec, const system_limits& system = {},
    detail::saturated lame_duck = std::chrono::seconds(0));

[[nodiscard]] constexpr const char* to_string(limit_basis basis) noexcept {
  switch (basis) {
    case limit_basis::none: return "none";
    case limit_basis::read: return "read";
    case limit_basis::declared: return "declared";
    case limit_basis::assumed: return "assumed";
  }
  return "unknown";
}

// ---------------------------------------------------------------------------------------------

namespace detail {

/// How long all stay up first, of what is declared. Nobody balances load for whoever sits at the
/// keyboard, and a fault or a closed console is urgent.
[[nodiscard]] constexpr time_source::duration lame_duck_of(const stop_reason& why, bool typed,
                                                           time_source::duration declared,
                                                           time_source::duration limit) noexcept {
  const bool urgent = why.cause == stop_cause::fault || why.cause == stop_cause::console;
  if (typed || urgent) return time_source::duration::zero();
  return within(declared, time_source::duration::zero(), limit / 4);
}

/// How long a whole has to be for `time` to be left before its end: a second at least, and whole
/// seconds from ten on.
[[nodiscard]] constexpr time_source::duration with_end(time_source::duration time) noexcept {
  using namespace std::chrono;
  if (time >= (time_source::duration::max)() - hours(1)) return (time_source::duration::max)();
  if (time >= seconds(9)) return ceil<seconds>(time + seconds(1));
  return greater<time_source::duration>(time + time / 9 + time_source::duration(1), seconds(1));
}

/// Of a system's limit, what a run uses: the rest is for telling what was open.
[[nodiscard]] constexpr time_source::duration before_kill(time_source::duration granted) noexcept {
  return granted == (time_source::duration::max)() ? granted : granted - granted / 10;
}

/// A console that closes is noticed by a thread that has to end the process itself.
[[nodiscard]] constexpr time_source::duration in_console(time_source::duration granted) noexcept {
  return granted - granted / 20;
}

/// What the service manager's host says of a reason, without a service manager.
[[nodiscard]] inline time_source::duration scm_allows(const service_spec& spec,
                                                      const system_limits& system,
                                                      const stop_reason& why) noexcept {
  struct nobody final : scm_port {
    bool set_status(const scm_status&) noexcept override { return true; }
  } port;
  return scm_host(port, spec, {.shutdown = system.shutdown, .console = system.console})
      .allowed(why);
}

class budget_list {
 public:
  budget_list(time_source::duration declared, time_source::duration lame_duck) noexcept
      : declared_(greater(declared, time_source::duration::zero())), lame_duck_(lame_duck) {}

  void add(const char* name, const stop_reason& why, limit_basis basis = limit_basis::none,
           time_source::duration granted = (time_source::duration::max)(),
           time_source::duration usable = (time_source::duration::max)()) {
    const auto limit = lesser(declared_, usable);
    const bool endless = limit == (time_source::duration::max)();
    const bool typed = why.cause == stop_cause::signal && why.code == 2;
    const auto duck = lame_duck_of(why, typed, lame_duck_, limit);
    const auto time = endless ? limit : limit - kept_for_the_end(limit) - duck;
    const bool any = granted == (time_source::duration::max)();
    all_.push_back(
        {name, why, any ? limit_basis::none : basis, granted, usable, limit, time, duck});
  }
  [[nodiscard]] std::vector<stop_budget> take() { return std::move(all_); }

 private:
  const time_source::duration declared_;
  const time_source::duration lame_duck_;
  std::vector<stop_budget> all_;
};

inline void add_windows(budget_list& list, const service_spec& spec, const system_limits& system) {
  const auto basis = system.windows ? limit_basis::read : limit_basis::assumed;
  const auto in_window = [&](const char* name, int event) {
    list.add(name, {stop_cause::console, event}, basis, system.console,
             before_kill(in_console(system.console)));
  };
  in_window("console-close", 2);
  in_window("console-logoff", 5);
  in_window("console-shutdown", 6);
  list.add("scm-stop", {stop_cause::service_control, scm_control::stop});
  const bool early = spec.preshutdown_timeout > time_source::duration::zero();
  const stop_reason down{
      stop_cause::service_control,
      static_cast<int>(early ? scm_control::preshutdown : scm_control::shutdown)};
  list.add(early ? "scm-preshutdown" : "scm-shutdown", down, early ? limit_basis::declared : basis,
           early ? saturate(spec.preshutdown_timeout) : system.shutdown,
           before_kill(scm_allows(spec, system, down)));
}

/// systemd does not tell a service how long it has, which is longer than what is declared.
inline void add_linux(budget_list& list, const service_spec& spec, const system_limits& system) {
  constexpr stop_reason sigterm{stop_cause::signal, 15};
  const auto longer = [&](time_source::duration by) {
    return saturating_add(clock_time_point(spec.stop_timeout), by).time_since_epoch();
  };
  list.add("systemd-stop", sigterm, limit_basis::declared, longer(manager_patience));
  const auto pod = std::chrono::seconds(grace_seconds(spec.stop_timeout) - pre_stop_seconds);
  const auto grace = system.grace.value_or(saturate(pod));
  list.add("pod", sigterm, system.grace ? limit_basis::read : limit_basis::declared, grace,
           before_kill(grace));
}

}  // namespace detail

inline std::vector<stop_budget> stop_budgets(const service_spec& spec, const system_limits& system,
                                             detail::saturated lame_duck) {
  detail::budget_list list(spec.stop_timeout, lame_duck);
  list.add("ctrl-c", {stop_cause::signal, 2});
  list.add("sigterm", {stop_cause::signal, 15});
  detail::add_windows(list, spec, system);
  detail::add_linux(list, spec, system);
  list.add("requested", {stop_cause::requested});
  list.add("fault", {stop_cause::fault});
  return list.take();
}

CURFEW_END

#endif
