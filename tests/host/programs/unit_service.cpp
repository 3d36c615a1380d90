// SPDX-License-Identifier: BSL-1.0
//
// A service as systemd's protocol has it, without any of curfew: what tests of units start. It
// writes what it was given into its state directory, and ends at SIGTERM.
//
//   unit_service [ARGUMENT...]    --exit=N as the first one: ends with N at once
#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

void tell(const std::string& text) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr) return;
  sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  std::strncpy(to.sun_path, path, sizeof to.sun_path - 1);
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  const auto size = offsetof(sockaddr_un, sun_path) + std::strlen(path);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto* address = reinterpret_cast<const sockaddr*>(&to);
  if (sendto(fd, text.data(), text.size(), 0, address, static_cast<socklen_t>(size)) < 0) _exit(9);
  close(fd);
}

std::string state(const char* file) {
  const char* folder = std::getenv("STATE_DIRECTORY");
  return std::string(folder == nullptr ? "." : folder) + "/" + file;
}

/// Each argument with a NUL behind it.
void note_arguments(int argc, char** argv) {
  std::ofstream out(state("arguments"), std::ios::binary);
  for (int i = 1; i < argc; ++i) out << argv[i] << '\0';
}

void note_surroundings() {
  char folder[4096] = {};
  const bool here = getcwd(folder, sizeof folder) != nullptr;
  std::ofstream(state("surroundings"))
      << "uid " << getuid() << "\nworks in " << (here ? folder : "?") << "\nsees home "
      << (access("/home/.", R_OK) == 0) << "\nwrites etc " << (access("/etc", W_OK) == 0) << '\n';
}

/// Writes into each argument that is "--write=PATH".
void write_outside(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    if (a.starts_with("--write=")) std::ofstream(a.substr(8)) << "written\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first.starts_with("--exit=")) return std::atoi(first.c_str() + 7);
  sigset_t waited;
  sigemptyset(&waited);
  sigaddset(&waited, SIGTERM);
  sigaddset(&waited, SIGHUP);
  sigprocmask(SIG_BLOCK, &waited, nullptr);
  note_arguments(argc, argv);
  note_surroundings();
  write_outside(argc, argv);
  tell("READY=1\nSTATUS=at work");
  for (int signal = 0; sigwait(&waited, &signal) == 0 && signal == SIGHUP;) {
    tell("STATUS=reloaded");
  }
  tell("STOPPING=1");
}

#else

int main() {}

#endif
