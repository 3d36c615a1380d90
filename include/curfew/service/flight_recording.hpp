// SPDX-License-Identifier: BSL-1.0
//
// What a flight recorder has kept: how the last runs of a program went, and how they ended, also
// those that were killed.
#ifndef CURFEW_SERVICE_FLIGHT_RECORDING_HPP
#define CURFEW_SERVICE_FLIGHT_RECORDING_HPP

#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/service/detail/json.hpp>
#include <curfew/service/detail/recorder_file.hpp>
#include <curfew/service/detail/recorder_history.hpp>
#include <curfew/service/detail/recorder_values.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/service/timeline.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/reason.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// A step of a component. Of one that never came to its end, `elapsed` is the time until the run
/// was last seen alive.
struct flight_step {
  std::string part = {};
  component_step step = component_step::none;
  time_source::duration began{};  ///< since the run began
  time_source::duration elapsed{};
  time_source::duration limit = (time_source::duration::max)();  ///< max(): none
  bool ended = false;
  bool abandoned = false;
  step_outcome outcome = step_outcome::done;  ///< of one that ended
  std::string text = {};                      ///< its error, or what it last said of itself
};

/// What else was told.
struct flight_note {
  event_kind kind = event_kind::fault;
  time_source::duration at{};  ///< since the run began
  std::string part = {};       ///< empty: the whole
  std::string text = {};
};

/// One run of the program: when, why and how it ended, as far as it was recorded.
struct flight_run {
  std::uint32_t number = 0;  ///< counts the runs of the file
  std::int64_t pid = 0;      ///< 0: not known any more
  std::chrono::system_clock::time_point began = {};
  time_source::duration lasted{};  ///< until it was last seen alive
  bool ready = false;
  bool stopping = false;
  stop_reason reason = {};  ///< of the stop
  bool ended = false;       ///< in order, whatever the outcome
  std::string outcome = {};
  std::vector<flight_step> steps = {};  ///< in the order in which they began
  std::vector<flight_note> notes = {};
};

/// All runs that a file still has.
struct flight_recording {
  unsigned version = 0;               ///< of the file
  bool live = false;                  ///< somebody records into it: the last run is still going on
  std::vector<flight_run> runs = {};  ///< the oldest first; of those before the last one there may
                                      ///< be less than there was
};

/// Reads it as it stands, also while somebody records. There is no file: errc's
/// no_such_file_or_directory. No recorder has made it: invalid_argument. Another version of curfew
/// has, or one for another processor: not_supported. Parts that are torn or damaged are left out.
[[nodiscard]] flight_recording read_flight_recording(const std::string& path, std::error_code& ec);

/// "did not end: inside stop of db-pool, 4.9 s of 5 s used, reason console close", "ended: stopped:
/// signal SIGTERM", "ended without a word while running".
[[nodiscard]] std::string how_it_ended(const flight_run& run);

/// "the last run (pid 4711, began 2026-11-23 16:53:44 UTC) " and how it ended. Empty: there is
/// none.
[[nodiscard]] std::string how_the_last_run_ended(const flight_recording& recording);

/// For people: a line for each run, and one for each step and note of the last one.
[[nodiscard]] std::string tell(const flight_recording& recording);
/// All of it, as JSON on one line; times in microseconds, null where there is no limit.
[[nodiscard]] std::string to_json(const flight_recording& recording);

/// How long a step of a part took at most, and how often it was measured.
struct measured_step {
  std::string part = {};
  component_step step = component_step::none;
  time_source::duration longest{};
  std::size_t count = 0;
};

/// How long the steps took that came to their ends, over all runs that are kept.
[[nodiscard]] std::vector<measured_step> measured_steps(const flight_recording& recording);

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Makes a run of its records, which come in their order.
class flight_assembly {
 public:
  flight_assembly(flight_run& run, const recorder_slot& first) noexcept : run_(run) {
    run_.number = first.run;
    run_.began = recorded_wall(first.wall);
    began_ = recorded_duration(first.at);
  }
  flight_assembly(flight_run& run, const recorder_run& r) noexcept : run_(run) {
    run_.number = r.run;
    run_.pid = r.pid;
    run_.began = recorded_wall(r.wall);
    run_.ended = r.closed == 1;
    run_.lasted = std::chrono::milliseconds(100) * r.beat;
    began_ = recorded_duration(r.at);
  }

  void add(const recorder_slot& s) {
    const std::string_view both(s.text, sizeof s.text);
    part_ = fixed_text<sizeof s.text>(both.substr(0, s.part_size)).view();
    text_ = fixed_text<sizeof s.text>(both.substr(s.part_size, s.text_size)).view();
    at_ = recorded_duration(s.at) - began_;
    run_.lasted = greater(run_.lasted, at_);
    switch (const event_kind kind = recorded_enum(s.kind, event_kind::control); kind) {
      case event_kind::run_began: return;
      case event_kind::ready: run_.ready = true; break;
      case event_kind::stopping: stopping(s); break;
      case event_kind::run_ended: return ended();
      case event_kind::step_began: return step_began(s);
      case event_kind::step_ended: return step_ended(s);
      case event_kind::progress: said(); break;
      case event_kind::abandoned: abandoned(); break;
      default: break;
    }
    run_.notes.push_back({recorded_enum(s.kind, event_kind::control), at_, part_, text_});
  }

