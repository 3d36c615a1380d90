// SPDX-License-Identifier: BSL-1.0
//
// How a stop would go for a reason, if everything took as long as it has taken before. Nothing is
// stopped for it.
#ifndef CURFEW_SERVICE_DRILL_HPP
#define CURFEW_SERVICE_DRILL_HPP

#include <curfew/service/flight_recording.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/service/plan.hpp>
#include <curfew/service/plan_text.hpp>
#include <curfew/service/timeline.hpp>
#include <curfew/stop/time_source.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// A part in a drill.
struct drilled_part {
  plan_part part = {};
  part_share share = {};             ///< what it would get, and what would become of it
  time_source::duration drain = {};  ///< what it takes
  time_source::duration stop = {};
  bool measured = true;  ///< else at least one of the two is as long as is declared
};

/// How a stop would go, part by part, if the measured times came again.
struct drill_report {
  stop_budget budget = {};
  time_source::duration ended = {};  ///< all parts would be down or given up
  std::vector<drilled_part> parts = {};

  [[nodiscard]] bool ok() const noexcept;  ///< nobody would be cut short
};

/// The longest times that were measured, divided as a lifecycle does it. A step that was never
/// measured takes as long as it declares, and so does every abort; one that is not declared takes
/// none. Throws as make_plan() does.
[[nodiscard]] drill_report drill(std::span<const plan_part> parts, const stop_budget& budget,
                                 std::span<const measured_step> measured);

/// "would be done in 3.2 s of 29 s", a line for each part, and who was not measured.
[[nodiscard]] std::string to_text(const drill_report& report);
/// One JSON object on one line. Times are in microseconds, rounded up; null is no limit.
[[nodiscard]] std::string to_json(const drill_report& report);

// ---------------------------------------------------------------------------------------------

namespace detail {

class measurements {
 public:
  explicit measurements(std::span<const measured_step> all) {
    for (const measured_step& m : all) {
      if (m.count == 0) continue;
      auto& longest = longest_[{m.part, m.step}];
      longest = greater(longest, m.longest);
    }
  }

  /// Of a step that declares so much.
  [[nodiscard]] time_source::duration of(const plan_part& p, component_step step,
                                         time_source::duration declared, bool& known) const {
    if (declared == time_source::duration::zero()) return declared;
    const auto found = longest_.find({p.name, step});
    if (found == longest_.end()) known = false;
    return found == longest_.end() ? declared : not_negative(found->second);
  }

 private:
  std::map<std::pair<std::string_view, component_step>, time_source::duration> longest_;
};

[[nodiscard]] inline std::string names_not_measured(const drill_report& report) {
  std::string names;
  for (const drilled_part& p : report.parts) {
    if (!p.measured) names.append(names.empty() ? "" : ", ").append(p.part.name);
  }
  return names;
}

[[nodiscard]] inline std::string headline(const drill_report& report) {
  std::size_t worse = 0;
  for (const drilled_part& p : report.parts) worse += p.share.fate == part_fate::done ? 0 : 1;
  std::string times = to_text(report.ended) + " of " + to_text(report.budget.time);
  if (report.budget.lame_duck > time_source::duration::zero())
    times += ", after " + to_text(report.budget.lame_duck) + " in which all stay up";
  if (worse == 0) return "would be done in " + times;
  return "would end after " + times + ", with " + std::to_string(worse) + " cut short";
}

inline void write_drilled_part(json_writer& json, const drilled_part& p) {
  json.begin('{').member("name", p.part.name).member("measured", p.measured);
  write_time(json, "begins", p.share.begins);
  write_time(json, "drain", p.drain);
  write_time(json, "drain_share", p.share.drain);
  write_time(json, "stop", p.stop);
  write_time(json, "stop_share", p.share.stop);
  json.member("fate", to_string(p.share.fate)).end();
}

inline void write_drill(json_writer& json, const drill_report& report) {
  json.begin('{').member("reason", report.budget.name).member("ok", report.ok());
  write_time(json, "ended", report.ended);
  write_time(json, "time", report.budget.time);
  json.key("parts").begin('[');
  for (const drilled_part& p : report.parts) write_drilled_part(json, p);
  json.end().end();
}

}  // namespace detail

inline bool drill_report::ok() const noexcept {
  for (const drilled_part& p : parts) {
    if (p.share.fate != part_fate::done) return false;
  }
  return true;
}

inline drill_report drill(std::span<const plan_part> parts, const stop_budget& budget,
                          std::span<const measured_step> measured) {
  const detail::part_chains chains(parts);
  const detail::measurements known(measured);
  drill_report report{budget};
  std::vector<detail::step_times> takes;
  for (const plan_part& p : parts) {
    drilled_part d{.part = p};
    const detail::step_times declared = detail::declared_times(p);
    d.drain = known.of(p, component_step::drain, declared.drain, d.measured);
    d.stop = known.of(p, component_step::stop, declared.stop, d.measured);
    takes.push_back({d.drain, d.stop, declared.abort});
    report.parts.push_back(std::move(d));
  }
  const detail::stop_replay replay = detail::replay_stop(chains, parts, takes, budget.time);
  for (std::size_t i = 0; i != parts.size(); ++i) {
    report.parts[i].share = replay.shares[i];
    report.parts[i].share.fate = detail::fate_of(parts[i], replay.shares[i], takes[i]);
  }
  report.ended = replay.ended;
  return report;
}

inline std::string to_text(const drill_report& report) {
  std::vector<std::vector<std::string>> rows = {{"part", "begins", "drain", "stop", ""}};
  for (const drilled_part& p : report.parts) {
    const auto step = [](time_source::duration takes, time_source::duration share) {
      return takes > share ? to_text(takes) + ", gets " + to_text(share) : to_text(takes);
    };
    const bool first = p.share.begins == time_source::duration::zero();
    const std::string fate = p.share.fate == part_fate::done ? "" : to_string(p.share.fate);
    rows.push_back({p.part.name, first ? "at once" : to_text(p.share.begins),
                    step(p.drain, p.share.drain), step(p.stop, p.share.stop), fate});
  }
  std::string text = report.budget.name + ": " + detail::headline(report) + '\n';
  text += detail::table_text(rows);
  const std::string names = detail::names_not_measured(report);
  return names.empty() ? text : text + "  never measured, so as long as declared: " + names + '\n';
}

inline std::string to_json(const drill_report& report) {
  detail::json_writer json;
  detail::write_drill(json, report);
  return json.take();
}

CURFEW_END

#endif
