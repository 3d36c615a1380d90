// SPDX-License-Identifier: BSL-1.0
//
// One run of a program that is made of components: between its lifecycle and its service.
#ifndef CURFEW_SERVICE_DETAIL_COMPONENT_RUN_HPP
#define CURFEW_SERVICE_DETAIL_COMPONENT_RUN_HPP

#include <curfew/host/outcome.hpp>
#include <curfew/host/posix/own_terminal.hpp>
#include <curfew/release/gate.hpp>
#include <curfew/service/component_options.hpp>
#include <curfew/service/control_endpoint.hpp>
#include <curfew/service/detail/component_journal.hpp>
#include <curfew/service/detail/component_news.hpp>
#include <curfew/service/detail/event_hub.hpp>
#include <curfew/service/detail/run_control.hpp>
#include <curfew/service/detail/share.hpp>
#include <curfew/service/event_stream.hpp>
#include <curfew/service/flight_recorder.hpp>
#include <curfew/service/lifecycle.hpp>
#include <curfew/service/plan.hpp>
#include <curfew/service/run.hpp>
#include <curfew/service/stop_budget.hpp>

#include <csignal>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// What is told of a run, and to whom. It lives until the outcome has been told.
struct component_telling final : event_witness {
  component_telling(run_state& s, lifecycle& parts, const component_options& o);
  [[nodiscard]] event_sink& sink() noexcept override { return hub; }
  void touch() noexcept override {
    if (recorder) recorder->touch();
  }
  void settle() noexcept override { news.settle(); }

  component_journal journal;
  component_news news;
  std::optional<flight_recorder> recorder;
  event_stream stream;
  event_hub hub;
  std::shared_ptr<run_control> control;  // none: it cannot be asked
  std::optional<control_endpoint> door;  // goes first: it tells the hub
};

/// A pause may come to its turn when the components are gone: the run keeps its functions for
/// longer than these live. Who closes it also waits for the one that goes on.
struct component_pauses {
  explicit component_pauses(lifecycle& p) noexcept : parts(p) {}

  void pause() {
    const auto in_time = open.enter();
    if (in_time && !std::exchange(paused, true)) before = parts.pause();
  }
  void resume() {
    const auto in_time = open.enter();
    if (in_time && std::exchange(paused, false)) static_cast<void>(parts.restore(before));
  }
  void close() noexcept {
    open.close();
    open.wait(stop_token{});
  }

  lifecycle& parts;
  lifecycle_snapshot before = {};  // of the thread on which these functions run
  bool paused = false;             // likewise
  gate open;
};

class component_run {
 public:
  component_run(service& self, lifecycle& parts, const component_options& options)
      : self_(self), s_(run_access::state(self)), parts_(parts), options_(options) {}
  component_run(const component_run&) = delete;
  component_run& operator=(const component_run&) = delete;
  ~component_run() {
    if (pauses_ != nullptr) pauses_->close();
  }

  [[nodiscard]] int run();

 private:
  using duration = time_source::duration;

  void tell(event_kind kind, duration limit = {}, std::string_view text = {}) noexcept;
  void tell_stop() noexcept;
  [[nodiscard]] bool fits();
  [[nodiscard]] bool open_door(component_telling& telling);
  void follow_pauses();
  [[nodiscard]] start_report start();
  [[nodiscard]] int go_on();
  [[nodiscard]] int refuse(const start_report& r);
  void tell_refusal(const start_report& r);
  [[nodiscard]] int conclude(const stop_report& r);
  [[nodiscard]] int leave_what_hangs();
  [[nodiscard]] duration lame_duck(duration budget) const noexcept;
  [[nodiscard]] duration time_left() const noexcept;

  service& self_;
  run_state& s_;
  lifecycle& parts_;
  const component_options& options_;
  std::shared_ptr<component_pauses> pauses_;  // null: nothing may pause
  bool stop_told_ = false;  // the end of start() puts the stopping thread's store before main's
};

/// A main that run() and service_main() call, and that says what it is made of.
template <class Declare>
class component_main {
 public:
  component_main(Declare declare, component_options options)
      : declare_(std::move(declare)), options_(std::move(options)) {}

