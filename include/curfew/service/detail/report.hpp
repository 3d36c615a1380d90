// SPDX-License-Identifier: BSL-1.0
//
// What is said of a stop in words: pure functions from the journal to lines of text, each with a
// prefix that names the service.
#ifndef CURFEW_SERVICE_DETAIL_REPORT_HPP
#define CURFEW_SERVICE_DETAIL_REPORT_HPP

#include <curfew/host/outcome.hpp>
#include <curfew/service/detail/journal.hpp>
#include <curfew/service/timeline.hpp>

#include <string>
#include <string_view>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] inline timeline_part shown(const journal_part& p, time_source::time_point stopped) {
  return {.name = p.name.str(),
          .began = p.began - stopped,
          .elapsed = p.elapsed,
          .limit = p.limit,
          .state = p.state,
          .note = p.note.str()};
}

/// One that is open, as long as it has lasted by `now`.
[[nodiscard]] inline timeline_part shown(const journal_part& p, time_source::time_point now,
                                         time_source::time_point stopped) {
  timeline_part part = shown(p, stopped);
  part.elapsed = now - p.began;
  return part;
}

/// While components are open, the part that waits for them is not worth a line.
[[nodiscard]] inline timeline make_timeline(const journal::contents& c,
                                            time_source::time_point stopped,
                                            time_source::time_point now) {
  timeline t{.parts = {}, .total = now - stopped, .omitted = c.omitted};
  for (std::size_t i = 0; i != c.closed_count; ++i) t.parts.push_back(shown(c.closed[i], stopped));
  for (std::size_t i = 0; i != c.side_count; ++i)
    t.parts.push_back(shown(c.sides[i], now, stopped));
  if (c.has_open && c.side_count == 0) t.parts.push_back(shown(c.open, now, stopped));
  return t;
}

[[nodiscard]] inline std::string taken(time_source::duration elapsed, time_source::duration limit) {
  std::string text = to_text(elapsed);
  if (limit != (time_source::duration::max)()) text += " of " + to_text(limit);
  return text;
}

[[nodiscard]] inline std::string fate(part_state state, time_source::duration elapsed,
                                      time_source::duration limit) {
  switch (state) {
    case part_state::closed: return "closed after " + to_text(elapsed);
    case part_state::late: return "late, " + taken(elapsed, limit);
    case part_state::failed: return "failed after " + to_text(elapsed);
    case part_state::closing: return "still open after " + taken(elapsed, limit);
  }
  return "";
}

/// "web: db-pool: late, 5.2 s of 5 s, registered at main.cpp:42: 3 connections left"
[[nodiscard]] inline std::string part_line(std::string_view prefix, const journal_part& p,
                                           part_state state, time_source::duration elapsed) {
  std::string text(prefix);
  text.append(p.name.view()).append(": ").append(fate(state, elapsed, p.limit));
  if (!p.place.empty()) text.append(", registered at ").append(p.place.view());
  if (!p.note.empty()) text.append(": ").append(p.note.view());
  return text.append(1, '\n');
}

/// A line for each part that failed, was late, or is still open; of too many the rest is counted.
[[nodiscard]] inline std::string problems(std::string_view prefix, const journal::contents& c,
                                          time_source::time_point now) {
  std::string text;
  for (std::size_t i = 0; i != c.closed_count; ++i) {
    const journal_part& p = c.closed[i];
    if (p.state != part_state::closed) text += part_line(prefix, p, p.state, p.elapsed);
  }
  if (c.untold != 0) {
    text.append(prefix).append(std::to_string(c.untold)).append(" more failed or were late\n");
  }
  for (std::size_t i = 0; i != c.side_count; ++i) {
    const journal_part& p = c.sides[i];
    text += part_line(prefix, p, part_state::closing, now - p.began);
  }
  if (c.more_sides != 0)
    text.append(prefix).append(std::to_string(c.more_sides)).append(" more still open\n");
  if (!c.has_open || c.side_count != 0) return text;
  text += part_line(prefix, c.open, part_state::closing, now - c.open.began);
  if (c.waiting == 0) return text;
  return text.append(prefix).append(std::to_string(c.waiting)).append(" more not released\n");
}

/// "web: stopping: signal SIGINT, at most 30 s; ..." and what more signals will do
[[nodiscard]] inline std::string first_line(std::string_view prefix, const stop_reason& reason,
                                            time_source::duration budget) {
  std::string text(prefix);
  text.append("stopping: ").append(to_string(reason));
  if (budget != (time_source::duration::max)()) text.append(", at most ").append(to_text(budget));
  const bool signalled = reason.cause == stop_cause::signal;
  return text.append(signalled ? "; a second signal hurries it, a third ends it at once\n"
                               : "; a signal hurries it, a second one ends it at once\n");
}

[[nodiscard]] inline std::string unready_line(std::string_view prefix) {
  return std::string(prefix).append(
      "not ready in time: it has to call ready() within its start_timeout, or progress() when that "
      "is not enough\n");
}

[[nodiscard]] inline std::string hurry_line(std::string_view prefix, const stop_reason& reason) {
  const bool by_time = reason.cause == stop_cause::deadline;
  return std::string(prefix).append(by_time ? "hurrying: the time is nearly spent\n"
                                            : "hurrying; one more signal ends it at once\n");
}

/// "web: stopped: signal SIGTERM from pid 4711, 1.2 s"; with the exit code where that is not zero.
[[nodiscard]] inline std::string last_line(std::string_view prefix, const outcome& o,
                                           time_source::duration total) {
  std::string text(prefix);
  text.append(to_string(o)).append(", ").append(to_text(total));
  if (exit_code(o) != 0) text.append(", exit code ").append(std::to_string(exit_code(o)));
  return text.append(1, '\n');
}

}  // namespace detail
CURFEW_END

#endif
