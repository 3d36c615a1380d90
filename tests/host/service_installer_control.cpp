// SPDX-License-Identifier: BSL-1.0
//
// Asking after services and controlling them through the real service manager of Windows, or of
// Wine.
#include <curfew/config.hpp>

#include "doctest/doctest.h"

#if CURFEW_WINDOWS

#include <curfew/host/install/apply_plan.hpp>
#include <curfew/host/install/await_state.hpp>
#include <curfew/host/windows/service_installer.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "service_support.hpp"

using namespace std::chrono_literals;
using curfew::failure;
using curfew::scm_service_manager;
using curfew::service_state;
using curfew::service_status;
using curfew::start_mode;
using kind = curfew::failure::kind_type;
using namespace test;

namespace {

curfew::install_request runner(const std::string& name, const std::vector<std::string>& arguments) {
  curfew::install_request asked = request(name);
  asked.executable = beside_us("installer_service.exe");
  asked.spec.arguments = arguments;
  asked.spec.account = "LocalSystem";
  asked.spec.start = start_mode::demand;
  return asked;
}

void install(const curfew::install_request& asked) {
  scm_service_manager manager;
  curfew::install_plan plan;
  REQUIRE(!manager.plan_install(asked, plan));
  REQUIRE(curfew::apply_plan(plan).ok());
}

service_status status(const std::string& name) {
  scm_service_manager manager;
  service_status seen;
  const failure f = manager.query(name, seen);
  CAPTURE(f.text);
  CHECK(!f);
  return seen;
}

service_status wait_for(const std::string& name, curfew::state_set goal) {
  scm_service_manager manager;
  const auto result = curfew::await_state(manager, name, goal, 60s);
  CHECK(result.end == curfew::await_end::reached);
  return result.status;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

bool on_wine() {
  const HMODULE system = GetModuleHandleW(L"ntdll.dll");
  return system != nullptr && GetProcAddress(system, "wine_get_version") != nullptr;
}

/// Wine's manager was once seen to refuse a start at once, and of that it makes error 1053, as of a
/// program that does not answer for long. Nothing else is tried again.
void start(const std::string& name) {
  scm_service_manager manager;
  failure f = manager.start(name);
  if (on_wine() && has(f.text, "error 1053")) {
    MESSAGE("refused, and tried again: " << f.text);
    f = manager.start(name);
  }
  INFO(f.text);
  REQUIRE(!f);
}

SERVICE_STATUS_PROCESS ended(DWORD error, DWORD specific = 0) {
  SERVICE_STATUS_PROCESS s{};
  s.dwCurrentState = SERVICE_STOPPED;
  s.dwWin32ExitCode = error;
  s.dwServiceSpecificExitCode = specific;
  return s;
}

}  // namespace

TEST_CASE("a service that is not there is known not to be and can be neither started nor stopped") {
  const service_name name;
  scm_service_manager manager;
  CHECK(status(name).state == service_state::not_installed);
  CHECK(manager.start(name).kind == kind::not_installed);
  CHECK(manager.stop(name).kind == kind::not_installed);
  CHECK(manager.reload(name).kind == kind::not_installed);
}

TEST_CASE("a new service is stopped and not failed and starts with the system when it shall") {
  const service_name name;
  install(request(name));
  const service_status seen = status(name);
  CHECK(seen.state == service_state::stopped);
  CHECK(seen.pid == 0);
  CHECK(seen.exit_code == 0);
  CHECK(seen.enabled);
  auto asked = request(name);
  asked.spec.start = start_mode::demand;
  install(asked);
  CHECK_FALSE(status(name).enabled);
}

TEST_CASE("a service is started and stopped and both can be asked for twice") {
  const service_name name;
  scm_service_manager manager;
  install(runner(name, {"0"}));
  CHECK(!manager.start(name));
  CHECK(wait_for(name, {service_state::running}).pid != 0);
  CHECK(!manager.start(name));
  CHECK(!manager.stop(name));
  const service_status seen = wait_for(name, curfew::ended_states);
  CHECK(seen.state == service_state::stopped);
  CHECK(seen.exit_code == 0);
  CHECK(!manager.stop(name));
}

TEST_CASE("SCM rule 10 - the code of its own that a failed service ended with is shown") {
  const service_name name;
  scm_service_manager manager;
  install(runner(name, {"42"}));
  start(name);
  wait_for(name, {service_state::running});
  REQUIRE(!manager.stop(name));
  const service_status seen = wait_for(name, curfew::ended_states);
  CHECK(seen.state == service_state::failed);
  CHECK(seen.exit_code == 42);
  CHECK(has(seen.text, "42"));
}

TEST_CASE("the error of the system that a failed service ended with is shown") {
  const service_name name;
  scm_service_manager manager;
  install(runner(name, {"win32", "13"}));
  start(name);
  wait_for(name, {service_state::running});
  REQUIRE(!manager.stop(name));
  const service_status seen = wait_for(name, curfew::ended_states);
  CHECK(seen.state == service_state::failed);
  CHECK(seen.exit_code == 13);
  CHECK(has(seen.text, "error 13: "));
}

TEST_CASE("only a service that takes new settings is given them") {
  const service_name one;
  const service_name other;
  scm_service_manager manager;
  install(runner(one, {"reloads", "0"}));
  install(runner(other, {"0"}));
  CHECK(has(manager.reload(one).text, "not running"));
  start(one);
  start(other);
  wait_for(one, {service_state::running});
  wait_for(other, {service_state::running});
  CHECK(!manager.reload(one));
  CHECK(has(manager.reload(other).text, "restart it"));
  CHECK(!manager.stop(one));
  CHECK(!manager.stop(other));
}

TEST_CASE("SCM rule 21 - a service that runs is not marked for deletion") {
  const service_name name;
  scm_service_manager manager;
  install(runner(name, {"0"}));
  start(name);
  wait_for(name, {service_state::running});
  curfew::install_plan plan;
  REQUIRE(!manager.plan_uninstall(name, plan));
  const auto report = curfew::apply_plan(plan);
  CHECK(has(report.why.text, "stop it first"));
  CHECK_FALSE(report.half_done());
  REQUIRE(!manager.stop(name));
  wait_for(name, curfew::ended_states);
  REQUIRE(!manager.plan_uninstall(name, plan));
  CHECK(curfew::apply_plan(plan).ok());
  CHECK(status(name).state == service_state::not_installed);
}

TEST_CASE("a start that cannot be says why and what to do") {
  const service_name name;
  scm_service_manager manager;
  install(request(name));
  failure f = manager.start(name);
  CHECK(f.kind == kind::failed);
  CHECK(has(f.text, "image path"));
  auto asked = request(name);
  asked.spec.start = start_mode::disabled;
  install(asked);
  f = manager.start(name);
  CHECK(f.kind == kind::failed);
  CHECK(has(f.text, "disabled"));
}

TEST_CASE("a status is read into words that every system has") {
  using curfew::detail::status_of;
  CHECK(status_of(ended(0)).state == service_state::stopped);
  CHECK(status_of(ended(1077)).state == service_state::stopped);
  CHECK(status_of(ended(1077)).exit_code == 0);
  CHECK(status_of(ended(1066, 7)).state == service_state::failed);
  CHECK(status_of(ended(1066, 7)).exit_code == 7);
  CHECK(status_of(ended(5)).state == service_state::failed);
  CHECK(status_of(ended(5)).exit_code == 5);
  SERVICE_STATUS_PROCESS s{};
  s.dwCurrentState = SERVICE_STOP_PENDING;
  s.dwProcessId = 4711;
  s.dwCheckPoint = 3;
  s.dwWaitHint = 1500;
  CHECK(status_of(s).state == service_state::stopping);
  CHECK(status_of(s).pid == 4711);
  CHECK(status_of(s).moves == 3);
  CHECK(status_of(s).hint == 1500ms);
  for (const auto& [number, state] :
       {std::pair(2, service_state::starting), std::pair(4, service_state::running),
        std::pair(5, service_state::resuming), std::pair(6, service_state::pausing),
        std::pair(7, service_state::paused), std::pair(99, service_state::unknown)}) {
    s.dwCurrentState = static_cast<DWORD>(number);
    CHECK(status_of(s).state == state);
  }
}

#else

TEST_CASE("there is no service manager of Windows to be asked here") { CHECK(CURFEW_WINDOWS == 0); }

#endif
