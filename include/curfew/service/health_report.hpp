// SPDX-License-Identifier: BSL-1.0
//
// What a program says of its health, and how it is told: as a status code with JSON for any server,
// and as one line.
#ifndef CURFEW_SERVICE_HEALTH_REPORT_HPP
#define CURFEW_SERVICE_HEALTH_REPORT_HPP

#include <curfew/release/label.hpp>
#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/service/detail/json.hpp>
#include <curfew/stop/reason.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN

/// The three questions that an orchestrator asks.
enum class health_probe : std::uint8_t {
  startup,    ///< is the start over? Until it is, the others are not asked
  readiness,  ///< is new work to be sent here?
  liveness,   ///< or is nothing but a restart of any help?
};

/// How a part is, or the whole.
enum class health_status : std::uint8_t {
  healthy,
  degraded,  ///< it works, and somebody should have a look
  unhealthy,
  unknown,  ///< of an entry: nobody has looked yet
};

/// One check, and what it last said.
struct health_entry {
  std::string name = {};
  health_status status = health_status::unknown;
  std::string text = {};               ///< what there is to say; one line
  time_source::duration elapsed = {};  ///< that the look took; of one that goes on: until now
  time_source::duration age = {};      ///< of what is told here
  bool optional = false;               ///< a failure only degrades the whole
  source_place place = {};             ///< where it is declared
};

/// The answer to one probe, and what it was made from.
struct health_report {
  health_probe probe = health_probe::readiness;
  health_status status = health_status::unhealthy;  ///< never unknown
  std::string why = {};                             ///< the first cause; empty when it is healthy
  stop_reason stop = {};                            ///< why it is stopping; cause `none`: it is not
  std::vector<health_entry> entries = {};

  /// Healthy or degraded.
  [[nodiscard]] bool ok() const noexcept { return status < health_status::unhealthy; }
  [[nodiscard]] bool stopping() const noexcept { return stop.cause != stop_cause::none; }
  /// 200 or 503.
  [[nodiscard]] int code() const noexcept { return ok() ? 200 : 503; }
};

/// What a server answers with.
struct health_reply {
  int code = 503;
  const char* content_type = "application/json";
  std::string body = {};
};

/// How much a reply tells. The texts of checks may name what not everybody is to know.
enum class health_detail : std::uint8_t { all, status };

/// {"probe":"liveness","status":"healthy"}; with all details also `why`, `stopping` (the reason, or
/// null) and `checks`, a list of objects with `name`, `status`, `text`, `optional`, `elapsed_us`
/// and `age_us`.
[[nodiscard]] health_reply reply(const health_report& report,
                                 health_detail detail = health_detail::all);

/// "ok", "degraded: cache: no answer", "unavailable: stopping: signal SIGTERM".
[[nodiscard]] std::string to_string(const health_report& report);

[[nodiscard]] constexpr const char* to_string(health_probe p) noexcept {
  switch (p) {
    case health_probe::startup: return "startup";
    case health_probe::readiness: return "readiness";
    case health_probe::liveness: return "liveness";
  }
  return "unknown";
}

[[nodiscard]] constexpr const char* to_string(health_status s) noexcept {
  switch (s) {
    case health_status::healthy: return "healthy";
    case health_status::degraded: return "degraded";
    case health_status::unhealthy: return "unhealthy";
    case health_status::unknown: return "unknown";
  }
  return "unknown";
}

// --- bodies -------------------------------------------------------------------------------------

namespace detail {

/// What an entry means for the whole. What is not known yet is no reason to end a program, nor one
/// to send it work.
[[nodiscard]] inline health_status weight(const health_entry& e, health_probe p) noexcept {
  health_status s = e.status;
  if (s == health_status::unknown)
    s = p == health_probe::liveness ? health_status::healthy : health_status::unhealthy;
  return e.optional && s == health_status::unhealthy ? health_status::degraded : s;
}

/// The worst of the entries, and the first that is as bad.
inline void weigh(health_report& r) {
  r.status = health_status::healthy;
  for (const health_entry& e : r.entries) {
    const health_status s = weight(e, r.probe);
    if (s <= r.status) continue;
    r.status = s;
    r.why = e.name + ": " + (e.text.empty() ? to_string(e.status) : e.text);
  }
}

inline void write_entry(json_writer& json, const health_entry& e) {
  const auto in_us = [](time_source::duration d) {
    return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  };
  json.begin('{').member("name", e.name).member("status", to_string(e.status));
  json.member("text", e.text).member("optional", e.optional);
  json.member("elapsed_us", in_us(e.elapsed)).member("age_us", in_us(e.age)).end();
}

inline void write_details(json_writer& json, const health_report& r) {
  json.member("why", r.why).key("stopping");
  r.stopping() ? json.value(to_string(r.stop)) : json.value(nullptr);
  json.key("checks").begin('[');
  for (const health_entry& e : r.entries) write_entry(json, e);
  json.end();
}

}  // namespace detail

inline health_reply reply(const health_report& r, health_detail how_much) {
  detail::json_writer json;
  json.begin('{').member("probe", to_string(r.probe)).member("status", to_string(r.status));
  if (how_much == health_detail::all) detail::write_details(json, r);
  return {.code = r.code(), .body = json.end().take()};
}

inline std::string to_string(const health_report& r) {
  if (r.status == health_status::healthy) return "ok";
  const char* const word = r.ok() ? "degraded: " : "unavailable: ";
  detail::fixed_text<480> line(word);
  return line.append(r.why.empty() ? "no reason is given" : r.why).str();
}

CURFEW_END

#endif
