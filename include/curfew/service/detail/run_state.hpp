// SPDX-License-Identifier: BSL-1.0
//
// What the threads of one run share: the main thread, the watchdog and the narrator.
#ifndef CURFEW_SERVICE_DETAIL_RUN_STATE_HPP
#define CURFEW_SERVICE_DETAIL_RUN_STATE_HPP

#include <curfew/host/child_guard.hpp>
#include <curfew/host/message_buffer.hpp>
#include <curfew/host/message_sink.hpp>
#include <curfew/host/outcome.hpp>
#include <curfew/host/posix/own_terminal.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/host/signals.hpp>
#include <curfew/release/detail/attempt.hpp>
#include <curfew/release/gate.hpp>
#include <curfew/release/resource_stack.hpp>
#include <curfew/service/detail/event_desk.hpp>
#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/service/detail/journal.hpp>
#include <curfew/service/detail/run_setting.hpp>
#include <curfew/service/detail/terminal.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/owned.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

CURFEW_BEGIN
namespace detail {

inline constexpr int hangup = 1;  // SIGHUP, where there is one

/// Who is told of a run's events, with all that it takes to tell them.
class event_witness {
 public:
  event_witness() = default;
  event_witness(const event_witness&) = delete;
  event_witness& operator=(const event_witness&) = delete;
  virtual ~event_witness() = default;
  [[nodiscard]] virtual event_sink& sink() noexcept = 0;
  /// Now and then during a stop, from any thread: the run is alive.
  virtual void touch() noexcept = 0;
  /// On return nothing of it uses the run any more: it waits for what tells people.
  virtual void settle() noexcept = 0;
};

/// When the stop was noticed, and what follows from that.
struct stop_moment {
  time_source::time_point at;
  time_source::duration budget;  ///< what the spec says, or less where the system leaves less
  time_source::time_point limit;
};

/// Lives in run(), on the main thread's stack, until every thread that knows it has been joined. A
/// forced end leaves it as it is, and so does a call of exit().
class run_state final : public message_sink {
 public:
  run_state(const service_spec& s, const run_setting& where) : spec(s), setting(where) {
    if (!spec.name.empty()) prefix.append(spec.name).append(": ");
    if (where.place.early != nullptr) where.place.early->replay(*this);
  }

  const service_spec& spec;
  const run_setting setting;
  const inherited given = inherited::now();
  service_host& host = setting.place.host;
  fixed_text<64> prefix;  // of every line that is told
  terminal screen{setting.place.sink};
  stop_source root{setting.time};
  stop_source spent{setting.time};  // the last part of the time for stopping has begun
  stop_source hurry{nostopstate};   // that, or the second signal; there from the bridge on
  std::optional<signal_bridge> bridge;
  event_desk events{host, *this};
  gate hurrying;  // held while `spent` is stopped; closed when nothing of the user's may begin
  resource_stack resources{setting.time};
  bool releasing = false;  // main has returned; belongs to its thread
  journal log;
  std::atomic<bool> faulted{false};    // a fault was told, as the stop or after it
  std::atomic<bool> unready{false};    // it has not been ready in time, and stops for that
  std::atomic<bool> was_late{false};   // a component
  std::atomic<bool> by_itself{false};  // main returned, and nobody had asked for a stop

  // Each of these happens once, in this order.
  stop_source started{root.get_token()};      // ready() has been called, or the stop has come
  inplace_stop_source decided{setting.time};  // the outcome is known
  // These two are waited for in real time, ahead of which a test's clock must not run.
  inplace_stop_source told{setting.real_time};  // it has been written, as far as it could be
  inplace_stop_source over{setting.real_time};  // nothing is left that could hang

  [[nodiscard]] time_source::time_point now() const noexcept { return setting.time.now(); }

  /// Why it stopped; cause none: main returned by itself.
  [[nodiscard]] stop_reason reason() const noexcept {
    return by_itself ? stop_reason{} : root.get_token().reason();
  }

  /// A stop that no signal asked for.
  bool request_stop(stop_reason why) noexcept {
    if (why.cause == stop_cause::fault) faulted = true;
    bridge->stopping();
    return root.request_stop(why);
  }

  /// Called after the stop, by each thread when it notices. The first call fixes the moment, and
  /// from then on main is what closes. On return the host has been told.
  stop_moment noticed() noexcept;

