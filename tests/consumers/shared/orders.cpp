// SPDX-License-Identifier: BSL-1.0
//
// Ten lines with curfew: what each way of getting it has to build, run and stop.
#include <curfew/curfew.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  return curfew::run({.name = "orders"}, argc, argv, [](curfew::service& self) {
    std::printf("curfew %d.%d.%d, ready\n", CURFEW_VERSION_MAJOR, CURFEW_VERSION_MINOR,
                CURFEW_VERSION_PATCH);
    std::fflush(stdout);
    self.ready();
    (void)self.token().wait();
    std::puts(to_string(self.token().reason()).c_str());
  });
}
