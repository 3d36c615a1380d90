// SPDX-License-Identifier: BSL-1.0
//
// Which Asio it is: the one that has been included before; else standalone Asio where it is
// found, else Boost.Asio. They cannot both be in one translation unit.
//
//   CURFEW_ASIO          0: there is none, or nothing throws in this build, which Asio needs
//   CURFEW_ASIO_SLOTS    whether operations can be cancelled one by one (Asio 1.19, Boost 1.77)
//   CURFEW_ASIO_INSIDE   a namespace, so that what is made from the two has two names
#ifndef CURFEW_INTEROP_DETAIL_ASIO_CHOICE_HPP
#define CURFEW_INTEROP_DETAIL_ASIO_CHOICE_HPP

#include <curfew/config.hpp>

#if !CURFEW_EXCEPTIONS
#define CURFEW_ASIO 0
#elif defined(ASIO_DETAIL_CONFIG_HPP)
#define CURFEW_ASIO 1
#elif defined(BOOST_ASIO_DETAIL_CONFIG_HPP)
#define CURFEW_ASIO 2
#elif __has_include(<asio.hpp>)
#define CURFEW_ASIO 1
#elif __has_include(<boost/asio.hpp>)
#define CURFEW_ASIO 2
#else
#define CURFEW_ASIO 0
#endif

#if CURFEW_ASIO == 1

#include <asio.hpp>

#define CURFEW_ASIO_INSIDE with_asio
#if ASIO_VERSION >= 101900
#define CURFEW_ASIO_SLOTS 1
#endif

CURFEW_BEGIN
namespace detail::with_asio {
namespace asio_here = ::asio;
using asio_error = ::asio::error_code;
}  // namespace detail::with_asio
CURFEW_END

#elif CURFEW_ASIO == 2

#include <utility>  // which Boost 1.74 forgets

#include <boost/asio.hpp>

#define CURFEW_ASIO_INSIDE with_boost_asio
#if BOOST_ASIO_VERSION >= 101900
#define CURFEW_ASIO_SLOTS 1
#endif

CURFEW_BEGIN
namespace detail::with_boost_asio {
namespace asio_here = ::boost::asio;
using asio_error = ::boost::system::error_code;
}  // namespace detail::with_boost_asio
CURFEW_END

#endif

#if !defined(CURFEW_ASIO_SLOTS)
#define CURFEW_ASIO_SLOTS 0
#endif

#endif
