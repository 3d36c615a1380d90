// SPDX-License-Identifier: BSL-1.0
//
// install and uninstall on a scripted manager.
#include <curfew/service/detail/verb_install.hpp>

#include <string>

#include "doctest/doctest.h"
#include "verb_support.hpp"

namespace {

using curfew::failure;
using curfew::service_state;
using test::fails;
using test::in;
using test::stage;
using test::words;

const std::string quote = CURFEW_WINDOWS != 0 ? "\"" : "'";

}  // namespace

TEST_CASE("install shows the difference and applies it and says what to do next") {
  stage web;
  CHECK(web.type("install") == 0);
  CHECK(web.printed ==
        "  + unit file  as asked\n"
        "  + enabled    as asked\n"
        "web: installed\n"
        "runs: " +
            quote + test::root + "web server" + quote +
            " --port 80\n"
            "next: web_server start\n");
  CHECK(web.complained.empty());
  CHECK(web.services.calls == words{"apply unit file", "apply enabled"});
}

TEST_CASE("a second install finds no change and does nothing") {
  stage web;
  CHECK(web.type("install") == 0);
  CHECK(web.type("install") == 0);
  CHECK(web.printed == "web: no change\n");
  CHECK(web.services.calls.empty());
}

TEST_CASE("arguments of the service take the place of the declared ones") {
  stage web;
  CHECK(web.type("install -- --port 90 x") == 0);
  CHECK(web.services.asked.spec.arguments == words{"--port", "90", "x"});
  CHECK(web.type("install --") == 0);
  CHECK(web.services.asked.spec.arguments.empty());
  CHECK(web.type("install") == 0);
  CHECK(web.services.asked.spec.arguments == words{"--port", "80"});
}

TEST_CASE("a name and a user are passed on") {
  stage web;
  CHECK(web.type("install --name shop --user") == 0);
  CHECK(web.services.asked.spec.name == "shop");
  CHECK(web.services.asked.user);
  CHECK(web.said("shop: installed\n"));
  CHECK(web.said("next: web_server start --name shop --user\n"));
}

TEST_CASE("a second service of another name has a display name of its own") {
  stage web;
  web.spec.display_name = "The shop";
  CHECK(web.type("install --name web") == 0);
  CHECK(web.services.asked.spec.display_name == "The shop");
  CHECK(web.type("install --name two") == 0);
  CHECK(web.services.asked.spec.name == "two");
  CHECK(web.services.asked.spec.display_name == "The shop (two)");
  web.spec.display_name = {};
  CHECK(web.type("install --name two") == 0);
  CHECK(web.services.asked.spec.display_name.empty());
}

TEST_CASE("an argument that the service would take for a verb is refused") {
  stage web;
  CHECK(web.type("install -- stop") == 1);
  CHECK(web.complains("verb 'stop'"));
  CHECK(web.services.calls.empty());
  CHECK(web.type("install -- --quiet stop") == 0);
}

TEST_CASE("what cannot be written down safely is refused before anything is done") {
  stage web;
  web.spec.description = "two\nlines";
  CHECK(web.type("install") == 1);
  CHECK(web.complains("line break"));
  CHECK(web.services.looks == 0);
  web.spec.description = {};
  web.backend.resolve_fails = fails("no /proc");
  CHECK(web.type("install") == 1);
  CHECK(web.complained == "web: no /proc\n");
}

TEST_CASE("a dry run shows the difference and changes nothing") {
  stage web;
  CHECK(web.type("install --dry-run") == 0);
  CHECK(web.said("  + unit file  as asked\n"));
  CHECK(web.said("web: 2 changes would be made (dry run)\n"));
  CHECK(web.services.calls.empty());
}

TEST_CASE("an upgrade of a running service says that it needs a restart") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.missing = {"unit file"};
  CHECK(web.type("install") == 0);
  CHECK(web.said("web: updated\n"));
  CHECK(web.said("next: web_server restart, for the running service to take it up\n"));
  web.services.missing = {"unit file"};
  CHECK(web.type("install --json") == 0);
  CHECK(web.said("\"restart_needed\":true"));
}

TEST_CASE("an upgrade of a stopped service needs nothing more") {
  stage web;
  web.services.now = in(service_state::stopped);
  CHECK(web.type("install") == 0);
  CHECK(web.said("web: updated\n"));
  CHECK(!web.said("next:"));
}