  /// What is open was so when the run was last seen.
  void finish() noexcept {
    for (flight_step& s : run_.steps) {
      if (!s.ended) s.elapsed = greater(run_.lasted - s.began, time_source::duration::zero());
    }
  }

 private:
  flight_step* open_step(component_step step) {
    const auto found = open_.find({part_, step});
    return found != open_.end() ? &run_.steps[found->second] : nullptr;
  }
  flight_step& begin_step(const recorder_slot& s) {
    const component_step step = recorded_enum(s.step, component_step::abort);
    open_[{part_, step}] = run_.steps.size();
    run_.steps.push_back({part_, step, at_, {}, recorded_limit(s.limit)});
    return run_.steps.back();
  }
  void step_began(const recorder_slot& s) { begin_step(s); }
  /// Its beginning may be lost.
  void step_ended(const recorder_slot& s) {
    flight_step* known = open_step(recorded_enum(s.step, component_step::abort));
    flight_step& f = known != nullptr ? *known : begin_step(s);
    f.elapsed = recorded_duration(s.elapsed);
    if (known == nullptr) f.began = at_ - f.elapsed;
    f.ended = true;
    f.outcome = recorded_enum(s.outcome, step_outcome::vetoed);
    f.text = text_;
    open_.erase({f.part, f.step});
  }
  template <class Do>
  void each_open_step(Do action) {
    for (auto o = open_.lower_bound({part_, component_step::none});
         o != open_.end() && o->first.first == part_; ++o) {
      action(run_.steps[o->second]);
    }
  }
  void said() {
    each_open_step([this](flight_step& s) { s.text = text_; });
  }
  void abandoned() {
    each_open_step([](flight_step& s) { s.abandoned = true; });
  }
  void stopping(const recorder_slot& s) {
    run_.stopping = true;
    run_.reason = recorded_reason(s);
  }
  void ended() {
    run_.ended = true;
    run_.outcome = text_;
  }

  flight_run& run_;
  time_source::duration began_{};  // on the steady clock of that run
  time_source::duration at_{};     // of the record that is being added, and its texts
  std::string part_;
  std::string text_;
  std::map<std::pair<std::string, component_step>, std::size_t> open_;
};

[[nodiscard]] inline flight_recording assemble(const recorder_history& h) {
  flight_recording recording{.version = recorder_version};
  std::map<std::uint32_t, flight_run> runs;
  std::map<std::uint32_t, flight_assembly> parts;
  for (const recorder_run& r : h.runs) parts.try_emplace(r.run, runs[r.run], r);
  for (const recorder_slot& s : h.records) {
    parts.try_emplace(s.run, runs[s.run], s).first->second.add(s);
  }
  for (auto& [number, part] : parts) part.finish();
  for (auto& [number, run] : runs) recording.runs.push_back(std::move(run));
  return recording;
}

}  // namespace detail

inline flight_recording read_flight_recording(const std::string& path, std::error_code& ec) {
  detail::recorder_file file;
  file.open_to_read(path, ec);
  if (ec) return {};
  const bool live = file.is_recorded_into();
  const std::string bytes = file.read(detail::recorder_most, ec);
  if (!ec) ec = detail::check_recorder_file(bytes);
  if (ec) return {};
  flight_recording recording = detail::assemble(detail::read_history(bytes));
  recording.live = live;
  return recording;
}

namespace detail {

[[nodiscard]] inline std::string date_text(std::chrono::system_clock::time_point t,
                                           const char* form) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date(day);
  const auto second = static_cast<int>((t - day) / std::chrono::seconds(1));
  char text[48];
  std::snprintf(text, sizeof text, form, static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                second / 3600, second / 60 % 60, second % 60);
  return text;
}

[[nodiscard]] inline std::string run_text(const flight_run& run) {
  std::string text = run.pid != 0 ? "(pid " + std::to_string(run.pid) + ", began " : "(began ";
  return text + date_text(run.began, "%04d-%02u-%02u %02d:%02d:%02d UTC) ");
}

/// "4.9 s of 5 s"
[[nodiscard]] inline std::string used_text(const flight_step& s) {
  const bool limited = s.limit != (time_source::duration::max)();
  return to_text(s.elapsed) + (limited ? " of " + to_text(s.limit) : std::string());
}

