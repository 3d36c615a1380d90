// SPDX-License-Identifier: BSL-1.0
//
// Whether a program has started, takes work and lives, for whoever asks it over any server.
#ifndef CURFEW_SERVICE_HEALTH_HPP
#define CURFEW_SERVICE_HEALTH_HPP

#include <curfew/release/label.hpp>
#include <curfew/service/detail/health_state.hpp>
#include <curfew/service/health_options.hpp>
#include <curfew/service/health_report.hpp>
#include <curfew/service/heartbeat.hpp>
#include <curfew/service/lifecycle.hpp>
#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/stop_token.hpp>

#include <memory>
#include <type_traits>
#include <utility>

CURFEW_BEGIN

/// f() or f(stop_token) that returns bool, std::error_code, health_result or nothing. What it
/// throws is its failure. Given a token it should obey it: that stops when its time is up, and when
/// the program is asked to stop.
template <class F>
concept health_check = detail::answers_health<F, stop_token> ||
    (!std::is_invocable_v<F&, stop_token> && detail::answers_health<F>);

/// Owned by main, declared after what its checks use:
///
///     curfew::health health(service.token());
///     health.add("database", [&] { return db.ping(); });
///     health.add("cache", [&](curfew::stop_token t) { cache.ping(t); }, {.optional = true});
///     ...
///     health.started();
///     ...                                                       // in any server, on any thread:
///     curfew::health_reply r = curfew::reply(health.ask(curfew::health_probe::readiness));
///
/// Startup:   healthy when the program has said started() and the checks for it were healthy once;
///            it stays so.
/// Readiness: healthy between started() and the moment in which the token stops, while its checks
///            are. No ask that begins after it says otherwise, and one that waits then returns.
/// Liveness:  healthy, unless a check for it says no; and whatever they say while the program
///            stops, since a stop has an end of its own. A check for it looks at nothing outside of
///            the process: when the database is gone, a restart of the program does not bring it
///            back.
///
/// A check is called when somebody asks, on a thread of its own that is made at the first ask and
/// then waits; never on the asker's. All who ask while it looks share what it finds. One that is
/// late is unhealthy from then on, and until it returns it is not called again: a check that hangs
/// costs one thread, and delays nobody beyond its timeout. Those for startup and readiness are not
/// called before started(), and none when the token has stopped; one that looks then is told.
///
/// Time is the token's clock's. Thread safety: all members may be called from any thread, also from
/// a stop callback, and by a check, for which ask() does not wait; but the destructor by nobody
/// else at the same time.
///
/// The destructor stops the tokens of the checks that still look, and waits for those that are not
/// late yet, until they are. What hangs then is abandoned: its function lives until it returns, and
/// uses nothing else of the health; what it refers to, and the clock, must outlive it.
class health {
 public:
  /// Of a program that stops when the token does.
  explicit health(const stop_token& token)
      : state_(std::make_shared<detail::health_state>(token)) {}
  health(const health&) = delete;
  health& operator=(const health&) = delete;
  ~health() { state_->close(); }

  /// A name that is taken, and a timeout that is not positive or never ends, throw
  /// std::system_error (invalid_argument).
  template <health_check F>
  void add(label name, F f, const health_options& options = {}) {
    state_->add(name, std::make_unique<detail::health_function_of<F>>(std::move(f)), options);
  }

  /// A check that is called by nobody: it is late when no beat() has come `within` that time, from
  /// now on. Throws as add() does.
  [[nodiscard]] heartbeat add_heartbeat(label name, detail::saturated within,
                                        health_probes probes = health_probe::liveness) {
    return state_->add_beat(name, within, probes);
  }

  /// The start is over when all of the lifecycle is up; started() need not be said then. Ready is
  /// the program while it is up: not in a stop that is only considered, for a prepare turns new
  /// work away, nor in a pause, nor while a component is down that is not optional, whatever for.
  /// One that is optional degrades. May be called before the components are declared, and outlive
  /// them: when they are gone the program is not ready. No sink of the lifecycle's events asks.
  void watch(const lifecycle& parts) { state_->watch(detail::lifecycle_access::state(parts)); }

  /// The start is over. It stays so.
  void started() noexcept { state_->started(); }

  /// Waits for checks whose word is older than their max_age: until they are late at the longest,
  /// and not beyond a stop.
  [[nodiscard]] health_report ask(health_probe probe) { return state_->ask(probe); }

  /// Does not wait: tells what is known, and has what is too old looked at meanwhile. For servers
  /// that must not block, which are asked again and again.
  [[nodiscard]] health_report read(health_probe probe) { return state_->read(probe); }

 private:
  std::shared_ptr<detail::health_state> state_;
};

CURFEW_END

#endif
