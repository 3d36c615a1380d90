// SPDX-License-Identifier: BSL-1.0
//
// The pipe on which a supervisor such as s6 or dinit waits to be told that a service is ready.
#ifndef CURFEW_HOST_POSIX_READY_DESCRIPTOR_HPP
#define CURFEW_HOST_POSIX_READY_DESCRIPTOR_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/stop/detail/posix/event.hpp>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

CURFEW_BEGIN

/// A supervisor passes the pipe on, and does not say by itself which descriptor that is. It is
/// named by an environment variable: in the run script of s6 (with 3 in `notification-fd`)
/// `CURFEW_READY_FD=3 exec orders`, in a service description of dinit
/// `ready-notification = pipevar:CURFEW_READY_FD`.
///
/// Thread safety: tell() from any thread; the constructor changes the environment, and so comes
/// before there are other threads.
class ready_descriptor {
 public:
  static constexpr const char* variable = "CURFEW_READY_FD";

  /// Takes what the environment names, and out of it: no child finds it there, or open. Nothing is
  /// named: nobody waits, which is no error. invalid_argument: that is no number of a descriptor
  /// beyond the standard streams; bad_file_descriptor: it is not open.
  explicit ready_descriptor(std::error_code& ec) noexcept;
  ready_descriptor(const ready_descriptor&) = delete;
  ready_descriptor& operator=(const ready_descriptor&) = delete;
  /// One that was not told sees its end, which dinit takes for a failed start.
  ~ready_descriptor() = default;

  [[nodiscard]] bool is_awaited() const noexcept {
    return awaited_.load(std::memory_order_relaxed);
  }

  /// Once: a newline, and the pipe is closed (skarnet.org/software/s6/notifywhenup.html, dinit(5)).
  /// Never waits; when nobody reads any more, nothing is written, and no SIGPIPE raised.
  void tell() noexcept;

 private:
  detail::event_descriptor pipe_;
  // Whoever clears it is the only one that uses the pipe from then on: nothing else hangs on its
  // order. Set by the constructor alone.
  std::atomic<bool> awaited_{false};
};

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Negative: it is none.
[[nodiscard]] inline int descriptor_named(std::string_view text) noexcept {
  int number = -1;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == end;
  return whole && number > STDERR_FILENO ? number : -1;
}

}  // namespace detail

inline ready_descriptor::ready_descriptor(std::error_code& ec) noexcept {
  ec.clear();
  const char* const text = std::getenv(variable);
  if (text == nullptr) return;
  const int number = detail::descriptor_named(text);
  ::unsetenv(variable);
  if (number < 0) {
    ec = std::make_error_code(std::errc::invalid_argument);
  } else if (::fcntl(number, F_SETFD, FD_CLOEXEC) != 0) {
    detail::assign_errno(ec, true);
  } else {
    pipe_.reset(number);
    awaited_.store(true, std::memory_order_relaxed);
  }
}

inline void ready_descriptor::tell() noexcept {
  if (!awaited_.exchange(false, std::memory_order_relaxed)) return;
  pollfd room{pipe_.get(), POLLOUT, 0};
  const bool read = ::poll(&room, 1, 0) > 0 && (room.revents & (POLLERR | POLLHUP)) == 0;
  if (read) pipe_.write("\n", 1);
  pipe_.reset();
}

CURFEW_END

#endif
#endif
