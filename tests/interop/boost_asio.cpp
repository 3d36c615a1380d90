// SPDX-License-Identifier: BSL-1.0
//
// Stops in Boost.Asio.
#include <curfew/config.hpp>

#if __has_include(<boost/asio.hpp>) && CURFEW_EXCEPTIONS

#if CURFEW_THREAD_SANITIZER  // it does not see fences, and GCC says so
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif

#include <utility>

#include <boost/asio.hpp>

namespace net = boost::asio;

#include "asio_cases.hpp"

static_assert(CURFEW_ASIO == 2);

#else

#include <curfew/interop/asio.hpp>

#include "doctest/doctest.h"

TEST_CASE("skipped - there is no Boost Asio or no exceptions") {
  MESSAGE("install libboost-dev, and build with exceptions");
}

#endif
