// SPDX-License-Identifier: BSL-1.0
//
// One table for all that is told to the outside.
#include <curfew/host/detail/scm_ledger.hpp>
#include <curfew/host/systemd/unit.hpp>
#include <curfew/service/detail/verb_session.hpp>
#include <curfew/service/exit_codes.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "doctest/doctest.h"

namespace {

using curfew::code_source;
using curfew::covers;
using curfew::exit_code_row;
using curfew::exit_code_table;
using curfew::outcome;
using curfew::outcome_kind;
using curfew::stop_cause;

struct told final : curfew::detail::scm_port {
  bool set_status(const curfew::detail::scm_status& s) noexcept override { return last = s, true; }
  curfew::detail::scm_status last;
};

int code_by(const exit_code_row& row, const outcome& o) {
  switch (row.source) {
    case code_source::result: return curfew::detail::honest_result(o.result);
    case code_source::signal: return 128 + o.reason.code;
    case code_source::fixed: break;
  }
  return row.code;
}

template <class Do>
void each_outcome(Do action) {
  for (const auto kind :
       {outcome_kind::clean, outcome_kind::late, outcome_kind::failed, outcome_kind::forced}) {
    for (int cause = 0; cause <= static_cast<int>(stop_cause::fault); ++cause) {
      for (const int code : {-1, 0, 1, 2, 5, 6, 15, 64, 127, 128, 1000}) {
        for (const int result : {0, 1, 2, 70, 124, 255, 256, -1}) {
          action(outcome{kind, {static_cast<stop_cause>(cause), code}, result});
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("every outcome stands in one row which says what is told of it") {
  const std::vector<exit_code_row> table = exit_code_table();
  std::size_t seen = 0;
  each_outcome([&](const outcome& o) {
    int rows = 0;
    for (const exit_code_row& row : table) {
      if (!covers(row, o)) continue;
      ++rows;
      told port;
      curfew::detail::scm_ledger(port, 0, {}).end(o);
      CHECK(code_by(row, o) == exit_code(o));
      CHECK(row.win32 == port.last.win32_exit_code);
      if (row.win32 != 0) {
        CHECK(port.last.service_exit_code == static_cast<std::uint32_t>(exit_code(o)));
      }
    }
    CHECK(rows == 1);
    ++seen;
  });
  CHECK(seen == 4 * 8 * 11 * 8);
}

TEST_CASE("only a clean end is a success for every system") {
  for (const exit_code_row& row : exit_code_table()) {
    const bool clean = row.kind == outcome_kind::clean && !row.own_result;
    CHECK(curfew::detail::is_success(row) == clean);
    CHECK((row.win32 == 0) == clean);
  }
}

TEST_CASE("a unit says the same of exit codes as the table") {
  const curfew::install_request asked{{.name = "web"}, "/srv/web", false};
  const std::string unit = curfew::render_unit(asked);
  const std::string usage = std::to_string(curfew::exit_code_usage);
  CHECK(unit.find("\nRestart=on-failure\n") != unit.npos);
  CHECK(unit.find("\nRestartPreventExitStatus=" + usage + "\n") != unit.npos);
  CHECK(unit.find("SuccessExitStatus") == unit.npos);
}

TEST_CASE("the table is for people and for programs") {
  const std::string text = curfew::exit_codes_text();
  CHECK(text.find("  forced   0     signal n   128 + n    1066, 128 + n  failure\n") != text.npos);
  CHECK(text.find("  clean    0     any        0          0              success\n") != text.npos);
  const std::string json = curfew::exit_codes_json();
  CHECK(json.find(R"({"outcome":"failed","own_result":false,"reason":"any","code":"70",)"
                  R"("win32":1066,"success":false})") != json.npos);
}
