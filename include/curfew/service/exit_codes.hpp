// SPDX-License-Identifier: BSL-1.0
//
// What a run tells the system when it ends: one table, made by asking those who tell it.
#ifndef CURFEW_SERVICE_EXIT_CODES_HPP
#define CURFEW_SERVICE_EXIT_CODES_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/scm_ledger.hpp>
#include <curfew/host/detail/scm_status.hpp>
#include <curfew/host/outcome.hpp>
#include <curfew/service/detail/json.hpp>
#include <curfew/service/detail/table_text.hpp>
#include <curfew/stop/reason.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

CURFEW_BEGIN

/// The exit code of a wrong command line, after which no service manager starts it again.
inline constexpr int exit_code_usage = 2;

/// From where an exit code is.
enum class code_source : std::uint8_t {
  fixed,   ///< it is this one
  result,  ///< it is what main returned, or 70 where the system would make a 0 of that
  signal,  ///< it is 128 and the number of the signal
};

/// For which reasons of a stop a row of the table is.
enum class reason_scope : std::uint8_t {
  any,
  signal,  ///< a signal asked for the stop
  other,   ///< anything else did
};

/// All outcomes of one kind that are told alike.
struct exit_code_row {
  outcome_kind kind = outcome_kind::clean;
  bool own_result = false;  ///< main returned something else than 0
  reason_scope reasons = reason_scope::any;
  code_source source = code_source::fixed;
  int code = 0;             ///< of a fixed one
  std::uint32_t win32 = 0;  ///< dwWin32ExitCode; 1066: the exit code is the service-specific one
};

/// Every outcome is in exactly one row.
[[nodiscard]] std::vector<exit_code_row> exit_code_table();

/// Whether the row is about such an outcome.
[[nodiscard]] bool covers(const exit_code_row& row, const outcome& o) noexcept;

/// For people: the table, and what a unit and the service manager of Windows make of it.
[[nodiscard]] std::string exit_codes_text();
/// The same for programs, as a JSON value.
[[nodiscard]] std::string exit_codes_json();

// ---------------------------------------------------------------------------------------------

namespace detail {

/// What the service manager of Windows is told in the end.
[[nodiscard]] inline scm_status last_status(const outcome& o) noexcept {
  struct keeper final : scm_port {
    bool set_status(const scm_status& s) noexcept override { return last = s, true; }
    scm_status last;
  } kept;
  scm_ledger ledger(kept, 0, time_source::duration::zero());
  ledger.end(o);
  return kept.last;
}

/// A result of main that no fixed code is, for asking what becomes of it.
inline constexpr int sample_result = 93;

[[nodiscard]] inline exit_code_row row_of(const outcome& o) {
  const int code = exit_code(o);
  exit_code_row row{.kind = o.kind, .own_result = o.result != 0};
  row.win32 = last_status(o).win32_exit_code;
  if (o.result != 0 && code == o.result) {
    row.source = code_source::result;
  } else if (names_signal(o.reason) && code == 128 + o.reason.code) {
    row.source = code_source::signal;
  } else {
    row.code = code;
  }
  return row;
}

[[nodiscard]] inline bool tell_the_same(const exit_code_row& a, const exit_code_row& b) noexcept {
  return a.source == b.source && a.code == b.code && a.win32 == b.win32;
}

/// A signal may be told by its number; then all other reasons are told in another way.
inline void add_rows(std::vector<exit_code_row>& table, outcome_kind kind, int result) {
  exit_code_row by_signal = row_of({kind, {stop_cause::signal, 15}, result});
  exit_code_row other = row_of({kind, {}, result});
  if (!tell_the_same(by_signal, other)) {
    by_signal.reasons = reason_scope::signal;
    other.reasons = reason_scope::other;
    table.push_back(by_signal);
  }
  table.push_back(other);
}

[[nodiscard]] constexpr const char* word_of(outcome_kind kind) noexcept {
  switch (kind) {
    case outcome_kind::clean: return "clean";
    case outcome_kind::late: return "late";
    case outcome_kind::failed: return "failed";
    case outcome_kind::forced: return "forced";
  }
  return "unknown";
}

[[nodiscard]] inline std::string code_text(const exit_code_row& row) {
  switch (row.source) {
    case code_source::result: return "n";
    case code_source::signal: return "128 + n";
    case code_source::fixed: break;
  }
  return std::to_string(row.code);
}

[[nodiscard]] constexpr const char* word_of(reason_scope scope) noexcept {
  switch (scope) {
    case reason_scope::any: return "any";
    case reason_scope::signal: return "signal n";
    case reason_scope::other: return "any other";
  }
  return "unknown";
}

[[nodiscard]] inline bool is_success(const exit_code_row& row) noexcept {
  return row.source == code_source::fixed && row.code == 0;
}

[[nodiscard]] inline std::vector<std::string> code_cells(const exit_code_row& row) {
  const std::string code = code_text(row);
  const std::string scm = row.win32 == 0 ? "0" : std::to_string(row.win32) + ", " + code;
  return {word_of(row.kind),
          row.own_result ? "n" : "0",
          word_of(row.reasons),
          code,
          scm,
          is_success(row) ? "success" : "failure"};
}

inline void write_exit_codes(json_writer& json) {
  json.begin('[');
  for (const exit_code_row& row : exit_code_table()) {
    json.begin('{').member("outcome", word_of(row.kind)).member("own_result", row.own_result);
    json.member("reason", word_of(row.reasons)).member("code", code_text(row));
    json.member("win32", row.win32).member("success", is_success(row)).end();
  }
  json.end();
}

}  // namespace detail

inline std::vector<exit_code_row> exit_code_table() {
  std::vector<exit_code_row> table;
  for (const auto kind :
       {outcome_kind::clean, outcome_kind::late, outcome_kind::failed, outcome_kind::forced}) {
    detail::add_rows(table, kind, 0);
    detail::add_rows(table, kind, detail::sample_result);
  }
  return table;
}

inline bool covers(const exit_code_row& row, const outcome& o) noexcept {
  const bool signal = detail::names_signal(o.reason);
  const bool reason =
      row.reasons == reason_scope::any || signal == (row.reasons == reason_scope::signal);
  return reason && row.kind == o.kind && row.own_result == (o.result != 0);
}

inline std::string exit_codes_text() {
  std::vector<std::vector<std::string>> rows = {
      {"outcome", "main", "reason", "exit code", "SCM", ""}};
  for (const exit_code_row& row : exit_code_table()) rows.push_back(detail::code_cells(row));
  return detail::table_text(rows) +
         "\n  systemd: a failure is followed by another start (Restart=on-failure), but for " +
         std::to_string(exit_code_usage) +
         "\n           (RestartPreventExitStatus). SuccessExitStatus is not set: only 0 is one.\n"
         "  SCM:     dwWin32ExitCode, dwServiceSpecificExitCode. A failure is followed by the\n"
         "           failure actions, which install has count what is no crash, too.\n";
}

inline std::string exit_codes_json() {
  detail::json_writer json;
  detail::write_exit_codes(json);
  return json.take();
}

CURFEW_END

#endif
