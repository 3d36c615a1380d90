// SPDX-License-Identifier: BSL-1.0
//
// What a run of components does when somebody asks it over its control endpoint.
#ifndef CURFEW_SERVICE_DETAIL_RUN_CONTROL_HPP
#define CURFEW_SERVICE_DETAIL_RUN_CONTROL_HPP

#include <curfew/host/host_event.hpp>
#include <curfew/release/gate.hpp>
#include <curfew/service/control_answer.hpp>
#include <curfew/service/control_policy.hpp>
#include <curfew/service/detail/control_frame.hpp>
#include <curfew/service/detail/control_watch.hpp>
#include <curfew/service/detail/end_process.hpp>
#include <curfew/service/detail/json.hpp>
#include <curfew/service/detail/json_reader.hpp>
#include <curfew/service/detail/run_state.hpp>
#include <curfew/service/lifecycle.hpp>
#include <curfew/service/plan.hpp>
#include <curfew/service/plan_text.hpp>
#include <curfew/service/stop_budget.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// Thread safety: answer() from any thread. After leave() it touches nothing of the run.
class run_control {
 public:
  run_control(run_state& s, lifecycle& parts, std::function<std::string()> health)
      : s_(s), parts_(parts), health_(std::move(health)) {}

  [[nodiscard]] control_answer answer(const control_request& r);
  /// Waits for what is being answered, but for no function of the user's.
  void leave() noexcept {
    open_.close();
    open_.wait(stop_token{});
  }

 private:
  using request = const control_request&;
  using duration = time_source::duration;

  [[nodiscard]] control_answer answer_inside(request r);
  [[nodiscard]] control_answer health() const;
  [[nodiscard]] control_answer status() const;
  [[nodiscard]] control_answer plan() const;
  [[nodiscard]] control_answer stop(request r);
  [[nodiscard]] control_answer pass_on(host_event what, bool wanted);
  [[nodiscard]] control_answer prepare(request r);
  [[nodiscard]] control_answer commit(request r);
  [[nodiscard]] control_answer abort(request r);

  void write_stop(json_writer& json) const;
  control_answer stopping(request r, bool first);
  [[nodiscard]] std::string why_not_now() const;
  [[nodiscard]] std::string why_not_his(request r) const;

  run_state& s_;
  lifecycle& parts_;
  const std::function<std::string()> health_;
  gate open_;

  mutable std::mutex lock_;  // of what follows; held for no call into the lifecycle that waits
  std::string change_;       // what the last prepare was for
  bool preparing_ = false;
  bool resuming_ = false;  // it is being given up
  bool asked_ = false;     // for the stop
};

/// Something of which there is one at a time; its flag is set already.
class under_way {
 public:
  under_way(std::mutex& lock, bool& flag) noexcept : lock_(lock), flag_(flag) {}
  under_way(const under_way&) = delete;
  under_way& operator=(const under_way&) = delete;
  ~under_way() {
    const std::lock_guard guard(lock_);
    flag_ = false;
  }

 private:
  std::mutex& lock_;
  bool& flag_;
};

/// From when a run can be asked something until it ends. Null: it cannot be asked.
class control_session {
 public:
  explicit control_session(run_control* c) noexcept : control_(c) {}
  control_session(const control_session&) = delete;
  control_session& operator=(const control_session&) = delete;
  ~control_session() {
    if (control_ != nullptr) control_->leave();
  }

 private:
  run_control* control_;
};

// ---------------------------------------------------------------------------------------------

inline control_answer run_control::answer(request r) {
  if (r.verb == "health") return health();
  const gate::hold hold = open_.enter();
  if (hold) return answer_inside(r);
  if (r.verb == "status") return control_answer::done(R"({"phase":"ended","components":[]})");
  return control_answer::refused(
      "all components are down, and the program ends: only status is answered; ask the next run");
}

