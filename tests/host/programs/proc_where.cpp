// SPDX-License-Identifier: BSL-1.0
//
// A program that says where it lies and where it works.
//   proc_where                    its path and its directory
//   proc_where KIND [DECLARED]    enters the working directory as a service of that kind ("scm" or
//                                 "console") and says which it is
//   proc_where wait               says its path after a line of input has come
#include <curfew/host/executable.hpp>
#include <curfew/host/working_directory.hpp>

#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

namespace {

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

std::string working_directory() {
  const auto path = std::filesystem::current_path().u8string();
  return std::string(path.begin(), path.end());
}

int enter(const std::string& kind, const std::string& declared) {
  std::error_code ec;
  const auto host = kind == "scm" ? curfew::host_kind::scm : curfew::host_kind::console;
  curfew::enter_working_directory(declared, host, ec);
  if (ec) return 3;
  say(working_directory());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "wait") {
    say("ready");
    std::getchar();
  } else if (!mode.empty()) {
    return enter(mode, argc > 2 ? argv[2] : "");
  }
  say(curfew::executable_path());
  say(curfew::executable_directory());
}
