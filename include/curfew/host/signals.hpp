// SPDX-License-Identifier: BSL-1.0
//
// Signals of the system, and console events of Windows, as a stop with a reason.
#ifndef CURFEW_HOST_SIGNALS_HPP
#define CURFEW_HOST_SIGNALS_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/signal_calls.hpp>
#include <curfew/host/detail/signal_hook.hpp>
#include <curfew/host/detail/signal_lane.hpp>
#include <curfew/host/signal_options.hpp>
#include <curfew/stop/detail/owned.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include <mutex>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN

/// Turns the signals of options.stop_on into a stop of `source`, whose reason names the signal and,
/// where the system tells, the process and the user who sent it. The second such signal stops the
/// hurry() token as well; the third ends the process at once with 128 + its number: no destructor
/// runs, nothing is flushed. What comes within options.same_press of one that counted counts with
/// it.
///
///     int main() {
///       curfew::stop_source stop;
///       curfew::signal_bridge signals(stop);
///       signals.on(SIGHUP, [] { reload(); });
///       serve(stop.get_token());
///     }
///
/// One bridge a process: make it first thing in main, before slow work, and hand tokens to whoever
/// needs them. A second one is refused with an error, also when it is made in a shared library with
/// hidden symbols or in a DLL. (On POSIX the bridge of another copy of curfew is known by its
/// handlers in the system's table; it goes unseen only when third parties have taken every signal
/// from it, or when all of them are ignored.)
///
/// Nothing of the user's runs in a signal handler, and no kind of user code holds up another: stop
/// callbacks, callbacks on hurry() and functions given to on() have a thread each. The third signal
/// needs no thread at all. An exception out of any of them ends the program. Signals of one number
/// that come faster than they are handled count once, as the system has it.
///
/// POSIX: a signal that was ignored when the bridge was made (nohup, a job started with &) stays
/// ignored and does not stop; on() takes it nevertheless. Signals come also when every thread of
/// the program blocks them. The destructor puts back the handlers of others, unless somebody has
/// replaced ours meanwhile, or settle() was called. A child made by fork is not stopped by the
/// bridge: there each signal does what it did before the bridge, on() is refused, and the child may
/// make a bridge of its own.
///
/// Windows: Ctrl-C and Ctrl-Break are SIGINT and SIGBREAK, with cause signal. CLOSE, LOGOFF and
/// SHUTDOWN are stops with cause console, or the hurry of one that has begun, and never the end.
/// The system ends the process a little after allowed(); main should have returned by then, and
/// when it has not, the process ends before with what set_outcome() told. A program that changes
/// its console (AllocConsole, AttachConsole, FreeConsole) makes the bridge afterwards, and one that
/// has loaded user32 is not told of LOGOFF and SHUTDOWN.
///
/// Thread safety: on, off and set_outcome may be called from any thread, also from functions that
/// the bridge runs. The destructor waits for these functions, so none of them may destroy it. What
/// a function uses must outlive the bridge, or off() must be called before it goes.
class signal_bridge {
 public:
  explicit signal_bridge(stop_source source, signal_options options = {});
  signal_bridge(stop_source source, signal_options options, std::error_code& ec);
  /// Not the system's signals but those of `from`, which outlives the bridge; null: the system's.
  signal_bridge(stop_source source, signal_options options, detail::signal_source* from,
                std::error_code& ec);
  signal_bridge(stop_source source, std::error_code& ec)
      : signal_bridge(std::move(source), signal_options{}, ec) {}
  signal_bridge(const signal_bridge&) = delete;
  signal_bridge& operator=(const signal_bridge&) = delete;
  ~signal_bridge();

  /// From now on the signal runs f(), or f(const stop_reason&), on the bridge's thread, and is no
  /// longer counted as a press. A function that was there before has finished when this returns.
  /// Refused: signals that tell of a fault, that cannot be caught, or that the system does not have
  /// (Windows has SIGINT and SIGBREAK).
  template <class F>
  void on(int signal, F&& f);
  template <class F>
  void on(int signal, F&& f, std::error_code& ec);

  /// The signal does what it did before on(). On return the function has finished and is gone,
  /// unless it is itself the caller.
  void off(int signal) noexcept;

  /// The signal is no press any more: when its function is gone it does nothing.
  void keep_from_stopping(int signal) noexcept;

  /// Stops at the second signal: cut short what can be cut.
  [[nodiscard]] stop_token hurry() const noexcept { return hurry_.get_token(); }

  /// For whoever stops the source by other means: that counts as the first signal, unless one has
  /// come before, and so the next one hurries.
  void stopping() noexcept { from_.inbox().stopping(); }

  /// Asks for the stop as a signal does: on the bridge's thread, and counted; from the second one
  /// on it is the hurry, and never the end of the process. Returns at once, and may be called where
  /// nothing may wait.
  void request_stop(const stop_reason& reason) noexcept { from_.inbox().ending(reason); }