inline control_answer run_control::answer_inside(request r) {
  if (r.verb == "status") return status();
  if (r.verb == "plan") return plan();
  if (r.verb == "stop") return stop(r);
  const host_interests has = s_.events.interests();
  if (r.verb == "reload") return pass_on(host_event::reload, has.reload);
  if (r.verb == "pause") return pass_on(host_event::pause, has.pause);
  if (r.verb == "resume") return pass_on(host_event::resume, has.pause);
  if (r.verb == "prepare") return prepare(r);
  if (r.verb == "commit") return commit(r);
  if (r.verb == "abort") return abort(r);
  return control_answer::refused(
      "there is no verb " + std::string(r.verb) +
      "; use one of: status health plan stop reload pause resume prepare commit abort watch");
}

// ---- how it is

inline control_answer run_control::health() const {
  if (!health_)
    return control_answer::refused(
        "this program does not tell how it is: control_options.health is empty; give it a "
        "function");
  std::string json = health_();
  if (!is_one_value(json))
    return control_answer::refused(
        "what tells its health gives no JSON: the answer is one value of it; mend "
        "control_options.health");
  return control_answer::done(std::move(json));
}

/// A function of it runs, or is awaited.
[[nodiscard]] constexpr bool is_moving(part_phase p) noexcept {
  return p == part_phase::starting || p == part_phase::preparing || p == part_phase::resuming ||
         p == part_phase::draining || p == part_phase::stopping;
}

inline void write_component(json_writer& json, const component_status& c) {
  json.begin('{').member("name", c.name).member("phase", to_string(c.phase));
  json.member("wanted", c.wanted);
  if (is_moving(c.phase)) write_milliseconds(json, "elapsed_ms", c.elapsed);
  if (is_moving(c.phase)) write_milliseconds(json, "limit_ms", c.limit);
  json.member("failures", static_cast<std::int64_t>(c.failures + 0.5));
  write_if_any(json, "note", c.note);
  write_if_any(json, "error", c.error);
  json.end();
}

/// null: none has been asked for.
inline void run_control::write_stop(json_writer& json) const {
  json.key("stop");
  if (!s_.root.stop_requested()) return static_cast<void>(json.value(nullptr));
  const auto limit = s_.limit();
  const auto left = limit == (time_source::time_point::max)()
                        ? (duration::max)()
                        : greater<duration>(limit - s_.now(), duration::zero());
  json.begin('{').member("reason", to_string(s_.root.get_token().reason()));
  write_milliseconds(json, "left_ms", left);
  json.end();
}

inline control_answer run_control::status() const {
  json_writer json;
  json.begin('{').member("name", s_.spec.name).member("pid", process_id());
  json.member("phase", to_string(parts_.phase()));
  write_stop(json);
  const whole_phase now = parts_.phase();
  if (now == whole_phase::preparing || now == whole_phase::prepared) {
    const std::lock_guard guard(lock_);
    write_if_any(json, "change", change_);
  }
  json.key("components").begin('[');
  for (const component_status& c : parts_.status()) write_component(json, c);
  return control_answer::done(json.end().end().take());
}

inline control_answer run_control::plan() const {
  const auto declared = parts_.parts();
  const auto budgets = stop_budgets(s_.spec);
  return control_answer::done(to_json(make_plan(declared, budgets)));
}

// ---- what it is to do

/// Once, since a second one would be the hurry.
inline control_answer run_control::stop(request r) {
  bool first = false;
  {
    const std::lock_guard guard(lock_);
    first = !asked_ && !s_.root.stop_requested();
    asked_ = true;
  }
  return stopping(r, first);
}

/// On the thread of the bridge, as by a signal: callbacks of the user's hold up nobody here.
inline control_answer run_control::stopping(request r, bool first) {
  if (first) s_.bridge->request_stop({stop_cause::control, 0, r.caller.pid, r.caller.uid});
  json_writer json;
  json.begin('{').member("stopping", true).member("first", first);
  return control_answer::done(json.end().take());
}

/// Empty: it may still be asked for what a stop would end.
inline constexpr const char* one_way = "; nothing else is begun then: ask the next run";

