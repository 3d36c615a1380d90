// SPDX-License-Identifier: BSL-1.0
//
// For tests with doctest: values of curfew's are printed as text, and the host in a box tells why a
// wait has failed. Empty where doctest is not to be found.
//
//   CHECK(curfew::became_ready(box));
//   CHECK(curfew::ended_with(box, 0));   // else: exit code 70 instead of 0; and its story
//   CHECK(token.reason() == curfew::stop_reason{...});   // "signal SIGTERM from pid 4711"
#ifndef CURFEW_INTEROP_DOCTEST_HPP
#define CURFEW_INTEROP_DOCTEST_HPP

// Included before, from wherever it is; or else where its packages install it.
#if !defined(DOCTEST_VERSION)
#if __has_include(<doctest/doctest.h>)
#include <doctest/doctest.h>
#endif
#endif

#if defined(DOCTEST_VERSION)

#include <curfew/interop/detail/box_answer.hpp>

#include <string>

/// Of classes; its enumerations doctest looks for by the name of a function.
template <curfew::detail::tested_type T>
struct doctest::StringMaker<T> {
  static String convert(const T& value) {
    return std::string(curfew::detail::test_text(value)).c_str();
  }
};

CURFEW_BEGIN

inline doctest::String toString(stop_cause v) { return detail::test_text(v); }
inline doctest::String toString(outcome_kind v) { return detail::test_text(v); }
inline doctest::String toString(release_outcome v) { return detail::test_text(v); }
inline doctest::String toString(host_kind v) { return detail::test_text(v); }
namespace detail {
inline doctest::String toString(scm_state v) { return test_text(v); }
}  // namespace detail

CURFEW_END

#endif
#endif
