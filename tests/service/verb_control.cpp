// SPDX-License-Identifier: BSL-1.0
//
// start, stop, restart, reload and status on a scripted manager.
#include <curfew/service/detail/verb_control.hpp>

#include <chrono>
#include <string>

#include "doctest/doctest.h"
#include "verb_support.hpp"

namespace {

using namespace std::chrono_literals;
using curfew::failure;
using curfew::service_state;
using test::fails;
using test::in;
using test::runs_since;
using test::stage;
using test::words;

failure no_rights() { return fails("only root may", failure::kind_type::needs_rights); }

}  // namespace

TEST_CASE("start waits until the service runs and says so") {
  stage web;
  web.services.now = in(service_state::stopped);
  web.services.when_started = {in(service_state::starting), in(service_state::running)};
  CHECK(web.type("start") == 0);
  CHECK(web.printed == "web: running (pid 4711)\n");
  CHECK(web.complained.empty());
  CHECK(web.services.calls == words{"start web"});
}

TEST_CASE("a second start finds that the service runs and asks for nothing") {
  stage web;
  web.services.now = in(service_state::running);
  CHECK(web.type("start") == 0);
  CHECK(web.printed == "web: is running (pid 4711) already\n");
  CHECK(web.services.calls.empty());
}

TEST_CASE("a service that starts already is waited for and not asked again") {
  stage web;
  web.services.now = in(service_state::starting);
  web.services.next = {in(service_state::starting), in(service_state::running)};
  CHECK(web.type("start") == 0);
  CHECK(web.services.calls.empty());
}

TEST_CASE("a service that stops is let come to its end before it is started") {
  stage web;
  web.services.now = in(service_state::stopping);
  web.services.next = {in(service_state::stopping), in(service_state::stopping),
                       in(service_state::stopped)};
  CHECK(web.type("start") == 0);
  CHECK(web.services.calls == words{"start web"});
  CHECK(web.said("running"));
}

TEST_CASE("a service that is paused is not started") {
  stage web;
  web.services.now = in(service_state::paused);
  CHECK(web.type("start") == 1);
  CHECK(web.complains("web: is paused: a start is for what is down\n"));
  CHECK(web.complains("next: sc continue web, or web_server restart\n"));
}

TEST_CASE("a start that fails says in which state the service is and where to look") {
  stage web;
  web.services.now = in(service_state::stopped);
  curfew::service_status dead = in(service_state::failed, "no such port");
  dead.exit_code = 70;
  web.services.when_started = {in(service_state::starting), dead};
  CHECK(web.type("start") == 1);
  CHECK(web.complains("web: it is failed (exit code 70) after"));
  CHECK(web.complains("no such port; see"));
  CHECK(web.printed.empty());
}

TEST_CASE("a manager that refuses is quoted") {
  stage web;
  web.services.now = in(service_state::stopped);
  web.services.start_fails = fails("the file is gone");
  CHECK(web.type("start") == 1);
  CHECK(web.complained == "web: the file is gone\n");
}

TEST_CASE("a service that nobody may start says what to do about it") {
  stage web;
  web.spec.start = curfew::start_mode::disabled;
  web.services.now = in(service_state::stopped);
  web.services.start_fails = fails("refused");  // the SCM's own reason has the advice
  CHECK(web.type("start") == 1);
  const std::string advice = ": it is disabled; install it with another start mode";
  CHECK(web.complained == "web: refused" + (CURFEW_WINDOWS != 0 ? "" : advice) + "\n");
}

TEST_CASE("whoever lacks rights is told so with an exit code of its own") {
  const std::string lead = CURFEW_WINDOWS != 0 ? "needs administrator: " : "needs root: ";
  for (const char* verb : {"start", "stop", "restart", "reload"}) {
    stage web;
    web.services.now =
        in(verb == std::string("start") ? service_state::stopped : service_state::running);
    web.services.start_fails = no_rights();
    web.services.stop_fails = no_rights();
    web.services.reload_fails = no_rights();
    CHECK(web.type(verb) == 77);
    CHECK(web.complained == "web: " + lead + "only root may\n");
    CHECK(web.services.calls.size() == 1);
  }
}