TEST_CASE("a failure in the middle undoes what was done") {
  stage web;
  web.services.failing_step = "enabled";
  CHECK(web.type("install") == 1);
  CHECK(web.services.calls == words{"apply unit file", "apply enabled", "undo unit file"});
  CHECK(web.said("  ! enabled: failed: the disk is full\n"));
  CHECK(web.complained == "web: the disk is full\nnothing is changed\n");
  CHECK(!web.said("installed"));
}

TEST_CASE("what cannot be undone is named") {
  stage web;
  web.services.failing_step = "enabled";
  web.services.undo_fails = true;
  CHECK(web.type("install") == 1);
  CHECK(web.said("  ! unit file: undo failed: it is locked\n"));
  CHECK(web.complains("what is marked with ! could not be undone"));
  web.services.missing = {"unit file", "enabled"};
  CHECK(web.type("install --json") == 1);
  CHECK(web.said("\"outcome\":\"undo failed\""));
  CHECK(web.said("\"changed\":true"));
}

TEST_CASE("what a system cannot do is told and does not fail the install") {
  stage web;
  web.services.missing = {"entry", "failure actions"};
  web.services.unsupported_step = "failure actions";
  CHECK(web.type("install") == 0);
  CHECK(web.said("  ! failure actions: not supported: error 124\n"));
  CHECK(web.said("web: installed\n"));
  CHECK(web.type("install") == 0);
  CHECK(web.said("web: no change\n"));
}

TEST_CASE("an installer without rights is told so and nothing is done") {
  stage web;
  web.services.plan_fails = fails("use sudo", failure::kind_type::needs_rights);
  for (const char* verb : {"install", "uninstall"}) {
    CHECK(web.type(verb) == 77);
    CHECK(web.complains(CURFEW_WINDOWS != 0 ? "web: needs administrator: use sudo\n"
                                            : "web: needs root: use sudo\n"));
    CHECK(web.services.calls.empty());
    CHECK(web.printed.empty());
  }
}

TEST_CASE("an interrupt between two steps undoes them") {
  stage web;
  web.services.on_call = [&](const std::string& what) {
    if (what == "apply unit file") web.stop.request_stop({curfew::stop_cause::signal, 2});
  };
  CHECK(web.type("install") == 130);
  CHECK(web.services.calls == words{"apply unit file", "undo unit file"});
  CHECK(web.complained == "web: interrupted: nothing is changed\n");
}

TEST_CASE("uninstall stops the service and waits and removes it") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_stopped = {in(service_state::stopping), in(service_state::stopped)};
  CHECK(web.type("uninstall") == 0);
  CHECK(web.services.calls == words{"stop web", "apply entry"});
  CHECK(web.printed ==
        "  ~ service  running (pid 4711) -> stopped\n"
        "  - entry    as asked\n"
        "web: uninstalled\n");
}

TEST_CASE("a second uninstall says that there is no service and succeeds") {
  stage web;
  CHECK(web.type("uninstall") == 0);
  CHECK(web.printed == "web: is not installed\n");
  CHECK(web.services.calls.empty());
}

TEST_CASE("a dry run of uninstall neither stops nor removes") {
  stage web;
  web.services.now = in(service_state::running);
  CHECK(web.type("uninstall --dry-run") == 0);
  CHECK(web.said("web: 2 changes would be made (dry run)\n"));
  CHECK(web.services.calls.empty());
}

TEST_CASE("a service that is stopped or failed is removed") {
  stage stopped;
  stopped.services.now = in(service_state::stopped);
  CHECK(stopped.type("uninstall") == 0);
  CHECK(stopped.services.calls == words{"apply entry"});
  stage failed;
  failed.services.now = in(service_state::failed);
  CHECK(failed.type("uninstall") == 0);
  CHECK(failed.services.calls == words{"stop web", "apply entry"});
}

TEST_CASE("a service that does not stop in time is not removed") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_stopped = {in(service_state::stopping)};
  CHECK(web.type("uninstall --timeout 5") == 1);
  CHECK(web.services.calls == words{"stop web"});
  CHECK(web.complains("still stopping after 5 s"));
}

