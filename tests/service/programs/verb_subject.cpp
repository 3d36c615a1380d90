// SPDX-License-Identifier: BSL-1.0
//
// A program with verbs, for tests that type them. Without a verb, or with `run`, it prints its
// name, its host and its own arguments; with "wait" among them it waits for a stop.
#include <curfew/service/service_main.hpp>

#include <chrono>
#include <cstdio>
#include <span>
#include <string_view>

using namespace std::chrono_literals;

namespace {

std::span<char* const> own;

void serve(curfew::service& s) {
  const char* const host = s.host() == curfew::host_kind::console ? "console" : "another";
  std::printf("name %s\nhost %s\n", s.spec().name.c_str(), host);
  bool waits = false;
  for (const std::string_view word : own) {
    std::printf("own %s\n", word.data());
    waits = waits || word == "wait";
  }
  s.on_reload([] { std::puts("reloaded"); });
  s.ready();
  std::puts("ready");
  std::fflush(stdout);
  if (waits) s.token().wait();
}

}  // namespace

int main(int argc, char** argv) {
  own = curfew::own_arguments(argc, argv);
  const curfew::service_spec spec{.name = "verb-subject",
                                  .display_name = "Verb subject",
                                  .description = "Does what is typed",
                                  .stop_timeout = 10s,
                                  .working_directory = "",
                                  .reloads = true,
                                  .arguments = {"wait"}};
  return curfew::service_main(spec, argc, argv, serve);
}
