// SPDX-License-Identifier: BSL-1.0
//
// The end of another process on POSIX systems: a descriptor where there is one for that (Linux),
// else the number of the process, which is looked at again and again.
#ifndef CURFEW_SERVICE_DETAIL_POSIX_PROCESS_WATCH_HPP
#define CURFEW_SERVICE_DETAIL_POSIX_PROCESS_WATCH_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/stop/stop_event.hpp>
#include <curfew/stop/stop_token.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <system_error>
#include <utility>

#include <poll.h>
#include <signal.h>
#include <unistd.h>
#if CURFEW_LINUX
#include <sys/syscall.h>
#endif

CURFEW_BEGIN
namespace detail {

/// Close-on-exec, readable once the process has ended, also when nobody has waited for it yet.
[[nodiscard]] inline int open_process(std::int64_t pid) noexcept {
#if defined(SYS_pidfd_open)
  return static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0U));
#else
  static_cast<void>(pid);
  return errno = ENOSYS, -1;
#endif
}

class process_watch {
 public:
  process_watch() noexcept = default;
  process_watch(const process_watch&) = delete;
  process_watch& operator=(const process_watch&) = delete;
  ~process_watch() { watch(0); }

  void watch(std::int64_t pid) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = pid > 0 ? open_process(pid) : -1;
    pid_ = pid;
    gone_ = pid > 0 && fd_ < 0 && errno == ESRCH;
  }
  [[nodiscard]] bool known() const noexcept { return pid_ > 0; }

  [[nodiscard]] bool ended() const noexcept {
    if (!known() || gone_) return gone_;
    pollfd p = {fd_, POLLIN, 0};
    if (fd_ >= 0) return ::poll(&p, 1, 0) == 1;
    return ::kill(static_cast<pid_t>(pid_), 0) != 0 && errno == ESRCH;
  }

  bool await_end(const stop_token& limit) const {
    std::error_code ec;
    const stop_event over(limit, ec);
    while (!ended() && !limit.stop_requested()) {
      pollfd both[] = {{fd_, POLLIN, 0}, {over.native_handle(), POLLIN, 0}};
      if (fd_ >= 0 && !ec) {
        static_cast<void>(::poll(both, 2, -1));
      } else {
        static_cast<void>(limit.wait_for(std::chrono::milliseconds(20)));
      }
    }
    return ended();
  }

 private:
  int fd_ = -1;
  std::int64_t pid_ = 0;
  bool gone_ = false;  // there was none when it was to be watched
};

}  // namespace detail
CURFEW_END

#endif
#endif
