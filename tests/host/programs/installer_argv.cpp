// SPDX-License-Identifier: BSL-1.0
//
// Prints its arguments, each with its length, so that a test sees what a process got to see.
#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
  for (int n = 1; n < argc; ++n) std::printf("%zu:%s\n", std::strlen(argv[n]), argv[n]);
  return 0;
}
