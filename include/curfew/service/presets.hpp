// SPDX-License-Identifier: BSL-1.0
//
// Components for what programs close most: each with its order, its limit, and what is done when
// that is not enough. Filled in by name, and handed to lifecycle::add().
#ifndef CURFEW_SERVICE_PRESETS_HPP
#define CURFEW_SERVICE_PRESETS_HPP

#include <curfew/service/component.hpp>
#include <curfew/service/detail/batch_closer.hpp>
#include <curfew/service/detail/work_in_flight.hpp>
#include <curfew/stop/detail/duration.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// Each preset is a value that becomes a component; what it has no member for is set there:
///
///     curfew::roster<> requests;
///     parts.add("access log", curfew::sink_preset{.lines = log});
///     parts.add("requests", curfew::gate_preset{.after = {"database"}, .work = requests});
///     parts.add("listener", curfew::listener_preset{
///         .after = {"requests"}, .open = [&] { door.open(); }, .close = [&] { door.close(); }});
///
/// A gate is closed for good: a component whose work it counts is not started again.
///
/// What is referred to (a gate, a roster, a batch buffer) lives as long as what functions use: when
/// a component has been abandoned, until the process ends.

/// What takes work in from outside: stopped before all that it feeds.
///
/// Order:    after what it feeds. It stays open while the whole is a lame duck.
/// Limit:    2 s to stop accepting. With `work`, which has come in by it, that is the beginning of
///           the drain, which then has a gate's 10 s.
/// Fallback: `cancel`, as a gate's; `sever`, such as a hard close of its socket.
struct listener_preset {
  std::vector<std::string> after = {};  ///< what it feeds
  step_function open = {};              ///< returns when it accepts
  step_function close = {};   ///< returns when it does not accept any more; with work, twice
  step_function sever = {};   ///< beside a close that hangs
  step_function refuse = {};  ///< accept nothing, for a stop that is only considered ...
  step_function admit = {};   ///< ... and again, when it is not made

  /// What has come in and is to be finished; without it that is another component's matter.
  detail::work_in_flight work = {};
  step_function cancel = {};

  detail::saturated drain_timeout = std::chrono::seconds(10);
  detail::saturated stop_timeout = std::chrono::seconds(2);

  operator component() const;
};

/// Work in flight, such as requests: nothing new comes in, and what is there is finished.
///
/// Order:    before what feeds it, after what the work uses.
/// Limit:    10 s to finish; who is still inside is named meanwhile, by a roster.
/// Fallback: `cancel` tells those inside to end, which makes the stop a failure that names them.
///           They have 2 s to leave; then `sever`, beside that. While one is inside the component
///           is not down: in the end it is abandoned.
struct gate_preset {
  std::vector<std::string> after = {};  ///< what the work uses
  detail::work_in_flight work = {};     ///< a gate, a roster, or the like; closed by the stop
  step_function start = {};
  step_function cancel = {};
  step_function sever = {};
  detail::saturated drain_timeout = std::chrono::seconds(10);
  detail::saturated stop_timeout = std::chrono::seconds(2);

  operator component() const;
};

/// A client of somebody else's service, with calls in flight.
///
/// Order:    before whoever calls by it.
/// Limit:    30 s for calls to be answered: as long as others usually let them take.
/// Fallback: `cancel`, as a gate's; what has been cancelled, and `disconnect`, have 2 s; then
///           `sever` beside them.
struct rpc_client_preset {
  std::vector<std::string> after = {};
  detail::work_in_flight calls = {};  ///< a gate or a roster; closed by the stop
  step_function connect = {};
  step_function cancel = {};
  step_function disconnect = {};
  step_function sever = {};
  detail::saturated drain_timeout = std::chrono::seconds(30);
  detail::saturated stop_timeout = std::chrono::seconds(2);

  operator component() const;
};

/// Connections that are lent and given back.
///
/// Order:    before its users, so that it is stopped after them, when all of them are back.
/// Limit:    15 s for those that are out, and for `close`.
/// Fallback: those that are out when nine tenths of it are spent make the stop a failure that names
///           who has them. `sever`, which closes the sockets under them, has 1 s more; then it is
///           abandoned.
struct connection_pool_preset {
  std::vector<std::string> after = {};
  detail::work_in_flight lent = {};  ///< a gate or a roster: a hold for each connection that is out
  step_function open = {};
  step_function close = {};
  step_function sever = {};
  detail::saturated timeout = std::chrono::seconds(15);

