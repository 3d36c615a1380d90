// SPDX-License-Identifier: BSL-1.0
//
// The time of a stop by its reason.
#include <curfew/host/detail/console_host.hpp>
#include <curfew/service/detail/narrator.hpp>
#include <curfew/service/detail/system_limits.hpp>
#include <curfew/service/stop_budget.hpp>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "doctest/doctest.h"

namespace {

using namespace std::chrono_literals;
using curfew::limit_basis;
using curfew::service_spec;
using curfew::stop_budget;
using curfew::stop_budgets;
using curfew::stop_cause;
using curfew::system_limits;
using duration = curfew::time_source::duration;

constexpr duration never = (duration::max)();

stop_budget of(const std::string& name, const service_spec& spec, const system_limits& l = {}) {
  for (stop_budget& b : stop_budgets(spec, l)) {
    if (b.name == name) return b;
  }
  FAIL("no such reason");
  return {};
}

}  // namespace

TEST_CASE("every reason has a name of its own and a time") {
  std::set<std::string> names;
  for (const stop_budget& b : stop_budgets({.stop_timeout = 30s})) {
    CHECK(names.insert(b.name).second);
    CHECK(b.time > 0s);
    CHECK(b.time < b.limit);
    CHECK(b.limit <= 30s);
    CHECK(b.reason.cause != stop_cause::none);
  }
  CHECK(names.size() == 11);
}

TEST_CASE("a stop that no system limits has what is declared less the end of it") {
  for (const char* name : {"ctrl-c", "sigterm", "scm-stop", "requested", "fault", "systemd-stop"}) {
    const stop_budget b = of(name, {.stop_timeout = 30s});
    CHECK(b.limit == 30s);
    CHECK(b.time == 29s);
    CHECK(of(name, {.stop_timeout = 5s}).time == 4500ms);
  }
}

TEST_CASE("what stays up first has its time from the parts but where nobody waits for that") {
  for (const stop_budget& b : stop_budgets({.stop_timeout = 30s}, {}, 5s)) {
    const bool urgent =
        b.name == "ctrl-c" || b.name == "fault" || b.reason.cause == stop_cause::console;
    CHECK(b.lame_duck == (urgent ? 0s : b.limit >= 20s ? 5s : b.limit / 4));
    CHECK(b.time == b.limit - curfew::detail::kept_for_the_end(b.limit) - b.lame_duck);
  }
  for (const stop_budget& b : stop_budgets({.stop_timeout = 30s}, {}, -5s))
    CHECK(b.lame_duck == 0s);
  for (const stop_budget& b : stop_budgets({.stop_timeout = std::chrono::hours::max()}, {}, 5s))
    CHECK(b.time > 0s);
}

TEST_CASE("a window that is closed leaves what the system grants") {
  for (const char* name : {"console-close", "console-logoff", "console-shutdown"}) {
    const stop_budget b = of(name, {.stop_timeout = 30s}, {.console = 10s});
    CHECK(b.granted == 10s);
    CHECK(b.limit == 8550ms);  // ended a twentieth earlier, and a tenth of that to tell
    CHECK(b.time == 8550ms - 855ms);
    CHECK(of(name, {.stop_timeout = 2s}, {.console = 10s}).limit == 2s);
  }
}

TEST_CASE("a shutdown leaves a service what the system grants or what it has asked for") {
  const stop_budget down = of("scm-shutdown", {.stop_timeout = 60s}, {.shutdown = 30s});
  CHECK(down.reason.code == 5);
  CHECK(down.granted == 30s);
  CHECK(down.limit == 27s);
  const service_spec early{.stop_timeout = 60s, .preshutdown_timeout = 51s};
  const stop_budget b = of("scm-preshutdown", early);
  CHECK(b.reason.code == 15);
  CHECK(b.basis == limit_basis::declared);
  CHECK(b.limit == 45s);
  for (const stop_budget& other : stop_budgets(early)) CHECK(other.name != "scm-shutdown");
}

TEST_CASE("limits of another system are assumed and those of this one are read") {
  CHECK(of("console-close", {}).basis == limit_basis::assumed);
  CHECK(of("scm-shutdown", {}).basis == limit_basis::assumed);
  CHECK(of("console-close", {}, {.windows = true}).basis == limit_basis::read);
  CHECK(of("scm-shutdown", {}, {.windows = true}).basis == limit_basis::read);
  CHECK(of("pod", {}).basis == limit_basis::declared);
  CHECK(of("pod", {}, {.grace = 10s}).basis == limit_basis::read);
  CHECK(of("ctrl-c", {}).basis == limit_basis::none);
}

TEST_CASE("a pod has what it has been told or what render writes") {
  CHECK(of("pod", {.stop_timeout = 10s}).granted == 15s);
  const stop_budget told = of("pod", {.stop_timeout = 30s}, {.grace = 20s});
  CHECK(told.granted == 20s);
  CHECK(told.limit == 18s);
}

TEST_CASE("a program without a limit has what the system grants") {
  const service_spec spec{.stop_timeout = std::chrono::hours::max()};
  CHECK(of("ctrl-c", spec).time == never);
  CHECK(of("systemd-stop", spec).granted == never);
  CHECK(of("scm-shutdown", spec).limit == 18s);
  CHECK(of("scm-preshutdown", {.preshutdown_timeout = std::chrono::hours::max()}).limit == 30s);
}

TEST_CASE("a program without time has none for any reason") {
  for (const auto t : {0s, -1s}) {
    for (const stop_budget& b : stop_budgets({.stop_timeout = t})) CHECK(b.time == 0s);
  }
}

TEST_CASE("what is used of a system limit is what its hosts answer") {
  curfew::detail::console_host pod(20s);
  const auto allowed = pod.allowed({stop_cause::signal, 15});
  CHECK(of("pod", {.stop_timeout = 1h}, {.grace = 20s}).usable == allowed - allowed / 10);
#if CURFEW_WINDOWS
  const auto read = curfew::detail::read_system_limits();
  CHECK(read.windows);
  const auto usable = curfew::detail::usable(curfew::detail::console_limit());
  CHECK(curfew::detail::in_console(read.console) == usable);
#else
  CHECK(!curfew::detail::read_system_limits().windows);
#endif
}

TEST_CASE("a whole is long enough for its end to be kept") {
  using curfew::detail::kept_for_the_end;
  using curfew::detail::with_end;
  for (duration t = 1ns; t < 100h; t = t * 3 + 7ns) {
    CHECK(with_end(t) - kept_for_the_end(with_end(t)) >= t);
    CHECK(with_end(t) <= t + t / 9 + 2s);
  }
  CHECK(with_end(0s) == 1s);
  CHECK(with_end(34s) == 35s);
  CHECK(with_end(never) == never);
  CHECK(with_end(never - 1s) == never);
}
