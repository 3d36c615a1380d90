// SPDX-License-Identifier: BSL-1.0
//
// One run: the user's main, then the resources, then what else of the user's runs, in one thread,
// under a watchdog, to one outcome.
#ifndef CURFEW_SERVICE_DETAIL_ONE_RUN_HPP
#define CURFEW_SERVICE_DETAIL_ONE_RUN_HPP

#include <curfew/host/container.hpp>
#include <curfew/host/reaper.hpp>
#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/detail/error_text.hpp>
#include <curfew/service/detail/exit_watch.hpp>
#include <curfew/service/detail/narrator.hpp>
#include <curfew/service/detail/release_log.hpp>
#include <curfew/service/detail/run_state.hpp>
#include <curfew/service/detail/watchdog.hpp>

#include <cstddef>
#include <exception>
#include <string>
#include <system_error>

CURFEW_BEGIN
namespace detail {

/// Calls the user's main, whatever it is made of; `f` outlives it.
class main_call {
 public:
  template <class F>
  explicit main_call(F& f) noexcept
      : f_(&f), call_([](void* g) -> int { return (*static_cast<F*>(g))(); }) {}

  int operator()() const { return call_(f_); }

 private:
  void* f_;
  int (*call_)(void*);
};

/// Leaving main by the exception that a stop of the whole gave is the way to leave it.
[[nodiscard]] inline bool left_by_stop(const std::exception_ptr& error,
                                       const stop_token& root) noexcept {
#if CURFEW_EXCEPTIONS
  try {
    std::rethrow_exception(error);
  } catch (const stopped_error& e) {
    return root.stop_requested() && e.reason() == root.reason();
  } catch (...) {
  }
#else
  static_cast<void>(error);
  static_cast<void>(root);
#endif
  return false;
}

/// The errno that an error stands for; 0: none.
[[nodiscard]] inline int error_number(const std::error_code& error) noexcept {
  const std::error_condition same = error.default_error_condition();
  return same.category() == std::generic_category() ? same.value() : 0;
}

/// That of a system_error.
[[nodiscard]] inline int error_number(const std::exception_ptr& error) noexcept {
  if (error == nullptr) return 0;
#if CURFEW_EXCEPTIONS
  try {
    std::rethrow_exception(error);
  } catch (const std::system_error& e) {
    return error_number(e.code());
  } catch (...) {
  }
#endif
  return 0;
}

/// What main returned or threw. Afterwards the root context is stopped, whoever asked first: what
/// main has left running is to end as well.
[[nodiscard]] inline outcome run_main(run_state& s, const main_call& main) noexcept {
  outcome o;
  std::exception_ptr error = attempt([&] { o.result = main(); });
  if (error != nullptr && left_by_stop(error, s.root.get_token())) error = nullptr;
  s.by_itself = error == nullptr && !s.root.stop_requested();
  if (!s.request_stop({error == nullptr ? stop_cause::requested : stop_cause::fault}))
    s.by_itself = false;
  o.reason = s.reason();
  if (o.result != 0) o.kind = outcome_kind::failed;
  o.error = error_number(error);
  s.noticed();
  const part_state end = error == nullptr ? part_state::closed : part_state::failed;
  s.log.end(end, error_text(error).view(), s.now());
  return o;
}

/// Waits for the functions of bridge().on() and of events, before what they use is released.
inline void await_functions(run_state& s) noexcept {
  const std::size_t waiting = s.resources.size();
  s.log.begin({.name = fixed_text<48>("signal functions"), .began = s.now()}, waiting);
  s.bridge->drop_functions();
  s.events.finish();
  s.log.drop();
}

inline void release_all(run_state& s, outcome& o) noexcept {
  release_log log(s.log, s.resources, s.setting.time);
  s.resources.observe(&log);
  s.releasing = true;
  const release_report report =
      s.resources.release(s.noticed().limit - s.now(), s.hurry.get_token());
  s.resources.observe(nullptr);
  for (const release_entry& e : report) {
    if (e.outcome == release_outcome::failed) o.kind = outcome_kind::failed;
    if (e.outcome == release_outcome::late && o.kind == outcome_kind::clean)
      o.kind = outcome_kind::late;
  }
}

/// Waits for the callbacks that a stop runs on other threads. They are a part only while it lasts.
inline void await_callbacks(run_state& s, const inplace_stop_token& called_back) {
  s.log.begin({.name = fixed_text<48>("stop callbacks"), .began = s.now()}, 0);
  called_back.wait();
  s.log.drop();
}

/// Waits for the callbacks on hurry(); no other one begins, and nothing of the user's runs any
/// more.
inline void await_hurry(run_state& s) noexcept {
  s.log.begin({.name = fixed_text<48>("hurry callbacks"), .began = s.now()}, 0);
  s.hurrying.close();
  s.bridge->settle();
  s.hurrying.wait(stop_token{});
  s.log.drop();
}

/// The callback that is registered first on the root of all contexts is the last one to be run.
inline outcome run_guarded(run_state& s, const main_call& main) noexcept {
  inplace_stop_source called_back;
  const stop_callback last(s.root.get_token(), [&] { called_back.request_stop(); });
  outcome o = run_main(s, main);
  await_functions(s);
  release_all(s, o);
  await_callbacks(s, called_back.get_token());
  await_hurry(s);
  if (s.was_late && o.kind == outcome_kind::clean) o.kind = outcome_kind::late;
  if (s.faulted || o.reason.cause == stop_cause::fault) o.kind = outcome_kind::failed;
  return o;
}

/// main was not called.
inline outcome refuse_run(run_state& s, const std::string& why) {
  s.tell(severity::error, "cannot start: " + why);
  return {.kind = outcome_kind::failed};
}

/// What asks for a stop. A terminal that is closed does, unless there is a use for its signal.
[[nodiscard]] inline signal_options options_of(const run_state& s) noexcept {
  signal_options options;
  options.unfinished = exit_code_forced;
  options.in_service = s.host.kind() == host_kind::scm;
  if (CURFEW_POSIX != 0) {
    options.stop_on.insert(hangup);
    options.ask_once.insert(hangup);
  }
  return options;
}

/// Process 1 inherits the children that others leave behind.
inline bool reap(run_state& s, std::error_code& ec) {
#if CURFEW_POSIX
  if (!s.spec.reaps_children || !is_process_one()) return true;
  s.bridge->on(
      SIGCHLD, [] { reap_children(); }, ec);
  reap_children();
#else
  static_cast<void>(s);
#endif
  return !ec;
}

/// The handlers come first: a signal that arrives while the rest starts is not lost.
inline bool open_bridge(run_state& s, std::error_code& ec) {
  s.bridge.emplace(s.root, options_of(s), s.setting.source, ec);
  if (ec) return false;
  s.hurry = linked(s.bridge->hurry(), s.spent.get_token());
  s.events.open(*s.bridge);
  if (s.spec.reloads) s.listen_for_reload(ec);  // one that comes early finds the new configuration
  return !ec && reap(s, ec);
}

inline constexpr const char* no_means =
    "; a run has three threads and some descriptors: raise the limits";

[[nodiscard]] inline std::string why_no_bridge(const std::error_code& ec) {
  if (ec != std::errc::device_or_resource_busy) return ec.message() + no_means;
  return "this process already has a run() or a signal_bridge, and there can be one at a time; "
         "let that one end first";
}

/// The watchdog may run already, and finds everything decided.
inline outcome refuse_run(run_state& s, watchdog& guard, const std::error_code& why) {
  const outcome refused{.kind = outcome_kind::failed};
  s.decide(refused);
  s.over.request_stop();
  s.root.request_stop();
  guard.join();
  s.events.close();
  return refuse_run(s, why.message() + no_means);
}

/// While another thread ends the process; a test's box lets it come back.
inline outcome give_way(run_state& s) {
  s.setting.end.await();
  return s.decision();
}

/// Throws only before main is called, when memory is missing.
inline outcome run_once(run_state& s, const main_call& main) {
  std::error_code ec;
  if (!open_bridge(s, ec)) return refuse_run(s, why_no_bridge(ec));
  watchdog guard(s);
  narrator teller(s);
  if (!guard.start(ec) || !teller.start(ec)) return refuse_run(s, guard, ec);
  const exit_watch watch(s);
  outcome o = run_guarded(s, main);
  if (!s.decide(o)) o = give_way(s);
  s.bridge->set_outcome(exit_code(o));
  const bool kept = s.flush_events();
  s.settle_events();
  teller.join();
  if (!kept)
    s.tell(severity::warning,
           "not all events are kept: a sink has failed or is late; see to its file");
  s.over.request_stop();
  guard.join();
  s.events.close();
  return o;
}

}  // namespace detail
CURFEW_END

#endif
