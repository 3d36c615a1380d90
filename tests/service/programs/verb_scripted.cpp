// SPDX-License-Identifier: BSL-1.0
//
// Verbs on a system that is made up, under real signals: a service that is installed and stopped
// and never gets past starting. It prints "asked" when a start has been asked for. With "runs" as
// the name it runs, takes longer than a second to stop, and is told of as "removed".
#include <curfew/service/detail/verb_system.hpp>

#include <cstdio>
#include <string>
#include <string_view>

#include "../verb_support.hpp"

namespace {

void runs(test::scripted_manager& services) {
  using curfew::service_state;
  services.now = test::in(service_state::running);
  services.when_stopped.assign(12, test::in(service_state::stopping));
  services.when_stopped.push_back(test::in(service_state::stopped));
}

}  // namespace

int main(int argc, char** argv) {
  const test::typed line({argv, argv + argc});
  test::scripted_backend backend;
  backend.services.now = test::in(curfew::service_state::stopped);
  backend.services.when_started = {test::in(curfew::service_state::starting, "for ever \"\xff\"")};
  backend.services.on_call = [](const std::string& what) {
    if (what == "start web") std::fputs("asked\n", stderr);
    if (what == "apply entry") std::fputs("removed\n", stderr);
    std::fflush(stderr);
  };
  const curfew::detail::verb_line verb = curfew::detail::parse_verb_line(line.words());
  if (verb.name == "runs") runs(backend.services);
  return obey_in_process(backend, {.name = "web"}, verb, "web_server");
}
