// SPDX-License-Identifier: BSL-1.0
//
// A plan as text for people and as JSON. Pure functions from values to text.
#ifndef CURFEW_SERVICE_PLAN_TEXT_HPP
#define CURFEW_SERVICE_PLAN_TEXT_HPP

#include <curfew/service/detail/json.hpp>
#include <curfew/service/detail/table_text.hpp>
#include <curfew/service/plan.hpp>
#include <curfew/service/timeline.hpp>
#include <curfew/stop/time_source.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN

/// The paths, a line for each reason, and a table for each time that a stop may have: reasons with
/// the same time share one. With a reason only its own.
[[nodiscard]] std::string to_text(const stop_plan& plan, std::string_view reason = {});

/// "fits", or "does not fit: cache gets 1.2 s of 5 s; declare a stop_timeout of 45 s, or lower the
/// limits of listener -> cache -> database by 16 s". One line.
[[nodiscard]] std::string verdict_text(const stop_plan& plan, const reason_plan& r);

/// One JSON object on one line: version, parts, start, stop, reasons. Times are in microseconds,
/// rounded up; null is no limit. It is what read_plan() reads.
[[nodiscard]] std::string to_json(const stop_plan& plan);

// ---------------------------------------------------------------------------------------------

namespace detail {

[[nodiscard]] constexpr time_source::duration sum_of(const part_share& s) noexcept {
  return one_after_the_other(s.drain, one_after_the_other(s.stop, s.abort));
}

/// "listener -> cache -> database"; of a long path its ends.
[[nodiscard]] inline std::string path_text(const stop_plan& plan, const critical_path& path) {
  constexpr std::size_t most = 12;
  std::string text;
  for (std::size_t i = 0; i != path.parts.size(); ++i) {
    const bool left_out =
        path.parts.size() > most && i >= most / 2 && path.parts.size() - i > most / 2;
    if (left_out && i != most / 2) continue;
    if (!text.empty()) text += " -> ";
    text += left_out ? "..." : plan.parts[path.parts[i]].name;
  }
  return text.empty() ? "no parts" : text;
}

[[nodiscard]] inline std::string paths_text(const stop_plan& plan) {
  const auto line = [&](const char* what, const critical_path& path) {
    return std::vector<std::string>{what, to_text(path.length), path_text(plan, path)};
  };
  return table_text({line("start", plan.start), line("stop", plan.stop)});
}

[[nodiscard]] inline std::string basis_text(const stop_budget& b) {
  switch (b.basis) {
    case limit_basis::none: return "";
    case limit_basis::read: return "this system's limit";
    case limit_basis::declared: return "as declared";
    case limit_basis::assumed: return "assumed: another system's limit";
  }
  return "";
}

[[nodiscard]] inline std::string reasons_text(const stop_plan& plan, std::string_view only) {
  std::vector<std::vector<std::string>> rows = {{"reason", "granted", "for parts", "", ""}};
  for (const reason_plan& r : plan.reasons) {
    if (!only.empty() && r.budget.name != only) continue;
    rows.push_back({r.budget.name, to_text(r.budget.granted), to_text(r.budget.time),
                    r.fits() ? "fits" : "does not fit", basis_text(r.budget)});
  }
  return table_text(rows);
}

[[nodiscard]] inline std::string part_of_it(time_source::duration given,
                                            time_source::duration wanted) {
  if (wanted == time_source::duration::zero()) return "-";
  return given < wanted ? to_text(given) + " of " + to_text(wanted) : to_text(given);
}

/// Of two parts that are stopped at once, the one that is declared first.
[[nodiscard]] inline bool stops_before(const reason_plan& r, std::size_t a,
                                       std::size_t b) noexcept {
  const auto first = r.shares[a].begins, second = r.shares[b].begins;
  return first != second ? first < second : a < b;
}

/// In the order in which they are stopped.
[[nodiscard]] inline std::vector<std::size_t> stop_order(const reason_plan& r) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i != r.shares.size(); ++i) order.push_back(i);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return stops_before(r, a, b); });
  return order;
}

