// SPDX-License-Identifier: BSL-1.0
//
// The manager of units, from a command line: what the tests of whole processes drive.
//
//   unit_verbs [--user] VERB [KEY=VALUE...] [-- ARGUMENT...]
//
// Prints "WHAT | FROM | TO" for each step, with "; " between the lines of one text, "refused KIND
// TEXT", or "done".
#include <curfew/host/install/apply_plan.hpp>
#include <curfew/host/install/kubernetes.hpp>
#include <curfew/host/systemd/service_doctor.hpp>
#include <curfew/host/systemd/unit_manager.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#if CURFEW_LINUX

namespace {

curfew::start_mode mode_of(const std::string& text) {
  if (text == "demand") return curfew::start_mode::demand;
  return text == "disabled" ? curfew::start_mode::disabled : curfew::start_mode::automatic;
}

std::chrono::seconds seconds(const std::string& text) {
  return std::chrono::seconds(std::atoi(text.c_str()));
}

void set(curfew::install_request& asked, const std::string& key, const std::string& value) {
  curfew::service_spec& spec = asked.spec;
  if (key == "name") spec.name = value;
  if (key == "exe") asked.executable = value;
  if (key == "title") spec.display_name = value;
  if (key == "start") spec.start = mode_of(value);
  if (key == "account") spec.account = value;
  if (key == "folder") spec.working_directory = value;
  if (key == "writable") spec.writable_paths.push_back(value);
  if (key == "capability") spec.capabilities.push_back(value);
  if (key == "after") spec.dependencies.push_back(value);
  if (key == "stop") spec.stop_timeout = seconds(value);
  if (key == "watchdog") spec.watchdog = seconds(value);
  if (key == "reloads") spec.reloads = value == "yes";
}

int refused(const curfew::failure& why) {
  std::printf("refused %d %s\n", static_cast<int>(why.kind), why.text.c_str());
  return 1;
}

int answer(const curfew::failure& why) {
  if (why) return refused(why);
  std::puts("done");
  return 0;
}

std::string in_one_line(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != text.npos;) text.replace(at, 1, "; ");
  return text;
}

void print(const curfew::install_plan& plan) {
  for (const auto& s : plan) {
    std::printf("%s | %s | %s\n", s.what.c_str(), in_one_line(s.from).c_str(),
                in_one_line(s.to).c_str());
  }
}

int apply(const curfew::failure& why, const curfew::install_plan& plan, bool dry) {
  if (why) return refused(why);
  print(plan);
  if (dry) return 0;
  const auto report = curfew::apply_plan(plan);
  if (report.half_done()) std::puts("half done");
  return answer(report.why);
}

int print_status(curfew::service_manager& manager, const std::string& name) {
  curfew::service_status now;
  if (const auto why = manager.query(name, now)) return refused(why);
  std::printf("%s | %d | %s%s | %s\n", to_string(now.state), now.exit_code,
              now.enabled ? "enabled" : "disabled", now.ours ? "" : ", not ours", now.text.c_str());
  return 0;
}

int print_findings(const curfew::findings& all) {
  for (const auto& f : all) {
    std::printf("%d %s | %s\n", static_cast<int>(f.level), f.what.c_str(), f.fix.c_str());
  }
  return 0;
}

int carry_out(const std::string& verb, const curfew::install_request& asked) {
  curfew::systemd_service_manager manager(asked.user);
  const std::string& name = asked.spec.name;
  curfew::install_plan plan;
  const bool dry = verb.starts_with("plan-");
  const std::string what = dry ? verb.substr(5) : verb;
  if (what == "install") return apply(manager.plan_install(asked, plan), plan, dry);
  if (what == "uninstall") return apply(manager.plan_uninstall(name, plan), plan, dry);
  if (what == "start") return answer(manager.start(name));
  if (what == "stop") return answer(manager.stop(name));
  if (what == "restart") return answer(manager.restart(name));
  if (what == "reload") return answer(manager.reload(name));
  if (what == "status") return print_status(manager, name);
  if (what == "doctor") {
    return print_findings(examine_systemd(asked.spec, name, asked.user, asked.executable));
  }
  if (what == "process") return print_findings(curfew::examine_process());
  const bool pod = what == "kubernetes";
  std::fputs((pod ? curfew::render_kubernetes(asked) : manager.render(asked)).c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  curfew::install_request asked;
  std::string verb;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::size_t equals = word.find('=');
    if (word == "--") {
      asked.spec.arguments.assign(argv + i + 1, argv + argc);
      break;
    }
    if (word == "--user") {
      asked.user = true;
    } else if (equals == word.npos) {
      verb = word;
    } else {
      set(asked, word.substr(0, equals), word.substr(equals + 1));
    }
  }
  return carry_out(verb, asked);
}

#else

int main() {}

#endif
