// SPDX-License-Identifier: BSL-1.0
//
// program LIBRARY hidden|default: whether one bridge a process holds between a program and a
// library that has a copy of curfew of its own (hidden) or perhaps the same (default). The exit
// code is the line of the first thing that was wrong.
#include <curfew/host/signals.hpp>

#include <cstdlib>
#include <cstring>

#include "../support.hpp"

#if CURFEW_POSIX
#include <dlfcn.h>

#include "../posix_support.hpp"
#endif

#define MUST(condition)                     \
  do {                                      \
    if (!(condition)) std::_Exit(__LINE__); \
  } while (false)

namespace {

struct library {
  const void* (*desk)();
  int (*make_bridge)();
  void (*drop_bridge)();
};

#if CURFEW_WINDOWS

extern "C" __declspec(dllimport) HINSTANCE__* __stdcall LoadLibraryA(const char*);

template <class F>
void find(F& function, HINSTANCE__* module, const char* name) {
  function = reinterpret_cast<F>(reinterpret_cast<void*>(GetProcAddress(module, name)));
  MUST(function != nullptr);
}

auto* open_library(const char* path) { return LoadLibraryA(path); }

#else

template <class F>
void find(F& function, void* module, const char* name) {
  function = reinterpret_cast<F>(dlsym(module, name));
  MUST(function != nullptr);
}

void* open_library(const char* path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL); }

#endif

library load(const char* path) {
  auto* const module = open_library(path);
  MUST(module != nullptr);
  library found{};
  find(found.desk, module, "desk_of_library");
  find(found.make_bridge, module, "make_bridge");
  find(found.drop_bridge, module, "drop_bridge");
  return found;
}

std::error_code try_bridge() {
  std::error_code ec;
  curfew::signal_bridge bridge(curfew::stop_source(), ec);
  return ec;
}

void the_program_is_first(const library& other) {
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop);
  MUST(other.make_bridge() == 1);
  MUST(other.make_bridge() == 1);
  test::arrive(SIGINT);
  MUST(test::stops(stop.get_token()));
}

void the_library_is_first(const library& other) {
  MUST(other.make_bridge() == 0);
  MUST(try_bridge() == std::errc::device_or_resource_busy);
  other.drop_bridge();
  MUST(!try_bridge());
}

#if CURFEW_POSIX

/// The library's bridge is its parent's, not the child's.
void a_child_of_the_library_s_process_may_have_one(const library& other) {
  if (CURFEW_TEST_TSAN) return;
  MUST(other.make_bridge() == 0);
  auto child = [] {
    curfew::stop_source stop;
    curfew::signal_bridge bridge(stop);
    raise(SIGTERM);
    return test::stops(stop.get_token()) ? 0 : 1;
  };
  MUST(test::in_child(child) == 0);
  MUST(try_bridge() == std::errc::device_or_resource_busy);
  other.drop_bridge();
}

/// It is seen also when only one of its signals is still its own.
void one_signal_is_enough(const library& other) {
  MUST(other.make_bridge() == 0);
  const test::disposition foreign(SIGINT, SIG_DFL);
  MUST(try_bridge() == std::errc::device_or_resource_busy);
  other.drop_bridge();
}

void more(const library& other) {
  a_child_of_the_library_s_process_may_have_one(other);
  one_signal_is_enough(other);
}

#else

void more(const library&) {}

#endif

}  // namespace

int main(int argc, char** argv) {
  MUST(argc == 3);
  const auto other = load(argv[1]);
  const bool same = other.desk() == &curfew::detail::desk;
  if (std::strcmp(argv[2], "hidden") == 0) MUST(!same);
  for (int round = 0; round < 3; ++round) {
    the_program_is_first(other);
    the_library_is_first(other);
  }
  more(other);
  return 0;
}
