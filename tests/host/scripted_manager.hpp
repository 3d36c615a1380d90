// SPDX-License-Identifier: BSL-1.0
//
// A service manager that a test makes up: one service, whose states follow a script.
#ifndef CURFEW_TESTS_HOST_SCRIPTED_MANAGER_HPP
#define CURFEW_TESTS_HOST_SCRIPTED_MANAGER_HPP

#include <curfew/host/install/service_manager.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace test {

using curfew::failure;
using curfew::service_state;
using curfew::service_status;

inline service_status in(service_state state, std::string text = {}) {
  service_status s;
  s.state = state;
  s.text = std::move(text);
  if (state == service_state::running) s.pid = 4711;
  return s;
}

/// Running, as the one whose state changed at that time.
inline service_status runs_since(std::uint64_t since, std::int64_t pid = 4711) {
  service_status s = in(service_state::running);
  s.since = since;
  s.pid = pid;
  return s;
}

inline failure fails(std::string text, failure::kind_type kind = failure::kind_type::failed) {
  return {kind, std::move(text)};
}

class scripted_manager final : public curfew::service_manager {
 public:
  service_status now = in(service_state::not_installed);
  std::deque<service_status> next = {};  // one for each look that follows

  std::vector<service_status> when_started = {in(service_state::running)};
  std::vector<service_status> when_stopped = {in(service_state::stopped)};
  std::vector<service_status> when_restarted = {};  // empty: it cannot do that in one go
  std::vector<service_status> when_reloaded = {in(service_state::running)};

  failure query_fails = {};
  failure plan_fails = {};
  failure start_fails = {};
  failure stop_fails = {};
  failure restart_fails = {};
  failure reload_fails = {};

  /// What install finds different; a step that is applied leaves the list.
  std::vector<std::string> missing = {"unit file", "enabled"};
  std::string failing_step = {};
  std::string unsupported_step = {};
  std::string unfinished_step = {};
  bool undo_fails = false;
  bool has_entry = true;  // else there is nothing for uninstall to remove
  std::function<void(const std::string&)> on_call = {};

  std::vector<std::string> calls = {};
  std::size_t looks = 0;
  curfew::time_source::duration bounded = {};  // how long it may take for an answer
  curfew::install_request asked = {};

  failure query(const std::string&, service_status& into) override {
    ++looks;
    if (on_call) on_call("query");
    if (!next.empty()) {
      now = next.front();
      next.pop_front();
    }
    into = now;
    return query_fails;
  }
  failure plan_install(const curfew::install_request& request,
                       curfew::install_plan& into) override {
    asked = request;
    for (const std::string& what : missing) into.push_back(step(what, {}, "as asked"));
    return plan_fails;
  }
  failure plan_uninstall(const std::string&, curfew::install_plan& into) override {
    if (now.state == service_state::not_installed || !has_entry) return plan_fails;
    into.push_back(step("entry", "as asked", {}));
    return plan_fails;
  }
  failure start(const std::string& name) override {
    return change("start " + name, start_fails, when_started);
  }
  failure stop(const std::string& name) override {
    return change("stop " + name, stop_fails, when_stopped);
  }
  failure restart(const std::string& name) override {
    if (when_restarted.empty()) return service_manager::restart(name);
    return change("restart " + name, restart_fails, when_restarted);
  }
  failure reload(const std::string& name) override {
    return change("reload " + name, reload_fails, when_reloaded);
  }
  void bound(const curfew::stop_token&, curfew::time_source::duration patience) override {
    bounded = patience;
  }
  std::string render(const curfew::install_request& request) override {
    return "rendered " + request.spec.name + "\n";
  }

 private:
  void called(const std::string& what) {
    calls.push_back(what);
    if (on_call) on_call(what);
  }
  failure change(const std::string& what, const failure& error,
                 const std::vector<service_status>& then) {
    called(what);
    if (!error) next.assign(then.begin(), then.end());
    return error;
  }
  curfew::install_step step(const std::string& what, std::string from, std::string to) {
    const bool unsupported = what == unsupported_step;
    return {what,
            std::move(from),
            std::move(to),
            unsupported,
            [this, what]() -> failure { return apply(what); },
            [this, what]() -> failure { return undo(what); }};
  }
  failure apply(const std::string& what) {
    called("apply " + what);
    if (what == failing_step) return fails("the disk is full");
    if (what == unfinished_step) return fails("somebody holds it", failure::kind_type::not_in_time);
    if (what == unsupported_step) return fails("error 124", failure::kind_type::not_supported);
    std::erase(missing, what);
    now = in(what == "entry" ? service_state::not_installed : installed_state());
    return {};
  }
  failure undo(const std::string& what) {
    called("undo " + what);
    if (undo_fails) return fails("it is locked");
    missing.push_back(what);
    return {};
  }
  [[nodiscard]] service_state installed_state() const {
    return now.state == service_state::not_installed ? service_state::stopped : now.state;
  }
};

}  // namespace test

#endif
