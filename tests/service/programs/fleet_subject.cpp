// SPDX-License-Identifier: BSL-1.0
//
// For the test of a fleet of real processes:
//
//   fleet_subject member NAME PATH POINTS          a service; at each of the points (prepare,
//                                                  resume, stop) it says "inside POINT" and waits
//                                                  for a line: "no" is a veto
//   fleet_subject coordinate SECONDS (NAME PATH AFTER)...    stops them as one, each question
//   within
//                                                  that time; "-" is after nobody
//   fleet_subject ask PATH                         what a member says of itself
#include <curfew/service/components.hpp>
#include <curfew/service/control_client.hpp>
#include <curfew/service/coordinator.hpp>
#include <curfew/service/run.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

namespace {

using namespace std::chrono_literals;
using curfew::prepare_answer;

void say(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

// False: it is not to be.
bool may_leave(const std::string& points, const char* point) {
  if (points.find(point) == points.npos) return true;
  say(std::string("inside ") + point);
  char line[16] = "";
  while (std::fgets(line, sizeof line, stdin) == nullptr) std::_Exit(3);  // the test itself is over
  return std::strncmp(line, "no", 2) != 0;
}

int be_member(int argc, char** argv) {
  const std::string name = argv[2], path = argv[3], points = argv[4];
  const auto prepare = [&] {
    return may_leave(points, "prepare") ? prepare_answer::ready() : prepare_answer::veto("not now");
  };
  const auto declare = [&](curfew::lifecycle& parts) {
    parts.add("work", {.start = [] {},
                       .stop = [&] { static_cast<void>(may_leave(points, "stop")); },
                       .prepare = prepare,
                       .resume = [&] { static_cast<void>(may_leave(points, "resume")); },
                       .stop_timeout = 1min,
                       .prepare_timeout = 1min});
  };
  curfew::component_options options;
  options.control.path = path;
  return curfew::run_in_foreground({.name = name, .stop_timeout = 2min}, argc, argv,
                                   curfew::components(declare, options));
}

int coordinate(int argc, char** argv) {
  const std::chrono::seconds time(std::atoi(argv[2]));
  curfew::coordinator fleet;
  for (int i = 3; i + 2 < argc; i += 3) {
    curfew::member_options options{.prepare_timeout = time, .stop_timeout = time};
    if (std::strcmp(argv[i + 2], "-") != 0) options.after = {argv[i + 2]};
    fleet.add(argv[i], argv[i + 1], options);
  }
  say(to_json(fleet.stop()));
  return 0;
}

int ask(const char* path) {
  const curfew::stop_source limit(20s);
  std::error_code error;
  curfew::control_client client(path, limit.get_token(), error);
  say(error ? "{\"phase\":\"" + error.message() + "\"}"
            : client.ask("status", limit.get_token()).body);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "";
  if (what == "member" && argc == 5) return be_member(argc, argv);
  if (what == "coordinate") return coordinate(argc, argv);
  if (what == "ask") return ask(argv[2]);
  return 2;
}
