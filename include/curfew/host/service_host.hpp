// SPDX-License-Identifier: BSL-1.0
//
// Who runs this program, as one interface: what it is told, and what it may ask.
#ifndef CURFEW_HOST_SERVICE_HOST_HPP
#define CURFEW_HOST_SERVICE_HOST_HPP

#include <curfew/config.hpp>
#include <curfew/host/host_event.hpp>
#include <curfew/host/host_kind.hpp>
#include <curfew/host/outcome.hpp>
#include <curfew/stop/reason.hpp>
#include <curfew/stop/time_source.hpp>

#include <cstdint>
#include <string_view>

CURFEW_BEGIN

/// What a host asks. It calls from a thread of the system's, which must get an answer at once: none
/// of these waits, allocates, or takes a lock that user code may hold.
class host_listener {
 public:
  /// The program shall end. The first one is the stop, a later one hurries it.
  virtual void stop(const stop_reason& reason) noexcept = 0;
  /// False: so many events wait already that this one is refused, which the host passes on.
  virtual bool event(host_event what, int code) noexcept = 0;
  /// The only call that runs user code, because its answer is the system's: 0 grants.
  virtual std::uint32_t answer(const system_event& what) noexcept = 0;

 protected:
  ~host_listener() = default;
};

/// Which events the program has functions for: what it accepts.
struct host_interests {
  bool reload = false;
  bool pause = false;
  bool user = false;
  bool system = false;

  friend bool operator==(const host_interests&, const host_interests&) = default;
};

/// What a host is told. Calls may come from any thread and in any order; the host keeps its
/// protocol's rules by itself: what may no longer be told is not told. None waits for user code,
/// and none fails: a host that has gone is told nothing.
class service_host {
 public:
  using duration = time_source::duration;

  [[nodiscard]] virtual host_kind kind() const noexcept = 0;

  /// Events go there from now on, until detach(), which waits for calls that are in there. Called
  /// before anything else, and by the thread that made the host.
  virtual void attach(host_listener& to) noexcept = 0;
  virtual void detach() noexcept = 0;

  /// What may be asked, from the moment that the program is ready.
  virtual void accept(const host_interests& what) noexcept = 0;

  /// The program works now, or works again after reloading().
  virtual void ready() noexcept = 0;
  /// Work has moved, and will have moved again before `need` is over.
  virtual void progress(std::string_view what, duration need) noexcept = 0;
  virtual void reloading() noexcept = 0;
  /// After the functions for pause and resume have run.
  virtual void paused() noexcept = 0;
  virtual void resumed() noexcept = 0;
  /// The watched work is alive.
  virtual void alive() noexcept = 0;
  /// A stop has begun, whoever asked for it, and takes at most `budget`.
  virtual void stopping(const stop_reason& reason, duration budget) noexcept = 0;
  /// The last thing that is told. The process may be gone before this returns.
  virtual void stopped(const outcome& how) noexcept = 0;

  /// How long the system lets the program live after a stop for this reason; max(): no limit.
  [[nodiscard]] virtual duration allowed(const stop_reason& reason) const noexcept = 0;

 protected:
  ~service_host() = default;
};

CURFEW_END

#endif