TEST_CASE("a reason that names the right itself is not told twice") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.stop_fails = fails("needs root: use sudo", failure::kind_type::needs_rights);
  CHECK(web.type("stop") == 77);
  CHECK(web.complained == "web: needs root: use sudo\n");
}

TEST_CASE("a service that is not installed cannot be started nor stopped") {
  for (const char* verb : {"start", "stop", "restart", "reload"}) {
    stage web;
    CHECK(web.type(verb) == 1);
    CHECK(
        web.complains("web: is not installed: the system has no service of that name\nnext: "
                      "web_server install\n"));
    CHECK(web.services.calls.empty());
  }
}

TEST_CASE("a start has the time of the declaration and a reserve") {
  stage web;
  web.spec.start_timeout = 40s;
  web.services.now = in(service_state::stopped);
  web.services.when_started = {in(service_state::starting, "reading")};
  CHECK(web.type("start") == 1);
  CHECK(web.clock.passed() == 55s);
  CHECK(web.complains("still starting after 55 s: reading; it goes on"));
  CHECK(web.complains("web_server status"));
}

TEST_CASE("a stop has the time of the declaration and a reserve") {
  stage web;
  web.spec.stop_timeout = 20s;
  web.services.now = in(service_state::running);
  web.services.when_stopped = {in(service_state::stopping)};
  CHECK(web.type("stop") == 1);
  CHECK(web.clock.passed() == 35s);
}

TEST_CASE("a service that was installed with more time than is declared has that and a reserve") {
  stage web;
  web.spec.start_timeout = 40s;
  web.spec.stop_timeout = 20s;
  web.services.when_stopped = {in(service_state::stopping)};
  web.services.when_started = {in(service_state::starting)};
  web.services.now = in(service_state::running);
  web.services.now.start_limit = 60s;
  web.services.now.stop_limit = 105s;
  const curfew::service_status runs = web.services.now;
  CHECK(web.type("stop") == 1);
  CHECK(web.clock.passed() == 120s);
  web.services.now = runs;
  CHECK(web.type("uninstall") == 1);
  CHECK(web.clock.passed() == 240s);
  web.services.now = runs;
  web.services.when_restarted = {in(service_state::stopping)};
  CHECK(web.type("restart") == 1);
  CHECK(web.clock.passed() == 420s);
  web.services.now = runs;
  web.services.now.state = service_state::stopped;
  CHECK(web.type("start") == 1);
  CHECK(web.clock.passed() == 495s);
}

TEST_CASE("a service of somebody else may be looked at and is not touched") {
  for (const char* verb : {"start", "stop", "restart", "reload", "uninstall"}) {
    for (const service_state state : {service_state::stopped, service_state::running}) {
      stage web;
      web.services.now = in(state);
      web.services.now.ours = false;
      CHECK(web.type(verb + std::string(" --name sshd")) == 1);
      CHECK(web.complained ==
            "sshd: there is a service of that name already, and not of this program: take another "
            "--name\n");
      CHECK(web.type(verb + std::string(" --dry-run")) == 1);
      CHECK(web.services.calls.empty());
      CHECK(web.type("status") == (state == service_state::running ? 0 : 3));
      CHECK(web.said("  owner   not this program"));
      CHECK(web.type("doctor") == 0);
    }
  }
}

TEST_CASE("a stop of a service that fails in doing so says that it is stopped") {
  stage web;
  web.services.now = in(service_state::running);
  curfew::service_status dead = in(service_state::failed);
  dead.exit_code = 203;
  web.services.when_stopped = {dead};
  CHECK(web.type("stop") == 0);
  CHECK(web.printed == "web: stopped; its last run has failed (exit code 203)\n");
}

TEST_CASE("what a service has said before it ended is not told as if it were so") {
  stage web;
  web.services.now = in(service_state::failed, "3 connections");
  web.type("status");
  CHECK(web.said("  said    3 connections\n"));
  CHECK(!web.said("note"));
}

TEST_CASE("the command line has the last word about the time") {
  stage web;
  web.services.now = in(service_state::stopped);
  web.services.when_started = {in(service_state::starting)};
  CHECK(web.type("start --timeout 2.5") == 1);
  CHECK(web.clock.passed() == 2500ms);
}

