// SPDX-License-Identifier: BSL-1.0
//
// Children that others have left behind, on POSIX systems.
#ifndef CURFEW_HOST_POSIX_REAPER_HPP
#define CURFEW_HOST_POSIX_REAPER_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <cerrno>
#include <cstddef>

#include <sys/wait.h>

CURFEW_BEGIN
namespace detail {

inline std::size_t reap_children() noexcept {
  const int kept = errno;
  std::size_t ended = 0;
  for (pid_t pid = 1; pid > 0 || (pid < 0 && errno == EINTR);) {
    pid = ::waitpid(-1, nullptr, WNOHANG);
    if (pid > 0) ++ended;
  }
  errno = kept;
  return ended;
}

}  // namespace detail
CURFEW_END

#endif
#endif
