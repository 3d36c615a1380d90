// SPDX-License-Identifier: BSL-1.0
//
// A clock on which whoever waits has waited already: time leaps to the end of each wait. So that a
// test of what is done at intervals runs on one thread and knows every moment.
#ifndef CURFEW_TESTS_HOST_LEAPING_CLOCK_HPP
#define CURFEW_TESTS_HOST_LEAPING_CLOCK_HPP

#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <system_error>

namespace test {

class leaping_clock final : public curfew::time_source {
 public:
  [[nodiscard]] time_point now() const noexcept override { return now_; }
  [[nodiscard]] duration passed() const noexcept { return now_ - start; }

 private:
  bool arm(curfew::detail::timer_entry& e, std::error_code&) noexcept override {
    if (e.deadline > now_) now_ = e.deadline;
    return false;
  }
  void disarm(curfew::detail::timer_entry&) noexcept override {}

  static constexpr time_point start{std::chrono::hours(24)};
  time_point now_ = start;
};

}  // namespace test

#endif