[[nodiscard]] inline std::string shares_text(const stop_plan& plan, const reason_plan& r) {
  std::vector<std::vector<std::string>> rows = {{"part", "begins", "drain", "stop", "abort", ""}};
  for (const std::size_t i : stop_order(r)) {
    const part_share& s = r.shares[i];
    const step_times wants = declared_times(plan.parts[i]);
    const bool first = s.begins == time_source::duration::zero();
    rows.push_back({plan.parts[i].name, first ? "at once" : to_text(s.begins),
                    part_of_it(s.drain, wants.drain), part_of_it(s.stop, wants.stop),
                    part_of_it(s.abort, wants.abort),
                    s.fate == part_fate::done ? "" : to_string(s.fate)});
  }
  return table_text(rows);
}

/// What makes it fit. The limits of a unit and of a pod follow the declared ones, others do not.
[[nodiscard]] inline std::string remedy_text(const stop_plan& plan, const reason_plan& r) {
  const std::string path = path_text(plan, plan.stop);
  if (plan.stop.length == (time_source::duration::max)()) return "give " + path + " limits";
  const auto needed = with_end(one_after_the_other(r.budget.lame_duck, plan.stop.length));
  const std::string stop_timeout = "stop_timeout of " + to_text(needed);
  std::string lower =
      "lower the limits of " + path + " by " + to_text(plan.stop.length - r.budget.time);
  const bool follows = r.budget.basis == limit_basis::declared;
  switch (r.budget.reason.cause) {
    case stop_cause::console:
      if (needed > r.budget.usable) return lower;
      break;
    case stop_cause::service_control:
      if (needed <= r.budget.usable) break;
      return "declare a preshutdown_timeout of " +
             to_text(std::chrono::ceil<std::chrono::seconds>(needed + needed / 4)) + " and a " +
             stop_timeout + ", or " + lower;
    default:
      if (needed <= r.budget.usable || follows) break;
      return "render the pod anew with a " + stop_timeout + ", or " + lower;
  }
  return "declare a " + stop_timeout + ", or " + lower;
}

[[nodiscard]] constexpr bool divide_alike(const stop_budget& a, const stop_budget& b) noexcept {
  return a.time == b.time && a.lame_duck == b.lame_duck;
}

/// "29 s for parts, which take 33 s"
[[nodiscard]] inline std::string time_text(const stop_plan& plan, const stop_budget& b) {
  std::string text = to_text(b.time) + " for parts, which take " + to_text(plan.stop.length);
  if (b.lame_duck > b.lame_duck.zero())
    text += ", after " + to_text(b.lame_duck) + " in which all stay up";
  return text;
}

/// The worst of them come first.
[[nodiscard]] inline std::string shortage_text(const stop_plan& plan, const reason_plan& r) {
  constexpr std::size_t most = 3;
  std::vector<std::size_t> cut = stop_order(r);
  std::erase_if(cut, [&](std::size_t i) { return r.shares[i].fate == part_fate::done; });
  std::sort(cut.begin(), cut.end(), [&](std::size_t a, std::size_t b) {
    const part_fate first = r.shares[a].fate, second = r.shares[b].fate;
    return first != second ? first > second : stops_before(r, a, b);
  });
  std::string text;
  for (std::size_t i = 0; i != (std::min)(cut.size(), most); ++i) {
    const auto wanted = declared_times(plan.parts[cut[i]]).sum();
    text.append(i == 0 ? "" : ", ").append(plan.parts[cut[i]].name).append(" gets ");
    text += part_of_it(sum_of(r.shares[cut[i]]), wanted);
  }
  return cut.size() > most ? text + " and " + std::to_string(cut.size() - most) + " more" : text;
}

[[nodiscard]] inline std::string names_of_same_time(const stop_plan& plan, const reason_plan& r) {
  std::string names;
  for (const reason_plan& other : plan.reasons) {
    if (!divide_alike(other.budget, r.budget)) continue;
    names.append(names.empty() ? "" : ", ").append(other.budget.name);
  }
  return names;
}

