// SPDX-License-Identifier: BSL-1.0
//
// Unit files as text, on every system. What the real systemd makes of them: unit_manager.py and
// unit_system.py.
#include <curfew/host/systemd/unit.hpp>

#include <chrono>
#include <string>

#include "doctest/doctest.h"

namespace {

using namespace std::chrono_literals;
using namespace curfew::detail;

curfew::install_request request(bool user = false) {
  curfew::install_request r;
  r.spec.name = "orders";
  r.executable = "/usr/bin/orders";
  r.user = user;
  return r;
}

bool has(const std::string& unit, const std::string& line) {
  return unit.find("\n" + line + "\n") != unit.npos;
}

bool sets(const std::string& unit, const std::string& key) {
  return unit.find("\n" + key + "=") != unit.npos;
}

}  // namespace

TEST_CASE("arguments are written so that systemd gives them back") {
  CHECK(unit_argument("plain-1.0/a=b,c:d") == "\"plain-1.0/a=b,c:d\"");
  CHECK(unit_argument("--port=80") == "--port=80");
  CHECK(unit_argument("") == "\"\"");
  CHECK(unit_argument("a b") == "\"a b\"");
  CHECK(unit_argument("%h") == "\"%%h\"");
  CHECK(unit_argument("$HOME ${X}") == "\"$$HOME $${X}\"");
  CHECK(unit_argument(";") == "\";\"");
  CHECK(unit_argument("q\"q'") == "\"q\\\"q'\"");
  CHECK(unit_argument("\\x41\\") == "\"\\\\x41\\\\\"");
}

TEST_CASE("in the path of a program a dollar means itself") {
  CHECK(unit_program("/opt/a$b%c d") == "\"/opt/a$b%%c d\"");
  CHECK(unit_program("/usr/bin/web") == "/usr/bin/web");
}

TEST_CASE("paths of lists are quoted and lines are not") {
  CHECK(unit_path("/a b:c%") == "\"/a b:c%%\"");
  CHECK(unit_line("100% \"sure\"") == "100%% \"sure\"");
  CHECK(unit_line("goes on \\ \\") == "goes on");
  CHECK(unit_line("\\") == "");
}

TEST_CASE("spans are plain numbers and never shorter than asked") {
  CHECK(unit_span(35s) == "35s");
  CHECK(unit_span(1500ms) == "1500ms");
  CHECK(unit_span(1us) == "1ms");
  CHECK(unit_span(0s) == "0");
  CHECK(unit_span(-1s) == "0");
  CHECK(unit_span((clock_duration::max)()) == "infinity");
}

TEST_CASE("spans are read as systemctl prints them") {
  CHECK(parse_span("1min 30s") == 90s);
  CHECK(parse_span("500ms") == 500ms);
  CHECK(parse_span("1d 1h 1min 1.500s") == 90061500ms);
  CHECK(parse_span("2w") == 14 * 24h);
  CHECK(parse_span("infinity") == (clock_duration::max)());
  CHECK(parse_span("999999999999y") == (clock_duration::max)());
  CHECK(parse_span(std::string(400, '9') + "s") == (clock_duration::max)());
  CHECK(parse_span("0") == clock_duration::zero());
  for (const char* bad : {"", "s", "5", "5 s", "x", "1min  2s", "1e5s", ".s", ".5s", "1.2.3s"}) {
    CHECK_FALSE(parse_span(bad));
  }
}

TEST_CASE("a unit waits for the program to say that it is ready") {
  const auto unit = render_unit(request());
  CHECK(unit.starts_with(unit_mark));
  CHECK(has(unit, "Type=notify"));
  CHECK(has(unit, "NotifyAccess=main"));
  CHECK(has(unit, "ExecStart=/usr/bin/orders"));
  CHECK(has(unit, "KillMode=mixed"));
  CHECK(has(unit, "StateDirectory=orders"));
}

TEST_CASE("our own limits come before those of systemd") {
  auto r = request();
  r.spec.start_timeout = 10s;
  r.spec.stop_timeout = 1500ms;
  CHECK(has(render_unit(r), "TimeoutStartSec=15s"));
  CHECK(has(render_unit(r), "TimeoutStopSec=6500ms"));
  r.spec.stop_timeout = -1s;
  r.spec.start_timeout = (std::chrono::hours::max)();
  CHECK(has(render_unit(r), "TimeoutStartSec=infinity"));
  CHECK(has(render_unit(r), "TimeoutStopSec=5s"));
}

TEST_CASE("a watchdog is there when it is declared") {
  auto r = request();
  CHECK_FALSE(sets(render_unit(r), "WatchdogSec"));
  r.spec.watchdog = 2500ms;
  CHECK(has(render_unit(r), "WatchdogSec=2500ms"));
}

