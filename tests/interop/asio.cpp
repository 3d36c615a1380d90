// SPDX-License-Identifier: BSL-1.0
//
// Stops in standalone Asio.
#include <curfew/config.hpp>

#if __has_include(<asio.hpp>) && CURFEW_EXCEPTIONS

#if CURFEW_THREAD_SANITIZER  // it does not see fences, and GCC says so
#define ASIO_DISABLE_FENCED_BLOCK
#endif

#include <utility>

#include <asio.hpp>

namespace net = asio;

#include "asio_cases.hpp"

static_assert(CURFEW_ASIO == 1);

#else

#include <curfew/interop/asio.hpp>

#include "doctest/doctest.h"

TEST_CASE("skipped - there is no standalone Asio or no exceptions") {
  MESSAGE("install libasio-dev, and build with exceptions");
}

#endif
