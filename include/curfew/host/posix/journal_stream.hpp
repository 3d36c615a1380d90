// SPDX-License-Identifier: BSL-1.0
//
// Whether what is written goes to the journal of systemd.
#ifndef CURFEW_HOST_POSIX_JOURNAL_STREAM_HPP
#define CURFEW_HOST_POSIX_JOURNAL_STREAM_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/systemd/environment.hpp>

#include <optional>

#include <unistd.h>

CURFEW_BEGIN
namespace detail {

/// Whether the descriptor is the stream that JOURNAL_STREAM names by device and inode:
/// systemd.exec(5). The variable alone says nothing, since the descriptor may have been redirected
/// after it was set. Null: there is no such variable.
[[nodiscard]] inline bool is_journal(int fd, const char* journal_stream) noexcept {
  systemd_environment said;
  if (journal_stream != nullptr) said.journal = stream_named(journal_stream);
  return said.is_journal(fd);
}

[[nodiscard]] inline bool stderr_is_journal(const char* journal_stream) noexcept {
  return is_journal(STDERR_FILENO, journal_stream);
}

}  // namespace detail
CURFEW_END

#endif
#endif
