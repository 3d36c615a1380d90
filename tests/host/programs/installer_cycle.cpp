// SPDX-License-Identifier: BSL-1.0
//
// Installs and uninstalls a service of the name that is its argument, again and again, and prints
// what went wrong.
#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/install/apply_plan.hpp>
#include <curfew/host/windows/service_installer.hpp>

#include <cstdio>
#include <string>

using curfew::failure;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  curfew::install_request asked;
  asked.spec.name = argv[1];
  asked.spec.description = "Comes and goes.";
  asked.spec.dependencies = {"Eventlog"};
  asked.executable = "C:\\Program Files\\curfew test\\app.exe";
  curfew::scm_service_manager manager;
  curfew::install_plan plan;
  const auto carry_out = [&](const failure& planned) {
    const failure done = planned ? planned : curfew::apply_plan(plan).why;
    if (done) std::printf("%s\n", done.text.c_str());
  };
  for (int round = 0; round < 5; ++round) {
    carry_out(manager.plan_install(asked, plan));
    if (manager.plan_install(asked, plan) || !plan.empty()) std::puts("not installed");
    carry_out(manager.plan_uninstall(asked.spec.name, plan));
    if (manager.plan_uninstall(asked.spec.name, plan) || !plan.empty()) std::puts("not gone");
  }
  std::puts("done");
  return 0;
}

#else

int main() { return 0; }

#endif
