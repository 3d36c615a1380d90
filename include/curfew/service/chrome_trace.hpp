// SPDX-License-Identifier: BSL-1.0
//
// What each component does and when, as a file for Perfetto and for chrome://tracing.
#ifndef CURFEW_SERVICE_CHROME_TRACE_HPP
#define CURFEW_SERVICE_CHROME_TRACE_HPP

#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/detail/append_file.hpp>
#include <curfew/service/detail/end_process.hpp>
#include <curfew/service/detail/event_json.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/fail.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// The format is the "JSON Array Format" of the Trace Event Format, whose last bracket may be
/// missing: each event is written at once and whole, so what a killed process leaves can be loaded.
/// There is a track for the run as a whole and one for each component, with a slice for each step;
/// what happens in an instant is a mark on its track.
///
///     curfew::chrome_trace trace("/run/orders/trace.json", "orders");
///     ... components(declare, {.sinks = {&trace}}) ...
///
/// The file is made anew: what stood there is gone. On a full disk, events are lost and counted.
///
/// Thread safety: write() and flush() from one thread at a time, as an event_stream does; lost()
/// from any thread.
class chrome_trace final : public event_sink {
 public:
  /// Throws std::system_error when the file cannot be made.
  explicit chrome_trace(const std::string& path, std::string_view service = {});
  /// With an error, all events are lost, and counted.
  chrome_trace(const std::string& path, std::error_code& ec, std::string_view service = {});
  chrome_trace(const chrome_trace&) = delete;
  chrome_trace& operator=(const chrome_trace&) = delete;
  /// Ends the file.
  ~chrome_trace();

  void write(const lifecycle_event& e) noexcept override;
  /// Whether all events are in the file.
  inline bool flush(const stop_token& limit) noexcept override;

  [[nodiscard]] std::size_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

 private:
  struct track {
    std::string name;
    bool open = false;  // a slice has begun there
  };
  static constexpr std::size_t whole = 0;  // the track of the run

  void begin(std::string_view service);
  void draw(const lifecycle_event& e);
  [[nodiscard]] std::size_t track_of(const lifecycle_event& e);
  void name_track(std::size_t t);
  void turn(const lifecycle_event& e, std::size_t t, std::string_view name);
  void close(const lifecycle_event& e, std::size_t t);
  void close_step(const lifecycle_event& e, std::size_t t);
  void mark(const lifecycle_event& e, std::size_t t);
  [[nodiscard]] detail::json_writer object(std::string_view name, std::string_view phase,
                                           std::size_t t, std::int64_t at) const;
  void put_with_fields(detail::json_writer json, const lifecycle_event& e);
  void put(detail::json_writer json);
  void append(std::string text) noexcept;
  bool append_rest() noexcept;

  detail::append_file file_;
  const std::int64_t pid_ = detail::process_id();
  std::vector<track> tracks_;
  std::string rest_;  // of an event that was written in part
  bool begun_ = false;

  std::atomic<std::size_t> lost_{0};  // relaxed: a count, and nothing hangs on it
};

// ---------------------------------------------------------------------------------------------

inline chrome_trace::chrome_trace(const std::string& path, std::string_view service) {
  std::error_code ec;
  file_.open(path, true, false, 0600, ec);
  if (ec) {
    const std::string text =
        "no trace at " + path + ": its folder is there before; choose one that can be written to";
    detail::throw_error_code(ec, text.c_str());
  }
  begin(service);
}

inline chrome_trace::chrome_trace(const std::string& path, std::error_code& ec,
                                  std::string_view service) {
  ec.clear();
  file_.open(path, true, false, 0600, ec);
  begin(service);
}

inline chrome_trace::~chrome_trace() {
  if (begun_ && append_rest()) append("\n]\n");
}

inline void chrome_trace::begin(std::string_view service) {
  tracks_.push_back({"the run"});
  if (!file_.is_open()) return;
  if (!service.empty()) {
    detail::json_writer json = object("process_name", "M", whole, 0);
    json.key("args").begin('{').member("name", service).end();
    put(std::move(json));
  }
  name_track(whole);
}

inline void chrome_trace::write(const lifecycle_event& e) noexcept {
  if (detail::attempt([&] { draw(e); }) != nullptr) lost_.fetch_add(1, std::memory_order_relaxed);
}

