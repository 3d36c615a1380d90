// SPDX-License-Identifier: BSL-1.0
//
// A health's bodies: how its checks are called, and what becomes of those that hang.
#ifndef CURFEW_SERVICE_DETAIL_HEALTH_LOOKING_HPP
#define CURFEW_SERVICE_DETAIL_HEALTH_LOOKING_HPP

#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/detail/health_state.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/fail.hpp>

CURFEW_BEGIN
namespace detail {

// ---- declaring

inline void health_state::refuse_taken(std::string_view name) const {
  bool taken = false;
  for (const health_record& r : records_) taken = taken || r.name == name;
  for (const health_beat& b : beats_) taken = taken || b.name == name;
  if (taken)
    throw_errc(std::errc::invalid_argument,
               ("two checks of a health have the name " + std::string(name) +
                ", by which they are reported; rename one")
                   .c_str());
}

inline void refuse_no_limit(time_source::duration d, const char* what) {
  if (d <= time_source::duration::zero() || d == (time_source::duration::max)())
    throw_errc(std::errc::invalid_argument, what);
}

inline void health_state::add(const label& name, std::unique_ptr<health_function> f,
                              const health_options& options) {
  refuse_no_limit(options.timeout,
                  "the timeout of a health check must be positive and finite, for the answer waits "
                  "for it; give it one below a second");
  const std::lock_guard guard(lock_);
  refuse_taken(name.text);
  records_.emplace_back(name, std::move(f), options);
}

inline heartbeat health_state::add_beat(const label& name, duration limit, health_probes probes) {
  refuse_no_limit(
      limit,
      "the time of a heartbeat must be positive and finite, for silence is judged by it; "
      "give it the longest silence you allow");
  auto heart = std::make_shared<pulse>(clock_);
  const std::lock_guard guard(lock_);
  refuse_taken(name.text);
  beats_.push_back({std::string(name.text), name.place, probes, limit, heart});
  return heartbeat(std::move(heart));
}

inline void health_state::watch(std::weak_ptr<const lifecycle_state> parts) {
  const std::lock_guard guard(lock_);
  parts_.emplace_back(std::move(parts));
}

// ---- looking

inline health_report health_state::ask(health_probe probe) {
  std::vector<wait> waits;
  if (looks_for(probe)) begin_looks(probe, on_own_thread() ? nullptr : &waits);
  for (const wait& w : waits) w.done.wait_until(w.due);
  return report(probe);
}

inline health_report health_state::read(health_probe probe) {
  if (looks_for(probe)) begin_looks(probe, nullptr);
  return report(probe);
}

/// Whether checks may be called, and their word would count.
inline bool health_state::looks_for(health_probe probe) {
  if (closing_.stop_requested()) return false;
  if (probe == health_probe::liveness) return true;
  if (probe == health_probe::startup && startup_over_.load(std::memory_order_relaxed)) return false;
  return has_started();
}

inline void health_state::begin_looks(health_probe probe, std::vector<wait>* waits) {
  const std::lock_guard guard(lock_);
  const time_point now = clock_.now();
  std::uint32_t number = 0;
  for (health_record& r : records_) {
    const std::uint32_t i = number++;
    if (!r.options.probes.contains(probe)) continue;
    if (!r.run && !fresh(r, now)) begin(r, i, now);
    if (r.run && waits != nullptr) waits->push_back({r.run->done.get_token(), r.run->due});
  }
}

inline bool health_state::fresh(const health_record& r, time_point now) const noexcept {
  return r.status != health_status::unknown &&
         saturating_subtract(now, r.ended) < r.options.max_age;
}

/// Without a thread or memory that is what it has found.
inline void health_state::begin(health_record& r, std::uint32_t number, time_point now) {
  std::error_code ec;
  const time_point due = saturating_add(now, r.options.timeout);
  const std::exception_ptr error = attempt([&] {
    if (!r.worker.started() && !r.worker.start(shared_from_this(), ec)) return;
    const stop_source done(closing_.get_token());
    const stop_source cut(done.get_token(), due, ec);
    if (!ec) r.run.emplace(health_run{.began = now, .due = due, .done = done, .cut = cut});
  });
  // Any step but none: there is one kind of work here.
  if (r.run) return r.worker.give({.part = number, .step = component_step::start});
  const std::string why = error != nullptr ? error_text(error).str() : ec.message();
  note(r, health_status::unhealthy, "it cannot be called: " + why, {}, now);
}

inline void health_state::note(health_record& r, health_status status, std::string_view text,
                               duration elapsed, time_point ended) noexcept {
  r.status = status;
  r.text = error_note(text);
  r.elapsed = elapsed;
  r.ended = ended;
}

inline bool health_state::on_own_thread() noexcept {
  const std::lock_guard guard(lock_);
  for (const health_record& r : records_)
    if (r.run && r.run->runner == this_thread()) return true;
  return false;
}

inline void health_state::perform(const step_order& order) noexcept {
  health_record* r = nullptr;
  stop_token token;
  {
    const std::lock_guard guard(lock_);
    r = &records_[order.part];
    r->run->runner = this_thread();
    token = r->run->cut.get_token();
  }
  health_result found;
  error_note error;
  if (!closing_.stop_requested()) {
    const std::exception_ptr thrown = attempt([&] { found = r->function->run(token); });
    error = error_text(thrown);
  }
  end(*r, found, error);
}

/// What a look finds that a stop may have cut short is not believed; and then nobody asks the clock
/// any more, which need not outlive a look that was abandoned.
inline void health_state::end(health_record& r, const health_result& found,
                              const error_note& error) noexcept {
  std::optional<health_run> over;
  {
    const std::lock_guard guard(lock_);
    over.swap(r.run);
    if (!closing_.stop_requested()) {
      const time_point now = clock_.now();
      const duration elapsed = saturating_subtract(now, over->began);
      if (now >= over->due) {
        note(r, health_status::unhealthy, late_text(r, elapsed).view(), elapsed, now);
      } else if (!error.empty()) {
        note(r, health_status::unhealthy, error.view(), elapsed, now);
      } else {
        note(r, found.status, found.text, elapsed, now);
      }
    }
    if (over->awaited && --awaited_ == 0) nap_->request_stop();
  }
  over->done.request_stop();
}

// ---- the end

/// Looks that are late already are not waited for, nor one that this is called by.
inline void health_state::close() noexcept {
  closing_.request_stop();
  inplace_stop_source nap(clock_);
  time_point last = (time_point::min)();
  {
    const std::lock_guard guard(lock_);
    const time_point now = clock_.now();
    for (health_record& r : records_) {
      if (!r.run || r.run->due <= now || r.run->runner == this_thread()) continue;
      r.run->awaited = true;
      ++awaited_;
      last = greater(last, r.run->due);
    }
    nap_ = &nap;
    if (awaited_ == 0) nap.request_stop();
  }
  static_cast<void>(attempt([&] { nap.get_token().wait_until(last); }));
  {
    const std::lock_guard guard(lock_);
    for (health_record& r : records_) {
      r.hangs = r.run.has_value();
      r.hangs ? r.worker.abandon() : r.worker.dismiss();
      if (r.run) r.run->awaited = false;
    }
  }
  for (health_record& r : records_) {
    if (r.hangs) continue;
    r.worker.join();
    r.function.reset();  // the state may live on with another one
  }
}

}  // namespace detail
CURFEW_END

#endif
