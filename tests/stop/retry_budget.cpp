// SPDX-License-Identifier: BSL-1.0
#include <curfew/stop/retry_budget.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <curfew/stop/retry.hpp>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <thread>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using curfew::retry_budget;

static_assert(!std::is_copy_constructible_v<retry_budget>);
static_assert(!std::is_copy_assignable_v<retry_budget>);

namespace {

std::uint64_t withdraw_all(retry_budget& budget) {
  std::uint64_t n = 0;
  while (budget.try_withdraw()) ++n;
  return n;
}

}  // namespace

TEST_CASE("it begins with the reserve") {
  retry_budget budget(0.1, 3);
  CHECK(budget.available() == 3);
  CHECK(withdraw_all(budget) == 3);
  CHECK(budget.available() == 0);
  CHECK(budget.retries() == 3);
  CHECK(budget.refused() == 1);
}

TEST_CASE("ten requests pay one retry") {
  retry_budget budget(0.1, 0);
  for (int i = 0; i < 9; ++i) budget.deposit();
  CHECK_FALSE(budget.try_withdraw());
  budget.deposit();
  CHECK(budget.available() == 1);
  CHECK(budget.try_withdraw());
  CHECK_FALSE(budget.try_withdraw());
}

TEST_CASE("what is saved never exceeds the reserve") {
  retry_budget budget(0.1, 5);
  for (int i = 0; i < 10'000; ++i) budget.deposit();
  CHECK(withdraw_all(budget) == 5);
}

TEST_CASE("without a reserve one retry can be saved") {
  retry_budget budget(0.1, 0);
  for (int i = 0; i < 10'000; ++i) budget.deposit();
  CHECK(withdraw_all(budget) == 1);
}

TEST_CASE("a request may pay several retries") {
  retry_budget budget(2.5, 0);
  budget.deposit();
  CHECK(withdraw_all(budget) == 2);
  budget.deposit();
  CHECK(withdraw_all(budget) == 3);  // half a one was left
}

TEST_CASE("a retry that is put back was none") {
  retry_budget budget(0.0, 1);
  CHECK(budget.try_withdraw());
  budget.put_back();
  CHECK(budget.retries() == 0);
  CHECK(budget.available() == 1);
  CHECK(budget.try_withdraw());
}

TEST_CASE("ratios and reserves out of bounds are bounded") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double ratio : {nan, -1.0, -infinite, 0.0, 0.0004}) {
    retry_budget budget(ratio, 0);
    for (int i = 0; i < 5000; ++i) budget.deposit();
    CHECK(budget.available() == 0);
  }
  retry_budget most(infinite, 0);
  most.deposit();
  CHECK(most.available() == 1000);
  retry_budget rich(1e300, std::numeric_limits<std::uint32_t>::max());
  CHECK(rich.available() == 1'000'000);
  rich.deposit();
  rich.put_back();
  CHECK(rich.available() == 1'000'000);
}

TEST_CASE("any ratio in thousandths is exact") {
  for (int thousandths = 1; thousandths <= 1000; ++thousandths) {
    retry_budget budget(thousandths / 1000.0, 0);
    std::uint64_t made = 0;
    for (int i = 0; i < 1000; ++i) {
      budget.deposit();
      made += budget.try_withdraw() ? 1u : 0u;
    }
    CHECK(made == static_cast<std::uint64_t>(thousandths));
  }
}

TEST_CASE("a server that always fails sees the requests and their part and the reserve") {
  retry_budget budget(0.1, 10);
  int calls = 0;
  for (int i = 0; i < 1000; ++i) {
    static_cast<void>(curfew::retry(curfew::stop_token{}, {.longest = 0s, .budget = &budget},
                                    [&] { return ++calls < 0; }));
  }
  // All of it, but for what the first request put into a bucket that was full.
  CHECK(calls == 1000 + 99 + 10);
  CHECK(budget.retries() == 109);
}

TEST_CASE("many threads together make no more calls than the budget allows") {
  constexpr int threads = 8;
  constexpr int each = 500;
  retry_budget budget(0.2, 25);
  std::atomic<std::uint64_t> calls{0};
  test::starting_line line(threads);
  std::vector<std::thread> callers;
  for (int i = 0; i < threads; ++i) {
    callers.emplace_back([&] {
      line.await();
      for (int n = 0; n < each; ++n) {
        static_cast<void>(
            curfew::retry(curfew::stop_token{}, {.longest = 0s, .budget = &budget}, [&] {
              calls.fetch_add(1, std::memory_order_relaxed);
              return false;
            }));
      }
    });
  }
  for (std::thread& t : callers) t.join();
  constexpr std::uint64_t requests = threads * each;
  CHECK(calls <= requests + requests / 5 + 25);
  CHECK(calls == requests + budget.retries());
  // And no fewer, but for what was put into a full bucket: the deposits of the first few calls.
  CHECK(calls >= requests + requests / 5);
}

TEST_CASE("what many threads withdraw and put back adds up") {
  constexpr int threads = 4;
  retry_budget budget(0.5, 1000);
  std::atomic<std::uint64_t> kept{0};
  std::atomic<std::uint64_t> denied{0};
  test::starting_line line(threads);
  std::vector<std::thread> users;
  for (int i = 0; i < threads; ++i) {
    users.emplace_back([&] {
      line.await();
      for (int n = 0; n < 20'000; ++n) {
        if (!budget.try_withdraw()) {
          ++denied;
        } else if (n % 3 == 0) {
          budget.put_back();
        } else {
          ++kept;
        }
        if (n % 10 == 0) budget.deposit();
      }
    });
  }
  for (std::thread& t : users) t.join();
  CHECK(budget.retries() == kept);
  CHECK(budget.refused() == denied);
  CHECK(kept <= 1000 + threads * 2000 / 2);
  CHECK(kept + budget.available() <= 1000 + threads * 2000 / 2);
}
