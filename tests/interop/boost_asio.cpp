// SPDX-License-Identifier: BSL-1.0
//
// Stops in Boost.Asio.
#include <curfew/config.hpp>

#include <version>

#if __has_include(<boost/version.hpp>)
#include <boost/version.hpp>
#endif

// Boost 1.74 takes std::result_of for granted, which libc++ does not have in C++20.
#if defined(_LIBCPP_VERSION) && defined(BOOST_VERSION) && BOOST_VERSION < 107700
#define TEST_BOOST_ASIO 0
#else
#define TEST_BOOST_ASIO (__has_include(<boost/asio.hpp>) && CURFEW_EXCEPTIONS)
#endif

#if TEST_BOOST_ASIO

#if CURFEW_THREAD_SANITIZER  // it does not see fences, and GCC says so
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif

#include <utility>

#include <boost/asio.hpp>

namespace net = boost::asio;

#include "asio_cases.hpp"

static_assert(CURFEW_ASIO == 2);

#else

#include "doctest/doctest.h"

TEST_CASE("skipped - there is no Boost Asio for this library or no exceptions") {
  MESSAGE("install libboost-dev, and build with exceptions");
}

#endif