[[nodiscard]] inline std::string open_steps_text(const flight_run& run) {
  constexpr std::size_t most = 4;
  std::string text;
  std::size_t count = 0;
  for (const flight_step& s : run.steps) {
    if (s.ended || ++count > most) continue;
    text += (count == 1 ? "inside " : ", inside ") + std::string(to_string(s.step)) + " of " +
            s.part + ", " + used_text(s) + " used" + (s.abandoned ? ", abandoned" : "");
    if (!s.text.empty()) text += " (" + s.text + ")";
  }
  return count > most ? text + ", and " + std::to_string(count - most) + " more" : text;
}

[[nodiscard]] inline const char* state_text(const flight_step& s) noexcept {
  if (s.ended) return to_string(s.outcome);
  return s.abandoned ? "abandoned" : "open";
}

[[nodiscard]] inline const char* phase_text(const flight_run& run) noexcept {
  if (run.stopping) return "while stopping";
  return run.ready ? "while running" : "while starting";
}

inline void append_lines(std::string& text, const flight_run& run) {
  for (const flight_step& s : run.steps) {
    text += "  " + std::string(to_string(s.step)) + " of " + s.part + ": " + state_text(s) + ", " +
            used_text(s) + (s.text.empty() ? "" : ": " + s.text) + "\n";
  }
  for (const flight_note& n : run.notes) {
    text += "  after " + to_text(n.at) + ": " + to_string(n.kind);
    if (!n.part.empty()) text += ", " + n.part;
    text += (n.text.empty() ? "" : ": " + n.text) + "\n";
  }
}

[[nodiscard]] inline std::int64_t whole_us(time_source::duration d) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

inline void put(json_writer& json, const flight_step& s) {
  json.begin('{').member("part", s.part).member("step", to_string(s.step));
  json.member("began", whole_us(s.began)).member("elapsed", whole_us(s.elapsed)).key("limit");
  const bool limited = s.limit != (time_source::duration::max)();
  limited ? json.value(whole_us(s.limit)) : json.value(nullptr);
  json.member("state", state_text(s)).member("text", s.text).end();
}

inline void put(json_writer& json, const flight_run& run) {
  json.begin('{').member("run", run.number).member("pid", run.pid);
  json.member("began", date_text(run.began, "%04d-%02u-%02uT%02d:%02d:%02dZ"));
  json.member("lasted", whole_us(run.lasted)).member("ready", run.ready);
  json.member("stopping", run.stopping).member("reason", to_string(run.reason));
  json.member("ended", run.ended).member("outcome", run.outcome);
  json.key("steps").begin('[');
  for (const flight_step& s : run.steps) put(json, s);
  json.end().key("notes").begin('[');
  for (const flight_note& n : run.notes) {
    json.begin('{').member("kind", to_string(n.kind)).member("at", whole_us(n.at));
    json.member("part", n.part).member("text", n.text).end();
  }
  json.end().end();
}

}  // namespace detail

inline std::string how_it_ended(const flight_run& run) {
  const std::string open = detail::open_steps_text(run);
  if (run.ended) {
    return "ended" + (run.outcome.empty() ? run.outcome : ": " + run.outcome) +
           (open.empty() ? open : ", " + open);
  }
  if (open.empty() && !run.stopping) {
    return std::string("ended without a word ") + detail::phase_text(run);
  }
  std::string text = "did not end: " + (open.empty() ? detail::phase_text(run) : open);
  return run.stopping ? text + ", reason " + to_string(run.reason) : text;
}

inline std::string how_the_last_run_ended(const flight_recording& recording) {
  if (recording.runs.empty()) return {};
  const flight_run& run = recording.runs.back();
  if (recording.live) return "the run " + detail::run_text(run) + "is still going on";
  return "the last run " + detail::run_text(run) + how_it_ended(run);
}

inline std::string tell(const flight_recording& recording) {
  std::string text;
  for (const flight_run& run : recording.runs) {
    if (&run == &recording.runs.back()) break;
    text += "a run " + detail::run_text(run) + how_it_ended(run) + "\n";
  }
  if (recording.runs.empty()) return text;
  text += how_the_last_run_ended(recording) + "\n";
  detail::append_lines(text, recording.runs.back());
  return text;
}

inline std::string to_json(const flight_recording& recording) {
  detail::json_writer json;
  json.begin('{').member("version", recording.version).member("live", recording.live);
  json.key("runs").begin('[');
  for (const flight_run& run : recording.runs) detail::put(json, run);
  json.end().end();
  return json.take();
}

inline std::vector<measured_step> measured_steps(const flight_recording& recording) {
  std::vector<measured_step> all;
  std::map<std::pair<std::string_view, component_step>, std::size_t> known;
  for (const flight_run& run : recording.runs) {
    for (const flight_step& s : run.steps) {
      if (!s.ended) continue;
      const auto [place, is_new] = known.try_emplace({s.part, s.step}, all.size());
      if (is_new) all.push_back({s.part, s.step});
      measured_step& m = all[place->second];
      m.longest = detail::greater(m.longest, s.elapsed);
      ++m.count;
    }
  }
  return all;
}

CURFEW_END

#endif