[[nodiscard]] inline bool is_first_of_its_time(const stop_plan& plan, const reason_plan& r) {
  for (const reason_plan& other : plan.reasons) {
    if (divide_alike(other.budget, r.budget)) return &other == &r;
  }
  return false;
}

// ---- JSON

[[nodiscard]] inline std::int64_t in_whole_microseconds(time_source::duration d) noexcept {
  return std::chrono::ceil<std::chrono::microseconds>(d).count();
}

inline void write_time(json_writer& json, std::string_view name, time_source::duration d) {
  json.key(name);
  if (d == (time_source::duration::max)()) return static_cast<void>(json.value(nullptr));
  json.value(in_whole_microseconds(d));
}

inline void write_plan_part(json_writer& json, const stop_plan& plan, const plan_part& p) {
  json.begin('{').member("name", p.name).key("after").begin('[');
  for (const std::size_t d : p.after) json.value(plan.parts[d].name);
  json.end();
  write_time(json, "start", p.start);
  write_time(json, "drain", p.drain);
  write_time(json, "stop", p.stop);
  write_time(json, "abort", p.abort);
  json.member("optional", p.optional).member("file", p.place.file).member("line", p.place.line);
  json.end();
}

inline void write_path(json_writer& json, std::string_view name, const stop_plan& plan,
                       const critical_path& path) {
  json.key(name).begin('{');
  write_time(json, "length", path.length);
  json.key("path").begin('[');
  for (const std::size_t i : path.parts) json.value(plan.parts[i].name);
  json.end().end();
}

inline void write_share(json_writer& json, std::string_view name, const part_share& s) {
  json.begin('{').member("name", name);
  write_time(json, "begins", s.begins);
  write_time(json, "drain", s.drain);
  write_time(json, "stop", s.stop);
  write_time(json, "abort", s.abort);
  json.member("fate", to_string(s.fate)).end();
}

inline void write_reason(json_writer& json, const stop_plan& plan, const reason_plan& r) {
  json.begin('{').member("reason", r.budget.name).member("basis", to_string(r.budget.basis));
  write_time(json, "granted", r.budget.granted);
  write_time(json, "usable", r.budget.usable);
  write_time(json, "limit", r.budget.limit);
  write_time(json, "time", r.budget.time);
  json.member("fits", r.fits()).member("verdict", verdict_text(plan, r)).key("shares").begin('[');
  for (std::size_t i = 0; i != r.shares.size(); ++i) {
    write_share(json, plan.parts[i].name, r.shares[i]);
  }
  json.end().end();
}

inline void write_plan(json_writer& json, const stop_plan& plan) {
  json.begin('{').member("version", 1).key("parts").begin('[');
  for (const plan_part& p : plan.parts) write_plan_part(json, plan, p);
  json.end();
  write_path(json, "start", plan, plan.start);
  write_path(json, "stop", plan, plan.stop);
  json.key("reasons").begin('[');
  for (const reason_plan& r : plan.reasons) write_reason(json, plan, r);
  json.end().end();
}

}  // namespace detail

inline std::string verdict_text(const stop_plan& plan, const reason_plan& r) {
  if (r.fits()) return "fits";
  return "does not fit: " + detail::shortage_text(plan, r) + "; " + detail::remedy_text(plan, r);
}

inline std::string to_text(const stop_plan& plan, std::string_view reason) {
  std::string text = detail::paths_text(plan) + '\n' + detail::reasons_text(plan, reason);
  for (const reason_plan& r : plan.reasons) {
    if (reason.empty() ? !detail::is_first_of_its_time(plan, r) : r.budget.name != reason) continue;
    const std::string names = reason.empty() ? detail::names_of_same_time(plan, r) : r.budget.name;
    text += '\n' + names + ": " + detail::time_text(plan, r.budget) + '\n';
    text += detail::shares_text(plan, r);
    text += "  " + verdict_text(plan, r) + '\n';
  }
  return text;
}

inline std::string to_json(const stop_plan& plan) {
  detail::json_writer json;
  detail::write_plan(json, plan);
  return json.take();
}

CURFEW_END

#endif
