// SPDX-License-Identifier: BSL-1.0
//
// The place of a Unix socket among the files: taken from nobody who lives, and given back.
#ifndef CURFEW_SERVICE_DETAIL_POSIX_CONTROL_PATH_HPP
#define CURFEW_SERVICE_DETAIL_POSIX_CONTROL_PATH_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/stop/detail/posix/event.hpp>

#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

/// An abstract name ("@orders") is refused: whoever comes first has it, and it has no mode.
[[nodiscard]] inline socklen_t socket_address(const std::string& path, sockaddr_un& into,
                                              std::error_code& ec) noexcept {
  into = {};
  into.sun_family = AF_UNIX;
  ec.clear();
  const bool strange = path.empty() || path.front() == '@' || path.find('\0') != path.npos;
  if (strange) ec = std::make_error_code(std::errc::invalid_argument);
  if (path.size() >= sizeof into.sun_path) ec = std::make_error_code(std::errc::filename_too_long);
  if (!ec) path.copy(into.sun_path, path.size());
  return sizeof into;
}

/// Of two programs that want the same path one has the lock beside it, "<path>.lock", for as long
/// as it lives, however it ends. So whoever holds it finds at the path what no program of ours
/// serves any more; what somebody else serves is left alone.
///
/// There is no moment at which others can connect: on Linux the socket's own mode is that of the
/// file that bind() makes (the umask, which is the whole process's, is not touched), and before
/// listen() the system refuses everybody in any case.
class control_path {
 public:
  control_path() noexcept = default;
  control_path(const control_path&) = delete;
  control_path& operator=(const control_path&) = delete;
  ~control_path() { give_back(); }

  /// errc::address_in_use: somebody lives there.
  void claim(const std::string& path, std::error_code& ec);
  void bind(int fd, std::error_code& ec) noexcept;
  void give_back() noexcept;

 private:
  [[nodiscard]] bool is_at(const std::string& path, const struct stat& wanted) const noexcept {
    struct stat there = {};
    return ::lstat(path.c_str(), &there) == 0 && there.st_ino == wanted.st_ino &&
           there.st_dev == wanted.st_dev;
  }
  [[nodiscard]] bool lock_once(std::error_code& ec) noexcept;
  void clear_away(std::error_code& ec) noexcept;
  void close_to_others(std::error_code& ec) noexcept;

  std::string path_;
  std::string lock_path_;
  sockaddr_un address_ = {};
  event_descriptor lock_;
  struct stat socket_ = {};
  bool bound_ = false;
  pid_t owner_ = ::getpid();
};

// ---------------------------------------------------------------------------------------------

inline void control_path::claim(const std::string& path, std::error_code& ec) {
  static_cast<void>(socket_address(path, address_, ec));
  if (ec) return;
  path_ = path;
  lock_path_ = path + ".lock";
  for (int tries = 10; !lock_once(ec) && !ec;) {
    if (--tries == 0) ec = std::make_error_code(std::errc::address_in_use);
  }
}

/// False without an error: whoever had it has removed it meanwhile.
inline bool control_path::lock_once(std::error_code& ec) noexcept {
  constexpr int how = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  struct stat mine = {};
  lock_.reset(::open(lock_path_.c_str(), how, 0600));
  assign_errno(ec, lock_.get() == event_descriptor::none || ::fstat(lock_.get(), &mine) != 0);
  if (ec) return false;
  while (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    assign_errno(ec, true);
    if (errno == EWOULDBLOCK) ec = std::make_error_code(std::errc::address_in_use);
    lock_.reset();
    return false;
  }
  return is_at(lock_path_, mine);
}

/// Only a socket on which nobody listens is in nobody's use.
inline void control_path::clear_away(std::error_code& ec) noexcept {
  struct stat there = {};
  if (::lstat(path_.c_str(), &there) != 0) return assign_errno(ec, errno != ENOENT);
  ec = std::make_error_code(std::errc::address_in_use);
  if (!S_ISSOCK(there.st_mode)) return;
  const event_descriptor caller(::socket(AF_UNIX, SOCK_STREAM, 0));
  ::fcntl(caller.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(caller.get(), F_SETFL, O_NONBLOCK);
  const auto* const to = reinterpret_cast<const sockaddr*>(&address_);
  if (::connect(caller.get(), to, sizeof address_) == 0 || errno != ECONNREFUSED) return;
  assign_errno(ec, ::unlink(path_.c_str()) != 0 && errno != ENOENT);
}

inline void control_path::bind(int fd, std::error_code& ec) noexcept {
  clear_away(ec);
  if (ec) return;
  ::fchmod(fd, 0600);  // elsewhere than on Linux it fails; the file's mode is seen to below
  const auto* const to = reinterpret_cast<const sockaddr*>(&address_);
  assign_errno(ec, ::bind(fd, to, sizeof address_) != 0);
  if (!ec) close_to_others(ec);
}

inline void control_path::close_to_others(std::error_code& ec) noexcept {
  assign_errno(ec, ::lstat(path_.c_str(), &socket_) != 0);
  bound_ = !ec;
  if (!ec && (socket_.st_mode & 0777) != 0600) {
    assign_errno(ec, ::chmod(path_.c_str(), 0600) != 0 || ::lstat(path_.c_str(), &socket_) != 0);
  }
  const bool right = S_ISSOCK(socket_.st_mode) && (socket_.st_mode & 0777) == 0600 &&
                     socket_.st_uid == ::geteuid();
  if (!ec && !right) ec = std::make_error_code(std::errc::operation_not_permitted);
}

/// What somebody else has put there is left to him, and a forked child leaves all to its parent: it
/// closes its copy of the lock, which it would hold on to when the parent is gone.
/// The lock is given back last: until then nobody of ours looks at the path.
inline void control_path::give_back() noexcept {
  if (lock_.get() == event_descriptor::none) return;
  const bool own = ::getpid() == owner_;
  if (own && bound_ && is_at(path_, socket_)) ::unlink(path_.c_str());
  if (own) ::unlink(lock_path_.c_str());
  lock_.reset();
}

}  // namespace detail
CURFEW_END

#endif
#endif
