// SPDX-License-Identifier: BSL-1.0
//
// What a coordinator did: who was asked what, and answered what, and what has become of each.
#ifndef CURFEW_SERVICE_COORDINATOR_REPORT_HPP
#define CURFEW_SERVICE_COORDINATOR_REPORT_HPP

#include <curfew/config.hpp>
#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/service/detail/json.hpp>
#include <curfew/service/detail/table_text.hpp>
#include <curfew/service/fleet_member.hpp>
#include <curfew/service/timeline.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN

/// What has become of a member.
enum class member_fate : std::uint8_t {
  untouched,  ///< it was asked nothing
  absent,     ///< it was not there, and need not be
  refused,    ///< it said no, and goes on
  resumed,    ///< it was prepared, or may have been, and goes on
  in_doubt,   ///< the same, but it could not be told; it goes on when its lease ends, or is gone
  stopped,    ///< it is gone, having been told to; how it ended knows whoever started it
  died,       ///< it is gone, without having been told to
  left,       ///< it was told to stop, or could not be, and is not known to be gone
};

/// What has become of the whole.
enum class fleet_outcome : std::uint8_t {
  aborted,  ///< nobody was told to stop
  stopped,  ///< all are gone
  partly,   ///< some are gone, and some are left
};

/// A question, and its answer.
struct member_exchange {
  fleet_step step = fleet_step::prepare;
  time_source::duration begins = {};  ///< since the whole began
  time_source::duration elapsed = {};
  time_source::duration limit = {};
  member_answer answer = {};
};

/// What a member was asked, what it said, and what has become of it.
struct member_report {
  std::string name = {};
  member_fate fate = member_fate::untouched;
  std::int64_t pid = 0;  ///< of the process that answered last; 0: unknown
  std::vector<member_exchange> asked = {};
};

/// How the stop of a fleet went, member by member.
struct coordinator_report {
  std::string change = {};
  fleet_outcome outcome = fleet_outcome::aborted;
  std::string member = {};  ///< because of whom it was aborted; empty: because of nobody
  std::string why = {};     ///< it was aborted
  std::chrono::system_clock::time_point began = {};
  time_source::duration elapsed = {};
  std::vector<member_report> members = {};  ///< in the order of their declaration

  /// All are gone, and each because it was told to, or was not there and need not be.
  [[nodiscard]] bool ok() const noexcept;
};

/// For people: a line for the whole, and one for each member.
[[nodiscard]] std::string to_text(const coordinator_report& report);
/// One line. Times are whole microseconds; null is no limit.
[[nodiscard]] std::string to_json(const coordinator_report& report);

[[nodiscard]] constexpr const char* to_string(member_fate f) noexcept {
  switch (f) {
    case member_fate::untouched: return "untouched";
    case member_fate::absent: return "absent";
    case member_fate::refused: return "refused";
    case member_fate::resumed: return "resumed";
    case member_fate::in_doubt: return "in doubt";
    case member_fate::stopped: return "stopped";
    case member_fate::died: return "died";
    case member_fate::left: return "left";
  }
  return "unknown";
}

[[nodiscard]] constexpr const char* to_string(fleet_outcome o) noexcept {
  switch (o) {
    case fleet_outcome::aborted: return "aborted";
    case fleet_outcome::stopped: return "stopped";
    case fleet_outcome::partly: return "partly";
  }
  return "unknown";
}

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Members may say what they like.
[[nodiscard]] inline std::string on_one_line(std::string_view text) {
  return fixed_text<1000>(text).str();
}

[[nodiscard]] inline std::string exchange_text(const member_exchange& e) {
  std::string text = std::string(to_string(e.step)) + ": " + to_string(e.answer.word) + " after " +
                     to_text(e.elapsed);
  if (e.answer.word == member_word::silent) text += " of " + to_text(e.limit);
  return e.answer.text.empty() ? text : text + ", " + e.answer.text;
}

[[nodiscard]] inline std::vector<std::string> member_cells(const member_report& m) {
  std::string asked;
  for (const member_exchange& e : m.asked) asked += (asked.empty() ? "" : "; ") + exchange_text(e);
  return {m.name, m.pid == 0 ? "" : "pid " + std::to_string(m.pid), to_string(m.fate), asked};
}

[[nodiscard]] inline std::string headline(const coordinator_report& r) {
  const std::string after = " after " + to_text(r.elapsed) + " (change " + r.change + ")";
  switch (r.outcome) {
    case fleet_outcome::stopped: return (r.ok() ? "stopped" : "all gone") + after;
    case fleet_outcome::partly: return "not all are gone" + after;
    case fleet_outcome::aborted: break;
  }
  return "nobody is stopped" + after + ": " + (r.member.empty() ? "" : r.member + ": ") + r.why;
}

/// Whole microseconds; null is no limit.
inline void write_span(json_writer& json, std::string_view name, time_source::duration d) {
  json.key(name);
  if (d == (time_source::duration::max)()) return static_cast<void>(json.value(nullptr));
  json.value(std::chrono::duration_cast<std::chrono::microseconds>(d).count());
}

inline void write_exchange(json_writer& json, const member_exchange& e) {
  json.begin('{').member("step", to_string(e.step));
  write_span(json, "begins", e.begins);
  write_span(json, "elapsed", e.elapsed);
  write_span(json, "limit", e.limit);
  json.member("answer", to_string(e.answer.word)).member("text", e.answer.text);
  json.member("pid", e.answer.pid).end();
}

inline void write_member(json_writer& json, const member_report& m) {
  json.begin('{').member("name", m.name).member("fate", to_string(m.fate)).member("pid", m.pid);
  json.key("asked").begin('[');
  for (const member_exchange& e : m.asked) write_exchange(json, e);
  json.end().end();
}

}  // namespace detail

inline bool coordinator_report::ok() const noexcept {
  for (const member_report& m : members) {
    if (m.fate != member_fate::stopped && m.fate != member_fate::absent) return false;
  }
  return outcome == fleet_outcome::stopped;
}

inline std::string to_text(const coordinator_report& report) {
  std::vector<std::vector<std::string>> rows;
  for (const member_report& m : report.members) rows.push_back(detail::member_cells(m));
  for (auto& row : rows)
    for (std::string& cell : row) cell = detail::on_one_line(cell);
  return detail::on_one_line(detail::headline(report)) + '\n' + detail::table_text(rows);
}

inline std::string to_json(const coordinator_report& report) {
  detail::json_writer json;
  const auto began = report.began.time_since_epoch();
  json.begin('{').member("version", 1).member("change", report.change);
  json.member("outcome", to_string(report.outcome)).member("ok", report.ok());
  json.member("member", report.member).member("why", report.why);
  json.member("began", std::chrono::duration_cast<std::chrono::microseconds>(began).count());
  detail::write_span(json, "elapsed", report.elapsed);
  json.key("members").begin('[');
  for (const member_report& m : report.members) detail::write_member(json, m);
  json.end().end();
  return json.take();
}

CURFEW_END

#endif
