// SPDX-License-Identifier: BSL-1.0
//
// A program that a test starts to see what it has been given. POSIX: says, a line each, the signals
// that are blocked, those that are ignored, the descriptors that are open, and its environment.
// Windows:
//   hold          says its process id and waits for ever
//   hold_another  starts "hold", which writes to the same output, and waits for ever
#include <curfew/config.hpp>

#include <cstdio>
#include <string>

#if CURFEW_WINDOWS
#include <windows.h>
#else
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

extern "C" {
extern char** environ;
}
#endif

namespace {

#if CURFEW_WINDOWS

void start_another() {
  char self[1024] = {};
  GetModuleFileNameA(nullptr, self, sizeof self);
  std::string command = std::string("\"") + self + "\" hold";
  STARTUPINFOA start = {};
  start.cb = sizeof start;
  PROCESS_INFORMATION info = {};
  CreateProcessA(nullptr, command.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &start,
                 &info);
}

int tell(const std::string& mode) {
  if (mode == "hold_another") start_another();
  if (mode == "hold") std::printf("%lu\n", GetCurrentProcessId());
  std::fflush(stdout);
  Sleep(INFINITE);
  return 0;
}

#else

int tell(const std::string&) {
  sigset_t mask;
  sigprocmask(SIG_SETMASK, nullptr, &mask);
  std::string blocked = "blocked";
  std::string ignored = "ignored";
  for (int signal = 1; signal < 65; ++signal) {
    struct sigaction action = {};
    if (sigismember(&mask, signal) == 1) blocked += " " + std::to_string(signal);
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      ignored += " " + std::to_string(signal);
  }
  std::string open = "open";
  for (int fd = 0; fd < 256; ++fd) {
    if (fcntl(fd, F_GETFD) != -1) open += " " + std::to_string(fd);
  }
  std::printf("%s\n%s\n%s\n", blocked.c_str(), ignored.c_str(), open.c_str());
  for (char** variable = environ; *variable != nullptr; ++variable) std::puts(*variable);
  return 0;
}

#endif

}  // namespace

int main(int argc, char** argv) { return tell(argc > 1 ? argv[1] : ""); }