  int operator()(service& self) {
    lifecycle parts(run_access::state(self).setting.time);
    declare(parts, &self);
    return component_run(self, parts, options_).run();
  }

  [[nodiscard]] std::vector<plan_part> parts() {
    lifecycle declared;
    declare(declared, nullptr);
    declared.validate();
    return declared.parts();
  }
  [[nodiscard]] saturated lame_duck() const noexcept { return options_.lame_duck; }
  [[nodiscard]] std::string recording() const { return options_.recording; }
  [[nodiscard]] std::string control_path() const { return options_.control.path; }

 private:
  void declare(lifecycle& parts, service* self) {
    if constexpr (std::is_invocable_v<Declare&, lifecycle&, service*>) {
      declare_(parts, self);
    } else {
      declare_(parts);
    }
  }

  Declare declare_;
  component_options options_;
};

// ---------------------------------------------------------------------------------------------

/// A run that ended as it should is not worth a line.
[[nodiscard]] inline bool ended_badly(const flight_recording& earlier) {
  if (earlier.runs.empty()) return false;
  const flight_run& last = earlier.runs.back();
  return !last.ended || !last.outcome.ends_with("exit code 0");
}

inline constexpr const char* wants_folder =
    "; its folder has to be there, and the program's to write to: declare another path";
inline constexpr const char* runs_already = "; one program at a time has it: does it run already?";

/// All components may start, or stop, in the same moment.
inline component_telling::component_telling(run_state& s, lifecycle& parts,
                                            const component_options& o)
    : journal(s.log), news(s), stream(256 + 4 * parts.parts().size()) {
  std::error_code ec;
  if (!o.recording.empty()) {
    recorder.emplace(o.recording, ec, flight_recorder_options{.clock = &s.setting.time});
    if (ended_badly(recorder->earlier()))
      s.write(severity::warning, how_the_last_run_ended(recorder->earlier()));
    if (ec)
      s.write(severity::warning,
              "nothing is recorded in " + o.recording + ": " + ec.message() +
                  (ec == std::errc::device_or_resource_busy ? runs_already : wants_folder));
    if (!ec) hub.add(*recorder);
  }
  hub.add(journal);
  hub.add(stream);
  stream.add(news);
  for (event_sink* const sink : o.sinks) stream.add(*sink);
  ec.clear();
  stream.start(ec);
  if (ec)
    s.write(severity::warning,
            "events are not passed on, which takes a thread; raise the limit of threads: " +
                ec.message());
  if (o.control.path.empty()) return;
  control = std::make_shared<run_control>(s, parts, o.control.health);
  const auto answer = [c = control](const control_request& r) { return c->answer(r); };
  hub.add(door.emplace(o.control, answer, hub, s.setting.time));
}

/// Once in a run: the components of another call may still tell their events to its witness.
inline int component_run::run() {
  if (s_.has_witness()) {
    s_.write(severity::error,
             "cannot start: this run has had its components already, and has them once; "
             "declare all before it");
    return exit_code_failed;
  }
  auto* const telling = new component_telling(s_, parts_, options_);
  s_.witness(owned<event_witness>(telling));
  parts_.observe(telling->sink());
  if (!fits()) return exit_code_failed;
  follow_pauses();
  const control_session asked(telling->control.get());
  if (!open_door(*telling)) return exit_code_failed;
  tell(event_kind::run_began);
  const start_report started = start();
  return started ? go_on() : refuse(started);
}

/// A stop during it is told, has the time that its reason leaves, and is pressed by a further
/// signal, as any. The lifecycle hears of the stop before this does: its callback is newer.
inline start_report component_run::start() {
  const stop_callback on_stop(self_.token(), [this]() noexcept {
    tell_stop();
    parts_.shorten(time_left());
  });
  const stop_callback on_hurry(self_.hurry(), [this] {
    const bool spent = self_.hurry().reason().cause == stop_cause::deadline;
    for (int rungs = spent ? 2 : 1; rungs != 0; --rungs) parts_.escalate();
    parts_.shorten(time_left());
  });
  return parts_.start(self_.token());
}

/// Once; by the stopping thread or by main's, which waits for it.
inline void component_run::tell_stop() noexcept {
  if (!std::exchange(stop_told_, true)) tell(event_kind::stopping, s_.noticed().budget);
}

