// SPDX-License-Identifier: BSL-1.0
//
// A second translation unit of the same program, which uses all floors before main begins: what the
// two have in common must be one thing to the linker.
#include <curfew/curfew.hpp>

#include <cstdio>
#include <cstdlib>

int second_main(int argc, char** argv) {
  const auto wait = [](curfew::service& self) { (void)self.token().wait(); };
#if CURFEW_POSIX
  return curfew::service_main({.name = "second"}, argc, argv, wait);
#else
  return curfew::run({.name = "second"}, argc, argv, wait);
#endif
}

namespace {

bool works() {
  curfew::stop_source source;
  curfew::resource_stack resources;
  resources.defer("stop", [&] { source.request_stop(); });
  curfew::lifecycle parts;
  parts.add("part", {.start = [] {}, .stop = [] {}});
  curfew::health health(source.get_token());
  health.started();
  const int ready = reply(health.ask(curfew::health_probe::readiness)).code;
  resources.release();
  const int stopped = reply(health.ask(curfew::health_probe::readiness)).code;
  return ready == 200 && stopped == 503 && parts.parts().size() == 1;
}

[[maybe_unused]] const bool worked =
    works() || (std::puts("the second unit fails"), std::abort(), false);

}  // namespace
