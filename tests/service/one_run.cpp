// SPDX-License-Identifier: BSL-1.0
//
// What cannot be brought about from outside a program.
#include <curfew/host/detail/console_host.hpp>
#include <curfew/service/detail/one_run.hpp>

#include "doctest/doctest.h"

#include <chrono>
#include <system_error>

using curfew::detail::run_state;

TEST_CASE("a run whose threads do not all start says so at once however long a stop may take") {
  const curfew::service_spec spec{.name = "subject", .stop_timeout = std::chrono::hours::max()};
  curfew::detail::console_host host;
  curfew::detail::process_end end;
  const curfew::detail::hosted place{host, {}};
  run_state s(spec, {place, end});
  std::error_code ec;
  REQUIRE(open_bridge(s, ec));
  curfew::detail::watchdog guard(s);
  REQUIRE(guard.start(ec));
  const auto why = std::make_error_code(std::errc::resource_unavailable_try_again);
  CHECK(refuse_run(s, guard, why).kind == curfew::outcome_kind::failed);
  CHECK(s.over.stop_requested());
}