inline int component_run::go_on() {
  const stop_callback on_failure(parts_.failed(),
                                 [this] { self_.request_stop({stop_cause::fault}); });
  tell(event_kind::ready);
  self_.ready();
  static_cast<void>(self_.token().wait());
  tell_stop();
  const stop_callback on_hurry(self_.hurry(), [this] { parts_.shorten(time_left()); });
  const duration lame = lame_duck(s_.noticed().budget);
  if (lame > duration::zero()) s_.log.note("lame duck: all stay up");  // the journal takes it back
  return conclude(parts_.stop(time_left(), self_.hurry(), lame));
}

/// Of the reasons that this system has.
inline bool component_run::fits() {
  parts_.validate();
  const std::vector<plan_part> declared = parts_.parts();
  const std::vector<stop_budget> budgets = stop_budgets(s_.spec, {}, options_.lame_duck);
  const stop_plan plan = make_plan(declared, budgets);
  for (const reason_plan& r : plan.reasons) {
    if (!options_.plan_must_fit || r.fits() || r.budget.basis == limit_basis::assumed) continue;
    s_.write(severity::error,
             "cannot start: a stop by " + r.budget.name +
                 " leaves too little time for its components, and plan_must_fit is set; see the "
                 "verb plan");
    return false;
  }
  return true;
}

/// The last part of it is kept, for what is abandoned to be told before the process is ended.
inline component_run::duration component_run::time_left() const noexcept {
  const duration reserve = kept_for_the_end(s_.noticed().budget);
  const duration left = saturating_subtract(s_.limit(), s_.now());
  return left == (duration::max)() ? left : left - reserve;
}

inline component_run::duration component_run::lame_duck(duration budget) const noexcept {
  const stop_reason why = self_.token().reason();
  const bool typed = why.cause == stop_cause::signal && why.code == SIGINT && why.pid == 0 &&
                     self_.host() == host_kind::console;
  return lame_duck_of(why, typed, options_.lame_duck, budget);
}

/// What had started has been stopped again, and how that went counts as at any other stop.
inline int component_run::refuse(const start_report& r) {
  const bool asked = r.stopped && r.error.empty();
  if (!asked) tell_refusal(r);
  const int code = conclude(parts_.stop());
  return asked ? code : exit_code_failed;
}

inline void component_run::tell_refusal(const start_report& r) {
  std::string text = r.part.empty() ? "cannot start" : r.part + ": cannot start";
  if (!r.part.empty()) text.append(", declared at ").append(place_text(r.place).view());
  self_.log().write(severity::error, text.append(": ").append(r.error));
}

inline int component_run::conclude(const stop_report& r) {
  if (r.abandoned != 0) return leave_what_hangs();
  if (r.late != 0) s_.was_late = true;
  return r.failed != 0 ? exit_code_failed : 0;
}

/// To go on would destroy what it may still use. Who ends the process waits for a stop, which
/// nobody need have asked for when it was a start that hung.
inline int component_run::leave_what_hangs() {
  if (!self_.token().stop_requested()) self_.request_stop({stop_cause::fault});
  s_.cut_short();
  s_.decided.get_token().wait();
  s_.setting.end.await();
  return exit_code_failed;
}

inline void component_run::follow_pauses() {
  if (!parts_.can_pause()) return;
  pauses_ = std::make_shared<component_pauses>(parts_);
  self_.on_pause([p = pauses_] { p->pause(); }, [p = pauses_] { p->resume(); });
}

/// Before anything starts: a start that takes long can be watched.
inline bool component_run::open_door(component_telling& telling) {
  std::error_code ec;
  if (telling.door) telling.door->open(ec);
  if (ec) {
    s_.write(severity::error, "cannot start: no control endpoint at " + options_.control.path +
                                  ": " + ec.message() +
                                  (ec == std::errc::address_in_use ? runs_already : wants_folder));
  }
  return !ec;
}

inline void component_run::tell(event_kind kind, duration limit, std::string_view text) noexcept {
  s_.tell_event({.kind = kind,
                 .wall = std::chrono::system_clock::now(),
                 .at = s_.now(),
                 .limit = limit,
                 .reason = self_.token().reason(),
                 .text = text});
}

}  // namespace detail
CURFEW_END

#endif
