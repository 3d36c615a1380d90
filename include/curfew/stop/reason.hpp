// SPDX-License-Identifier: BSL-1.0
//
// Why a stop was asked for, and by whom. A reason travels with the stop to every descendant.
#ifndef CURFEW_STOP_REASON_HPP
#define CURFEW_STOP_REASON_HPP

#include <curfew/config.hpp>

#include <cstdint>
#include <string>

CURFEW_BEGIN

/// What kind of event asked for the stop. `none`: nobody has.
enum class stop_cause : std::uint8_t {
  none,
  requested,
  deadline,
  signal,
  console,
  service_control,
  control,
  fault
};

/// A plain value: copying it is safe anywhere, also in a stop callback.
struct stop_reason {
  stop_cause cause = stop_cause::none;
  int code = 0;           ///< signal number, console event, SCM control, or the caller's own number
  std::int64_t pid = 0;   ///< the process that asked, where the system tells; 0: unknown
  std::int64_t uid = -1;  ///< the user who asked, where the system tells; -1: unknown

  friend bool operator==(const stop_reason&, const stop_reason&) = default;
};

/// One line for people: "signal SIGTERM from pid 4711", "deadline", "console close".
[[nodiscard]] std::string to_string(const stop_reason& reason);

namespace detail {

/// Signal numbers that are the same on every system; the others differ and are told as numbers.
[[nodiscard]] constexpr const char* signal_name(int number) noexcept {
  switch (number) {
    case 1: return "SIGHUP";
    case 2: return "SIGINT";
    case 3: return "SIGQUIT";
    case 6: return "SIGABRT";
    case 9: return "SIGKILL";
    case 13: return "SIGPIPE";
    case 14: return "SIGALRM";
    case 15: return "SIGTERM";
    case 21: return CURFEW_WINDOWS ? "SIGBREAK" : nullptr;
    default: return nullptr;
  }
}

[[nodiscard]] constexpr const char* console_event_name(int event) noexcept {
  switch (event) {
    case 0: return "Ctrl-C";
    case 1: return "Ctrl-Break";
    case 2: return "close";
    case 5: return "logoff";
    case 6: return "shutdown";
    default: return nullptr;
  }
}

[[nodiscard]] constexpr const char* service_control_name(int control) noexcept {
  switch (control) {
    case 1: return "stop";
    case 5: return "shutdown";
    case 15: return "preshutdown";
    default: return nullptr;
  }
}

[[nodiscard]] constexpr const char* cause_name(stop_cause cause) noexcept {
  switch (cause) {
    case stop_cause::none: return "none";
    case stop_cause::requested: return "requested";
    case stop_cause::deadline: return "deadline";
    case stop_cause::signal: return "signal";
    case stop_cause::console: return "console";
    case stop_cause::service_control: return "service control";
    case stop_cause::control: return "control";
    case stop_cause::fault: return "fault";
  }
  return "unknown";
}

/// The system's name for the code of a cause; null where there is none.
[[nodiscard]] constexpr const char* code_name(const stop_reason& r) noexcept {
  switch (r.cause) {
    case stop_cause::signal: return signal_name(r.code);
    case stop_cause::console: return console_event_name(r.code);
    case stop_cause::service_control: return service_control_name(r.code);
    default: return nullptr;
  }
}

/// Whether the code means something even when it is 0.
[[nodiscard]] constexpr bool code_counts(const stop_reason& r) noexcept {
  return r.code != 0 || r.cause == stop_cause::signal || r.cause == stop_cause::console ||
         r.cause == stop_cause::service_control;
}

}  // namespace detail

inline std::string to_string(const stop_reason& r) {
  std::string text = detail::cause_name(r.cause);
  if (const char* name = detail::code_name(r)) {
    text.append(1, ' ').append(name);
  } else if (detail::code_counts(r)) {
    text.append(1, ' ').append(std::to_string(r.code));
  }
  if (r.pid != 0) text.append(" from pid ").append(std::to_string(r.pid));
  if (r.uid != -1) text.append(r.pid != 0 ? " (uid " : " from uid ").append(std::to_string(r.uid));
  if (r.uid != -1 && r.pid != 0) text.append(1, ')');
  return text;
}

CURFEW_END

#endif