TEST_CASE("a reload is a signal and a type of its own where systemd has that") {
  auto r = request();
  CHECK_FALSE(sets(render_unit(r, {253, {}}), "ExecReload"));
  r.spec.reloads = true;
  CHECK(has(render_unit(r, {252, {}}), "Type=notify"));
  CHECK(has(render_unit(r, {252, {}}), "ExecReload=/bin/kill -HUP $MAINPID"));
  CHECK(has(render_unit(r, {0, {}}), "Type=notify"));
  CHECK(has(render_unit(r, {253, {}}), "Type=notify-reload"));
  CHECK_FALSE(sets(render_unit(r, {253, {}}), "ExecReload"));
}

TEST_CASE("a failure is followed by another start but a wrong command line is not") {
  auto r = request();
  r.spec.restart.delay = 1s;
  r.spec.restart.longest_delay = 60s;
  const auto old = render_unit(r, {253, {}});
  CHECK(has(old, "Restart=on-failure\nRestartPreventExitStatus=2\nRestartSec=1s"));
  CHECK(has(old, "StartLimitIntervalSec=0"));
  CHECK_FALSE(sets(old, "RestartSteps"));
  CHECK(has(render_unit(r, {254, {}}), "RestartSteps=6\nRestartMaxDelaySec=60s"));
  r.spec.restart.longest_delay = (std::chrono::hours::max)();
  CHECK_FALSE(sets(render_unit(r, {254, {}}), "RestartSteps"));
  r.spec.restart.longest_delay = 1s;
  CHECK_FALSE(sets(render_unit(r, {254, {}}), "RestartSteps"));
  r.spec.restart.delay = 0s;
  CHECK(has(render_unit(r), "RestartSec=100ms"));
  r.spec.restart.on_failure = false;
  CHECK(has(render_unit(r), "Restart=no"));
  CHECK_FALSE(sets(render_unit(r), "RestartSec"));
}

TEST_CASE("what a service depends on is started before it") {
  auto r = request();
  CHECK(has(render_unit(r), "After=network-online.target"));
  r.spec.dependencies = {"postgresql", "web.socket", "dbus.service"};
  CHECK(has(render_unit(r),
            "Wants=network-online.target postgresql.service web.socket dbus.service"));
  CHECK(has(render_unit(r),
            "After=network-online.target postgresql.service web.socket dbus.service"));
  r.user = true;
  CHECK(has(render_unit(r), "After=postgresql.service web.socket dbus.service"));
  CHECK_FALSE(sets(render_unit(request(true)), "After"));
}

TEST_CASE("a start mode decides who may start it") {
  auto r = request();
  for (const auto mode :
       {curfew::start_mode::automatic, curfew::start_mode::delayed, curfew::start_mode::demand}) {
    r.spec.start = mode;
    CHECK(has(render_unit(r), "WantedBy=multi-user.target"));
    CHECK_FALSE(sets(render_unit(r), "RefuseManualStart"));
  }
  r.spec.start = curfew::start_mode::disabled;
  CHECK(has(render_unit(r), "RefuseManualStart=yes"));
  CHECK_FALSE(sets(render_unit(r), "WantedBy"));
  CHECK(has(render_unit(request(true)), "WantedBy=default.target"));
}

TEST_CASE("the title is the first text that there is") {
  auto r = request();
  CHECK(has(render_unit(r), "Description=orders"));
  r.spec.description = "Takes 100% of the orders";
  CHECK(has(render_unit(r), "Description=Takes 100%% of the orders"));
  r.spec.display_name = "Orders";
  CHECK(has(render_unit(r), "Description=Orders"));
}

TEST_CASE("an account is one of its own or the named one") {
  auto r = request();
  CHECK(has(render_unit(r), "DynamicUser=yes"));
  CHECK(has(render_unit(r), "CapabilityBoundingSet="));
  r.spec.account = "www-data";
  r.spec.capabilities = {"CAP_A", "CAP_B"};
  CHECK(has(render_unit(r), "User=www-data"));
  CHECK_FALSE(sets(render_unit(r), "DynamicUser"));
  CHECK(has(render_unit(r), "CapabilityBoundingSet=CAP_A CAP_B\nAmbientCapabilities=CAP_A CAP_B"));
  r.spec.capabilities.clear();
  for (const char* root : {"root", "0"}) {
    r.spec.account = root;
    CHECK_FALSE(sets(render_unit(r), "CapabilityBoundingSet"));
  }
}

