// SPDX-License-Identifier: BSL-1.0
//
// stderr on POSIX systems: descriptor 2.
#ifndef CURFEW_SERVICE_DETAIL_POSIX_STANDARD_ERROR_HPP
#define CURFEW_SERVICE_DETAIL_POSIX_STANDARD_ERROR_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/stop/detail/bounds.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

/// The first of the three variables that is set decides, as the C library has it.
[[nodiscard]] inline bool locale_is_utf8() noexcept {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view locale(value);
    return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
  }
  return false;
}

class standard_error {
 public:
  [[nodiscard]] bool is_open() const noexcept { return open_; }
  [[nodiscard]] bool is_terminal() const noexcept { return ::isatty(STDERR_FILENO) == 1; }
  [[nodiscard]] bool speaks_utf8() const noexcept { return utf8_; }

  [[nodiscard]] std::size_t width() const noexcept {
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
    return known ? size.ws_col : 80;
  }

  /// A pipe that has room takes so much at once. To one without a reader nothing is written, which
  /// would be a SIGPIPE.
  void write(std::string_view text) noexcept {
    const auto until = clock::now() + patience;
    while (!text.empty() && !deaf_) {
      const std::size_t size = lesser<std::size_t>(text.size(), PIPE_BUF);
      const ssize_t n = has_room(until) ? ::write(STDERR_FILENO, text.data(), size) : 0;
      if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
      if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) deaf_ = true;
    }
  }

 private:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds patience{500};

  static bool has_room(clock::time_point until) noexcept {
    pollfd p{STDERR_FILENO, POLLOUT, 0};
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
      const int found = left.count() < 0 ? 0 : ::poll(&p, 1, static_cast<int>(left.count()));
      if (found >= 0 || errno != EINTR) return found > 0 && (p.revents & (POLLERR | POLLHUP)) == 0;
    }
  }

  std::atomic<bool> deaf_{false};
  bool open_ = ::fcntl(STDERR_FILENO, F_GETFD) != -1;
  bool utf8_ = locale_is_utf8();
};

}  // namespace detail
CURFEW_END

#endif
#endif
