// SPDX-License-Identifier: BSL-1.0
#include <curfew/stop/retry_result.hpp>

#include "doctest/doctest.h"

#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>

using curfew::retry_end;
using curfew::retry_result;

namespace {

constexpr retry_end failures[] = {retry_end::stopped, retry_end::out_of_time, retry_end::exhausted,
                                  retry_end::budget_spent, retry_end::permanent};

}  // namespace

TEST_CASE("a result that nothing was put into is no success") {
  const retry_result<bool> r;
  CHECK_FALSE(r);
  CHECK_FALSE(r.ok());
  CHECK(r.attempts == 0);
}

TEST_CASE("every end has a text of its own") {
  std::set<std::string> texts{to_string(retry_end::succeeded)};
  for (const retry_end end : failures) texts.insert(to_string(end));
  CHECK(texts.size() == 6);
  CHECK(texts.count("unknown") == 0);
  CHECK(std::string(to_string(retry_end::out_of_time)) == "out of time");
  CHECK(std::string(to_string(static_cast<retry_end>(99))) == "unknown");
}

TEST_CASE("every end but success is an error") {
  CHECK_FALSE(curfew::detail::error_of(retry_end::succeeded));
  for (const retry_end end : failures) CHECK(curfew::detail::error_of(end));
}

TEST_CASE("the value of a success can be looked at and taken") {
  retry_result<std::unique_ptr<int>> r;
  r.end = retry_end::succeeded;
  r.last.emplace(std::make_unique<int>(42));
  r.throw_if_failed();
  CHECK(*std::as_const(r).value() == 42);
  *r.value() = 43;
  const std::unique_ptr<int> taken = std::move(r).value();
  CHECK(*taken == 43);
}

TEST_CASE("nothing can be the value") {
  retry_result<void> r;
  CHECK_FALSE(r);
  r.end = retry_end::succeeded;
  CHECK(r);
  r.throw_if_failed();
}

#if CURFEW_EXCEPTIONS

TEST_CASE("a failure that did not throw throws its code and how it ended") {
  for (const retry_end end : failures) {
    retry_result<bool> r;
    r.end = end;
    r.error = curfew::detail::error_of(end);
    r.last = false;
    try {
      static_cast<void>(r.value());
      FAIL("did not throw");
    } catch (const std::system_error& e) {
      CHECK(e.code() == r.error);
      CHECK(std::string(e.what()).find(to_string(end)) != std::string::npos);
    }
  }
}

#endif
