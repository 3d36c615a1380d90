// SPDX-License-Identifier: BSL-1.0
//
// What a program in a container knows of its keeper. Process 1 itself is tested by container.py.
#include <curfew/host/container.hpp>

#include <chrono>
#include <cstdlib>
#include <string>

#include "doctest/doctest.h"

namespace {

using namespace std::chrono_literals;
using curfew::detail::parse_grace;

constexpr auto no_limit = (curfew::time_source::duration::max)();

#if CURFEW_WINDOWS
void set(const char* value) { _putenv_s("CURFEW_GRACE_SECONDS", value); }
void clear() { set(""); }
#else
void set(const char* value) { setenv("CURFEW_GRACE_SECONDS", value, 1); }
void clear() { unsetenv("CURFEW_GRACE_SECONDS"); }
#endif

}  // namespace

TEST_CASE("the grace period is a whole number of seconds") {
  CHECK(parse_grace("1") == 1s);
  CHECK(parse_grace("30") == 30s);
  CHECK(parse_grace("0030") == 30s);
  CHECK(parse_grace("86400") == 24h);
}

TEST_CASE("a grace period that makes no sense is no limit") {
  for (const char* nonsense : {"", " ", "0", "-1", "+5", " 5", "5 ", "5s", "1.5", "0x10", "nan",
                               "99999999999999999999", "9223372036854775807"}) {
    CAPTURE(nonsense);
    CHECK(parse_grace(nonsense) == no_limit);
  }
  CHECK(parse_grace(nullptr) == no_limit);
}

TEST_CASE("the grace period comes from the environment") {
  clear();
  CHECK(curfew::grace_from_environment() == no_limit);
  set("45");
  CHECK(curfew::grace_from_environment() == 45s);
  clear();
}

TEST_CASE("a test is not the first process") { CHECK_FALSE(curfew::is_process_one()); }