inline std::string run_control::why_not_now() const {
  if (s_.root.stop_requested())
    return "a stop has begun: " + to_string(s_.root.get_token().reason()) + one_way;
  const std::lock_guard guard(lock_);
  return asked_ ? std::string("a stop has been asked for") + one_way : std::string();
}

inline control_answer run_control::pass_on(host_event what, bool wanted) {
  if (std::string why = why_not_now(); !why.empty()) return control_answer::refused(std::move(why));
  if (!wanted)
    return control_answer::refused(
        "this program has no function for that: on_reload and on_pause give it one; restart it "
        "instead");
  if (!s_.events.event(what, 0))
    return control_answer::refused(
        "too much is waiting already: what is asked is done in turn; ask again later");
  return control_answer::done(R"({"asked":true})");
}

// ---- a stop in two steps

inline constexpr const char* nothing_prepared =
    "nothing is prepared, or not any more: that lasts for its lease; prepare it again";

/// {"lease_ms":60000}: how long it stays prepared when nobody decides.
[[nodiscard]] inline time_source::duration lease_of(std::string_view arguments) {
  constexpr std::int64_t usual = 30'000, most = 3'600'000;
  json_value v;
  const bool read = read_json(arguments, v);
  const json_value* const asked = read ? v.find("lease_ms") : nullptr;
  const std::int64_t lease = asked != nullptr ? asked->number : usual;
  return std::chrono::milliseconds(within<std::int64_t>(lease, 0, most));
}

inline control_answer run_control::prepare(request r) {
  if (std::string why = why_not_now(); !why.empty()) return control_answer::refused(std::move(why));
  {
    const std::lock_guard guard(lock_);
    const whole_phase now = parts_.phase();
    if (preparing_ || now == whole_phase::preparing || now == whole_phase::prepared)
      return control_answer::refused("it has been prepared for \"" + change_ +
                                     "\": one change at a time; commit or abort that one");
    preparing_ = true;
    change_ = r.change;
  }
  const under_way preparing(lock_, preparing_);
  const prepare_report report = parts_.prepare(lease_of(r.arguments));
  json_writer json;
  json.begin('{').member("prepared", report.prepared);
  write_if_any(json, "part", report.part);
  write_if_any(json, "why", report.why);
  std::string body = json.end().take();
  if (report) return control_answer::done(std::move(body));
  const std::string who = report.part.empty() ? "" : report.part + ": ";
  return control_answer::refused(who + report.why, std::move(body));
}

/// Whoever decides names what he decides about. With the lock.
inline std::string run_control::why_not_his(request r) const {
  if (asked_) return std::string("a stop has been asked for") + one_way;
  if (resuming_) return "it is being given up: all go on as before; prepare it again";
  const whole_phase now = parts_.phase();
  if (now != whole_phase::preparing && now != whole_phase::prepared) return nothing_prepared;
  if (r.change == change_) return {};
  return change_.empty() ? "what is prepared has no name: who decides calls it the same; give none"
                         : "what is prepared is \"" + change_ +
                               "\": who decides calls it the same; give that name";
}

inline control_answer run_control::commit(request r) {
  std::string why = why_not_now();
  {
    const std::lock_guard guard(lock_);
    if (why.empty()) why = why_not_his(r);
    if (why.empty() && !parts_.commit()) why = nothing_prepared;
    if (!why.empty()) return control_answer::refused(std::move(why));
    asked_ = true;
  }
  return stopping(r, true);
}

inline control_answer run_control::abort(request r) {
  std::string why = why_not_now();
  {
    const std::lock_guard guard(lock_);
    if (why.empty()) why = why_not_his(r);
    if (!why.empty()) return control_answer::refused(std::move(why));
    resuming_ = true;
  }
  const under_way resuming(lock_, resuming_);
  const std::string text = r.change.empty() ? "given up" : "given up: " + std::string(r.change);
  const bool done = parts_.resume(text);
  return done ? control_answer::done(R"({"resumed":true})")
              : control_answer::refused(nothing_prepared);
}

}  // namespace detail
CURFEW_END

#endif