  /// The functions given to on() have finished and are gone, and no other is taken. Their signals
  /// do nothing from then on, except those of stop_on, which are presses again.
  void drop_functions() noexcept;

  /// The end of everything the bridge runs: functions, and callbacks of either stop, have finished
  /// when this returns. From then on signals are only counted, so that the last one ends the
  /// process, and the destructor leaves it so, until another bridge is made: a signal that comes
  /// when a program is done does not give it another end.
  void settle() noexcept;

  /// Whether the system ignored the signal when the bridge was made, as nohup has it.
  [[nodiscard]] bool ignores(int signal) const noexcept { return from_.ignores(signal); }

  /// The exit code in case the system's limit ends the process (Windows; elsewhere without effect).
  void set_outcome(int exit_code) noexcept { from_.set_outcome(exit_code); }

  /// The console event after which the system ends the process, whether it was the stop or came
  /// during one; cause none: there was none.
  [[nodiscard]] stop_reason ended_by() const noexcept { return from_.inbox().ended_by(); }

  /// How long the system lets the process live after a stop for this reason; max(): no limit.
  [[nodiscard]] time_source::duration allowed(const stop_reason& reason) const noexcept {
    return from_.allowed(reason);
  }

 private:
  void open(const signal_options& options, std::error_code& ec) noexcept;
  void start(const signal_options& options, std::error_code& ec) noexcept;
  void close() noexcept;
  void finish_lanes() noexcept;
  [[nodiscard]] detail::route press_of(int signal) const noexcept {
    return once_.contains(signal) ? detail::route::first_press : detail::route::press;
  }
  void set_call(int signal, detail::owned<detail::signal_call> call, std::error_code& ec) noexcept;
  bool start_calls(std::error_code& ec) noexcept;

  static void take_stop(void* self) noexcept;
  static void take_hurry(void* self) noexcept;
  static void take_calls(void* self) noexcept;

  stop_source source_;
  stop_source hurry_{source_.get_token().clock()};
  detail::signal_hook hook_;
  detail::signal_source& from_ = hook_;
  signal_set stops_;  // what off() goes back to
  signal_set once_;
  bool open_ = false;  // false: refused, and inert
  bool settled_ = false;
  bool dropped_ = false;  // there are no functions any more
  std::mutex changing_;   // on() and off() against each other; stops_, dropped_
  detail::signal_calls calls_;
  detail::signal_lane stop_lane_;
  detail::signal_lane hurry_lane_;
  detail::signal_lane call_lane_;
};

namespace detail {

[[noreturn]] inline void throw_bridge_error(std::error_code ec) {
  throw_error_code(ec, ec == std::errc::device_or_resource_busy
                           ? "this process already has a signal_bridge, and there can be one at "
                             "a time; make it in main, and hand its tokens to whoever needs them"
                           : "no signal_bridge: it takes signals that the system has, and threads; "
                             "see what the system says");
}

[[noreturn]] inline void throw_on_error(std::error_code ec) {
  throw_error_code(
      ec, ec == std::errc::not_supported
              ? "signal_bridge::on: Windows tells a program of SIGINT and SIGBREAK only; take one "
                "of these"
              : "signal_bridge::on: no function for that: the signal is one that can be "
                "caught, and a thread runs it; see what the system says");
}

}  // namespace detail

inline signal_bridge::signal_bridge(stop_source source, signal_options options)
    : source_(std::move(source)) {
  std::error_code ec;
  open(options, ec);
  if (ec) detail::throw_bridge_error(ec);
}

inline signal_bridge::signal_bridge(stop_source source, signal_options options, std::error_code& ec)
    : signal_bridge(std::move(source), options, nullptr, ec) {}

inline signal_bridge::signal_bridge(stop_source source, signal_options options,
                                    detail::signal_source* from, std::error_code& ec)
    : source_(std::move(source)), from_(from != nullptr ? *from : hook_) {
  open(options, ec);
}

inline signal_bridge::~signal_bridge() {
  if (open_) close();
}

inline void signal_bridge::open(const signal_options& options, std::error_code& ec) noexcept {
  ec.clear();
  if (!options.stop_on.valid()) ec = std::make_error_code(std::errc::invalid_argument);
  if (ec || !from_.open(options, ec)) return;
  start(options, ec);
  open_ = !ec;
  if (!open_) close();
}

/// Signals that come before the threads run wait in the inbox.
inline void signal_bridge::start(const signal_options& options, std::error_code& ec) noexcept {
  stops_ = from_.stopping(options.stop_on);
  once_ = options.ask_once;
  for (int signal = 1; signal < signal_set::limit; ++signal) {
    if (stops_.contains(signal) && !from_.take(signal, press_of(signal), ec)) return;
  }
  auto& inbox = from_.inbox();
  if (!stop_lane_.start(inbox.stop.door, &signal_bridge::take_stop, this, from_, ec)) return;
  hurry_lane_.start(inbox.hurry.door, &signal_bridge::take_hurry, this, from_, ec);
}

