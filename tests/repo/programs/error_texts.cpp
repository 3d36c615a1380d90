// SPDX-License-Identifier: BSL-1.0
//
// Makes errors happen, and prints what is said of each:
//
//   error_texts          all that come back, each with a NUL behind it
//   error_texts --ends   the names of those that end the program
//   error_texts NAME     one of these; what it says goes to stderr
//
// Without exceptions those that would throw end the program as well.
#include <curfew/curfew.hpp>
#include <curfew/host/install/checks.hpp>
#include <curfew/host/install/scm_advice.hpp>
#include <curfew/host/install/scm_findings.hpp>
#include <curfew/service.hpp>
#include <curfew/testing/host_in_a_box.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "../../service/control_support.hpp"
#include "../../service/verb_support.hpp"
#if CURFEW_POSIX
#include <curfew/host/systemd/detail/unit_rights.hpp>
#include <curfew/host/systemd/notify_socket.hpp>
#endif

namespace {

using namespace std::chrono_literals;
using curfew::failure;

void say(std::string_view text) {
  if (text.empty()) return;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\0', stdout);
}

struct named_error {
  const char* name;
  void (*happens)();
  bool ends;
};

// ---- those that are thrown

const std::string nowhere =
    CURFEW_WINDOWS != 0 ? "C:\\no such folder\\file" : "/no such folder/file";

void different_clocks() {
  curfew::manual_clock one, other;
  const curfew::stop_source a(one), b(other);
  const curfew::stop_source both = linked(a.get_token(), b.get_token());
}
void join_from_inside() {
  curfew::task_group group;
  std::error_code ec;
  group.spawn([&](const curfew::stop_token&) { group.join(ec); });
  group.join();
  if (ec) curfew::task_group().spawn([](const curfew::stop_token&) {});
  curfew::task_group own;
  own.spawn([&](const curfew::stop_token&) { own.join(); });
  own.join();
}
void attempts_without_success() {
  const curfew::stop_source clock;
  curfew::backoff soon;
  soon.initial = 1ms;
  soon.attempts = 2;
  const auto refused = [] { return std::make_error_code(std::errc::connection_refused); };
  curfew::retry(clock.get_token(), soon, refused).throw_if_failed();
}
void component_without_a_name() { curfew::lifecycle().add("", {}); }
void component_twice() {
  curfew::lifecycle parts;
  parts.add("db", {});
  parts.add("db", {});
}
void component_after_itself() { curfew::lifecycle().add("db", {.after = {"db"}}); }
void component_after_nobody() {
  curfew::lifecycle parts;
  parts.add("web", {.after = {"db"}});
  parts.validate();
}
void component_too_late() {
  curfew::lifecycle parts;
  static_cast<void>(parts.start());
  parts.add("db", {});
}
void plan_of_a_ring() {
  std::vector<curfew::plan_part> parts(1);
  parts[0].after = {0};
  static_cast<void>(curfew::make_plan(parts, {}));
}
void check_twice() {
  const curfew::stop_source stop;
  curfew::health h(stop.get_token());
  h.add("db", [] { return true; });
  h.add("db", [] { return true; });
}
void check_without_end() {
  const curfew::stop_source stop;
  curfew::health(stop.get_token()).add("db", [] { return true; }, {.timeout = 0s});
}
void heartbeat_without_end() {
  const curfew::stop_source stop;
  static_cast<void>(curfew::health(stop.get_token()).add_heartbeat("loop", 0s));
}
void audit_log_nowhere() { const curfew::audit_log log(nowhere); }
void trace_nowhere() { const curfew::chrome_trace trace(nowhere); }
void endpoint_nowhere() {
  struct deaf final : curfew::event_sink {
    void write(const curfew::lifecycle_event&) noexcept override {}
  } audit;
  curfew::control_endpoint door(
      {}, [](const curfew::control_request&) { return curfew::control_answer(); }, audit);
  door.open();
}
void nobody_there() {
  const curfew::stop_source limit(1s);
  const curfew::control_client client(nowhere, limit.get_token());
}
void second_bridge() {
  const curfew::signal_bridge first{curfew::stop_source()};
  const curfew::signal_bridge second{curfew::stop_source()};
}
void function_for_no_signal() {
  curfew::signal_bridge bridge{curfew::stop_source()};
  bridge.on(-1, [] {});
}
void no_working_directory() {
  curfew::enter_working_directory(nowhere, curfew::host_kind::console);
}

// ---- those that end the program

void stack_moved_by_a_release() {
  curfew::resource_stack stack;
  stack.defer("itself", [&] { const curfew::resource_stack other(std::move(stack)); });
  stack.release();
}
struct releases_too_early {
  explicit releases_too_early(curfew::resource_stack& stack) { stack.release(); }
};
void stack_released_by_an_entry() {
  curfew::resource_stack stack;
  stack.emplace<releases_too_early>("entry", stack);
}
struct moves_too_early {
  explicit moves_too_early(curfew::resource_stack& stack) {
    const curfew::resource_stack other(std::move(stack));
  }
};
void stack_moved_by_an_entry() {
  curfew::resource_stack stack;
  stack.emplace<moves_too_early>("entry", stack);
}
void gate_with_holds() {
  std::optional<curfew::gate> g(std::in_place);
  const curfew::gate::hold hold = g->enter();
  g.reset();
}
void source_inside_its_callback() {
  std::optional<curfew::inplace_stop_source> source(std::in_place);
  const curfew::inplace_stop_callback callback(source->get_token(), [&] { source.reset(); });
  source->request_stop();
}
void group_inside_its_task() {
  auto* const group = new curfew::task_group;
  group->spawn([group](const curfew::stop_token&) { delete group; });
  const curfew::stop_source never;
  never.get_token().wait();
}

constexpr bool if_not_thrown = CURFEW_EXCEPTIONS == 0;

constexpr named_error errors[] = {
    {"different_clocks", different_clocks, if_not_thrown},
    {"join_from_inside", join_from_inside, if_not_thrown},
    {"attempts_without_success", attempts_without_success, if_not_thrown},
    {"component_without_a_name", component_without_a_name, if_not_thrown},
    {"component_twice", component_twice, if_not_thrown},
    {"component_after_itself", component_after_itself, if_not_thrown},
    {"component_after_nobody", component_after_nobody, if_not_thrown},
    {"component_too_late", component_too_late, if_not_thrown},
    {"plan_of_a_ring", plan_of_a_ring, if_not_thrown},
    {"check_twice", check_twice, if_not_thrown},
    {"check_without_end", check_without_end, if_not_thrown},
    {"heartbeat_without_end", heartbeat_without_end, if_not_thrown},
    {"audit_log_nowhere", audit_log_nowhere, if_not_thrown},
    {"trace_nowhere", trace_nowhere, if_not_thrown},
    {"endpoint_nowhere", endpoint_nowhere, if_not_thrown},
    {"nobody_there", nobody_there, if_not_thrown},
    {"second_bridge", second_bridge, if_not_thrown},
    {"function_for_no_signal", function_for_no_signal, if_not_thrown},
    {"no_working_directory", no_working_directory, if_not_thrown},
    {"stack_moved_by_a_release", stack_moved_by_a_release, true},
    {"stack_released_by_an_entry", stack_released_by_an_entry, true},
    {"stack_moved_by_an_entry", stack_moved_by_an_entry, true},
    {"gate_with_holds", gate_with_holds, true},
    {"source_inside_its_callback", source_inside_its_callback, true},
    {"group_inside_its_task", group_inside_its_task, true},
};

void say_what_is_thrown(const named_error& e) {
#if CURFEW_EXCEPTIONS
  try {
    e.happens();
  } catch (const std::system_error& thrown) {
    return say(thrown.what());
  }
  say(std::string(e.name) + " has thrown nothing");
#else
  static_cast<void>(e);
#endif
}

// ---- those of declarations

curfew::install_request good_request() {
  curfew::install_request asked;
  asked.spec.name = "web";
  asked.executable = CURFEW_WINDOWS != 0 ? "C:\\srv\\web.exe" : "/srv/web";
  return asked;
}

/// What is said of the declaration with that one change in it.
template <class Change>
void declared(Change change) {
  curfew::install_request asked = good_request();
  change(asked);
  const failure why = curfew::check_request(asked);
  say(why ? why.text : "a bad declaration is taken for a good one");
}

void declarations() {
  const std::string absolute = good_request().executable;
  for (const char* name : {"", "a b", "-a", "a.", "a.service", "\xff"})
    declared([&](auto& asked) { asked.spec.name = name; });
  declared([](auto& asked) { asked.spec.name.assign(500, 'a'); });
  declared([](auto& asked) { asked.spec.display_name.assign(500, 'a'); });
  for (const std::string bad : {"a\nb", "a\x01", "\xff"})
    declared([&](auto& asked) { asked.spec.description = bad; });
  declared([](auto& asked) { asked.spec.description.assign(1, '\0'); });
  declared([](auto& asked) { asked.executable = "web"; });
  declared(
      [&](auto& asked) { asked.executable = absolute + (CURFEW_WINDOWS ? "\\..\\a" : "/../a"); });
  declared([&](auto& asked) { asked.executable = absolute + (CURFEW_WINDOWS ? "?" : " "); });
  for (const char* account : {"-a", "a*b"})
    declared([&](auto& asked) { asked.spec.account = account; });
  for (const char* other : {"", "-a", "a@", "a/b", "web"})
    declared([&](auto& asked) { asked.spec.dependencies = {other}; });
  declared([](auto& asked) { asked.spec.capabilities = {"NET"}; });
  declared([](auto& asked) { asked.spec.privileges = {"Shutdown"}; });
  declared([](auto& asked) { asked.spec.probe_port = 70000; });
}

// ---- those of the service manager of Windows, whose meanings every system knows

void service_manager_of_windows() {
  for (const unsigned error :
       {2u,    5u,    50u,   123u,  193u,  1051u, 1053u, 1055u, 1057u, 1058u, 1059u,
        1060u, 1061u, 1062u, 1067u, 1068u, 1069u, 1072u, 1073u, 1075u, 1078u, 1115u})
    say(curfew::scm_failure("start web", error, "what the system says").text);
  say(curfew::scm_failure("ask after web", 4711, "what the system says").text);
}

void findings_on_windows() {
  curfew::service_spec spec{.name = "web", .stop_timeout = 60s};
  curfew::install_request asked = good_request();
  asked.spec = spec;
  curfew::scm_settings installed = curfew::wanted_scm_settings(asked);
  installed.command_line = "C:\\the services\\web.exe";
  installed.type = curfew::scm_share_process | curfew::scm_interactive;
  installed.start = curfew::scm_disabled;
  installed.account = ".\\somebody";
  installed.non_crash = false;
  installed.preshutdown_ms = 1000;
  for (const curfew::finding& f : curfew::examine_settings(spec, installed, 20000))
    say(f.what + "\n" + f.fix);
}

// ---- those of the verbs

void typed(test::stage& web, std::string_view line) {
  const int code = web.type(line);
  say(code != 0 ? web.complained : std::string(line) + " has not failed");
}

void verbs() {
  using curfew::service_state;
  using test::in;
  test::stage web;
  for (const char* line :
       {"start --user=yes", "start --name", "start --no-such", "start what", "start --timeout soon",
        "plan --reason none", "ask", "ask status", "ask status --path nowhere", "last", "start",
        "reload", "plan --diff nowhere"})
    typed(web, line);
  web.services.now = in(service_state::stopped);
  typed(web, "reload");
  web.spec.reloads = false;
  typed(web, "reload");
  web.services.when_started = {in(service_state::starting)};
  typed(web, "start");
  web.services.now = in(service_state::stopped);
  web.services.when_started = {in(service_state::failed)};
  typed(web, "start");
  web.services.now = in(service_state::paused);
  typed(web, "start");
  web.services.now.ours = false;
  typed(web, "start");
  web.services.now = in(service_state::stopped);
  web.services.when_started = {in(service_state::running)};
  web.lost_because = "no space";
  typed(web, "start");
  test::stage verb_first;
  verb_first.spec.arguments = {"install"};
  typed(verb_first, "install");
}

// ---- those of a program that runs

void say_lines(curfew::host_in_a_box& box) {
  if (!box.await_end()) say("a program that cannot start does not end");
  for (const std::string& line : box.lines())
    if (line.find("cannot start") != line.npos) say(line);
}

void a_program_that_is_asked() {
  const control_place_for_a_test place;
  curfew::host_in_a_box box;
  const auto declare = [](curfew::lifecycle& parts) { parts.add("db", {}); };
  box.start({.name = "orders"}, curfew::components(declare, {.control = {.path = place.path()}}));
  if (!box.await_ready()) say("a program of components does not start");
  const auto ask = [&](const char* verb, const char* change = "") {
    std::error_code ec;
    curfew::control_client c(place.path(), a_minute(), ec);
    const curfew::control_answer a = c.ask(verb, a_minute(), {.change = change});
    if (std::string_view(verb) != "prepare" || !a.ok) say(a.ok ? "no refusal" : a.error);
  };
  for (const char* verb : {"health", "shutdown", "reload", "commit"}) ask(verb);
  ask("prepare", "a");
  ask("prepare", "b");
  ask("commit", "b");
  box.signal(15);
  if (!box.await_end()) say("a program of components does not end");
}

void programs_that_do_not_start() {
  const auto hangs = [](curfew::lifecycle& parts) {
    parts.add("db", {.stop = [] {}, .stop_timeout = 1h});
  };
  curfew::host_in_a_box late, nowhere_to_ask;
  late.start({.name = "orders"}, curfew::components(hangs, {.plan_must_fit = true}));
  say_lines(late);
  curfew::component_options options;
  options.control.path = nowhere;
  nowhere_to_ask.start({.name = "orders"}, curfew::components(hangs, options));
  say_lines(nowhere_to_ask);
}

// ---- those of a unit's paths, which Linux alone looks at

void paths() {
#if CURFEW_POSIX
  using namespace curfew::detail;
  say(check_characters("/srv/we\"b").text);
  say(check_program("/no such folder/web").text);
  say(check_program("/").text);
  say(check_program("/dev/../etc/passwd").text);
  say(check_account("nobody-of-that-name").text);
  curfew::install_request asked = good_request();
  asked.spec.writable_paths = {"/no such folder/x"};
  say(check_paths(asked).text);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  for (const named_error& e : errors) {
    if (what == e.name) e.happens();
    if (what == "--ends" && e.ends) std::printf("%s\n", e.name);
    if (what.empty() && !e.ends) say_what_is_thrown(e);
  }
  if (!what.empty()) return what == "--ends" ? 0 : 2;
  declarations();
  service_manager_of_windows();
  findings_on_windows();
  verbs();
  a_program_that_is_asked();
  programs_that_do_not_start();
  paths();
  say(curfew::default_policy({}).why);
}
