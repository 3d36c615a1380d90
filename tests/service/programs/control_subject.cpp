// SPDX-License-Identifier: BSL-1.0
//
// control_subject PATH BEHAVIOUR: a program of components that can be asked at PATH; it tells every
// decision, and the end, on stdout. control_subject ask PATH VERB [CHANGE]: asks it.
//   quick         stops at once              slow      drains until it is hurried
//   vetoing       says no to a prepare       slow-prepare   prepares for a minute, unless cut short
//   open          lets other users ask for the status alone
#include <curfew/service/components.hpp>
#include <curfew/service/control_client.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

using namespace std::chrono_literals;
using namespace curfew;

namespace {

void say(const std::string& text) {
  std::puts(text.c_str());
  std::fflush(stdout);
}

class narrating final : public event_sink {
 public:
  void write(const lifecycle_event& e) noexcept override {
    if (e.kind == event_kind::ready) say("ready");
    if (e.kind == event_kind::prepared) say("prepared");
    if (e.kind == event_kind::resumed) say("resumed: " + std::string(e.text));
    if (e.kind == event_kind::stopping) say("stopping: " + to_string(e.reason));
    if (e.kind == event_kind::run_ended) say("ended: " + std::string(e.text));
    if (e.kind == event_kind::control) tell_decision(e);
  }

 private:
  static void tell_decision(const lifecycle_event& e) {
    say(std::string(e.allowed ? "allowed" : "denied") + " verb=" + std::string(e.verb) +
        " change=" + std::string(e.change) + " pid=" + std::to_string(e.caller.pid) +
        " uid=" + std::to_string(e.caller.uid) + " sid=" + std::string(e.caller.sid) +
        " why=" + std::string(e.text));
  }
};

component database(std::string_view behaviour) {
  component db;
  db.stop = [] {};
  db.prepare = [] { return prepare_answer::ready(); };
  if (behaviour == "slow") db.drain = [](step& s) { (void)s.token().wait(); };
  if (behaviour == "vetoing") db.prepare = [] { return prepare_answer::veto("a backup runs"); };
  if (behaviour != "slow-prepare") return db;
  db.prepare_timeout = 60s;
  db.prepare = [](step& s) {
    (void)s.token().wait();
    return prepare_answer::ready();
  };
  return db;
}

control_decision status_for_all(const control_request& r) {
  if (r.same_user || r.administrator || r.verb == "status") return control_decision::allow();
  return control_decision::deny("status is all that others may ask for");
}

int ask(const std::string& path, const std::string& verb, const std::string& change) {
  const stop_source limit(30s);
  std::error_code ec;
  control_client c(path, limit.get_token(), ec);
  if (ec) return say("cannot connect: " + ec.message()), 2;
  const control_answer a = c.ask(verb, limit.get_token(), {.change = change});
  say(a.ok ? a.body : a.error);
  return a.ok ? 0 : 1;
}

int serve(int argc, char** argv) {
  const std::string_view behaviour = argv[2];
  narrating told;
  component_options o{.sinks = {&told}, .control = {.path = argv[1], .patience = 2s}};
  if (behaviour == "open") {
    o.control.patience = 1h;  // no flood ends by itself
    o.control.strangers = true;
    o.control.policy = status_for_all;
  }
  const auto declare = [&](lifecycle& parts) { parts.add("db", database(behaviour)); };
  return run_in_foreground({.name = "subject", .stop_timeout = 20s}, argc, argv,
                           components(declare, o));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 4 && std::string_view(argv[1]) == "ask")
    return ask(argv[2], argv[3], argc > 4 ? argv[4] : "");
  return argc == 3 ? serve(argc, argv) : 2;
}