inline void chrome_trace::draw(const lifecycle_event& e) {
  const std::size_t t = track_of(e);
  switch (e.kind) {
    case event_kind::run_began: return turn(e, whole, "starting");
    case event_kind::ready: return turn(e, whole, "running");
    case event_kind::stopping: return turn(e, whole, "stopping");
    case event_kind::run_ended: return close(e, whole);
    case event_kind::step_began: return turn(e, t, to_string(e.step));
    case event_kind::step_ended: return close_step(e, t);
    case event_kind::abandoned: close(e, t); break;
    default: break;
  }
  mark(e, t);
}

/// An abort runs beside what it aborts, and slices of one track must not overlap.
inline std::size_t chrome_trace::track_of(const lifecycle_event& e) {
  if (e.part.empty()) return whole;
  const bool is_step = e.kind == event_kind::step_began || e.kind == event_kind::step_ended;
  std::string name(e.part);
  if (is_step && e.step == component_step::abort) name += " (abort)";
  for (std::size_t t = 1; t != tracks_.size(); ++t)
    if (tracks_[t].name == name) return t;
  tracks_.push_back({std::move(name)});
  name_track(tracks_.size() - 1);
  return tracks_.size() - 1;
}

/// By default a viewer sorts tracks by name: these stand in the order of the start.
inline void chrome_trace::name_track(std::size_t t) {
  detail::json_writer name = object("thread_name", "M", t, 0);
  name.key("args").begin('{').member("name", tracks_[t].name).end();
  put(std::move(name));
  detail::json_writer place = object("thread_sort_index", "M", t, 0);
  place.key("args").begin('{').member("sort_index", t).end();
  put(std::move(place));
}

/// From one slice of the track to the next.
inline void chrome_trace::turn(const lifecycle_event& e, std::size_t t, std::string_view name) {
  if (tracks_[t].open) put(object({}, "E", t, detail::microseconds_of(e.at.time_since_epoch())));
  tracks_[t].open = true;
  put_with_fields(object(name, "B", t, detail::microseconds_of(e.at.time_since_epoch())), e);
}

inline void chrome_trace::close(const lifecycle_event& e, std::size_t t) {
  if (!std::exchange(tracks_[t].open, false)) return;
  put_with_fields(object({}, "E", t, detail::microseconds_of(e.at.time_since_epoch())), e);
}

/// A step whose beginning was lost is drawn as a whole.
inline void chrome_trace::close_step(const lifecycle_event& e, std::size_t t) {
  if (tracks_[t].open) return close(e, t);
  const auto began = detail::microseconds_of((e.at - e.elapsed).time_since_epoch());
  detail::json_writer json = object(to_string(e.step), "X", t, began);
  json.member("dur", detail::microseconds_of(e.elapsed));
  put_with_fields(std::move(json), e);
}

inline void chrome_trace::mark(const lifecycle_event& e, std::size_t t) {
  const auto at = detail::microseconds_of(e.at.time_since_epoch());
  detail::json_writer json = object(to_string(e.kind), "i", t, at);
  json.member("s", t == whole ? "p" : "t");  // as high as the process, or as the track
  put_with_fields(std::move(json), e);
}

/// An end needs no name.
inline detail::json_writer chrome_trace::object(std::string_view name, std::string_view phase,
                                                std::size_t t, std::int64_t at) const {
  detail::json_writer json;
  json.begin('{');
  if (!name.empty()) json.member("name", name);
  json.member("ph", phase).member("ts", at).member("pid", pid_).member("tid", t);
  return json;
}

inline void chrome_trace::put_with_fields(detail::json_writer json, const lifecycle_event& e) {
  json.key("args").begin('{');
  detail::json_fields fields(json);
  detail::put_fields(e, fields);
  if (e.place.line != 0) json.member("place", detail::place_of(e.place));
  json.end();
  put(std::move(json));
}

inline void chrome_trace::put(detail::json_writer json) {
  append((begun_ ? ",\n" : "[\n") + json.end().take());
}

inline void chrome_trace::append(std::string text) noexcept {
  const std::size_t done = append_rest() ? file_.write(text) : 0;
  if (done == 0) return static_cast<void>(lost_.fetch_add(1, std::memory_order_relaxed));
  begun_ = true;
  text.erase(0, done);
  rest_ = std::move(text);
}

/// The file is ours alone: what of an event is missing is made up for.
inline bool chrome_trace::append_rest() noexcept {
  if (!file_.is_open()) return false;
  if (!rest_.empty()) rest_.erase(0, file_.write(rest_));
  return rest_.empty();
}

inline bool chrome_trace::flush(const stop_token&) noexcept {
  return file_.is_open() && append_rest() && lost() == 0;
}

CURFEW_END

#endif
