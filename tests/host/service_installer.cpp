// SPDX-License-Identifier: BSL-1.0
//
// The real service manager of Windows, or of Wine. What a system lacks is skipped by asking whether
// it can be read, never by asking which system it is.
#include <curfew/config.hpp>

#include "doctest/doctest.h"

#if CURFEW_WINDOWS

#include <curfew/host/install/apply_plan.hpp>
#include <curfew/host/windows/service_installer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "service_support.hpp"

using namespace std::chrono_literals;
using curfew::apply_plan;
using curfew::failure;
using curfew::install_plan;
using curfew::install_request;
using curfew::install_step;
using curfew::scm_service_manager;
using curfew::scm_settings;
using curfew::service_state;
using curfew::service_status;
using curfew::start_mode;
using curfew::detail::source_owner;
using kind = curfew::failure::kind_type;
using namespace test;

namespace {

/// A step that cannot be done, which everything before it has to be undone for.
install_step impossible_step() {
  return {"the impossible", "", "", false, [] { return failure{kind::failed, "impossible"}; }, {}};
}

void install(const install_request& asked) {
  scm_service_manager manager;
  install_plan plan;
  REQUIRE(!manager.plan_install(asked, plan));
  const auto report = apply_plan(plan);
  CAPTURE(report.why.text);
  REQUIRE(report.ok());
}

install_plan plan_for(const install_request& asked) {
  scm_service_manager manager;
  install_plan plan;
  const failure f = manager.plan_install(asked, plan);
  CAPTURE(f.text);
  REQUIRE(!f);
  return plan;
}

std::string whats(const install_plan& plan) {
  std::string text;
  for (const install_step& s : plan) text += (text.empty() ? "" : ", ") + s.what;
  return text;
}

bool has_source(const std::string& name) {
  return curfew::detail::owner_of_source(name) == source_owner::ours;
}

/// Everything that can be read of it, as text, so that a difference is shown.
std::string everything(const std::string& name) {
  scm_settings s;
  curfew::detail::service_handle service;
  const failure f = curfew::detail::read_service(name, 0, service, s);
  if (f) return f.text;
  std::string text;
  for (const auto& lines : {curfew::detail::entry_lines(s), curfew::detail::extra_lines(s)}) {
    for (const auto& [what, value] : lines) text += what + ": " + value + '\n';
  }
  return text + "event source: " + (has_source(name) ? "ours" : "none or another's");
}

bool is_gone(const std::string& name) {
  service_status seen;
  scm_service_manager manager;
  return curfew::detail::owner_of_source(name) == source_owner::none &&
         !curfew::detail::is_marked(name) && !manager.query(name, seen) &&
         seen.state == service_state::not_installed;
}

install_request rich(const std::string& name) {
  install_request asked = request(name);
  asked.spec.display_name = "Rich " + name;
  asked.spec.description = "Grüße, 漢字.";
  asked.spec.start = start_mode::delayed;
  asked.spec.restart = {.delay = 3s, .longest_delay = 5s, .reset_after = 1h};
  asked.spec.account = "LocalService";
  asked.spec.dependencies = {"Eventlog", "+NetworkProvider"};
  asked.spec.arguments = {"a b", "\"", "x\\"};
  asked.spec.privileges = {"SeChangeNotifyPrivilege"};
  asked.spec.preshutdown_timeout = 70s;
  return asked;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// What the system can keep of the optional settings.
scm_settings readable(const std::string& name) {
  scm_settings s;
  curfew::detail::service_handle service;
  REQUIRE(!curfew::detail::read_service(name, 0, service, s));
  return s;
}

}  // namespace

TEST_CASE("a second install has nothing to do") {
  const service_name name;
  install(request(name));
  CHECK(whats(plan_for(request(name))) == "");
}

TEST_CASE("a second install of everything that can be declared has nothing to do") {
  const service_name name;
  install(rich(name));
  CHECK(whats(plan_for(rich(name))) == "");
}

TEST_CASE("planning changes nothing") {
  const service_name name;
  CHECK(plan_for(request(name)).size() > 1);
  CHECK(is_gone(name));
  install(request(name));
  const std::string before = everything(name);
  CHECK(plan_for(rich(name)).size() > 1);
  CHECK(everything(name) == before);
}

TEST_CASE("SCM rule 20 - what was declared is what the system has") {
  const service_name name;
  install(request(name));
  const scm_settings s = readable(name);
  CHECK(s.command_line == '"' + request(name).executable + '"');
  CHECK(s.account == "NT SERVICE\\" + std::string(name));
  CHECK(s.type == curfew::scm_own_process);
  CHECK(s.start == curfew::scm_automatic);
  CHECK(s.display_name == std::string(name));
  CHECK(s.dependencies.empty());
}

TEST_CASE("all that was declared is what the system has as far as it can") {
  const service_name name;
  install(rich(name));
  const scm_settings s = readable(name);
  const scm_settings wanted = curfew::wanted_scm_settings(rich(name));
  CHECK(s.display_name == wanted.display_name);
  CHECK(s.account == wanted.account);
  CHECK(s.dependencies == wanted.dependencies);
  curfew::detail::extra_settings::for_each([&]<class S>(S) {
    if (S::known(s)) CHECK_MESSAGE(S::same(s, wanted), S::what);
  });
}

TEST_CASE("SCM rule 19 - nasty paths and arguments are stored and read back quoted") {
  const service_name name;
  for (const char* path : {R"(C:\Program Files\a b\app.exe)", R"(C:\two  blanks\ x\app .exe)",
                           R"(C:\a & b\(x86)\^.exe)", R"(\\server\share\a b.exe)",
                           R"(C:\100%\app.exe)", "C:\\\xc3\xbc \xe6\xbc\xa2\\app.exe"}) {
    install_request asked = request(name);
    asked.executable = path;
    asked.spec.arguments = {"", "a b", "\"", "x y\\", "\\\"", "*", "%", "\xe6\xbc\xa2"};
    install(asked);
    const std::string line = readable(name).command_line;
    CHECK(line.starts_with('"' + std::string(path) + '"'));
    std::vector<std::string> words = curfew::split_command_line(line);
    REQUIRE(!words.empty());
    CHECK(words.front() == path);
    words.erase(words.begin());
    CHECK(words == asked.spec.arguments);
    CHECK(whats(plan_for(asked)) == "");
  }
}

TEST_CASE("the longest command line that is accepted is read back") {
  const service_name name;
  install_request asked = request(name);
  const std::size_t rest = 3000 - asked.executable.size() - 3;
  asked.spec.arguments = {std::string(rest, 'x')};
  install(asked);
  CHECK(readable(name).command_line.size() == 3000);
  CHECK(whats(plan_for(asked)) == "");
}

TEST_CASE("an upgrade changes only what differs") {
  const service_name name;
  install(request(name));
  const auto differing = [&](auto change) {
    install_request asked = request(name);
    change(asked);
    const std::string found = whats(plan_for(asked));
    install(asked);
    CHECK(whats(plan_for(asked)) == "");
    install(request(name));
    return found;
  };
  CHECK(differing([](auto& r) { r.executable = "C:\\b c.exe"; }) == "image path");
  CHECK(differing([](auto& r) { r.spec.arguments = {"run"}; }) == "image path");
  CHECK(differing([](auto& r) { r.spec.start = start_mode::demand; }) == "start mode");
  CHECK(differing([](auto& r) { r.spec.account = "LocalService"; }) == "account");
  CHECK(differing([](auto& r) { r.spec.dependencies = {"Eventlog"}; }) == "dependencies");
  CHECK(differing([&](auto& r) { r.spec.display_name = "Other " + r.spec.name; }) ==
        "display name");
  CHECK(differing([](auto& r) { r.spec.description = "Words."; }) == "description");
}

TEST_CASE("an upgrade changes only the optional setting that differs where the system has it") {
  const service_name name;
  install(request(name));
  const scm_settings there = readable(name);
  const auto planned = [&](auto change) {
    install_request asked = request(name);
    change(asked.spec);
    return whats(plan_for(asked));
  };
  const auto if_known = [](const auto& value, const char* what) { return value ? what : ""; };
  CHECK(planned([](auto& s) { s.start = start_mode::delayed; }) ==
        if_known(there.delayed, "delayed start"));
  CHECK(planned([](auto& s) { s.restart.delay = 2s; }) ==
        if_known(there.failure, "failure actions"));
  CHECK(planned([](auto& s) { s.privileges = {"SeChangeNotifyPrivilege"}; }) ==
        if_known(there.privileges, "required privileges"));
  CHECK(planned([](auto& s) { s.preshutdown_timeout = 90s; }) ==
        if_known(there.preshutdown_ms, "preshutdown timeout"));
}

TEST_CASE("what a system lacks is told at the first install and does not fail it") {
  const service_name name;
  const auto report = apply_plan(plan_for(rich(name)));
  REQUIRE(report.ok());
  const scm_settings there = readable(name);
  for (const auto& step : report.steps) {
    bool known = true;
    curfew::detail::extra_settings::for_each([&]<class S>(S) {
      if (step.what == S::what) known = S::known(there);
    });
    CAPTURE(step.what);
    CHECK((step.outcome == curfew::apply_outcome::applied) == known);
    if (!known) CHECK(step.outcome == curfew::apply_outcome::not_supported);
    if (!known) CHECK(has(step.text, "this system does not have that setting"));
  }
}

TEST_CASE("every step of an upgrade can be undone by itself") {
  const service_name name;
  install(request(name));
  const std::string before = everything(name);
  const install_plan plan = plan_for(rich(name));
  CHECK(plan.size() >= 6);
  for (const install_step& step : plan) {
    CAPTURE(step.what);
    CHECK(step.from != step.to);
    const failure f = step.apply();
    CAPTURE(f.text);
    REQUIRE((!f || f.kind == kind::not_supported));
    if (f) continue;
    CHECK(everything(name) != before);
    CHECK(!step.undo());
    CHECK(everything(name) == before);
  }
}

TEST_CASE("every step of a first install can be undone and then nothing is left") {
  const service_name name;
  install_plan plan = plan_for(rich(name));
  plan.push_back(impossible_step());
  const auto report = apply_plan(plan);
  CHECK(report.why.text == "impossible");
  CHECK_FALSE(report.changed());
  CHECK_FALSE(report.half_done());
  CHECK(is_gone(name));
}

TEST_CASE("an install that fails anywhere leaves nothing") {
  const service_name name;
  const auto steps = static_cast<std::ptrdiff_t>(plan_for(rich(name)).size());
  for (std::ptrdiff_t at = 0; at <= steps; ++at) {
    install_plan plan = plan_for(rich(name));
    REQUIRE(static_cast<std::ptrdiff_t>(plan.size()) == steps);
    plan.insert(plan.begin() + at, impossible_step());
    CHECK_FALSE(apply_plan(plan).half_done());
    CHECK(is_gone(name));
  }
}

TEST_CASE("an upgrade that fails anywhere leaves what was") {
  const service_name name;
  install(request(name));
  const std::string before = everything(name);
  const auto steps = static_cast<std::ptrdiff_t>(plan_for(rich(name)).size());
  for (std::ptrdiff_t at = 0; at <= steps; ++at) {
    install_plan plan = plan_for(rich(name));
    REQUIRE(static_cast<std::ptrdiff_t>(plan.size()) == steps);
    plan.insert(plan.begin() + at, impossible_step());
    CHECK_FALSE(apply_plan(plan).half_done());
    CHECK(everything(name) == before);
  }
}

TEST_CASE("a display name that another service has fails the install and leaves nothing") {
  const service_name one;
  const service_name other;
  install(request(one));
  install_request asked = request(other);
  asked.spec.display_name = request(one).spec.name;
  const auto report = apply_plan(plan_for(asked));
  CHECK(has(report.why.text, "another service has the same display name"));
  CHECK(is_gone(other));
}

TEST_CASE("after an uninstall nothing is left and a second one has nothing to do") {
  const service_name name;
  scm_service_manager manager;
  install(rich(name));
  install_plan plan;
  REQUIRE(!manager.plan_uninstall(name, plan));
  CHECK(whats(plan) == "event source, service " + std::string(name));
  CHECK(apply_plan(plan).ok());
  CHECK(is_gone(name));
  REQUIRE(!manager.plan_uninstall(name, plan));
  CHECK(whats(plan) == "");
}

TEST_CASE("an uninstall that is undone brings everything back") {
  const service_name name;
  scm_service_manager manager;
  install(rich(name));
  const std::string before = everything(name);
  install_plan plan;
  REQUIRE(!manager.plan_uninstall(name, plan));
  plan.push_back(impossible_step());
  const auto report = apply_plan(plan);
  CHECK_FALSE(report.half_done());
  CHECK(everything(name) == before);
  CHECK(whats(plan_for(rich(name))) == "");
}

TEST_CASE("an event source that is not exactly ours stays as it is") {
  const wchar_t text[] = L"C:\\own.dll";
  const wchar_t longer[1500] = {};
  const DWORD number = 7;
  const auto stays = [](const auto& change) {
    const service_name name;
    install(request(name));
    const std::wstring key = curfew::detail::event_source_key(name);
    change(key.c_str());
    CHECK(curfew::detail::owner_of_source(name) == source_owner::others);
    scm_service_manager manager;
    CHECK_FALSE(has(whats(plan_for(request(name))), "event source"));
    install_plan plan;
    REQUIRE(!manager.plan_uninstall(name, plan));
    CHECK(whats(plan) == "service " + std::string(name));
    CHECK(apply_plan(plan).ok());
    CHECK_FALSE(is_gone(name));
    RegDeleteTreeW(HKEY_LOCAL_MACHINE, key.c_str());
  };
  const auto set = [](const wchar_t* key, const wchar_t* value, DWORD type, const void* data,
                      std::size_t size) {
    REQUIRE(RegSetKeyValueW(HKEY_LOCAL_MACHINE, key, value, type, data, static_cast<DWORD>(size)) ==
            0);
  };
  const wchar_t file[] = L"EventMessageFile";
  stays([&](const wchar_t* key) { set(key, file, REG_SZ, text, sizeof text); });
  stays([&](const wchar_t* key) { set(key, file, REG_DWORD, &number, sizeof number); });
  stays([&](const wchar_t* key) { set(key, file, REG_SZ, longer, sizeof longer); });
  stays([&](const wchar_t* key) { set(key, L"CustomSource", REG_DWORD, &number, 4); });
  stays([&](const wchar_t* key) { RegDeleteKeyValueW(HKEY_LOCAL_MACHINE, key, file); });
  stays([&](const wchar_t* key) {
    set((key + std::wstring(L"\\below")).c_str(), L"x", REG_DWORD, &number, sizeof number);
  });
}

TEST_CASE("a service that is not ours is neither changed nor removed and nor is its source") {
  const service_name name;
  scm_settings others = curfew::wanted_scm_settings(request(name));
  REQUIRE(curfew::detail::create_entry(others) == 0);
  REQUIRE(curfew::detail::make_source(name) == 0);
  const std::string before = everything(name);
  scm_service_manager manager;
  service_status seen;
  REQUIRE(!manager.query(name, seen));
  CHECK_FALSE(seen.ours);
  install_plan plan;
  failure f = manager.plan_install(rich(name), plan);
  CHECK(f.kind == kind::failed);
  CHECK(has(f.text, "cannot install " + std::string(name)));
  CHECK(has(f.text, request(name).executable));
  CHECK(has(f.text, "another --name"));
  CHECK(plan.empty());
  f = manager.plan_uninstall(name, plan);
  CHECK(f.kind == kind::failed);
  CHECK(has(f.text, "cannot uninstall " + std::string(name)));
  CHECK(plan.empty());
  CHECK(everything(name) == before);
}

TEST_CASE("a service that starts this very program is ours however it was installed") {
  for (const std::string& path : {own_path() + " run", '"' + own_path() + "\" run"}) {
    const service_name name;
    scm_settings there = curfew::wanted_scm_settings(request(name));
    there.command_line = path;
    REQUIRE(curfew::detail::create_entry(there) == 0);
    scm_service_manager manager;
    service_status seen;
    REQUIRE(!manager.query(name, seen));
    CHECK(seen.ours);
    install_request asked = request(name);
    asked.executable = own_path();
    CHECK(has(whats(plan_for(asked)), "installer"));
    install(asked);
    CHECK(curfew::detail::is_marked(name));
    install_plan plan;
    REQUIRE(!manager.plan_uninstall(name, plan));
    CHECK(apply_plan(plan).ok());
    CHECK(is_gone(name));
  }
}

TEST_CASE("a service that is installed is ours and so is one whose uninstall was undone") {
  const service_name name;
  scm_service_manager manager;
  install(request(name));
  service_status seen;
  REQUIRE(!manager.query(name, seen));
  CHECK(seen.ours);
  install_plan plan;
  REQUIRE(!manager.plan_uninstall(name, plan));
  REQUIRE(!plan.back().apply());
  CHECK_FALSE(curfew::detail::is_marked(name));
  REQUIRE(!plan.back().undo());
  REQUIRE(!manager.query(name, seen));
  CHECK(seen.ours);
}

TEST_CASE("a service that comes with the system is refused") {
  scm_service_manager manager;
  install_plan plan;
  for (const char* name : {"Winmgmt", "Spooler", "RpcSs"}) {
    service_status seen;
    REQUIRE(!manager.query(name, seen));
    if (seen.state == service_state::not_installed) continue;
    CHECK_FALSE(seen.ours);
    CHECK(has(manager.plan_install(request(name), plan).text, "was not installed by curfew"));
    CHECK(has(manager.plan_uninstall(name, plan).text, "was not installed by curfew"));
  }
}

TEST_CASE("no change of another setting loses the dependencies") {
  const service_name name;
  install_request asked = request(name);
  asked.spec.dependencies = {"Eventlog", "+NetworkProvider"};
  install(asked);
  const auto still_there = [&](auto change) {
    change(asked);
    install(asked);
    CHECK(curfew::detail::stored_dependencies(name) == asked.spec.dependencies);
    CHECK(whats(plan_for(asked)) == "");
  };
  still_there([&](auto& r) { r.spec.display_name = "Other " + r.spec.name; });
  still_there([](auto& r) { r.spec.account = "LocalService"; });
  still_there([](auto& r) { r.spec.start = start_mode::demand; });
  still_there([](auto& r) { r.spec.arguments = {"run"}; });
  still_there([](auto& r) { r.spec.dependencies.clear(); });
}

TEST_CASE("an upgrade that is undone for a taken display name keeps the dependencies") {
  const service_name one;
  const service_name other;
  install(request(one));
  install_request asked = request(other);
  asked.spec.dependencies = {"Eventlog"};
  install(asked);
  const std::string before = everything(other);
  asked.spec.start = start_mode::demand;
  asked.spec.display_name = request(one).spec.name;
  const auto report = apply_plan(plan_for(asked));
  CHECK(has(report.why.text, "another service has the same display name"));
  CHECK_FALSE(report.half_done());
  CHECK(everything(other) == before);
}

TEST_CASE("SCM rule 21 - a deleted service that is held is said to be and goes when it is let go") {
  const service_name name;
  install(request(name));
  curfew::detail::service_handle held;
  REQUIRE(curfew::detail::open_service(name, SERVICE_QUERY_STATUS, held) == 0);
  scm_service_manager hasty({.removal = 50ms});
  install_plan plan;
  REQUIRE(!hasty.plan_uninstall(name, plan));
  const auto report = apply_plan(plan);
  CHECK(report.why.kind == kind::not_in_time);
  CHECK(has(report.why.text, "somebody still holds it"));
  CHECK(has(report.why.text, "services.msc"));
  plan.clear();
  const failure f = hasty.plan_install(request(name), plan);
  CHECK(has(f.text, "cannot install " + std::string(name) + ": it has been deleted"));
  CHECK(plan.empty());
  held = {};
  scm_service_manager patient;
  REQUIRE(!patient.plan_uninstall(name, plan));
  CHECK(apply_plan(plan).ok());
  CHECK(is_gone(name));
}

TEST_CASE("SCM rule 21 - the uninstall waits until a holder lets go") {
  const service_name name;
  install(request(name));
  curfew::detail::service_handle held;
  REQUIRE(curfew::detail::open_service(name, SERVICE_QUERY_STATUS, held) == 0);
  scm_service_manager manager({.removal = 60s});
  install_plan plan;
  REQUIRE(!manager.plan_uninstall(name, plan));
  std::atomic<bool> deleted{false};
  std::thread holder([&] {
    while (!deleted.load()) std::this_thread::yield();
    held = {};
  });
  CHECK(!plan.front().apply());
  deleted.store(true);
  CHECK(!plan.back().apply());
  holder.join();
  CHECK(is_gone(name));
}

TEST_CASE("SCM rule 23 - a handle can do what it was opened for and no more") {
  const service_name name;
  install(request(name));
  curfew::detail::service_handle service;
  REQUIRE(curfew::detail::open_service(name, curfew::detail::right_to_read, service) == 0);
  scm_settings s;
  CHECK(curfew::detail::read_settings(service.get(), name, s) == 0);
  CHECK(curfew::detail::description_setting::write(service.get(), s) == ERROR_ACCESS_DENIED);
  CHECK(curfew::detail::start_setting::write(service.get(), s) == ERROR_ACCESS_DENIED);
  CHECK(curfew::detail::error_unless(StartServiceW(service.get(), 0, nullptr)) ==
        ERROR_ACCESS_DENIED);
  CHECK(curfew::detail::error_unless(DeleteService(service.get())) == ERROR_ACCESS_DENIED);
}

TEST_CASE("two programs can install two services at once") {
  const service_name one;
  const service_name other;
  const std::string program = beside_us("installer_cycle.exe");
  process first(curfew::join_command_line(program, {one}));
  process second(curfew::join_command_line(program, {other}));
  CHECK(first.output() == "done\n");
  CHECK(second.output() == "done\n");
}

TEST_CASE("what Windows cannot do is refused before anything is done") {
  const service_name name;
  scm_service_manager manager;
  install_plan plan;
  install_request asked = request(name);
  asked.user = true;
  CHECK(manager.plan_install(asked, plan).kind == kind::not_supported);
  asked = request(name);
  asked.executable = "C:\\a\"b.exe";
  CHECK(manager.plan_install(asked, plan).kind == kind::failed);
  asked = request(name);
  asked.spec.arguments = {"%SystemRoot%"};
  const failure f = manager.plan_install(asked, plan);
  CHECK(f.kind == kind::failed);
  CHECK(has(f.text, "percent"));
  asked.spec.arguments = {std::string(3000, 'x')};
  CHECK(has(manager.plan_install(asked, plan).text, "3000 characters"));
  CHECK(plan.empty());
}

TEST_CASE("a service SID that an administrator has restricted stays") {
  using curfew::detail::sid_setting;
  const auto with = [](std::uint32_t type) {
    scm_settings s;
    s.sid_type = type;
    return s;
  };
  CHECK_FALSE(sid_setting::same(with(0), with(1)));
  CHECK(sid_setting::same(with(1), with(1)));
  CHECK(sid_setting::same(with(3), with(1)));
  CHECK_FALSE(sid_setting::same(with(1), with(0)));
}

TEST_CASE("SCM rule 20 - a virtual account has no password and those of the system an empty one") {
  using curfew::detail::no_password;
  CHECK(no_password("NT SERVICE\\x") == nullptr);
  CHECK(no_password("HOME\\msa$") == nullptr);
  for (const char* account :
       {"LocalSystem", "NT AUTHORITY\\LocalService", "nt authority\\networkservice"}) {
    REQUIRE(no_password(account) != nullptr);
    CHECK(*no_password(account) == L'\0');
  }
}

TEST_CASE("SCM rule 18 - no failure actions are an array without entries and never no array") {
  std::vector<SC_ACTION> room;
  const auto none = curfew::detail::failure_info({}, room);
  CHECK(none.cActions == 0);
  CHECK(none.lpsaActions != nullptr);
  const auto three = curfew::detail::failure_info(curfew::scm_failures({.delay = 2s}), room);
  CHECK(three.cActions == 3);
  CHECK(three.dwResetPeriod == 600);
  CHECK(three.lpsaActions[0].Type == SC_ACTION_RESTART);
  CHECK(three.lpsaActions[1].Delay == 4000);
  CHECK(curfew::detail::failures_of(three) == curfew::scm_failures({.delay = 2s}));
}

TEST_CASE("SCM rule 22 - a locked database is tried again and not for ever") {
  using curfew::detail::while_locked;
  int calls = 0;
  const auto locked_for = [&](int times) {
    calls = 0;
    return [&calls, times]() -> DWORD { return ++calls > times ? 0 : 1055; };
  };
  CHECK(while_locked(1h, 0, locked_for(3)) == 0);
  CHECK(calls == 4);
  CHECK(while_locked(0s, 0, locked_for(3)) == 1055);
  CHECK(calls == 1);
  CHECK(while_locked(1h, 0, [&]() -> DWORD { return 1069; }) == 1069);
}

TEST_CASE("a manager renders the plan that it would carry out") {
  scm_service_manager manager;
  CHECK(manager.render(rich("x")) == curfew::render_scm_plan(rich("x")));
}

#else

TEST_CASE("there is no service manager of Windows here") { CHECK(CURFEW_WINDOWS == 0); }

#endif