TEST_CASE("a service without a limit is waited for without one") {
  stage web;
  web.spec.start_timeout = (curfew::time_source::duration::max)();
  web.services.now = in(service_state::stopped);
  web.services.when_started = {in(service_state::starting)};
  web.services.on_call = [&](const std::string&) {
    if (web.clock.passed() > 10h) web.services.next = {in(service_state::running)};
  };
  CHECK(web.type("start") == 0);
}

TEST_CASE("what takes longer than a second is told while it lasts and each thing once") {
  stage web;
  web.services.now = in(service_state::stopped);
  web.services.when_started = {in(service_state::starting, "early")};
  web.services.on_call = [&](const std::string&) {
    if (web.clock.passed() > 1s) web.services.now.text = "replaying the log";
    if (web.clock.passed() > 5s) web.services.now = in(service_state::running);
  };
  CHECK(web.type("start") == 0);
  CHECK(web.printed == "  starting: replaying the log\nweb: running (pid 4711)\n");
}

TEST_CASE("stop waits until the service has ended and a second one finds it so") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_stopped = {in(service_state::stopping), in(service_state::stopped)};
  CHECK(web.type("stop") == 0);
  CHECK(web.printed == "web: stopped\n");
  CHECK(web.type("stop") == 0);
  CHECK(web.printed == "web: is stopped already\n");
  CHECK(web.services.calls.empty());
}

TEST_CASE("a service that failed is stopped since its manager may start it again") {
  stage web;
  web.services.now = in(service_state::failed);
  CHECK(web.type("stop") == 0);
  CHECK(web.services.calls == words{"stop web"});
}

TEST_CASE("SCM rule 13 - a service that is stopping is not asked to stop again") {
  stage web;
  web.services.now = in(service_state::stopping);
  web.services.next = {in(service_state::stopping), in(service_state::stopped)};
  CHECK(web.type("stop") == 0);
  CHECK(web.services.calls.empty());
}

TEST_CASE("a service that is started again as it ends is noticed at once and not waited for") {
  for (const curfew::service_status& anew : {in(service_state::starting), runs_since(0, 4712)}) {
    stage web;
    web.services.now = in(service_state::running);
    web.services.when_stopped = {in(service_state::stopping), anew};
    web.services.when_stopped.back().triggers = "web.socket";
    CHECK(web.type("stop --user") == 1);
    CHECK(web.clock.passed() < 1s);
    CHECK(web.complains("web: it has ended, but web.socket has started it again: it is "));
    CHECK(web.complains("systemctl --user stop web.socket, and then: web_server stop --user\n"));
    CHECK(web.printed.empty());
  }
}

TEST_CASE("a service that rests for an instant only is looked at twice") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_stopped = {in(service_state::stopped), in(service_state::starting)};
  for (curfew::service_status& s : web.services.when_stopped) s.triggers = "web.socket";
  CHECK(web.type("stop") == 1);
  CHECK(web.clock.passed() == 200ms);
  CHECK(web.complains("web.socket has started it again"));
}

TEST_CASE("somebody else who starts a service again is nobody that could be named") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_stopped = {runs_since(0, 4712)};
  CHECK(web.type("stop") == 1);
  CHECK(web.complained ==
        "web: it has ended, but somebody has started it again: it is running (pid 4712); next: "
        "web_server stop\n");
}

TEST_CASE("a stop of a service that something may start again says so") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.now.triggers = "web.socket";
  CHECK(web.type("stop") == 0);
  CHECK(web.printed ==
        "web: stopped\n"
        "  note    web.socket may start it again; to end that: systemctl stop web.socket\n");
}

TEST_CASE("an order to stop that is not begun with is no start") {
  stage web;
  web.services.now = in(service_state::failed);
  web.services.when_stopped = {in(service_state::starting), in(service_state::stopped)};
  CHECK(web.type("stop") == 0);
  CHECK(web.printed == "web: stopped\n");
}

TEST_CASE("a restart in one go is over when another process runs") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_restarted = {in(service_state::running), in(service_state::stopping),
                                 in(service_state::starting), runs_since(0, 4712)};
  CHECK(web.type("restart") == 0);
  CHECK(web.services.calls == words{"restart web"});
  CHECK(web.printed == "web: restarted, is running (pid 4712)\n");
}