/// While the threads finish, signals go on to hurry and to end. What comes after them and before
/// the handlers are gone is done here. In a child made by fork the threads' handles mean nothing.
inline void signal_bridge::close() noexcept {
  if (!from_.here()) return from_.close();
  if (settled_) return from_.leave();
  finish_lanes();
  from_.close();
  take_calls(this);
  take_stop(this);
  take_hurry(this);
  from_.release();
}

inline void signal_bridge::finish_lanes() noexcept {
  call_lane_.finish();
  stop_lane_.finish();
  hurry_lane_.finish();
}

inline void signal_bridge::drop_functions() noexcept {
  if (!open_ || !from_.here()) return;
  {
    const std::lock_guard lock(changing_);
    dropped_ = true;
  }
  call_lane_.finish();
  calls_.clear();
  auto& inbox = from_.inbox();
  for (int signal = 1; signal < signal_set::limit; ++signal) {
    const bool stops = stops_.contains(signal) && inbox.route_of(signal) == detail::route::call;
    if (stops) inbox.set_route(signal, press_of(signal));
  }
}

inline void signal_bridge::settle() noexcept {
  if (!open_ || !from_.here()) return;
  drop_functions();
  finish_lanes();
  settled_ = true;
}

/// A first press that was overtaken by an announced stop has come during that stop, as one that
/// comes a moment later has.
inline void signal_bridge::take_stop(void* self) noexcept {
  auto& bridge = *static_cast<signal_bridge*>(self);
  auto& inbox = bridge.from_.inbox();
  stop_reason reason;
  while (inbox.stop.note.take(reason)) {
    const bool first = bridge.source_.request_stop(reason);
    if (!first && inbox.announced()) bridge.hurry_.request_stop(reason);
  }
}

inline void signal_bridge::take_hurry(void* self) noexcept {
  auto& bridge = *static_cast<signal_bridge*>(self);
  stop_reason reason;
  while (bridge.from_.inbox().hurry.note.take(reason)) {
    bridge.hurry_.request_stop(reason);
  }
}

inline void signal_bridge::take_calls(void* self) noexcept {
  auto& bridge = *static_cast<signal_bridge*>(self);
  stop_reason reason;
  for (auto& note : bridge.from_.inbox().calls) {
    if (note.take(reason)) bridge.calls_.run(reason);
  }
}

template <class F>
void signal_bridge::on(int signal, F&& f) {
  std::error_code ec;
  on(signal, std::forward<F>(f), ec);
  if (ec) detail::throw_on_error(ec);
}

template <class F>
void signal_bridge::on(int signal, F&& f, std::error_code& ec) {
  using call = detail::signal_call_of<std::decay_t<F>>;
  set_call(signal, detail::owned<detail::signal_call>(new call(std::forward<F>(f))), ec);
}

inline void signal_bridge::set_call(int signal, detail::owned<detail::signal_call> call,
                                    std::error_code& ec) noexcept {
  ec = std::make_error_code(std::errc::invalid_argument);
  if (!open_ || !signal_set::valid(signal)) return;
  if (!from_.here()) {
    ec = std::make_error_code(std::errc::operation_not_permitted);
    return;
  }
  detail::signal_call* old = nullptr;
  {
    const std::lock_guard lock(changing_);
    if (!start_calls(ec)) return;
    old = calls_.exchange(signal, call.release());
    if (!from_.take(signal, detail::route::call, ec)) call.reset(calls_.exchange(signal, nullptr));
  }
  from_.inbox().calls_door.ring();  // for the thread to open its mask for the signal
  calls_.retire(signal, old);
}

inline void signal_bridge::keep_from_stopping(int signal) noexcept {
  const std::lock_guard lock(changing_);
  stops_.erase(signal);
}

/// Most programs react to no other signals and are spared the thread.
inline bool signal_bridge::start_calls(std::error_code& ec) noexcept {
  if (dropped_) return detail::refuse(std::errc::operation_canceled, ec);
  return call_lane_.started() ||
         call_lane_.start(from_.inbox().calls_door, &signal_bridge::take_calls, this, from_, ec);
}

inline void signal_bridge::off(int signal) noexcept {
  if (!open_ || !from_.here() || !signal_set::valid(signal)) return;
  detail::signal_call* old = nullptr;
  {
    const std::lock_guard lock(changing_);
    std::error_code ec;
    if (!stops_.contains(signal) || !from_.take(signal, press_of(signal), ec)) {
      from_.give_back(signal);
    }
    old = calls_.exchange(signal, nullptr);
  }
  from_.inbox().calls_door.ring();
  calls_.retire(signal, old);
}

CURFEW_END

#endif
