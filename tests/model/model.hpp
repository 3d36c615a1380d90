// SPDX-License-Identifier: BSL-1.0
// What every model check includes first: Relacy in the place of <atomic>, our own headers unchanged
// on top of it, and a way to run suites. Relacy runs the threads of a suite one after the other in
// thousands of interleavings, lets every atomic load return any value that its memory order allows,
// and finds deadlocks, leaks, uses of freed memory and races on rl::var.
#pragma once

#include <relacy/relacy_std.hpp>

#include "parking.hpp"
#define CURFEW_PARKING_HEADER "curfew/config.hpp"  // the backend is there already

// The process's clock has threads of its own; a clock on which time stands still takes its place.
#define CURFEW_STOP_DETAIL_PROCESS_CLOCK_HPP

#include <curfew/stop/detail/expiring.hpp>
#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>

CURFEW_BEGIN
namespace detail {

class process_clock final : public time_source {
 public:
  constexpr process_clock() noexcept = default;
  time_point now() const noexcept override { return time_point(duration(1)); }

 private:
  bool arm(timer_entry&, std::error_code&) noexcept override { return true; }
  void disarm(timer_entry&) noexcept override {}
};
inline constinit process_clock the_process_clock;

}  // namespace detail

inline time_source& time_source::process() noexcept { return detail::the_process_clock; }
CURFEW_END

#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

namespace model {

using callback = std::optional<curfew::stop_callback<std::function<void()>>>;
using inplace_callback = std::optional<curfew::inplace_stop_callback<std::function<void()>>>;

// A suite of so many threads; its members are made anew for each interleaving. `before`, `after`
// and `thread(index)` are the derived suite's.
template <class Suite, rl::thread_id_t Threads>
struct suite : rl::test_suite<Suite, Threads> {
  parking_lot lot;
};

template <class Suite>
bool simulated(rl::scheduler_type_e how, unsigned long interleavings) {
  rl::test_params params;
  params.search_type = how;
  params.iteration_count = interleavings;
  params.context_bound = Suite::params::thread_count == 2 ? 2 : 1;
  params.execution_depth_limit = 5000;
  params.progress_output_period = 3600;
  return rl::simulate<Suite>(params);
}

// Many interleavings at random, then all of those with few preemptions.
template <class Suite>
bool holds(const char* title) {
  const bool good = simulated<Suite>(rl::random_scheduler_type, 50'000) &&
                    simulated<Suite>(rl::fair_context_bound_scheduler_type, 0);
  std::printf("%s %s\n", good ? "holds: " : "BROKEN:", title);
  std::fflush(stdout);
  return good;
}

}  // namespace model
