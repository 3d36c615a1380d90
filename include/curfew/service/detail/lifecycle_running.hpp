// SPDX-License-Identifier: BSL-1.0
//
// A lifecycle's bodies: what its callers ask for, and the threads that do it.
#ifndef CURFEW_SERVICE_DETAIL_LIFECYCLE_RUNNING_HPP
#define CURFEW_SERVICE_DETAIL_LIFECYCLE_RUNNING_HPP

#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/detail/error_text.hpp>
#include <curfew/service/detail/lifecycle_state.hpp>

CURFEW_BEGIN
namespace detail {

// ---- one turn of the machine

inline lifecycle_state::turn::~turn() {
  if (s_.machine_) {
    wake_hand();
    wake_waiters();
  }
  const std::array<component_step, 4> kinds = {component_step::start, component_step::prepare,
                                               component_step::drain, component_step::stop};
  std::array<stop_source, 4> cut = {stop_source(nostopstate), stop_source(nostopstate),
                                    stop_source(nostopstate), stop_source(nostopstate)};
  for (std::size_t k = 0; s_.cuts_ != 0 && k != kinds.size(); ++k)
    if ((s_.cuts_ & (1u << index_of(kinds[k]))) != 0) cut[k] = s_.source_of(kinds[k]);
  s_.cuts_ = 0;
  const bool hurries = std::exchange(s_.hurries_, false);
  const bool failed = std::exchange(s_.has_failed_, false);
  const stop_source told = failed ? s_.failed_ : stop_source(nostopstate);
  s_.lock_.unlock();
  for (stop_source& c : cut) c.request_stop();
  if (hurries) hurry_steps();
  if (failed) stop_source(told).request_stop({stop_cause::fault});
}

/// One after the other, each with the lock for as long as it is looked up.
inline void lifecycle_state::turn::hurry_steps() noexcept {
  for (component_record& r : s_.records_) {
    stop_source own(nostopstate);
    {
      const std::lock_guard guard(s_.lock_);
      if (r.hurried) own = r.own;
    }
    own.request_stop();
  }
}

inline void lifecycle_state::turn::wake_hand() noexcept {
  if (s_.nap_ == nullptr || (!s_.over_ && machine().next_due() >= s_.nap_until_)) return;
  s_.nap_->request_stop();
}

inline void lifecycle_state::turn::wake_waiters() noexcept {
  const bool settled = machine().settled();
  if (machine().whole() == s_.told_phase_ && settled == s_.told_settled_ && !s_.has_failed_) return;
  s_.told_phase_ = machine().whole();
  s_.told_settled_ = settled;
  s_.news_.fetch_add(1, std::memory_order_release);
  unpark_all(s_.news_);
}

/// A function of a component is not to wait for what may wait for itself, nor is the hand, without
/// which no time passes.
template <class Pred>
void lifecycle_state::await(Pred pred) const noexcept {
  while (!runs_here()) {
    const std::uint32_t seen = news_.load(std::memory_order_acquire);
    {
      const std::lock_guard guard(lock_);
      if (pred()) return;
    }
    park(news_, seen);
  }
}

inline bool lifecycle_state::runs_here() const noexcept {
  if (hand_id_.load(std::memory_order_relaxed) == this_thread()) return true;
  for (const component_record& r : records_)
    if (r.worker.runs_here() || r.aborter.runs_here()) return true;
  return false;
}

// ---- starting

inline void lifecycle_state::make_threads(std::error_code& ec) noexcept {
  const auto self = shared_from_this();
  if (!hand_.joinable() && !hand_.start(&lifecycle_state::hand_entry, this, ec)) return;
  for (component_record& r : records_) {
    if (!r.worker.started() && !r.works && !r.worker.start(self, ec)) return;
    const bool needs_aborter = r.what.abort && !r.aborter.started() && !r.aborts;
    if (needs_aborter && !r.aborter.start(self, ec)) return;
  }
}

inline bool lifecycle_state::ready_for_start() const noexcept {
  const std::lock_guard guard(lock_);
  return !machine_ || (machine_->whole() == whole_phase::stopped && machine_->lost() == 0) ||
         machine_->whole() == whole_phase::idle;
}

inline start_report lifecycle_state::start(const stop_token& token) {
  validate();
  if (!ready_for_start()) return {.error = "it is started already, or has not stopped cleanly"};
  {
    const std::lock_guard guard(lock_);
    if (!machine_) machine_.emplace(graph_);
    machine_->serve(graph_, *this);
  }
  std::error_code ec;
  make_threads(ec);
  if (ec) return {.error = "there is no thread: " + ec.message()};
  begin_start(token);
  const auto stopped = [this] {
    turn t(*this);
    take_back(t);
  };
  {
    const stop_callback on_stop(token, stopped);
    await([this] {
      return machine_->whole() == whole_phase::stopped || machine_->whole() == whole_phase::up;
    });
  }
  if (token.stop_requested()) {  // it may have come up in the same moment
    stopped();
    await([this] { return machine_->whole() == whole_phase::stopped; });
  }
  return report_of_start();
}

inline void lifecycle_state::take_back(turn& t) noexcept {
  t.machine().stop(t.now(), saturating_add(t.now(), rollback_), {});
}

/// Tokens of an earlier start may be stopped.
inline void lifecycle_state::begin_start(const stop_token& token) {
  stop_source start = token.stop_possible() ? stop_source(token) : stop_source(clock_);
  stop_source drain(clock_), stop(clock_), hurried(clock_);
  hurried.request_stop();
  turn t(*this);
  start_.swap(start);
  drain_.swap(drain);
  stop_.swap(stop);
  hurried_.swap(hurried);
  if (failed_.stop_requested()) failed_ = stop_source(clock_);
  t.machine().start(t.now(), rollback_);
}

inline start_report lifecycle_state::report_of_start() const {
  const std::lock_guard guard(lock_);
  start_report report{.up = machine_->whole() == whole_phase::up};
  if (report.up) return report;
  report.abandoned = machine_->lost();
  report.stopped = !machine_->rolled_back();
  const std::uint32_t culprit = machine_->culprit();
  if (culprit == lifecycle_machine::nobody) return report;
  report.part = records_[culprit].name;
  report.error = records_[culprit].error.str();
  report.place = records_[culprit].place;
  return report;
}

// ---- stopping

inline void lifecycle_state::shorten(duration left) noexcept {
  turn t(*this);
  if (machine_ && machine_->whole() == whole_phase::stopping)
    t.machine().stop(t.now(), saturating_add(t.now(), left), {});
}

inline stop_report lifecycle_state::stop(duration budget, const stop_token& hurry,
                                         duration lame_duck) noexcept {
  {
    turn t(*this);
    if (!machine_ || machine_->whole() == whole_phase::idle) return {};
    t.machine().stop(t.now(), saturating_add(t.now(), budget), lame_duck);
  }
  const stop_callback on_hurry(hurry, [this, &hurry]() noexcept {
    const bool spent = hurry.reason().cause == stop_cause::deadline;
    escalate(spent ? stop_rung::abort : stop_rung::none);
  });
  await([this] { return machine_->whole() == whole_phase::stopped; });
  const std::lock_guard guard(lock_);
  return {machine_->failed_stops(), machine_->late_stops(), machine_->lost()};
}

inline void lifecycle_state::escalate(stop_rung least) noexcept {
  turn t(*this);
  if (machine_) t.machine().escalate(t.now(), least);
}

/// What hangs keeps this alive, and touches nothing of the caller's through it.
inline void lifecycle_state::close() noexcept {
  stop((duration::max)(), {}, {});
  {
    turn t(*this);
    over_ = true;
    sinks_.clear();
    for (component_record& r : records_) {
      leave(r);
      if (!r.works) r.worker.dismiss();
      if (!r.aborts) r.aborter.dismiss();
    }
  }
  for (component_record& r : records_) {
    r.worker.join();
    r.aborter.join();
  }
  if (hand_.joinable()) hand_.join();
}

// ---- a stop that is considered

inline prepare_report lifecycle_state::prepare(duration lease) {
  stop_source fresh(clock_);
  {
    turn t(*this);
    if (!machine_) return {.why = "it is not started"};
    if (!t.machine().prepare(t.now(), lease))
      return {.why = std::string("it is ") + to_string(machine_->whole()) +
                     (machine_->whole() == whole_phase::up ? ", and changing" : "")};
    prepare_.swap(fresh);  // what has begun looks for it under the lock
    veto_part_.clear();
    veto_text_.clear();
  }
  await([this] {
    const whole_phase now = machine_->whole();
    return now != whole_phase::preparing && now != whole_phase::resuming;
  });
  const std::lock_guard guard(lock_);
  if (machine_->whole() == whole_phase::prepared) return {.prepared = true};
  const bool stopped = machine_->whole() != whole_phase::up;
  return {.part = veto_part_, .why = stopped ? "it is being stopped" : veto_text_};
}

inline bool lifecycle_state::commit() noexcept {
  turn t(*this);
  return machine_ && t.machine().commit(t.now());
}

inline bool lifecycle_state::resume(std::string_view why) noexcept {
  {
    turn t(*this);
    if (!machine_ || !t.machine().resume(t.now(), why)) return false;
  }
  await([this] { return machine_->whole() != whole_phase::resuming; });
  return true;
}

// ---- parts of it

inline lifecycle_snapshot lifecycle_state::snapshot() const {
  const std::lock_guard guard(lock_);
  lifecycle_snapshot s;
  for (std::uint32_t i = 0; machine_ && i != graph_.size(); ++i)
    if (machine_->wanted(i)) s.up.push_back(records_[i].name);
  return s;
}

inline bool lifecycle_state::restore(const lifecycle_snapshot& wanted) {
  std::vector<bool> up(graph_.size());
  for (const std::string& name : wanted.up) {
    const std::uint32_t part = find(name);
    if (part != lifecycle_machine::nobody) up[part] = true;
  }
  const auto order = graph_.order();
  for (auto i = order.rbegin(); i != order.rend(); ++i)
    for (const std::uint32_t d : graph_[*i].after) up[d] = up[d] || up[*i];
  set_wanted(up);
  const std::lock_guard guard(lock_);
  return machine_ && machine_->whole() == whole_phase::up && is_as(up);
}

inline lifecycle_snapshot lifecycle_state::pause() {
  lifecycle_snapshot before = snapshot();
  std::vector<bool> up(graph_.size());
  for (const std::string& name : before.up) up[find(name)] = true;
  for (const std::uint32_t i : graph_.order()) {
    bool stays = !graph_[i].pausable;
    for (const std::uint32_t d : graph_[i].after) stays = stays && (up[d] || graph_[d].optional);
    if (!stays) up[i] = false;
  }
  set_wanted(up);
  return before;
}

inline void lifecycle_state::set_wanted(const std::vector<bool>& up) noexcept {
  {
    turn t(*this);
    if (!machine_ || machine_->whole() != whole_phase::up) return;
    for (std::uint32_t i = 0; i != up.size(); ++i)
      if (!up[i]) machine_->want(i, false);
    for (std::uint32_t i = 0; i != up.size(); ++i)
      if (up[i]) machine_->want(i, true);
    machine_->converge(t.now());
  }
  await([this] {
    return machine_->settled() || machine_->whole() != whole_phase::up ||
           machine_->culprit() != lifecycle_machine::nobody;  // the whole has failed
  });
}

inline bool lifecycle_state::is_as(const std::vector<bool>& up) const noexcept {
  for (std::uint32_t i = 0; i != up.size(); ++i)
    if (up[i] && machine_->phase(i) != part_phase::up) return false;
  return true;
}

}  // namespace detail
CURFEW_END

#include <curfew/service/detail/lifecycle_threads.hpp>

#endif
