// SPDX-License-Identifier: BSL-1.0
//
// Verbs on a system that is made up, under a real Ctrl-C: a service that is installed and stopped
// and never gets past starting. It prints "asked" when a start has been asked for.
#include <curfew/service/detail/verb_main.hpp>
#include <curfew/service/detail/verb_system.hpp>

#include <cstdio>
#include <string>
#include <string_view>

#include "../verb_support.hpp"

int main(int argc, char** argv) {
  const test::typed line({argv, argv + argc});
  test::scripted_backend backend;
  backend.services.now = test::in(curfew::service_state::stopped);
  backend.services.when_started = {test::in(curfew::service_state::starting, "for ever \"\xff\"")};
  backend.services.on_call = [](const std::string& what) {
    if (what == "start web") std::fputs("asked\n", stderr);
    std::fflush(stderr);
  };
  const curfew::stop_source stop;
  const curfew::signal_bridge bridge(stop);
  const curfew::detail::verb_call call{{.name = "web"},
                                       curfew::detail::parse_verb_line(line.words()),
                                       "web_server",
                                       stop.get_token()};
  curfew::detail::standard_output output;
  return obey_verb(backend, call, output);
}
