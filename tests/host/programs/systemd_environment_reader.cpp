// SPDX-License-Identifier: BSL-1.0
//
// Says what the library finds in its environment, for a test that has started it with one.
#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/systemd/environment.hpp>
#include <curfew/host/systemd/listen_fds.hpp>

#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

namespace {

void tell(const curfew::passed_descriptors& passed) {
  for (const auto& p : passed) {
    const bool kept_here = (fcntl(p.descriptor, F_GETFD) & FD_CLOEXEC) != 0;
    std::printf("%d %s%s\n", p.descriptor, p.name.c_str(), kept_here ? "" : " inherited");
  }
}

}  // namespace

// Arguments: none, or one name to be taken.
int main(int argc, char** argv) {
  const auto said = curfew::read_systemd_environment();
  curfew::clear_systemd_environment();
  std::printf("notify '%s' watchdog %lld\n", said.notify_socket.c_str(),
              static_cast<long long>(said.watchdog.count()));
  {
    curfew::passed_descriptors passed(said);
    tell(passed);
    if (argc > 1) {
      const int taken = passed.take(argv[1]);
      std::printf("took %d\n", taken);
      if (taken >= 0 && write(taken, "hello", 5) != 5) return 1;
    }
  }
  for (int fd = 3; fd < 10; ++fd) {
    if (fcntl(fd, F_GETFD) != -1) std::printf("open %d\n", fd);
  }
  for (const char* name : curfew::systemd_private_variables) {
    if (std::getenv(name) != nullptr) std::printf("left %s\n", name);
  }
  std::printf("invocation %s%s\n", said.invocation_id.c_str(),
              std::getenv("INVOCATION_ID") != nullptr ? " for children too" : "");
}

#else

int main() { return 77; }

#endif
