// SPDX-License-Identifier: BSL-1.0
//
// What an installation on Windows would set, say and find: the parts that need no Windows.
#include <curfew/host/install/scm_advice.hpp>
#include <curfew/host/install/scm_findings.hpp>
#include <curfew/host/install/scm_plan.hpp>
#include <curfew/host/install/scm_settings.hpp>
#include <curfew/host/install/scm_words.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "doctest/doctest.h"

using namespace std::chrono_literals;
using curfew::failure;
using curfew::install_request;
using curfew::restart_policy;
using curfew::scm_account;
using curfew::scm_failures;
using curfew::scm_infinite;
using curfew::scm_settings;
using curfew::severity;
using curfew::start_mode;
using curfew::wanted_scm_settings;

namespace {

install_request request() {
  install_request asked;
  asked.spec.name = "orders";
  asked.executable = R"(C:\Program Files\orders\orders.exe)";
  return asked;
}

std::vector<std::uint32_t> delays(const restart_policy& policy) {
  std::vector<std::uint32_t> found;
  for (const auto& action : scm_failures(policy).actions) {
    CHECK(action.type == curfew::scm_restart);
    found.push_back(action.delay_ms);
  }
  return found;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

scm_settings sound() { return wanted_scm_settings(request()); }

std::vector<std::string> found_in(const scm_settings& s, const curfew::service_spec& spec = {}) {
  std::vector<std::string> found;
  for (const auto& f : curfew::examine_settings(spec, s)) {
    CHECK(!f.fix.empty());
    found.push_back(f.what);
  }
  return found;
}

}  // namespace

TEST_CASE("SCM rule 19 - the wanted image path is quoted and has the arguments in it") {
  install_request asked = request();
  asked.spec.arguments = {"run", "--dir", "C:\\a b\\"};
  CHECK(wanted_scm_settings(asked).command_line ==
        R"("C:\Program Files\orders\orders.exe" run --dir "C:\a b\\")");
}

TEST_CASE("SCM rule 20 - without an account it is the virtual one of the service") {
  CHECK(scm_account("", "orders") == "NT SERVICE\\orders");
}

TEST_CASE("an account is written as the manager stores it") {
  CHECK(scm_account("LocalSystem", "x") == "LocalSystem");
  CHECK(scm_account("LocalService", "x") == "NT AUTHORITY\\LocalService");
  CHECK(scm_account("networkservice", "x") == "NT AUTHORITY\\networkservice");
  CHECK(scm_account("bob", "x") == ".\\bob");
  CHECK(scm_account("HOME\\bob", "x") == "HOME\\bob");
  CHECK(scm_account("bob@home", "x") == "bob@home");
}

TEST_CASE("SCM rule 18 - three restarts each twice as late up to the longest delay") {
  CHECK(delays({.delay = 1s, .longest_delay = 1min}) ==
        std::vector<std::uint32_t>{1000, 2000, 4000});
  CHECK(delays({.delay = 1s, .longest_delay = 3s}) == std::vector<std::uint32_t>{1000, 2000, 3000});
  CHECK(delays({.delay = 9s, .longest_delay = 3s}) == std::vector<std::uint32_t>{9000, 9000, 9000});
  CHECK(delays({.delay = 0s, .longest_delay = 3s}) == std::vector<std::uint32_t>{0, 0, 0});
  CHECK(delays({.delay = 1500us, .longest_delay = 2ms}) == std::vector<std::uint32_t>{2, 2, 2});
  CHECK(delays({.delay = std::chrono::hours::max()}) ==
        std::vector<std::uint32_t>(3, scm_infinite));
  CHECK(scm_failures({.reset_after = 10min}).reset_s == 600);
  CHECK(scm_failures({.reset_after = std::chrono::hours::max()}).reset_s == scm_infinite);
}

TEST_CASE("SCM rule 18 - a service that shall not restart has no actions and no flag") {
  install_request asked = request();
  asked.spec.restart.on_failure = false;
  CHECK(wanted_scm_settings(asked).failure->actions.empty());
  CHECK(wanted_scm_settings(asked).non_crash == false);
  CHECK(wanted_scm_settings(request()).non_crash == true);
}

TEST_CASE("where there are no failure actions the time of their reset makes no difference") {
  CHECK(curfew::scm_failure_actions{{}, 5} == curfew::scm_failure_actions{{}, 6});
  CHECK_FALSE(curfew::scm_failure_actions{{{1, 1}}, 5} == curfew::scm_failure_actions{{{1, 1}}, 6});
}

TEST_CASE("delayed is a kind of automatic and is nothing for the other start modes") {
  const auto with = [](start_mode mode) {
    install_request asked = request();
    asked.spec.start = mode;
    return wanted_scm_settings(asked);
  };
  CHECK(with(start_mode::automatic).start == 2);
  CHECK(with(start_mode::automatic).delayed == false);
  CHECK(with(start_mode::delayed).start == 2);
  CHECK(with(start_mode::delayed).delayed == true);
  CHECK(with(start_mode::demand).start == 3);
  CHECK_FALSE(with(start_mode::demand).delayed.has_value());
  CHECK(with(start_mode::disabled).start == 4);
}

TEST_CASE("SCM rule 15 - the preshutdown timeout is our own and five seconds or is left alone") {
  install_request asked = request();
  CHECK_FALSE(wanted_scm_settings(asked).preshutdown_ms.has_value());
  asked.spec.preshutdown_timeout = 90s;
  CHECK(wanted_scm_settings(asked).preshutdown_ms == 95'000);
  asked.spec.preshutdown_timeout = std::chrono::hours::max();
  CHECK(wanted_scm_settings(asked).preshutdown_ms == scm_infinite);
  asked.spec.preshutdown_timeout = std::chrono::hours(24 * 100);
  CHECK(wanted_scm_settings(asked).preshutdown_ms == scm_infinite);
}

TEST_CASE("dependencies on groups follow those on services") {
  install_request asked = request();
  asked.spec.dependencies = {"+TDI", "Tcpip", "+NetGroup", "Afd"};
  CHECK(wanted_scm_settings(asked).dependencies ==
        std::vector<std::string>{"Tcpip", "Afd", "+TDI", "+NetGroup"});
}

TEST_CASE("a rendered plan has a line for all that is set") {
  install_request asked = request();
  asked.spec.display_name = "Orders API";
  asked.spec.description = "Takes orders.";
  asked.spec.start = start_mode::delayed;
  asked.spec.dependencies = {"Tcpip", "Afd"};
  asked.spec.privileges = {"SeChangeNotifyPrivilege"};
  asked.spec.preshutdown_timeout = 7s;
  CHECK(curfew::render_scm_plan(asked) ==
        R"(service orders
  image path                        "C:\Program Files\orders\orders.exe"
  display name                      Orders API
  process                           a process of its own
  start mode                        automatic
  account                           NT SERVICE\orders
  dependencies                      Tcpip, Afd
  installer                         curfew
  description                       Takes orders.
  delayed start                     yes
  failure actions                   restart after 1 s, restart after 2 s, restart after 4 s; )"
        R"(from the first again after 600 s
  failure actions without a crash   yes
  service SID                       unrestricted
  required privileges               SeChangeNotifyPrivilege
  preshutdown timeout               12 s
event source HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\orders
  EventMessageFile                  %SystemRoot%\System32\EventCreate.exe
  TypesSupported                    7
)");
}

TEST_CASE("a rendered plan does not speak of what is left alone") {
  install_request asked = request();
  asked.spec.start = start_mode::demand;
  const std::string text = curfew::render_scm_plan(asked);
  CHECK(has(text, "on demand"));
  CHECK_FALSE(has(text, "delayed"));
  CHECK_FALSE(has(text, "preshutdown"));
}

TEST_CASE("numbers that nobody has named are shown as they are") {
  using namespace curfew::detail;
  CHECK(start_in_words(1) == "start type 1");
  CHECK(type_in_words(0x120) == "a shared process, interactive");
  CHECK(type_in_words(0x50) == "type 80");
  CHECK(sid_in_words(9) == "type 9");
  CHECK(action_in_words({9, 1500}) == "9 after 1500 ms");
  CHECK(failures_in_words({{{2, 0}}, scm_infinite}) == "reboot after 0 s");
}

TEST_CASE("missing rights are told as such and name what was to be done") {
  const failure f = curfew::scm_failure("start orders", 5, "Access denied");
  CHECK(f.kind == failure::kind_type::needs_rights);
  CHECK(f.text.starts_with("needs administrator: cannot start orders"));
}

TEST_CASE("an error says what to do and its number") {
  for (const std::uint32_t error : {2u, 193u, 1051u, 1053u, 1055u, 1057u, 1058u, 1059u, 1061u,
                                    1062u, 1067u, 1068u, 1069u, 1072u, 1073u, 1075u, 1078u}) {
    const failure f = curfew::scm_failure("start orders", error, "OTHERWISE");
    CAPTURE(f.text);
    CHECK(f.kind == failure::kind_type::failed);
    CHECK(f.text.starts_with("cannot start orders: "));
    CHECK(f.text.ends_with(" (error " + std::to_string(error) + ")"));
    CHECK_FALSE(has(f.text, "OTHERWISE"));
    CHECK(has(f.text, "; "));
  }
}

TEST_CASE("an error that nobody has thought of says what the system says") {
  const failure f = curfew::scm_failure("start orders", 4711, "strange");
  CHECK(f.text == "cannot start orders: strange (error 4711); see: net helpmsg 4711");
}

TEST_CASE("a setting that the system lacks and a service that is not there are told apart") {
  for (const std::uint32_t error : {50u, 120u, 124u}) {
    CHECK(curfew::scm_failure("x", error, "").kind == failure::kind_type::not_supported);
  }
  CHECK(curfew::scm_failure("x", 1060, "").kind == failure::kind_type::not_installed);
  CHECK(curfew::scm_failure("x", 1072, "").kind == failure::kind_type::failed);
}

TEST_CASE("what an installation makes is found no fault with") {
  CHECK(found_in(sound()).empty());
  scm_settings poor = sound();
  poor.failure.reset();
  poor.non_crash.reset();
  CHECK(found_in(poor).empty());
}

TEST_CASE(
    "SCM rule 19 - an image path with blanks and no quotes is found with what it would start") {
  scm_settings s = sound();
  s.command_line = R"(C:\Program Files\orders\orders.exe run)";
  const auto found = curfew::examine_settings({}, s);
  REQUIRE(found.size() == 1);
  CHECK(found[0].level == severity::error);
  CHECK(has(found[0].what, R"(C:\Program.exe)"));
  s.command_line = R"(C:\orders\orders.exe with arguments)";
  CHECK(found_in(s).empty());
  s.command_line = R"(C:\orders\orders with.exe among the arguments)";
  CHECK(found_in(s).size() == 1);
  s.command_line = R"(C:\w d\orders -x)";
  REQUIRE(found_in(s).size() == 1);
  CHECK(has(found_in(s)[0], R"(C:\w.exe)"));
}

TEST_CASE("SCM rule 19 - the program of an image path without quotes is the one that was meant") {
  using curfew::detail::meant_program;
  CHECK(meant_program(R"("C:\a b\x" -y)") == R"(C:\a b\x)");
  CHECK(meant_program(R"(C:\a b\x.exe)") == R"(C:\a b\x.exe)");
  CHECK(meant_program(R"(C:\a b\X.EXE -y)") == R"(C:\a b\X.EXE)");
  CHECK(meant_program("C:\\a b\\x.exe\t-y") == R"(C:\a b\x.exe)");
  CHECK(meant_program(R"(C:\my.exe.d\w d\spec.exe -x)") == R"(C:\my.exe.d\w d\spec.exe)");
  CHECK(meant_program(R"(C:\w d\spec -x C:\y)") == R"(C:\w d\spec)");
  CHECK(meant_program(R"(C:\w d\spec /x)") == R"(C:\w d\spec)");
  CHECK(meant_program(R"(C:\w d\spec run)") == R"(C:\w d\spec)");
  CHECK(meant_program(R"(C:\w d\spec)") == R"(C:\w d\spec)");
  CHECK(meant_program("spec -x") == "spec");
  CHECK(meant_program(".exe") == ".exe");
  CHECK(meant_program("") == "");
}

TEST_CASE("a service that is disabled and was not declared so is found") {
  scm_settings s = sound();
  s.start = curfew::scm_disabled;
  REQUIRE(found_in(s).size() == 1);
  CHECK(has(found_in(s)[0], "disabled"));
  CHECK(found_in(s, {.start = start_mode::disabled}).empty());
  s.start = 3;
  CHECK(found_in(s).empty());
}

TEST_CASE("SCM rule 14 - a stop longer than the time of the shutdown is found unless told early") {
  const auto found = [](std::chrono::seconds stop, std::chrono::seconds early) {
    curfew::service_spec spec;
    spec.stop_timeout = stop;
    spec.preshutdown_timeout = early;
    return curfew::examine_settings(spec, sound(), 20'000);
  };
  CHECK(found(20s, 0s).empty());
  CHECK(found(30min, 30min).empty());
  const auto late = found(21s, 0s);
  REQUIRE(late.size() == 1);
  CHECK(late[0].level == severity::warning);
  CHECK(late[0].what == "when the system shuts down it gets 20 s, and a stop may take 21 s");
  CHECK(has(late[0].fix, "preshutdown_timeout"));
}

TEST_CASE("what was installed is marked as ours and a fresh entry is not") {
  CHECK(sound().marked);
  CHECK_FALSE(curfew::fresh_scm_settings(sound()).marked);
}

TEST_CASE("a shared and an interactive process are found") {
  scm_settings s = sound();
  for (const std::uint32_t type : {0x20u, 0x110u, 0x120u}) {
    s.type = type;
    CHECK(found_in(s).size() == 1);
  }
}

TEST_CASE("SCM rule 18 - failure actions for crashes alone are found") {
  scm_settings s = sound();
  s.non_crash = false;
  REQUIRE(found_in(s).size() == 1);
  CHECK(has(found_in(s)[0], "crashes alone"));
  s.failure = curfew::scm_failure_actions();
  CHECK(found_in(s).empty());
}

TEST_CASE("SCM rule 20 - only an account with a password is found") {
  scm_settings s = sound();
  for (const char* account : {"LocalSystem", "localsystem", "NT AUTHORITY\\LocalService",
                              "nt authority\\NetworkService", "NT SERVICE\\orders", "HOME\\msa$"}) {
    s.account = account;
    CHECK(found_in(s).empty());
  }
  for (const char* account : {".\\bob", "HOME\\bob", "bob@home", "NT SERVICES\\bob"}) {
    s.account = account;
    REQUIRE(found_in(s).size() == 1);
    CHECK(has(found_in(s)[0], account));
  }
}

TEST_CASE("SCM rule 15 - a preshutdown timeout shorter than the stop is found") {
  curfew::service_spec spec;
  spec.preshutdown_timeout = 60s;
  spec.stop_timeout = 60s;
  scm_settings s = sound();
  CHECK(found_in(s, spec).empty());  // the system does not say
  s.preshutdown_ms = 10'000;
  CHECK(found_in(s, spec).size() == 1);
  s.preshutdown_ms = 60'000;
  CHECK(found_in(s, spec).empty());
  spec.stop_timeout = 61s;
  CHECK(found_in(s, spec).size() == 1);
  spec.stop_timeout = std::chrono::hours::max();
  CHECK(found_in(s, spec).empty());
  spec.preshutdown_timeout = 0s;
  s.preshutdown_ms = 1;
  CHECK(found_in(s, spec).empty());
}
