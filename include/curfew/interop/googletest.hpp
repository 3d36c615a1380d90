// SPDX-License-Identifier: BSL-1.0
//
// For tests with GoogleTest, whose headers it does without: values of curfew's are printed as
// text, and the host in a box tells why a wait has failed.
//
//   EXPECT_TRUE(curfew::became_ready(box));
//   EXPECT_TRUE(curfew::ended_with(box, 0));   // else: exit code 70 instead of 0; and its story
//   EXPECT_EQ(token.reason(), curfew::stop_reason{...});   // "signal SIGTERM from pid 4711"
#ifndef CURFEW_INTEROP_GOOGLETEST_HPP
#define CURFEW_INTEROP_GOOGLETEST_HPP

#include <curfew/interop/detail/box_answer.hpp>

#include <ostream>

CURFEW_BEGIN

/// As GoogleTest looks for it.
template <detail::tested_type T>
void PrintTo(const T& value, std::ostream* out) {
  *out << detail::test_text(value);
}

// For scm_state, which is looked for here.
namespace detail {
using curfew::PrintTo;
}

CURFEW_END

#endif
