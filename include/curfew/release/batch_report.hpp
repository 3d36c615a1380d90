// SPDX-License-Identifier: BSL-1.0
//
// What became of the items of a batch buffer.
#ifndef CURFEW_RELEASE_BATCH_REPORT_HPP
#define CURFEW_RELEASE_BATCH_REPORT_HPP

#include <curfew/config.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <system_error>

CURFEW_BEGIN

/// Every item that was ever pushed is counted in exactly one of: written, dropped, failed,
/// unwritten, in_doubt, refused, fill, with_sink.
struct batch_counts {
  std::uint64_t flushes = 0;         ///< calls of the sink that succeeded
  std::uint64_t failed_flushes = 0;  ///< and that failed

  std::uint64_t written = 0;
  std::uint64_t dropped = 0;    ///< there was no room
  std::uint64_t failed = 0;     ///< given up, after the last attempt that there was time for
  std::uint64_t unwritten = 0;  ///< still waiting when the time of the close was up
  std::uint64_t in_doubt = 0;   ///< then with the sink, which had not returned
  std::uint64_t refused = 0;    ///< pushed after the close

  std::size_t fill = 0;       ///< waiting now
  std::size_t most_fill = 0;  ///< the most that ever waited
  std::size_t with_sink = 0;  ///< neither waiting nor decided

  /// What was taken for writing and will not be, or may not have been.
  [[nodiscard]] constexpr std::uint64_t lost() const noexcept {
    return dropped + failed + unwritten + in_doubt;
  }
};

/// What became of everything that was pushed.
struct batch_report {
  batch_counts counts = {};
  /// The last flush is over, or given up: nothing here changes any more. Only a close from inside
  /// the sink returns before.
  bool finished = false;

  // Of the last flush that failed: the code that it returned, or what it threw.
  std::error_code code = {};
  std::exception_ptr error = nullptr;

  /// The sink had not returned when its time was up. Its thread goes on, and is left alone.
  [[nodiscard]] bool sink_hangs() const noexcept { return counts.in_doubt != 0; }
  [[nodiscard]] bool ok() const noexcept { return finished && counts.lost() == 0; }
};

CURFEW_END

#endif
