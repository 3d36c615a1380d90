// SPDX-License-Identifier: BSL-1.0
//
// The events of a program for those who watch it over a control endpoint, each at his own pace.
#ifndef CURFEW_SERVICE_DETAIL_CONTROL_WATCH_HPP
#define CURFEW_SERVICE_DETAIL_CONTROL_WATCH_HPP

#include <curfew/service/detail/json.hpp>
#include <curfew/service/detail/stored_event.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/spin_lock.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// The last events. Whoever reads too slowly finds that the oldest are gone, and how many.
/// Thread safety: all members, from any thread.
class recent_events {
 public:
  explicit recent_events(std::size_t capacity) : ring_(capacity) {}

  void write(const lifecycle_event& e) noexcept {
    const spin_guard guard(lock_);
    ring_[as<std::size_t>(written_ % ring_.size())] = stored_event(e);
    ++written_;
  }
  /// Where the next event will be.
  [[nodiscard]] std::uint64_t end() noexcept {
    const spin_guard guard(lock_);
    return written_;
  }
  /// False: there is none at `place` yet. Else the next one is there, or after `lost` others.
  [[nodiscard]] bool read(std::uint64_t& place, stored_event& into, std::uint64_t& lost) noexcept {
    const spin_guard guard(lock_);
    lost = 0;
    if (place == written_) return false;
    if (written_ - place > ring_.size()) lost = written_ - ring_.size() - place;
    place += lost;
    into = ring_[as<std::size_t>(place++ % ring_.size())];
    return true;
  }

 private:
  spin_lock lock_;  // held for a copy's time
  std::vector<stored_event> ring_;
  std::uint64_t written_ = 0;
};

/// Rounded up; null is no limit.
inline void write_milliseconds(json_writer& json, std::string_view name, time_source::duration d) {
  json.key(name);
  if (d == (time_source::duration::max)()) return static_cast<void>(json.value(nullptr));
  json.value(std::chrono::ceil<std::chrono::milliseconds>(d).count());
}

inline void write_if_any(json_writer& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.member(name, text);
}

inline void write_caller(json_writer& json, const caller_identity& c) {
  json.key("caller").begin('{').member("pid", c.pid);
  if (c.uid >= 0) json.member("uid", c.uid);
  write_if_any(json, "sid", c.sid);
  json.end();
}

inline void write_control(json_writer& json, const lifecycle_event& e) {
  write_caller(json, e.caller);
  json.member("verb", e.verb);
  write_if_any(json, "change", e.change);
  json.member("allowed", e.allowed);
}

/// {"event":"step ended","time_ms":1764532088000,"part":"db",...}: what an event has to say.
[[nodiscard]] inline std::string event_json(const lifecycle_event& e) {
  using std::chrono::milliseconds;
  json_writer json;
  const auto wall = std::chrono::floor<milliseconds>(e.wall.time_since_epoch());
  json.begin('{').member("event", to_string(e.kind)).member("time_ms", wall.count());
  write_if_any(json, "part", e.part);
  if (e.step != component_step::none) json.member("step", to_string(e.step));
  if (e.kind == event_kind::step_ended) json.member("outcome", to_string(e.outcome));
  if (e.elapsed != time_source::duration::zero()) write_milliseconds(json, "elapsed_ms", e.elapsed);
  if (e.limit != (time_source::duration::max)()) write_milliseconds(json, "limit_ms", e.limit);
  if (e.reason.cause != stop_cause::none) json.member("reason", to_string(e.reason));
  if (e.kind == event_kind::control) write_control(json, e);
  write_if_any(json, "text", e.text);
  return json.end().take();
}

[[nodiscard]] inline std::string lost_json(std::uint64_t count) {
  json_writer json;
  return json.begin('{').member("event", "lost").member("count", count).end().take();
}

}  // namespace detail
CURFEW_END

#endif
