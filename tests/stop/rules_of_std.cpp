// SPDX-License-Identifier: BSL-1.0
// The rules that we demand of ourselves, held by the standard library in use: a rule that it does
// not hold is either no rule or a defect of it, and the latter is named here.
#include "doctest/doctest.h"

#include <version>

#if defined(__cpp_lib_jthread)

#include <stop_token>

namespace lib = std;
#define TEST_LIB "std - "

namespace {
#if defined(_GLIBCXX_RELEASE)
constexpr bool moved_over_source_lingers = _GLIBCXX_RELEASE < 13;
constexpr bool token_equality_may_throw = true;
constexpr bool state_dies_in_callback = false;
#else
constexpr bool moved_over_source_lingers = true;
constexpr bool token_equality_may_throw = true;
constexpr bool state_dies_in_callback = true;
#endif
}  // namespace

#include "rules_of_stop_token.hpp"

#include "rules_of_stop_callback.hpp"

#else

TEST_CASE("std - this library has no stop token") {}

#endif
