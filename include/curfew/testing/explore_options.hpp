// SPDX-License-Identifier: BSL-1.0
//
// What explore() lets happen, and what it has found.
#ifndef CURFEW_TESTING_EXPLORE_OPTIONS_HPP
#define CURFEW_TESTING_EXPLORE_OPTIONS_HPP

#include <curfew/stop/detail/duration.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

CURFEW_BEGIN

/// Functions end, one before the other or the other way round: that is so in every order. Beside it
/// an order has so many `hangs`, in each of which what runs goes on until its time is spent, and as
/// long after it as it may; and so many `surprises` of the kinds that are switched on, at any
/// moment at which they are possible. Every order ends with a stop.
struct explore_options {
  unsigned surprises = 2;
  unsigned hangs = 1;

  bool failures = true;  ///< a function throws, or a prepare says no or asks for time
  bool faults = true;    ///< a component fails while it is up
  bool stops = true;     ///< somebody asks for a stop, whatever goes on
  bool hurries = true;   ///< a second signal, and a third
  bool shortens = true;  ///< a stop gets less time than it had
  bool prepares = true;  ///< a stop is considered, or not any more
  bool pauses = true;    ///< a component is brought down, or back up
  bool restarts = true;  ///< what has stopped is started again

  detail::saturated budget = std::chrono::seconds(30);
  detail::saturated lame_duck = std::chrono::seconds(0);
  detail::saturated rollback = std::chrono::seconds(15);
  detail::saturated lease = std::chrono::seconds(30);
  detail::saturated shortened = std::chrono::seconds(2);

  std::size_t most_states = 1'000'000;
};

/// How far explore() came, and the order of events that broke a rule.
struct explore_report {
  std::size_t states = 0;          ///< different ones
  std::size_t moves = 0;           ///< from one to the next
  std::uint64_t orders = 0;        ///< of events from the start to the end; saturates
  bool complete = false;           ///< there are no more
  std::string broken = {};         ///< the first rule that was; empty: none
  std::vector<std::string> order;  ///< of events that have led to it

  /// All orders have been tried, and no rule was broken.
  [[nodiscard]] explicit operator bool() const noexcept { return complete && broken.empty(); }
  /// For people.
  [[nodiscard]] std::string text() const;
};

inline std::string explore_report::text() const {
  std::string all = broken.empty() ? "no rule is broken" : "broken: " + broken;
  all += "\n" + std::to_string(states) + " states, " + std::to_string(orders) + " orders";
  all += complete ? "\n" : ", and there are more\n";
  for (std::size_t i = 0; i != order.size(); ++i)
    all += std::to_string(i + 1) + ". " + order[i] + "\n";
  return all;
}

CURFEW_END

#endif