TEST_CASE("a unit of a user has nothing that needs a privilege") {
  auto r = request(true);
  r.spec.writable_paths = {"/srv/x"};
  r.spec.capabilities = {"CAP_A"};
  r.spec.account = "root";
  const auto unit = render_unit(r);
  for (const char* key :
       {"User", "DynamicUser", "CapabilityBoundingSet", "AmbientCapabilities", "ProtectSystem",
        "ProtectHome", "PrivateTmp", "PrivateDevices", "ReadWritePaths", "BindPaths"}) {
    CAPTURE(key);
    CHECK_FALSE(sets(unit, key));
  }
  for (const char* line : {"NoNewPrivileges=yes", "UMask=0077", "RestrictNamespaces=yes",
                           "SystemCallErrorNumber=EPERM", "SystemCallFilter=@system-service"}) {
    CAPTURE(line);
    CHECK(has(unit, line));
  }
}

TEST_CASE("what is written to as a whole is not hidden") {
  auto r = request();
  const auto writes = [&](const char* path) {
    r.spec.writable_paths = {path};
    return render_unit(r);
  };
  CHECK_FALSE(sets(writes("/srv"), "BindPaths"));
  CHECK_FALSE(sets(writes("/homes/"), "BindPaths"));
  CHECK(has(writes("/homes/"), "ReadWritePaths=/homes"));
  CHECK(has(writes("/tmp/x/"), "BindPaths=/tmp/x"));
  for (const char* path : {"/tmp", "/tmp/", "/tmp//"}) {
    CHECK(has(writes(path), "BindPaths=/tmp"));
    CHECK_FALSE(sets(writes(path), "ReadWritePaths"));
  }
  CHECK(has(writes("/var"), "ReadWritePaths=/var\nBindPaths=-/var/tmp"));
  CHECK(has(writes("/"),
            "ReadWritePaths=/\nBindPaths=-/tmp\nBindPaths=-/var/tmp\nBindPaths=-/home\n"
            "BindPaths=-/root\nBindPaths=-/run/user"));
}

TEST_CASE("a unit never hides its own program") {
  auto r = request();
  CHECK_FALSE(sets(render_unit(r), "BindReadOnlyPaths"));
  const auto shown = [&](const char* program, const char* line) {
    r.executable = program;
    CAPTURE(program);
    CHECK(has(render_unit(r), line));
  };
  shown("/tmp/web", "BindReadOnlyPaths=/tmp/web");
  shown("/tmp/build/web", "BindReadOnlyPaths=/tmp/build");
  shown("/var/tmp/a b:c/web", "BindReadOnlyPaths=\"/var/tmp/a b:c\"");
  shown("/home/ann/web", "BindReadOnlyPaths=/home/ann/web");
  shown("/home/ann/app/web", "BindReadOnlyPaths=/home/ann/app");
  shown("/home/ann/app/bin/web", "BindReadOnlyPaths=/home/ann/app");
  shown("/home/ann/bin/web", "BindReadOnlyPaths=/home/ann/bin");
  shown("/root/bin/web", "BindReadOnlyPaths=/root/bin");
  shown("/tmp/bin/web", "BindReadOnlyPaths=/tmp/bin");
  shown("/root/web", "BindReadOnlyPaths=/root/web");
  shown("/root/app/web", "BindReadOnlyPaths=/root/app");
  shown("/run/user/7/web", "BindReadOnlyPaths=/run/user/7/web");
  r.executable = "/rootless/web";
  CHECK_FALSE(sets(render_unit(r), "BindReadOnlyPaths"));
  CHECK(has(render_unit(r, {252, {"/home/ann/app/web"}}), "BindReadOnlyPaths=/home/ann/app"));
}

TEST_CASE("declared paths are seen and written to wherever they are") {
  auto r = request();
  r.spec.working_directory = "/home/ann/a b";
  r.spec.writable_paths = {"/srv/a b", "/home/ann/data", "/tmp/x:y"};
  const auto unit = render_unit(r);
  CHECK(has(unit, "WorkingDirectory=/home/ann/a b"));
  CHECK(has(unit, "BindReadOnlyPaths=\"/home/ann/a b\""));
  CHECK(has(unit, "ReadWritePaths=\"/srv/a b\""));
  CHECK(has(unit, "BindPaths=/home/ann/data"));
  CHECK(has(unit, "BindPaths=\"/tmp/x:y\""));
}

TEST_CASE("a directory that is worked in and written to is bound once") {
  auto r = request();
  r.spec.working_directory = "/tmp/data";
  r.spec.writable_paths = {"/tmp/data"};
  CHECK(has(render_unit(r), "BindPaths=/tmp/data"));
  CHECK_FALSE(sets(render_unit(r), "BindReadOnlyPaths"));
}

TEST_CASE("what is declared stays on its line") {
  auto r = request();
  r.spec.display_name = "a\\";
  r.spec.arguments = {"a\\", "\\"};
  const auto unit = render_unit(r);
  CHECK(unit.find("\\\n") == unit.npos);
}
