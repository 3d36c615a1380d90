// SPDX-License-Identifier: BSL-1.0
//
// What happens in the life of a service, as values, in one order, for whoever keeps or shows it.
#ifndef CURFEW_SERVICE_LIFECYCLE_EVENT_HPP
#define CURFEW_SERVICE_LIFECYCLE_EVENT_HPP

#include <curfew/release/label.hpp>
#include <curfew/stop/reason.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

CURFEW_BEGIN

/// What has happened. The members of lifecycle_event that are named here have a meaning then.
enum class event_kind : std::uint8_t {
  run_began,   ///< the program has begun
  ready,       ///< all that was to be started is up
  stopping,    ///< a stop has begun: `reason`, and `limit` is the time for it
  escalated,   ///< it has moved up a rung: `text` names the rung
  run_ended,   ///< `text` is the outcome, `elapsed` the time since the stop
  step_began,  ///< of a component: `part`, `step`, `limit`
  step_ended,  ///< the same, and `outcome`, `elapsed`; `text` is the error, if any
  progress,    ///< `text` is what it says of itself, and `moved` whether it has moved on
  step_late,   ///< it has used half, nine tenths, all of its limit, and goes on
  abandoned,   ///< a component is given up; the rest goes on without it
  fault,       ///< a component has failed at run time: `text`
  restarting,  ///< and will be started again after `limit`
  prepared,    ///< all components agree to a stop
  resumed,     ///< that stop is not made after all: `text` says why
  lost,        ///< events before this one could not be kept: `text` says how many
  control,     ///< somebody asked for something: `caller`, `verb`, `allowed`, `text`
};

/// What a component is asked to do.
enum class component_step : std::uint8_t { none, start, prepare, resume, drain, stop, abort };

/// How a step of a component ended.
enum class step_outcome : std::uint8_t {
  done,
  failed,  ///< it threw, or could not be begun
  late,    ///< it came to its end, after its limit
  vetoed,  ///< a prepare that says no
};

/// Who asked, as the system itself tells. A user's number on POSIX, a SID on Windows.
struct caller_identity {
  std::int64_t pid = 0;       ///< 0: unknown
  std::int64_t uid = -1;      ///< -1: unknown, or there are none
  std::string_view sid = {};  ///< "S-1-5-18"; empty: unknown, or there are none
};

/// A plain value. The views last as long as the call that passes it on; a sink copies what it
/// keeps.
struct lifecycle_event {
  event_kind kind = event_kind::run_began;
  std::chrono::system_clock::time_point wall = {};  ///< for people and files
  time_source::time_point at = {};                  ///< for differences
  std::string_view part = {};                       ///< the component's name; empty: the whole
  component_step step = component_step::none;
  step_outcome outcome = step_outcome::done;
  time_source::duration elapsed = {};
  time_source::duration limit = (time_source::duration::max)();  ///< max(): none
  stop_reason reason = {};
  source_place place = {};  ///< where the component is declared
  std::string_view text = {};
  caller_identity caller = {};   ///< of `control`
  std::string_view verb = {};    ///< of `control`: what was asked for
  std::string_view change = {};  ///< of `control`: the number the caller has given the matter
  bool allowed = false;          ///< of `control`
  bool moved = true;             ///< of `progress`; false: it is only to be seen
};

/// Where events go. write() is called by one thread at a time, in the order of the events, and
/// throws nothing. Whoever writes to something slow is fed by an event_stream; whoever is given
/// events directly only stores to memory, because a stop waits for it.
class event_sink {
 public:
  virtual void write(const lifecycle_event& e) noexcept = 0;
  /// Has what was written where it is kept, or as much of it as the token leaves time for. False:
  /// not all of it is.
  virtual bool flush(const stop_token&) noexcept { return true; }

 protected:
  ~event_sink() = default;
};

[[nodiscard]] constexpr const char* to_string(event_kind k) noexcept {
  switch (k) {
    case event_kind::run_began: return "run began";
    case event_kind::ready: return "ready";
    case event_kind::stopping: return "stopping";
    case event_kind::escalated: return "escalated";
    case event_kind::run_ended: return "run ended";
    case event_kind::step_began: return "step began";
    case event_kind::step_ended: return "step ended";
    case event_kind::progress: return "progress";
    case event_kind::step_late: return "step late";
    case event_kind::abandoned: return "abandoned";
    case event_kind::fault: return "fault";
    case event_kind::restarting: return "restarting";
    case event_kind::prepared: return "prepared";
    case event_kind::resumed: return "resumed";
    case event_kind::lost: return "lost";
    case event_kind::control: return "control";
  }
  return "unknown";
}

[[nodiscard]] constexpr const char* to_string(component_step s) noexcept {
  switch (s) {
    case component_step::none: return "none";
    case component_step::start: return "start";
    case component_step::prepare: return "prepare";
    case component_step::resume: return "resume";
    case component_step::drain: return "drain";
    case component_step::stop: return "stop";
    case component_step::abort: return "abort";
  }
  return "unknown";
}

[[nodiscard]] constexpr const char* to_string(step_outcome o) noexcept {
  switch (o) {
    case step_outcome::done: return "done";
    case step_outcome::failed: return "failed";
    case step_outcome::late: return "late";
    case step_outcome::vetoed: return "vetoed";
  }
  return "unknown";
}

CURFEW_END

#endif
