// SPDX-License-Identifier: BSL-1.0
//
// Tells people how a stop goes, on a thread of its own: a terminal that somebody has halted, or a
// pipe that nobody reads, holds up nothing but this thread.
#ifndef CURFEW_SERVICE_DETAIL_NARRATOR_HPP
#define CURFEW_SERVICE_DETAIL_NARRATOR_HPP

#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/detail/report.hpp>
#include <curfew/service/detail/run_state.hpp>
#include <curfew/service/detail/share.hpp>
#include <curfew/stop/detail/thread.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// On a terminal: a first line, a live line, bars at the end. Elsewhere: one line at the end, and
/// a line for each part that is late, has failed or is still open when the end is forced.
class narrator {
 public:
  explicit narrator(run_state& s) noexcept : s_(s), prefix_(s.prefix.view()) {}

  bool start(std::error_code& ec) noexcept { return thread_.start(&narrator::entry, this, ec); }
  void join() noexcept {
    if (thread_.joinable()) thread_.join();
  }

 private:
  static void entry(void* self) noexcept { static_cast<narrator*>(self)->run(); }

  void run() noexcept;
  void watch() noexcept;
  void greet();
  void look();
  void follow(const journal::contents& c);
  void name_late(const journal::contents& c);
  void conclude();

  void write(severity level, const std::string& text);
  void redraw(const std::vector<std::string>& lines);

  static constexpr time_source::duration tick = std::chrono::milliseconds(100);
  static constexpr time_source::duration patience = std::chrono::milliseconds(300);

  run_state& s_;
  const std::string_view prefix_;
  thread thread_;
  stop_moment stop_{};
  bool hurried_ = false;                 // has been told
  time_source::time_point late_part_{};  // the last part that was told to be late began then
  std::vector<std::string> shown_;       // the live lines that stand on the terminal
};

/// Text that there is no memory for is left out.
inline void narrator::run() noexcept {
  s_.root.get_token().wait();
  stop_ = s_.noticed();
  std::error_code ec;  // without a timer nobody is hurried before the end is forced
  const auto left = stop_.budget - kept_for_the_end(stop_.budget);
  const stop_source reserve(s_.setting.time, saturating_add(stop_.at, left), ec);
  const auto cut_short = [this] {
    const auto in_time = s_.hurrying.enter();
    if (in_time) s_.spent.request_stop({stop_cause::deadline});
  };
  const stop_callback on_reserve(reserve.get_token(), cut_short);
  static_cast<void>(attempt([this] { greet(); }));
  watch();
  static_cast<void>(attempt([this] { conclude(); }));
  if (s_.decision().kind == outcome_kind::forced) std::fflush(nullptr);
  s_.told.request_stop();
}

inline void narrator::watch() noexcept {
  const inplace_stop_token decided = s_.decided.get_token();
  while (!decided.wait_for(tick)) static_cast<void>(attempt([this] { look(); }));
}

/// Says what went wrong with the start, and who stops it; and how to hurry it to whoever sits at
/// the terminal.
inline void narrator::greet() {
  if (s_.unready) write(severity::error, unready_line(prefix_));
  const stop_reason why = s_.root.get_token().reason();
  const bool by_somebody = why.cause == stop_cause::signal || why.cause == stop_cause::control;
  if (!s_.screen.live() || !by_somebody) return;
  write(severity::info, "\r" + first_line(prefix_, why, stop_.budget));
}

inline void narrator::look() {
  const journal::contents c = s_.log.read();
  return s_.screen.live() ? follow(c) : name_late(c);
}

inline void narrator::follow(const journal::contents& c) {
  if (!hurried_ && s_.hurry.stop_requested()) {
    hurried_ = true;
    write(severity::warning, hurry_line(prefix_, s_.hurry.get_token().reason()));
  }
  std::vector<std::string> lines;
  const auto show = [&](const journal_part& p) {
    const timeline_part part = shown(p, s_.now(), stop_.at);
    if (part.elapsed >= patience) lines.push_back(live_line(part, s_.screen.style()));
  };
  for (std::size_t i = 0; i != c.side_count; ++i) show(c.sides[i]);
  if (c.has_open && c.side_count == 0) show(c.open);
  redraw(lines);
}

inline void narrator::name_late(const journal::contents& c) {
  const auto elapsed = s_.now() - c.open.began;
  const bool closes = c.has_open && c.side_count == 0;
  if (!closes || elapsed < c.open.limit || c.open.began == late_part_) return;
  late_part_ = c.open.began;
  write(severity::warning, part_line(prefix_, c.open, part_state::late, elapsed));
}

/// Nothing when main returned by itself and there is nothing to say that it has not said.
inline void narrator::conclude() {
  const outcome& o = s_.decision();
  const journal::contents c = s_.log.read();
  const auto now = s_.now();
  const auto total = now - stop_.at;
  const std::string troubles = problems(prefix_, c, now);
  const bool worth_a_look = s_.screen.live() && total >= patience;
  write(severity::error, troubles);
  if (o.reason.cause == stop_cause::none && troubles.empty() && !worth_a_look) return;
  std::string end = last_line(prefix_, o, total);
  if (s_.screen.live()) end += bars(make_timeline(c, stop_.at, now), s_.screen.style());
  write(o.ok() ? severity::info : severity::error, end);
}

/// In place of the live line, if there is one.
inline void narrator::write(severity level, const std::string& text) {
  redraw({});
  s_.screen.write(level, text);
}

/// In place of the lines that stand there, the last of which the cursor is on.
inline void narrator::redraw(const std::vector<std::string>& lines) {
  if (lines == shown_) return;
  std::string text = "\r";
  if (shown_.size() > 1) text += "\x1b[" + std::to_string(shown_.size() - 1) + "A";
  for (std::size_t i = 0; i != lines.size(); ++i)
    text.append(i == 0 ? "" : "\n").append(lines[i]).append("\x1b[K");
  text += lines.empty() ? "\x1b[K" : "";
  if (shown_.size() > lines.size() && shown_.size() > 1) text += "\x1b[J";
  shown_ = lines;
  s_.screen.write(text);
}

}  // namespace detail
CURFEW_END

#endif