  /// The limit as it is now: a console that is closed during a stop, or a SIGTERM of whoever grants
  /// a short time only, leaves less than there was.
  time_source::time_point limit() noexcept;

  /// Said of the part that is open, which main is from the stop on, noticed or not.
  void progress(std::string_view what, time_source::duration need) noexcept {
    if (root.stop_requested()) noticed();
    log.note(what);
    extend_start(need);
    host.progress(what, need);
  }

  /// The same of a component, which has a line of its own.
  void move_on(std::string_view what, time_source::duration need) noexcept {
    if (root.stop_requested()) noticed();
    extend_start(need);
    host.progress(what, need);
  }

  void ready() noexcept {
    host.accept(events.interests());
    events.started();
    host.ready();
    started.request_stop();
  }

  /// Until when ready() must have been called.
  [[nodiscard]] time_source::time_point start_limit() noexcept {
    const spin_guard guard(lock_);
    return start_limit_;
  }

  void on(host_event what, owned<event_desk::function> f) {
    std::error_code ec;
    events.on(what, std::move(f), ec);
    if (!ec && what == host_event::reload && !spec.reloads) listen_for_reload(ec);
    if (ec)
      throw_error_code(ec,
                       "no function for what the host asks: these run on a thread of their own; "
                       "raise the limit of threads");
    host.accept(events.interests());
  }
  void on_system(owned<event_desk::system_function> f) {
    events.on_system(std::move(f));
    host.accept(events.interests());
  }
  /// The hang-up of a terminal comes from the system itself, or from a shell that passes it on when
  /// the terminal has gone; a reload from some process, whose user is known even where its number
  /// is not, as from outside a container.
  void listen_for_reload(std::error_code& ec);

  void write(severity level, std::string_view line) noexcept override { tell(level, line); }

  /// A line for people, wherever they look.
  void tell(severity level, std::string_view line) noexcept {
    static_cast<void>(
        attempt([&] { screen.write(level, prefix.str().append(line).append(1, '\n')); }));
  }

  /// Who is told of events from now on, and of the outcome. By main's thread, once.
  void witness(owned<event_witness> who) noexcept {
    witness_owner_ = std::move(who);
    witness_.store(witness_owner_.get(), std::memory_order_release);
  }
  [[nodiscard]] bool has_witness() const noexcept {
    return witness_.load(std::memory_order_acquire) != nullptr;
  }
  void tell_event(const lifecycle_event& e) noexcept {
    if (event_witness* const w = witness_.load(std::memory_order_acquire)) w->sink().write(e);
  }
  void touch() noexcept {
    if (event_witness* const w = witness_.load(std::memory_order_acquire)) w->touch();
  }
  void settle_events() noexcept {
    if (event_witness* const w = witness_.load(std::memory_order_acquire)) w->settle();
  }
  /// Has what was told where it is kept. False: something is lost, or it has been given up.
  bool flush_events() noexcept;

  /// The time for stopping is spent as of now: what is open is told, and the process ends.
  void cut_short() noexcept {
    noticed();
    const spin_guard guard(lock_);
    moment_.limit = lesser(moment_.limit, now());
  }

  /// True for exactly one caller: its outcome, which must live on, is the outcome of the run.
  bool decide(const outcome& o) noexcept {
    const outcome* none = nullptr;
    if (!outcome_.compare_exchange_strong(none, &o, std::memory_order_acq_rel)) return false;
    tell_outcome(o);
    return decided.request_stop();
  }
  /// As an event. One that is told after another is what has become of that.
  void tell_outcome(const outcome& o) noexcept;
  /// After `decided`, or after decide() was false.
  [[nodiscard]] const outcome& decision() const noexcept {
    return *outcome_.load(std::memory_order_acquire);
  }

 private:
  [[nodiscard]] time_source::duration budget(const stop_reason& why) const noexcept;
  void extend_start(time_source::duration need) noexcept {
    const auto asked = saturating_add(now(), need);
    const spin_guard guard(lock_);
    start_limit_ = greater(start_limit_, asked);
  }
  stop_moment fix_moment() noexcept;
  void shorten(const stop_reason& why, bool& done) noexcept;

