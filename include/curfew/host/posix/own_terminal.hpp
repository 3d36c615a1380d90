// SPDX-License-Identifier: BSL-1.0
//
// The terminal that a process belongs to.
#ifndef CURFEW_HOST_POSIX_OWN_TERMINAL_HPP
#define CURFEW_HOST_POSIX_OWN_TERMINAL_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <fcntl.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

/// After a hang-up there is none any more, for each process of the session, before the first of
/// them is told.
[[nodiscard]] inline bool has_terminal() noexcept {
  const int fd = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

}  // namespace detail
CURFEW_END

#endif
#endif