TEST_CASE("a service that is started again at once is not removed") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_stopped = {in(service_state::starting)};
  web.services.when_stopped[0].triggers = "web.socket";
  CHECK(web.type("uninstall") == 1);
  CHECK(web.services.calls == words{"stop web"});
  CHECK(
      web.complains("has started it again: it is starting; next: systemctl stop web.socket, "
                    "and then: web_server uninstall\n"));
}

TEST_CASE("a service that came back before its removal is told of") {
  stage web;
  web.services.now = in(service_state::stopped);
  web.services.on_call = [&](const std::string& what) {
    if (what == "apply entry") web.services.next = {in(service_state::running)};
  };
  CHECK(web.type("uninstall") == 1);
  CHECK(web.complained ==
        "web: was removed, but has been started again meanwhile and is running (pid 4711): it is "
        "gone when that has ended\n"
        "next: web_server stop\n");
  CHECK(!web.said("uninstalled"));
}

TEST_CASE("a removal that fails starts a service again that ran") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.failing_step = "entry";
  CHECK(web.type("uninstall") == 1);
  CHECK(web.services.calls == words{"stop web", "apply entry", "start web"});
  CHECK(web.complains("web: the disk is full\nnothing is changed\n"));
  CHECK(web.said("started again\n"));
}

TEST_CASE("a removal that fails leaves a service alone that did not run") {
  stage web;
  web.services.now = in(service_state::stopped);
  web.services.failing_step = "entry";
  CHECK(web.type("uninstall") == 1);
  CHECK(web.services.calls == words{"apply entry"});
}

TEST_CASE("what runs without an entry is stopped by uninstall") {
  stage web;
  web.services.has_entry = false;
  web.services.now = in(service_state::running);
  CHECK(web.type("uninstall --dry-run") == 0);
  CHECK(web.services.calls.empty());
  CHECK(web.type("uninstall") == 0);
  CHECK(web.services.calls == words{"stop web"});
  CHECK(web.said("web: uninstalled\n"));
  web.services.now = in(service_state::failed);
  CHECK(web.type("uninstall") == 0);
  CHECK(web.printed == "web: is not installed\n");
}

TEST_CASE("a removal that is done but not in force yet is neither undone nor denied") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.unfinished_step = "entry";
  CHECK(web.type("uninstall") == 1);
  CHECK(web.services.calls == words{"stop web", "apply entry"});
  CHECK(web.said("  ! entry: unfinished: somebody holds it\n"));
  CHECK(!web.said("started again"));
  CHECK(web.complains("web: somebody holds it\nwhat is marked with ! is done, and in force when"));
  CHECK(web.type("uninstall --json") == 1);
  CHECK(web.said(R"("kind":"not_in_time")"));
  CHECK(web.said(R"("changed":true)"));
}

TEST_CASE("hints can be typed whatever the program is called") {
  using curfew::detail::cmd_word;
  using curfew::detail::shell_word;
  CHECK(shell_word("./web_server-2") == "./web_server-2");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("a b") == "'a b'");
  CHECK(shell_word("it's $HOME") == "'it'\\''s $HOME'");
  CHECK(shell_word("\xc3\xbc") == "\xc3\xbc");
  CHECK(cmd_word("C:\\web.exe") == "C:\\web.exe");
  CHECK(cmd_word("C:\\a b\\") == "\"C:\\a b\\\\\"");
  CHECK(cmd_word("c\"d") == "\"c\\\"d\"");
  CHECK(cmd_word("a&b") == "\"a&b\"");
  stage web;
  web.spec.arguments = {"c\"d", "e f"};
  CHECK(web.type("install") == 0);
  CHECK(web.said(CURFEW_WINDOWS != 0 ? " \"c\\\"d\" \"e f\"\n" : " 'c\"d' 'e f'\n"));
}

TEST_CASE("an interrupt while the service stops leaves it so and removes nothing") {
  stage web;
  web.services.now = in(service_state::running);
  web.services.when_stopped = {in(service_state::stopping)};
  web.services.on_call = [&](const std::string&) {
    if (web.clock.passed() > std::chrono::seconds(3)) {
      web.stop.request_stop({curfew::stop_cause::signal, 2});
    }
  };
  CHECK(web.type("uninstall") == 130);
  CHECK(web.services.calls == words{"stop web"});
  CHECK(web.complained == "web: interrupted: it is stopping, and is left so\n");
}
