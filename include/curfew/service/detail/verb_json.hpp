// SPDX-License-Identifier: BSL-1.0
//
// What a verb has come to as the one JSON object that --json prints.
#ifndef CURFEW_SERVICE_DETAIL_VERB_JSON_HPP
#define CURFEW_SERVICE_DETAIL_VERB_JSON_HPP

#include <curfew/config.hpp>
#include <curfew/service/detail/json.hpp>
#include <curfew/service/detail/verb_session.hpp>

#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// Always there: verb, service, code (the exit code), done. `error` is an object or null. Where
/// they make sense: text, changed, dry_run, interrupted, restart_needed, status, request, steps,
/// findings, rendered, plan (as read_plan() reads it), difference, drills, recording, answer,
/// codes.
[[nodiscard]] std::string verb_json(const verb_line& line, const std::string& service,
                                    const verb_report& report);

// ---------------------------------------------------------------------------------------------

[[nodiscard]] constexpr const char* kind_word(const verb_report& r) noexcept {
  if (r.code == exit_code_usage) return "usage";
  switch (r.why.kind) {
    case failure::kind_type::none: return "none";
    case failure::kind_type::failed: return "failed";
    case failure::kind_type::needs_rights: return "needs_rights";
    case failure::kind_type::not_supported: return "not_supported";
    case failure::kind_type::not_installed: return "not_installed";
    case failure::kind_type::not_in_time: return "not_in_time";
  }
  return "failed";
}

inline void write_error(json_writer& json, const verb_report& r) {
  json.key("error");
  if (!r.why) return static_cast<void>(json.value(nullptr));
  json.begin('{').member("kind", kind_word(r)).member("text", r.why.text).end();
}

inline void write_status(json_writer& json, const service_status& s) {
  json.key("status").begin('{').member("state", to_string(s.state)).member("pid", s.pid);
  json.member("exit_code", s.exit_code).member("enabled", s.enabled).member("text", s.text).end();
}

inline void write_request(json_writer& json, const install_request& r) {
  json.key("request").begin('{').member("executable", r.executable).key("arguments").begin('[');
  for (const std::string& a : r.spec.arguments) json.value(a);
  json.end().member("working_directory", r.spec.working_directory).key("writable_paths").begin('[');
  for (const std::string& p : r.spec.writable_paths) json.value(p);
  json.end().member("user", r.user).end();
}

inline void write_steps(json_writer& json, const std::vector<step_result>& steps) {
  json.key("steps").begin('[');
  for (const step_result& s : steps) {
    json.begin('{').member("what", s.what).member("from", s.from).member("to", s.to);
    json.member("outcome", to_string(s.outcome)).member("text", s.text).end();
  }
  json.end();
}

inline void write_findings(json_writer& json, const findings& found) {
  json.key("findings").begin('[');
  for (const finding& f : found) {
    json.begin('{').member("level", to_string(f.level)).member("what", f.what);
    json.member("fix", f.fix).end();
  }
  json.end();
}

inline void write_rendered(json_writer& json, const verb_report& r) {
  json.key("rendered").begin('{');
  for (const auto& [form, text] : r.rendered) json.member(form, text);
  json.end();
}

inline void write_difference(json_writer& json, const plan_difference& d) {
  json.key("difference").begin('{').member("worse", d.worse).key("lines").begin('[');
  for (const std::string& line : d.lines) json.value(line);
  json.end().end();
}

inline void write_drills(json_writer& json, const std::vector<drill_report>& drills) {
  json.key("drills").begin('[');
  for (const drill_report& d : drills) write_drill(json, d);
  json.end();
}

inline void write_recording(json_writer& json, const flight_recording& r) {
  json.key("recording").begin('{').member("live", r.live).key("runs").begin('[');
  for (const flight_run& run : r.runs) put(json, run);
  json.end().end();
}

inline void write_endings(json_writer& json, const verb_report& r) {
  if (r.plan.has_value()) write_plan(json.key("plan"), *r.plan);
  if (r.difference.has_value()) write_difference(json, *r.difference);
  if (!r.drills.empty()) write_drills(json, r.drills);
  if (r.recording.has_value()) write_recording(json, *r.recording);
  if (!r.answer.empty()) json.key("answer").raw(r.answer);
  if (r.codes) write_exit_codes(json.key("codes"));
}

inline std::string verb_json(const verb_line& line, const std::string& service,
                             const verb_report& r) {
  json_writer json;
  json.begin('{').member("verb", to_string(line.what)).member("service", service);
  json.member("code", r.code).member("done", !r.why && !r.interrupted);
  write_error(json, r);
  if (!r.text.empty()) json.member("text", r.text);
  if (r.changed.has_value()) json.member("changed", *r.changed);
  if (line.dry_run) json.member("dry_run", true);
  if (r.interrupted) json.member("interrupted", true);
  if (r.restart_needed) json.member("restart_needed", true);
  if (r.status.has_value()) write_status(json, *r.status);
  if (r.request.has_value()) write_request(json, *r.request);
  if (r.steps.has_value()) write_steps(json, *r.steps);
  if (r.found.has_value()) write_findings(json, *r.found);
  if (!r.rendered.empty()) write_rendered(json, r);
  write_endings(json, r);
  return json.end().take();
}

}  // namespace detail
CURFEW_END

#endif
