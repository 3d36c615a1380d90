// SPDX-License-Identifier: BSL-1.0
//
// A health's bodies: what it says, as of the moment in which it is asked.
#ifndef CURFEW_SERVICE_DETAIL_HEALTH_TELLING_HPP
#define CURFEW_SERVICE_DETAIL_HEALTH_TELLING_HPP

#include <curfew/service/detail/health_state.hpp>
#include <curfew/stop/detail/bounds.hpp>

CURFEW_BEGIN
namespace detail {

/// A copy: a lifecycle may end in the moment in which it is looked at, and then what its functions
/// hold ends with it, without our lock.
inline std::vector<health_parts> health_state::parts() {
  const std::lock_guard guard(lock_);
  return parts_;
}

/// By the program's word, or without it when all that it watches has been up.
inline bool health_state::has_started() {
  if (begun_.load(std::memory_order_relaxed)) return true;
  const std::vector<health_parts> all = parts();
  bool begun = said_.load(std::memory_order_acquire) || !all.empty();
  for (const health_parts& p : all) begun = begun && p.been_up();
  if (begun) begun_.store(true, std::memory_order_relaxed);
  return begun;
}

inline health_report health_state::report(health_probe probe) {
  health_report r{.probe = probe};
  const bool started = has_started();
  add_entries(r);
  // A start that is over is so whatever becomes of the components.
  if (probe == health_probe::readiness || (probe == health_probe::startup && !started))
    for (const health_parts& p : parts()) p.add_entries(r.entries);
  judge(r, started);
  return r;
}

inline void health_state::add_entries(health_report& r) {
  const std::lock_guard guard(lock_);
  const time_point now = clock_.now();
  for (const health_record& c : records_)
    if (c.options.probes.contains(r.probe)) r.entries.push_back(entry_of(c, now));
  for (const health_beat& b : beats_)
    if (b.probes.contains(r.probe)) r.entries.push_back(entry_of(b, now));
}

inline health_entry health_state::entry_of(const health_record& c, time_point now) {
  health_entry e{.name = c.name, .optional = c.options.optional, .place = c.place};
  if (c.run && now >= c.run->due) {
    e.elapsed = saturating_subtract(now, c.run->began);
    e.status = health_status::unhealthy;
    e.text = late_text(c, e.elapsed).str();
  } else if (c.status != health_status::unknown) {
    e.status = c.status;
    e.text = c.text.str();
    e.elapsed = c.elapsed;
    e.age = saturating_subtract(now, c.ended);
  }
  return e;
}

/// Another thread may have beaten since the clock was looked at.
inline health_entry health_state::entry_of(const health_beat& b, time_point now) {
  health_entry e{.name = b.name, .status = health_status::healthy, .place = b.place};
  const duration last(b.heart->last.load(std::memory_order_relaxed));
  if (last == pulse::resting) return e.text = "rests", e;
  e.age = greater(now.time_since_epoch() - last, duration::zero());
  if (e.age <= b.limit) return e;
  e.status = health_status::unhealthy;
  e.text = "no beat for " + to_text(e.age) + " of " + to_text(b.limit);
  return e;
}

/// The stop is looked at last: what is told is not older than it. A stop has an end of its own, and
/// loops that have ended do not beat: while it goes on the program lives.
inline void health_state::judge(health_report& r, bool started) {
  const bool live = r.probe == health_probe::liveness;
  const bool past =
      r.probe == health_probe::startup && startup_over_.load(std::memory_order_relaxed);
  weigh(r);
  r.stop = token_.reason();
  if (past || (live && r.stopping())) {
    r.status = health_status::healthy;
    r.why.clear();
  } else if (!live && (r.stopping() || !started)) {
    r.status = health_status::unhealthy;
    r.why = r.stopping() ? "stopping: " + to_string(r.stop) : "starting";
  } else if (r.probe == health_probe::startup && r.ok()) {
    startup_over_.store(true, std::memory_order_relaxed);
  }
}

}  // namespace detail
CURFEW_END

#endif