  std::atomic<const outcome*> outcome_{nullptr};
  // The release store of witness() pairs with the acquire load of whoever tells an event: it
  // is whole. Its owner is touched by main's thread alone, and goes when nobody tells any more.
  std::atomic<event_witness*> witness_{nullptr};
  owned<event_witness> witness_owner_;
  std::atomic<bool> host_knows_{false};  // of the stop; a host ignores being told twice
  spin_lock lock_;                       // of what follows
  time_source::time_point start_limit_ = saturating_add(now(), spec.start_timeout);
  bool noticed_ = false;
  bool closed_ = false;   // the console's end has been reckoned with
  bool hurried_ = false;  // a signal during the stop has
  stop_moment moment_{};
};

/// Of a limit of the system's, a part is kept for telling what was open.
inline time_source::duration run_state::budget(const stop_reason& why) const noexcept {
  const auto allowed = lesser(bridge->allowed(why), host.allowed(why));
  const bool limited = allowed != (time_source::duration::max)();
  const auto usable = limited ? allowed - allowed / 10 : allowed;
  return within<time_source::duration>(spec.stop_timeout, time_source::duration::zero(), usable);
}

inline void run_state::tell_outcome(const outcome& o) noexcept {
  if (witness_.load(std::memory_order_acquire) == nullptr) return;
  static_cast<void>(attempt([&] {
    const std::string text = to_string(o) + ", exit code " + std::to_string(exit_code(o));
    tell_event({.kind = event_kind::run_ended,
                .wall = std::chrono::system_clock::now(),
                .at = now(),
                .outcome = o.ok() ? step_outcome::done : step_outcome::failed,
                .elapsed = now() - noticed().at,
                .reason = o.reason,
                .text = text});
  }));
}

inline bool run_state::flush_events() noexcept {
  constexpr std::chrono::milliseconds patience{500};
  event_witness* const who = witness_.load(std::memory_order_acquire);
  if (who == nullptr) return true;
  std::error_code ec;
  bool kept = false;
  static_cast<void>(attempt([&] {
    const stop_source limit(setting.real_time, patience, ec);
    if (!ec) kept = who->sink().flush(limit.get_token());
  }));
  return kept;
}

inline stop_moment run_state::noticed() noexcept {
  const stop_moment moment = fix_moment();
  if (host_knows_.load(std::memory_order_acquire)) return moment;
  host.stopping(root.get_token().reason(), moment.budget);
  host_knows_.store(true, std::memory_order_release);
  return moment;
}

inline stop_moment run_state::fix_moment() noexcept {
  const spin_guard guard(lock_);
  if (noticed_) return moment_;
  noticed_ = true;
  moment_.at = now();
  moment_.budget = budget(root.get_token().reason());
  moment_.limit = saturating_add(moment_.at, moment_.budget);
  log.begin({.name = fixed_text<48>("main"), .began = moment_.at, .limit = moment_.budget}, 0);
  return moment_;
}

inline time_source::time_point run_state::limit() noexcept {
  noticed();
  const stop_reason closed = bridge->ended_by();
  const stop_reason pressed = bridge->hurry().reason();
  const spin_guard guard(lock_);
  shorten(closed, closed_);
  shorten(pressed, hurried_);
  return moment_.limit;
}

/// From now on there is no more time than such a stop has, once for each of them.
inline void run_state::shorten(const stop_reason& why, bool& done) noexcept {
  if (done || why.cause == stop_cause::none) return;
  done = true;
  moment_.limit = lesser(moment_.limit, saturating_add(now(), budget(why)));
}

inline void run_state::listen_for_reload(std::error_code& ec) {
#if CURFEW_POSIX
  const bool ignored = bridge->ignores(hangup);
  const bool at_terminal = setting.source == nullptr && has_terminal();
  const auto heard = [this, ignored, at_terminal](const stop_reason& why) {
    const bool hung_up = why.uid < 0 || (at_terminal && !has_terminal());
    if (!hung_up) return static_cast<void>(events.event(host_event::reload, 0));
    if (!ignored) bridge->request_stop(why);
  };
  bridge->on(hangup, heard, ec);
  bridge->keep_from_stopping(hangup);
#else
  static_cast<void>(ec);
#endif
}

}  // namespace detail
CURFEW_END

#endif
