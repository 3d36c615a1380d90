// SPDX-License-Identifier: BSL-1.0
//
// An event on POSIX systems: a descriptor that is readable once it is signalled.
#ifndef CURFEW_STOP_DETAIL_POSIX_EVENT_HPP
#define CURFEW_STOP_DETAIL_POSIX_EVENT_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>
#if CURFEW_LINUX
#include <sys/eventfd.h>
#endif

CURFEW_BEGIN
namespace detail {

/// A descriptor that closes itself; errno stays what it was.
class event_descriptor {
 public:
  static constexpr int none = -1;

  explicit event_descriptor(int fd = none) noexcept : fd_(fd) {}
  event_descriptor(const event_descriptor&) = delete;
  event_descriptor& operator=(const event_descriptor&) = delete;
  ~event_descriptor() { reset(); }

  void reset(int fd = none) noexcept {
    const int kept = errno;
    if (fd_ != none) ::close(fd_);
    fd_ = fd;
    errno = kept;
  }
  /// What does not fit is there already: the reader sees it either way. A child made by fork has
  /// stops of its own, and shares the descriptor with a parent that is not stopped.
  void write(const void* data, std::size_t size) const noexcept {
    if (::getpid() != owner_) return;
    const int kept = errno;
    while (::write(fd_, data, size) < 0 && errno == EINTR) {
    }
    errno = kept;
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, none); }

 private:
  int fd_;
  pid_t owner_ = ::getpid();
};

inline void assign_errno(std::error_code& ec, bool failed) noexcept {
  ec.assign(failed ? errno : 0, std::system_category());
}

#if CURFEW_LINUX
class eventfd_event {
 public:
  using native_handle_type = int;
  static constexpr native_handle_type none = event_descriptor::none;

  explicit eventfd_event(std::error_code& ec) noexcept
      : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    assign_errno(ec, fd_.get() == none);
  }
  void signal() const noexcept {
    const std::uint64_t one = 1;
    fd_.write(&one, sizeof one);
  }
  [[nodiscard]] native_handle_type native_handle() const noexcept { return fd_.get(); }

 private:
  event_descriptor fd_;
};
#endif

/// For systems without eventfd. pipe2 is not everywhere, so a child that another thread forks
/// between the two calls of the constructor inherits the descriptors.
class pipe_event {
 public:
  using native_handle_type = int;
  static constexpr native_handle_type none = event_descriptor::none;

  explicit pipe_event(std::error_code& ec) noexcept {
    int ends[2] = {none, none};
    const bool made = ::pipe(ends) == 0;
    assign_errno(ec, !made);
    read_.reset(ends[0]);
    write_.reset(ends[1]);
    if (made) set_flags(ec);
  }
  void signal() const noexcept { write_.write("!", 1); }
  [[nodiscard]] native_handle_type native_handle() const noexcept { return read_.get(); }

 private:
  static bool set_flags(int fd) noexcept {
    return ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && ::fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
  }
  void set_flags(std::error_code& ec) noexcept {
    if (set_flags(read_.get()) && set_flags(write_.get())) return;
    assign_errno(ec, true);
    read_.reset();
    write_.reset();
  }

  event_descriptor read_;
  event_descriptor write_;
};

#if CURFEW_LINUX
using native_event = eventfd_event;
#else
using native_event = pipe_event;
#endif

}  // namespace detail
CURFEW_END

#endif
#endif
