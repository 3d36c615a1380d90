// SPDX-License-Identifier: BSL-1.0
//
// The standard streams on POSIX systems: descriptors 0, 1 and 2.
#ifndef CURFEW_HOST_POSIX_STANDARD_STREAMS_HPP
#define CURFEW_HOST_POSIX_STANDARD_STREAMS_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/standard_streams.hpp>

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

/// Whether it was missing. It is not marked close-on-exec: a child needs it as much. The new
/// descriptor is the lowest that is free, so it is this one unless another thread is at work.
inline bool fill_descriptor(int fd) noexcept {
  if (::fcntl(fd, F_GETFD) != -1 || errno != EBADF) return false;
  const int nothing = ::open("/dev/null", O_RDWR);
  if (nothing != fd && nothing != -1) {
    ::dup2(nothing, fd);
    ::close(nothing);
  }
  return true;
}

inline missing_streams fill_standard_streams() noexcept {
  const int kept = errno;
  missing_streams missing;
  missing.input = fill_descriptor(STDIN_FILENO);
  missing.output = fill_descriptor(STDOUT_FILENO);
  missing.error = fill_descriptor(STDERR_FILENO);
  errno = kept;
  return missing;
}

}  // namespace detail
CURFEW_END

#endif
#endif
