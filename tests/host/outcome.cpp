// SPDX-License-Identifier: BSL-1.0
#include <curfew/host/outcome.hpp>

#include "doctest/doctest.h"

using curfew::exit_code;
using curfew::outcome;
using curfew::outcome_kind;
using curfew::stop_cause;
using curfew::stop_reason;

namespace {

constexpr stop_reason asked{stop_cause::signal, 15, 4711};

constexpr outcome ended(outcome_kind kind, stop_reason reason = {}, int result = 0) {
  return {.kind = kind, .reason = reason, .result = result};
}

}  // namespace

TEST_CASE("a clean end is 0 whether it was asked for or not") {
  CHECK(exit_code(ended(outcome_kind::clean)) == 0);
  CHECK(exit_code(ended(outcome_kind::clean, asked)) == 0);
  CHECK(ended(outcome_kind::clean, asked).ok());
}

TEST_CASE("a failure and a late end have the documented code") {
  CHECK(exit_code(ended(outcome_kind::failed)) == curfew::exit_code_failed);
  CHECK(exit_code(ended(outcome_kind::late, asked)) == curfew::exit_code_failed);
  CHECK_FALSE(ended(outcome_kind::late, asked).ok());
}

TEST_CASE("a result of main is more exact than the documented code") {
  CHECK(exit_code(ended(outcome_kind::failed, {}, 3)) == 3);
  CHECK(exit_code(ended(outcome_kind::late, asked, 3)) == 3);
}

TEST_CASE("a forced end has the code of the signal that asked for the stop") {
  CHECK(exit_code(ended(outcome_kind::forced, asked)) == 143);
  CHECK(exit_code(ended(outcome_kind::forced, asked, 3)) == 143);
}

TEST_CASE("a forced end for another reason has a code of its own") {
  CHECK(exit_code(ended(outcome_kind::forced)) == curfew::exit_code_forced);
  CHECK(exit_code(ended(outcome_kind::forced, {stop_cause::console, 2})) ==
        curfew::exit_code_forced);
}

TEST_CASE("a forced end is no success whatever number its reason holds") {
  for (const int code : {0, -1, -128, 128, 255, 256, 1 << 30}) {
    CHECK(exit_code(ended(outcome_kind::forced, {stop_cause::signal, code})) ==
          curfew::exit_code_forced);
  }
  CHECK(exit_code(ended(outcome_kind::forced, {stop_cause::signal, 127})) == 255);
}

TEST_CASE("no failure becomes a success by being cut to eight bits") {
  for (const int result : {256, -256, 512, 1 << 30}) {
    const int code = exit_code(ended(outcome_kind::failed, {}, result));
    CHECK((CURFEW_POSIX ? code & 0xff : code) != 0);
  }
  CHECK((exit_code(ended(outcome_kind::failed, {}, -1)) & 0xff) == 255);
}

TEST_CASE("an outcome reads as a line with the reason of the stop") {
  CHECK(to_string(ended(outcome_kind::clean)) == "finished");
  CHECK(to_string(ended(outcome_kind::clean, asked)) == "stopped: signal SIGTERM from pid 4711");
  CHECK(to_string(ended(outcome_kind::late, {stop_cause::deadline})) == "late: deadline");
  CHECK(to_string(ended(outcome_kind::failed)) == "failed");
  CHECK(to_string(ended(outcome_kind::forced, {stop_cause::console, 2})) ==
        "forced to end: console close");
}

TEST_CASE("an exit code is known to the compiler") {
  static_assert(exit_code(ended(outcome_kind::forced, asked)) == 143);
  CHECK(true);
}
