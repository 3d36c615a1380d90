// SPDX-License-Identifier: BSL-1.0
//
// Standard input, output and error where a process is started without them.
#ifndef CURFEW_HOST_STANDARD_STREAMS_HPP
#define CURFEW_HOST_STANDARD_STREAMS_HPP

#include <curfew/config.hpp>

CURFEW_BEGIN
namespace detail {

/// Streams that did not exist when the process was started.
struct missing_streams {
  bool input = false;
  bool output = false;
  bool error = false;

  friend bool operator==(const missing_streams&, const missing_streams&) = default;
};

/// Connects each that does not exist to nothing: reading finds the end, and what is written is
/// swallowed. Else the next file that is opened would become descriptor 1 or 2 on POSIX, and get
/// whatever any library prints; in a service of Windows std::cout would go bad, and a child would
/// be started with handles that mean nothing.
///
/// First thing in a process, while it has one thread. Where all is there it changes nothing.
inline missing_streams fill_standard_streams() noexcept;

}  // namespace detail
CURFEW_END

// Selector: the backends define fill_standard_streams().
#if CURFEW_WINDOWS
#include <curfew/host/windows/standard_streams.hpp>
#else
#include <curfew/host/posix/standard_streams.hpp>
#endif

#endif
