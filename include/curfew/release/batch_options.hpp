// SPDX-License-Identifier: BSL-1.0
//
// What a batch buffer may keep, when it writes, and what it does when it cannot.
#ifndef CURFEW_RELEASE_BATCH_OPTIONS_HPP
#define CURFEW_RELEASE_BATCH_OPTIONS_HPP

#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

CURFEW_BEGIN

/// What goes, and is counted, when there is no room for one more.
enum class when_full : std::uint8_t { drop_newest, drop_oldest };

/// How much waits, for how long, and what happens to what cannot be written.
struct batch_options {
  std::size_t capacity = 8192;  ///< items that wait, at most; at least 1
  std::size_t batch = 256;  ///< a flush begins when so many wait, and takes no more; 1..capacity
  detail::saturated interval = std::chrono::seconds(1);  ///< no item waits longer to be written
  when_full full = when_full::drop_newest;

  /// Of a batch, counting the first; when all have failed it is given up, and counted. At least 1.
  unsigned attempts = 3;
  detail::saturated retry_after = std::chrono::milliseconds(100);

  detail::saturated close_timeout = std::chrono::seconds(5);  ///< the destructor's, and close()'s
  /// The end of a close's time, in which a sink that has been told to stop may still return; not
  /// more than a tenth of a close that has a duration.
  detail::saturated grace = std::chrono::milliseconds(100);

  time_source* time = nullptr;  ///< outlives the buffer, and a sink that hangs; null: the process's
};

CURFEW_END

#endif