TEST_CASE("a restart in one go has the time of a stop and of a start and a reserve") {
  stage web;
  web.spec.stop_timeout = 20s;
  web.spec.start_timeout = 40s;
  web.services.now = in(service_state::running);
  web.services.when_restarted = {in(service_state::stopping)};
  CHECK(web.type("restart") == 1);
  CHECK(web.clock.passed() == 75s);
  CHECK(web.complains("still stopping after "));
}

TEST_CASE("a restart in one go that fails says in which state the service is") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_restarted = {in(service_state::starting), in(service_state::failed)};
  CHECK(web.type("restart") == 1);
  CHECK(web.complains("web: it is failed after"));
  web.services.now = in(service_state::running);
  web.services.restart_fails = no_rights();
  CHECK(web.type("restart") == 77);
  CHECK(web.services.calls == words{"restart web"});
}

TEST_CASE("a service that failed is restarted and one that is stopped is started") {
  stage web;
  web.services.when_restarted = {in(service_state::starting), in(service_state::running)};
  web.services.now = in(service_state::failed);
  CHECK(web.type("restart") == 0);
  CHECK(web.services.calls == words{"restart web"});
  CHECK(web.printed == "web: started, is running (pid 4711)\n");
  web.services.now = in(service_state::stopped);
  CHECK(web.type("restart") == 0);
  CHECK(web.services.calls == words{"start web"});
}

TEST_CASE("a restart by stop and start does not mind who starts") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_stopped = {runs_since(0, 4712)};
  CHECK(web.type("restart") == 0);
  CHECK(web.services.calls == words{"stop web", "start web"});
}

TEST_CASE("restart stops what runs and starts it") {
  stage web;
  web.services.now = in(service_state::running);
  CHECK(web.type("restart") == 0);
  CHECK(web.services.calls == words{"stop web", "start web"});
  CHECK(web.printed == "web: restarted, is running (pid 4711)\n");
}

TEST_CASE("restart starts what does not run") {
  stage web;
  web.services.now = in(service_state::failed);
  CHECK(web.type("restart") == 0);
  CHECK(web.services.calls == words{"start web"});
  CHECK(web.printed == "web: started, is running (pid 4711)\n");
}

TEST_CASE("a restart whose stop is not done in time starts nothing") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_stopped = {in(service_state::stopping)};
  CHECK(web.type("restart") == 1);
  CHECK(web.services.calls == words{"stop web"});
  CHECK(web.complains("still stopping"));
}

TEST_CASE("reload waits until the state has changed and the service runs again") {
  stage web;
  web.services.now = runs_since(5);
  web.services.when_reloaded = {runs_since(5), runs_since(5), in(service_state::reloading),
                                runs_since(7)};
  CHECK(web.type("reload") == 0);
  CHECK(web.printed == "web: reloaded, is running (pid 4711)\n");
  CHECK(web.services.next.empty());
}

TEST_CASE("a service that never says that it has reloaded is a failure") {
  stage web;
  web.spec.start_timeout = 5s;
  web.services.now = runs_since(5);
  web.services.when_reloaded = {runs_since(5)};
  CHECK(web.type("reload") == 1);
  CHECK(web.clock.passed() == 20s);
  CHECK(web.complains("web: was told to reload, and has not said that it has: still running"));
}

TEST_CASE("a service that another process runs after a reload has not reloaded") {
  stage web;
  web.services.now = runs_since(5);
  web.services.when_reloaded = {runs_since(5), runs_since(9, 4712)};
  CHECK(web.type("reload") == 1);
  CHECK(web.complains("it has ended instead of reloading, and was started again"));
}

TEST_CASE("a reload that is under way is waited for before another is asked for") {
  stage web;
  web.services.now = in(service_state::reloading);
  web.services.next = {in(service_state::reloading), in(service_state::reloading), runs_since(6)};
  web.services.when_reloaded = {runs_since(6), runs_since(8)};
  CHECK(web.type("reload") == 0);
  CHECK(web.services.calls == words{"reload web"});
  CHECK(web.services.now.since == 8);
}

TEST_CASE("where a reload cannot be seen it is not claimed") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_reloaded = {in(service_state::reloading), in(service_state::running)};
  CHECK(web.type("reload") == 0);
  CHECK(web.printed ==
        "web: told to reload, is running (pid 4711); when it has cannot be seen here\n");
  CHECK(web.services.calls == words{"reload web"});
  CHECK(web.services.next.empty());
  CHECK(web.clock.passed() >= 100ms);
}

