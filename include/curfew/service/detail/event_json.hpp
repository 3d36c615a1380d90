// SPDX-License-Identifier: BSL-1.0
//
// The fields of an event as members of a JSON object, and the time as RFC 3339 has it.
#ifndef CURFEW_SERVICE_DETAIL_EVENT_JSON_HPP
#define CURFEW_SERVICE_DETAIL_EVENT_JSON_HPP

#include <curfew/service/detail/event_fields.hpp>
#include <curfew/service/detail/json.hpp>
#include <curfew/service/lifecycle_event.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// For put_fields(). The object has been begun.
class json_fields {
 public:
  explicit json_fields(json_writer& json) noexcept : json_(json) {}

  void text(std::string_view name, std::string_view value) { json_.member(name, value); }
  void number(std::string_view name, std::int64_t value) { json_.member(name, value); }
  void begin(std::string_view name, std::string_view sum) {
    json_.key(name).begin('{');
    if (!sum.empty()) json_.member("text", sum);
  }
  void end() { json_.end(); }

 private:
  json_writer& json_;
};

[[nodiscard]] inline std::string place_of(const source_place& p) {
  return std::string(p.file).append(1, ':').append(std::to_string(p.line));
}

/// "2026-11-30T19:48:08.123456Z", in Universal Time.
[[nodiscard]] inline std::string rfc3339(std::chrono::system_clock::time_point t) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date(day);
  const std::int64_t us = std::chrono::duration_cast<std::chrono::microseconds>(t - day).count();
  const auto second = static_cast<int>(us / 1'000'000);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), second / 3600, second / 60 % 60, second % 60,
                static_cast<int>(us % 1'000'000));
  return text;
}

/// Of an event that nobody has dated it is now.
[[nodiscard]] inline std::chrono::system_clock::time_point wall_of(
    const lifecycle_event& e) noexcept {
  const bool dated = e.wall != std::chrono::system_clock::time_point();
  return dated ? e.wall : std::chrono::system_clock::now();
}

}  // namespace detail
CURFEW_END

#endif
