// SPDX-License-Identifier: BSL-1.0
//
// Which signals ask a program to stop, and what happens when they are sent again.
#ifndef CURFEW_HOST_SIGNAL_OPTIONS_HPP
#define CURFEW_HOST_SIGNAL_OPTIONS_HPP

#include <curfew/config.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <initializer_list>

CURFEW_BEGIN

/// A set of signal numbers: {SIGINT, SIGTERM}. A number that no system uses is kept as an error
/// that whoever takes the set reports.
class signal_set {
 public:
  static constexpr int limit = 128;  ///< one more than the highest number

  constexpr signal_set() noexcept = default;
  constexpr signal_set(std::initializer_list<int> numbers) noexcept {
    for (const int number : numbers) insert(number);
  }

  constexpr void insert(int signal) noexcept { word(valid(signal) ? signal : 0) |= bit(signal); }
  constexpr void erase(int signal) noexcept {
    if (valid(signal)) word(signal) &= ~bit(signal);
  }
  [[nodiscard]] constexpr bool contains(int signal) const noexcept {
    return valid(signal) && (words_[signal / 64] & bit(signal)) != 0;
  }
  /// Whether every number put in can be a signal.
  [[nodiscard]] constexpr bool valid() const noexcept { return (words_[0] & 1) == 0; }
  [[nodiscard]] static constexpr bool valid(int signal) noexcept {
    return signal > 0 && signal < limit;
  }

  friend constexpr bool operator==(const signal_set&, const signal_set&) noexcept = default;

 private:
  // Bit 0 of the first word stands for all numbers that are no signal.
  static constexpr std::uint64_t bit(int signal) noexcept {
    return std::uint64_t{1} << (valid(signal) ? signal % 64 : 0);
  }
  constexpr std::uint64_t& word(int signal) noexcept { return words_[signal / 64]; }

  std::uint64_t words_[2] = {};
};

/// What a signal of signal_options::stop_on does. Presses are counted over all of these signals
/// together: SIGTERM and then SIGINT are two.
enum class press : std::uint32_t {
  nothing,
  stop,   ///< asks the bridge's source to stop
  hurry,  ///< the same, and the bridge's hurry() token stops
  end,    ///< ends the process at once with 128 + the signal's number; no destructor runs
};

/// Which signals ask for a stop, and what each further one does.
struct signal_options {
  /// On Windows SIGINT is Ctrl-C, and both SIGTERM and SIGBREAK are Ctrl-Break, the one request
  /// that can be aimed at a group of processes there; other signals never come.
  signal_set stop_on = {SIGINT, SIGTERM};

  /// Of these, the ones that ask for a stop and for no more: the hang-up of a terminal is told by
  /// the system, by the shell, and by whoever ends the session.
  signal_set ask_once = {};

  press first = press::stop;
  press second = press::hurry;
  press third = press::end;  ///< and every later one

  /// Signals of other processes that come so soon after one that was counted are the same press:
  /// timeout(1) and many a wrapper send to their child, and then to the group that it is in. People
  /// and scripts that mean it are slower. Zero: each one counts.
  std::chrono::milliseconds same_press{5};

  /// Windows: whether this process is a service. A service is told of a stop by its manager, and
  /// must not go when a user logs off; so the events LOGOFF and SHUTDOWN are passed on.
  bool in_service = false;

  /// Windows: the exit code when the system's limit for a CLOSE, LOGOFF or SHUTDOWN is reached
  /// before main has returned, unless signal_bridge::set_outcome has told a better one.
  int unfinished = 1;
};

CURFEW_END

#endif