TEST_CASE("a service that does not run or cannot reload is not reloaded") {
  stage web;
  web.services.now = in(service_state::stopped);
  CHECK(web.type("reload") == 1);
  CHECK(web.complained == "web: is stopped: only what runs can reload\nnext: web_server start\n");
  web.spec.reloads = false;
  web.services.now = in(service_state::running);
  CHECK(web.type("reload --name b --user") == 1);
  CHECK(web.complained ==
        "b: cannot reload: its declaration says that it does not\n"
        "next: web_server restart --name b --user\n");
  CHECK(web.services.calls.empty());
}

TEST_CASE("a reload that the service dies of is a failure") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_reloaded = {in(service_state::reloading), in(service_state::failed)};
  CHECK(web.type("reload") == 1);
  CHECK(web.complains("it is failed"));
}

TEST_CASE("a dry run asks the manager for nothing") {
  for (const char* verb : {"start", "stop", "restart", "reload"}) {
    stage web;
    web.services.now =
        in(verb == std::string("start") ? service_state::stopped : service_state::running);
    CHECK(web.type(verb + std::string(" --dry-run")) == 0);
    CHECK(web.said("web: would be "));
    CHECK(web.said("(dry run)\n"));
    CHECK(web.services.calls.empty());
    CHECK(web.services.looks == 1);
  }
}

TEST_CASE("an interrupt ends the wait and leaves the service as it is") {
  for (const char* verb : {"start", "stop", "restart", "reload"}) {
    stage web;
    web.services.now =
        in(verb == std::string("start") ? service_state::stopped : service_state::running);
    web.services.when_started = {in(service_state::starting)};
    web.services.when_stopped = {in(service_state::stopping)};
    web.services.when_reloaded = {in(service_state::reloading)};
    web.services.on_call = [&](const std::string&) {
      if (web.clock.passed() > 2s) web.stop.request_stop({curfew::stop_cause::signal, 2});
    };
    CHECK(web.type(verb) == 130);
    CHECK(web.complains("web: interrupted: it is "));
    CHECK(web.complains("ing, and is left so\n"));
    CHECK(web.services.calls.size() == 1);
  }
}

TEST_CASE("another signal has its own exit code and a stop that is none has that of Ctrl-C") {
  using curfew::detail::exit_code_interrupted;
  CHECK(exit_code_interrupted({curfew::stop_cause::signal, 15}) == 143);
  CHECK(exit_code_interrupted({curfew::stop_cause::signal, 1000}) == 130);
  CHECK(exit_code_interrupted({curfew::stop_cause::console, 2}) == 130);
}

TEST_CASE("status has an exit code for each kind of state") {
  const struct {
    service_state state;
    int code;
  } table[] = {{service_state::running, 0},  {service_state::reloading, 0},
               {service_state::paused, 0},   {service_state::pausing, 0},
               {service_state::resuming, 0}, {service_state::starting, 3},
               {service_state::stopping, 3}, {service_state::stopped, 3},
               {service_state::failed, 3},   {service_state::not_installed, 4},
               {service_state::unknown, 1}};
  for (const auto& row : table) {
    stage web;
    web.services.now = in(row.state);
    CHECK(web.type("status") == row.code);
    CHECK(web.said("web: " + std::string(to_string(row.state))));
    CHECK(web.type("status --json") == row.code);
    CHECK(web.said("\"state\":\"" + std::string(to_string(row.state)) + '"'));
  }
}

TEST_CASE("status says what is known") {
  stage web;
  web.services.now = in(service_state::running, "3 connections");
  web.services.now.enabled = true;
  web.type("status");
  CHECK(web.printed ==
        "web: running (pid 4711)\n"
        "  starts  with the system\n"
        "  note    3 connections\n");
}

TEST_CASE("a manager that cannot be asked has no status") {
  stage web;
  web.services.query_fails = fails("the bus is closed");
  CHECK(web.type("status") == 1);
  CHECK(web.complained == "web: the bus is closed\n");
  CHECK(web.type("start") == 1);
}
