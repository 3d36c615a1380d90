// SPDX-License-Identifier: BSL-1.0
//
// A lifecycle's bodies: what runs on its threads.
#ifndef CURFEW_SERVICE_DETAIL_LIFECYCLE_THREADS_HPP
#define CURFEW_SERVICE_DETAIL_LIFECYCLE_THREADS_HPP

#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/detail/error_text.hpp>
#include <curfew/service/detail/lifecycle_state.hpp>

CURFEW_BEGIN
namespace detail {

// ---- for the machine

inline void lifecycle_state::begin(std::uint32_t part, component_step step,
                                   time_point cut_at) noexcept {
  component_record& r = records_[part];
  const bool aside = step == component_step::abort;
  (aside ? r.aborts : r.works) = true;
  if (!aside) r.hurried = false;
  (aside ? r.aborter : r.worker).give({part, step, cut_at});
}

inline void lifecycle_state::tell(std::uint32_t part, const lifecycle_event& e) noexcept {
  component_record& r = records_[part];
  if (e.kind == event_kind::step_began) r.note = {};
  if (e.outcome == step_outcome::failed || e.kind == event_kind::fault)
    r.error = fixed_text<400>(e.text);
  const bool says_no = e.step == component_step::prepare &&
                       (e.kind == event_kind::step_late || e.outcome == step_outcome::failed ||
                        e.outcome == step_outcome::vetoed);
  if (says_no) static_cast<void>(attempt([&] { veto_part_ = r.name; }));
  if (e.kind == event_kind::abandoned) leave(r);
  lifecycle_event whole = e;
  whole.part = r.name;
  whole.place = r.place;
  if (whole.text.empty() && e.kind != event_kind::step_began) whole.text = r.note.view();
  tell(whole);
}

inline void lifecycle_state::tell(const lifecycle_event& e) noexcept {
  if (e.kind == event_kind::resumed)
    static_cast<void>(attempt([&] { veto_text_ = std::string(e.text); }));
  if (sinks_.empty()) return;
  lifecycle_event dated = e;
  dated.wall = std::chrono::system_clock::now();
  dated.at = clock_.now();
  for (event_sink* s : sinks_) s->write(dated);
}

/// Its threads are given nothing more to do.
inline void lifecycle_state::leave(component_record& r) noexcept {
  if (r.works) r.worker.abandon();
  if (r.aborts) r.aborter.abandon();
}

// ---- steps

inline stop_source& lifecycle_state::source_of(component_step s) noexcept {
  switch (s) {
    case component_step::start: return start_;
    case component_step::prepare: return prepare_;
    case component_step::drain: return drain_;
    case component_step::stop: return stop_;
    default: return failed_;
  }
}

/// A resume and an abort are cut short by nothing but their own time.
inline stop_token lifecycle_state::token_until(const step_order& order) noexcept {
  const bool alone = order.step == component_step::resume || order.step == component_step::abort;
  stop_token parent, hurried;
  {
    const std::lock_guard guard(lock_);
    hurried = hurried_.get_token();
    if (!alone) parent = source_of(order.step).get_token();
  }
  std::error_code ec;
  stop_source own(nostopstate);
  const std::exception_ptr error = attempt([&] {
    own = alone ? stop_source(clock_, order.cut_at, ec) : stop_source(parent, order.cut_at, ec);
  });
  if (error != nullptr || ec) return hurried;
  stop_token token = own.get_token();
  if (order.step != component_step::abort) {
    const std::lock_guard guard(lock_);
    component_record& r = records_[order.part];
    r.own.swap(own);
    if (r.hurried) return hurried;
  }
  return token;
}

inline void lifecycle_state::perform(const step_order& order) noexcept {
  const stop_token token = token_until(order);
  const step_end end = run(order, token);
  news(order, end);
}

inline lifecycle_state::step_end lifecycle_state::run(const step_order& order,
                                                      const stop_token& token) noexcept {
  step_end end;
  step s(weak_from_this(), order.part, order.step, token);
  const std::exception_ptr error = attempt([&] { call(records_[order.part], s, end); });
  if (error == nullptr && !s.failed()) return end;
  end.outcome = step_outcome::failed;
  end.text = error != nullptr ? error_text(error) : s.why();
  return end;
}

inline void lifecycle_state::call(component_record& r, step& s, step_end& end) {
  component& c = r.what;
  switch (s.what()) {
    case component_step::start:
      if (await_condition(c.start_when, s) && c.start) c.start(s);
      break;
    case component_step::prepare: {
      const prepare_answer answer = c.prepare(s);
      end.wait = answer.wait();
      if (!answer.vetoed()) break;
      end.outcome = step_outcome::vetoed;
      end.text = fixed_text<400>(answer.reason());
      break;
    }
    case component_step::resume: c.resume(s); break;
    case component_step::drain:
      if (await_condition(c.drain_when, s) && c.drain) c.drain(s);
      break;
    case component_step::stop:
      if (await_condition(c.stop_when, s) && c.stop) c.stop(s);
      break;
    case component_step::abort: c.abort(s); break;
    case component_step::none: break;
  }
}

/// False: the step has failed. Only a start does for it: what is to be stopped is stopped all the
/// same.
inline bool lifecycle_state::await_condition(const condition& c, step& s) {
  if (!c.holds) return true;
  constexpr time_source::duration longest = std::chrono::milliseconds(50);
  time_source::duration nap = std::chrono::milliseconds(1);
  for (bool told = false; !c.holds(s); told = true) {
    if (!told) s.progress(fixed_text<120>("waits for: ").append(c.text).view());
    if (!s.token().wait_for(nap)) {
      nap = lesser(nap * 2, longest);
      continue;
    }
    if (s.what() != component_step::start) break;
    s.fail(fixed_text<400>("it was waited for in vain: ").append(c.text).view());
    return false;
  }
  return true;
}

/// Of one that is given up nobody wants to hear.
inline void lifecycle_state::news(const step_order& order, const step_end& end) noexcept {
  stop_source own(nostopstate);  // goes without the lock
  turn t(*this);
  component_record& r = records_[order.part];
  (order.step == component_step::abort ? r.aborts : r.works) = false;
  if (order.step != component_step::abort) r.own.swap(own);
  if (t.machine().phase(order.part) == part_phase::lost) return;
  // Who returns because of the stop is not to start those that wait for it.
  if (t.machine().whole() == whole_phase::starting && start_.stop_requested()) take_back(t);
  t.machine().finished(t.now(), order.part, order.step, end.outcome, end.text.view(), end.wait);
}

inline void lifecycle_state::say(std::size_t part, std::string_view what, bool moved) noexcept {
  const std::lock_guard guard(lock_);
  component_record& r = records_[part];
  r.note = fixed_text<120>(what);
  tell({.kind = event_kind::progress,
        .part = r.name,
        .place = r.place,
        .text = r.note.view(),
        .moved = moved});
}

inline void lifecycle_state::fail(std::size_t part, std::string_view why) noexcept {
  turn t(*this);
  if (machine_ && !over_) t.machine().fault(t.now(), static_cast<std::uint32_t>(part), why);
}

// ---- the hand

inline void lifecycle_state::hand_entry(void* self) noexcept {
  static_cast<lifecycle_state*>(self)->keep_time();
}

inline void lifecycle_state::keep_time() noexcept {
  hand_id_.store(this_thread(), std::memory_order_relaxed);
  for (;;) {
    inplace_stop_source nap(clock_);
    time_point due{};
    {
      turn t(*this);
      if (over_) return;
      t.machine().tick(t.now());
      due = nap_until_ = t.machine().next_due();
      nap_ = &nap;
    }
    static_cast<void>(attempt([&] { nap.get_token().wait_until(due); }));
    const std::lock_guard guard(lock_);
    nap_ = nullptr;
  }
}

}  // namespace detail
CURFEW_END

#endif
