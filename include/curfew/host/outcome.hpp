// SPDX-License-Identifier: BSL-1.0
//
// How a run ended, in one value. Whatever is told to the outside (exit code, and with other hosts
// the SCM's code, systemd's status, an audit line) is derived from it, so that no two of them can
// disagree and a failure never reads as a success.
#ifndef CURFEW_HOST_OUTCOME_HPP
#define CURFEW_HOST_OUTCOME_HPP

#include <curfew/config.hpp>
#include <curfew/stop/reason.hpp>

#include <string>

CURFEW_BEGIN

/// The worst that happened; what comes later in the list hides what comes earlier.
enum class outcome_kind {
  clean,   ///< main returned, everything was released
  late,    ///< everything was released, but something took longer than it was allowed to
  failed,  ///< main threw or returned non-zero, a release reported an error, or nothing could start
  forced,  ///< the time for stopping was spent; the process was ended with parts still open
};

/// How a run ended: every exit code and every status is made from this one value.
struct outcome {
  outcome_kind kind = outcome_kind::clean;
  stop_reason reason = {};  ///< why it stopped; cause none: main returned by itself
  int result = 0;           ///< what main returned
  int error = 0;            ///< the errno of the system_error that main threw; 0: another failure

  [[nodiscard]] bool ok() const noexcept { return kind == outcome_kind::clean && result == 0; }
};

/// The exit code of a run that failed or was late, unless main returned a code of its own.
inline constexpr int exit_code_failed = 70;
/// The exit code of a run that was forced to end by anything but a signal.
inline constexpr int exit_code_forced = 124;

/// 0: clean, whether asked to stop or finished. main's own result when that is not zero.
/// 128 + n: signal n asked for the stop, and the end was forced. Else one of the two above. Only an
/// outcome that is ok() has 0.
[[nodiscard]] constexpr int exit_code(const outcome& o) noexcept;

/// One line for people: "stopped: signal SIGTERM from pid 4711", "finished", "failed: deadline".
[[nodiscard]] std::string to_string(const outcome& o);

// ---------------------------------------------------------------------------------------------

namespace detail {

/// POSIX passes eight bits on: a failure of which they would make a zero must not become success.
[[nodiscard]] constexpr int honest_result(int result) noexcept {
  const bool cut_to_zero = CURFEW_POSIX != 0 && (static_cast<unsigned>(result) & 0xffu) == 0;
  return cut_to_zero ? exit_code_failed : result;
}

/// A reason may come from the program itself and hold any number.
[[nodiscard]] constexpr bool names_signal(const stop_reason& reason) noexcept {
  return reason.cause == stop_cause::signal && reason.code > 0 && reason.code < 128;
}

[[nodiscard]] constexpr const char* headline(const outcome& o) noexcept {
  switch (o.kind) {
    case outcome_kind::clean: return o.reason.cause == stop_cause::none ? "finished" : "stopped";
    case outcome_kind::late: return "late";
    case outcome_kind::failed: return "failed";
    case outcome_kind::forced: return "forced to end";
  }
  return "unknown";
}

}  // namespace detail

constexpr int exit_code(const outcome& o) noexcept {
  if (o.kind == outcome_kind::forced) {
    return detail::names_signal(o.reason) ? 128 + o.reason.code : exit_code_forced;
  }
  if (o.result != 0) return detail::honest_result(o.result);
  return o.kind == outcome_kind::clean ? 0 : exit_code_failed;
}

inline std::string to_string(const outcome& o) {
  std::string text = detail::headline(o);
  if (o.reason.cause != stop_cause::none) text.append(": ").append(to_string(o.reason));
  return text;
}

CURFEW_END

#endif
