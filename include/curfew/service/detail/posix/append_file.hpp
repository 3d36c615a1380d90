// SPDX-License-Identifier: BSL-1.0
//
// A file that grows at its end, on POSIX systems: O_APPEND moves to the end and writes in one step.
#ifndef CURFEW_SERVICE_DETAIL_POSIX_APPEND_FILE_HPP
#define CURFEW_SERVICE_DETAIL_POSIX_APPEND_FILE_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/posix/event.hpp>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

class append_file {
 public:
  append_file() noexcept = default;
  append_file(append_file&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  append_file& operator=(append_file&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~append_file() { const event_descriptor closed(fd_); }

  /// A pipe is neither waited for here, nor at a write: what it has no room for is not taken.
  void open(const std::string& path, bool anew, bool durable, unsigned mode, std::error_code& ec) {
    constexpr int how = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    const int fd = ::open(path.c_str(), how | (anew ? O_TRUNC : 0), as<mode_t>(mode));
    assign_errno(ec, fd == -1);
    if (ec) return;
    const event_descriptor replaced(std::exchange(fd_, fd));
    if (durable) sync_folder(path);
  }
  [[nodiscard]] bool is_open() const noexcept { return fd_ != -1; }

  std::size_t write(std::string_view text) noexcept {
    const int kept = errno;
    ssize_t n = -1;
    do n = ::write(fd_, text.data(), text.size());
    while (n < 0 && errno == EINTR);
    errno = kept;
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }

  [[nodiscard]] static bool ends_torn(const std::string& path) noexcept {
    const event_descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    char last = '\n';
    if (::lseek(fd.get(), -1, SEEK_END) < 0) return false;  // it is empty, or no file
    return ::read(fd.get(), &last, 1) == 1 && last != '\n';
  }

  /// fsync(2): EROFS and EINVAL are those of a pipe, a terminal, a device.
  bool sync() noexcept {
    const int kept = errno;
    int rc = -1;
    do rc = ::fsync(fd_);
    while (rc != 0 && errno == EINTR);
    const bool done = rc == 0 || errno == EROFS || errno == EINVAL || errno == ENOTSUP;
    errno = kept;
    return done;
  }

 private:
  /// The name of a new file is the folder's, which fsync(2) of the file does not write. Where that
  /// cannot be done, nothing worse happens than that the folder takes its time.
  static void sync_folder(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == path.npos ? "." : path.substr(0, slash + 1);
    const event_descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() != event_descriptor::none) static_cast<void>(::fsync(fd.get()));
  }

  int fd_ = -1;
};

}  // namespace detail
CURFEW_END

#endif
#endif