  operator component() const;
};

/// Threads that work off a queue.
///
/// Order:    before whoever puts something into the queue, after what its tasks use.
/// Limit:    10 s for the queue to be worked off, 5 s for threads to end.
/// Fallback: a drain that is cut short is followed by `stop`: what is still queued is left, what
///           runs is told to end. What hangs even then is abandoned.
struct thread_pool_preset {
  std::vector<std::string> after = {};
  step_function start = {};
  step_function drain = {};  ///< f(step&): takes nothing new; returns when the queue is empty
  step_function stop = {};   ///< joins the threads
  detail::saturated drain_timeout = std::chrono::seconds(10);
  detail::saturated stop_timeout = std::chrono::seconds(5);

  operator component() const;
};

/// Where lines, metrics, events go: first to start and last to stop, after everybody who may still
/// have something to say. That needs no `after` in the others.
///
/// Order:    a base of the whole, but for what is named in its own `after`.
/// Limit:    5 s for the last flush.
/// Fallback: what could not be written is dropped and counted, and makes the stop a failure that
///           says how much it was.
struct sink_preset {
  std::vector<std::string> after = {};
  /// A batch_buffer, which the stop closes, or an optional one, which `open` makes.
  detail::batch_closer lines = {};
  step_function open = {};
  step_function close = {};  ///< when the last line has been written or given up
  detail::saturated timeout = std::chrono::seconds(5);

  operator component() const;
};

// ---------------------------------------------------------------------------------------------

inline listener_preset::operator component() const {
  component c{.after = after, .start = open, .stop = close, .abort = sever, .resume = admit};
  c.stop_timeout = stop_timeout;
  c.drain_timeout = drain_timeout;
  if (refuse) {
    c.prepare = [f = refuse](step& s) {
      f(s);
      return prepare_answer::ready();
    };
  }
  if (!work) return c;
  c.drain = [shut = close, w = work](step& s) {
    if (shut) shut(s);
    static_cast<void>(detail::drain_work(w, s));
  };
  c.stop = [shut = close, w = work, f = cancel](step& s) {
    if (shut) shut(s);
    detail::end_work(w, f, s);
  };
  return c;
}

inline gate_preset::operator component() const {
  return {.after = after,
          .start = start,
          .stop = [w = work, f = cancel](step& s) { detail::end_work(w, f, s); },
          .drain = [w = work](step& s) { static_cast<void>(detail::drain_work(w, s)); },
          .abort = sever,
          .stop_timeout = stop_timeout,
          .drain_timeout = drain_timeout};
}

inline rpc_client_preset::operator component() const {
  component c = gate_preset{.after = after,
                            .work = calls,
                            .start = connect,
                            .sever = sever,
                            .drain_timeout = drain_timeout,
                            .stop_timeout = stop_timeout};
  c.stop = [w = calls, f = cancel, last = disconnect](step& s) {
    detail::end_work(w, f, s);
    if (last) last(s);
  };
  return c;
}

inline connection_pool_preset::operator component() const {
  component c{.after = after, .start = open, .abort = sever, .stop_timeout = timeout};
  c.stop = [w = lent, f = close](step& s) {
    if (!detail::drain_work(w, s)) detail::end_work(w, nullptr, s);
    if (f) f(s);
  };
  return c;
}

inline thread_pool_preset::operator component() const {
  return {.after = after,
          .start = start,
          .stop = stop,
          .drain = drain,
          .stop_timeout = stop_timeout,
          .drain_timeout = drain_timeout};
}

inline sink_preset::operator component() const {
  component c{.after = after, .start = open, .stop_timeout = timeout, .base = true};
  c.stop = [buffer = lines, f = close](step& s) {
    buffer.close(s);
    if (f) f(s);
  };
  c.abort = [buffer = lines] { buffer.give_up(); };
  return c;
}

CURFEW_END

#endif
