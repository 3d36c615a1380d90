// SPDX-License-Identifier: BSL-1.0
// A mark in the trace of a program's system calls: a write that fails, with a text of its own.
#pragma once

#include <curfew/config.hpp>

#include <cstring>

#if CURFEW_POSIX
#include <unistd.h>
#endif

inline void mark(const char* text) {
#if CURFEW_POSIX
  static_cast<void>(::write(-1, text, std::strlen(text)) + 1);
#else
  static_cast<void>(text);
#endif
}
