// SPDX-License-Identifier: BSL-1.0
//
// Entries for the event log of Windows, which has no fields of one's own: they are lines of the
// text.
#ifndef CURFEW_SERVICE_DETAIL_WINDOWS_EVENT_LOG_PORT_HPP
#define CURFEW_SERVICE_DETAIL_WINDOWS_EVENT_LOG_PORT_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/message_sink.hpp>
#include <curfew/host/windows/event_log.hpp>
#include <curfew/service/detail/event_fields.hpp>
#include <curfew/service/detail/event_line.hpp>
#include <curfew/service/lifecycle_event.hpp>

#include <cstdint>
#include <string>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// For put_fields(): "reason_code: 15".
class event_log_fields {
 public:
  void text(std::string_view name, std::string_view value) {
    out_.append(1, '\n').append(group_).append(name).append(": ").append(value);
  }
  void number(std::string_view name, std::int64_t value) { text(name, std::to_string(value)); }
  void begin(std::string_view name, std::string_view sum) {
    if (!sum.empty()) text(name, sum);
    group_ = std::string(name) + '_';
  }
  void end() { group_.clear(); }

  [[nodiscard]] const std::string& lines() const noexcept { return out_; }

 private:
  std::string out_;
  std::string group_;
};

/// Below 1000: the message file of the system itself has forms for these.
[[nodiscard]] constexpr unsigned long event_id(event_kind k) noexcept {
  return 100 + static_cast<unsigned long>(k);
}

[[nodiscard]] inline std::string event_log_text(const lifecycle_event& e) {
  event_log_fields fields;
  put_fields(e, fields);
  return event_line(e) + "\n" + fields.lines();
}

class event_log_port {
 public:
  explicit event_log_port(std::string_view service) : log_(std::string(service)) {}

  [[nodiscard]] bool is_open() const noexcept { return log_.is_open(); }
  bool put(severity level, const lifecycle_event& e) {
    return log_.write(level, event_log_text(e), event_id(e.kind));
  }

 private:
  event_log_sink log_;
};

}  // namespace detail
CURFEW_END

#endif
#endif
