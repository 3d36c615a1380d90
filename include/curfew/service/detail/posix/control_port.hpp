// SPDX-License-Identifier: BSL-1.0
//
// A control endpoint on POSIX systems: a Unix socket for its user alone, and what is connected to
// it.
#ifndef CURFEW_SERVICE_DETAIL_POSIX_CONTROL_PORT_HPP
#define CURFEW_SERVICE_DETAIL_POSIX_CONTROL_PORT_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/service/detail/control_peer.hpp>
#include <curfew/service/detail/posix/control_path.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/posix/event.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

/// Wakes a wait of the system's, once for each ring or for several.
class control_bell {
 public:
  explicit control_bell(std::error_code& ec) noexcept : event_(ec) {}
  void ring() const noexcept { event_.signal(); }
  void settle() const noexcept {
    char bytes[64];
    while (::read(event_.native_handle(), bytes, sizeof bytes) == sizeof bytes) {
    }
  }
  [[nodiscard]] int descriptor() const noexcept { return event_.native_handle(); }

 private:
  native_event event_;
};

/// done: the descriptor is ready, or will never be; the call that follows says which.
[[nodiscard]] inline control_io await_descriptor(int fd, short what, const control_bell& bell,
                                                 control_time limit) noexcept {
  for (;;) {
    pollfd both[] = {{fd, what, 0}, {bell.descriptor(), POLLIN, 0}};
    const int ready = ::poll(both, 2, milliseconds_until(limit));
    if (ready < 0 && errno != EINTR) return control_io::closed;
    if (ready > 0 && both[1].revents != 0) {
      bell.settle();
      return control_io::rung;
    }
    if (ready > 0) return control_io::done;
    if (std::chrono::steady_clock::now() >= limit) return control_io::late;
  }
}

class control_connection {
 public:
  static constexpr bool knows_peer_at_once = true;

  explicit control_connection(std::error_code& ec) noexcept : bell_(ec) {}

  void connect(const std::string& path, control_time limit, std::error_code& ec);
  void adopt(control_connection& from) noexcept { adopt(from.fd_.release()); }
  void adopt(int fd) noexcept;
  void drop() noexcept { fd_.reset(); }

  control_io wait(control_time limit) noexcept {
    if (cut_.load(std::memory_order_acquire)) return control_io::closed;
    const control_io io = await_descriptor(fd_.get(), POLLIN, bell_, limit);
    return cut_.load(std::memory_order_acquire) ? control_io::closed : io;
  }
  control_io read(void* to, std::size_t size, control_time limit) noexcept {
    char* at = static_cast<char*>(to);
    const auto some = [&] { return ::recv(fd_.get(), at, size, 0); };
    return all_of(size, at, some, POLLIN, limit);
  }
  control_io write(const void* from, std::size_t size, control_time limit) noexcept {
    const char* at = static_cast<const char*>(from);
    const auto some = [&] { return ::send(fd_.get(), at, size, quietly); };
    return all_of(size, at, some, POLLOUT, limit);
  }

  void ring() noexcept { bell_.ring(); }
  void cut() noexcept {
    cut_.store(true, std::memory_order_release);
    ring();
  }
  [[nodiscard]] bool identify(control_peer& peer) const noexcept;
  [[nodiscard]] std::int64_t server_pid() const noexcept {
    control_peer peer;
    return identify(peer) ? peer.pid : 0;
  }

 private:
#if CURFEW_APPLE
  static constexpr int quietly = 0;  // the socket's own option says so
#else
  static constexpr int quietly = MSG_NOSIGNAL;
#endif

  template <class Byte, class F>
  control_io all_of(std::size_t& size, Byte*& at, F some, short what, control_time limit) noexcept;

  control_bell bell_;
  event_descriptor fd_;
  // The release store of cut() comes before the ring that ends a wait, and pairs with the acquire
  // load that follows every wait.
  std::atomic<bool> cut_{false};
};

class control_listener {
 public:
  explicit control_listener(std::error_code& ec) noexcept : bell_(ec) {}

  void open(const std::string& path, std::error_code& ec) {
    path_.claim(path, ec);
    if (!ec) listen(ec);
  }
  control_io accept(control_connection& into) noexcept;
  void ring() noexcept { bell_.ring(); }
  void close() noexcept {
    fd_.reset();
    path_.give_back();
  }

 private:
  void listen(std::error_code& ec);

  control_bell bell_;
  control_path path_;
  event_descriptor fd_;  // goes first: until then somebody listens at the path
};

// ---------------------------------------------------------------------------------------------

/// Neither inherited by programs that this one starts, nor able to hold up a thread.
[[nodiscard]] inline int control_socket() noexcept {
#if CURFEW_LINUX
  return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
#else
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (fd >= 0) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
#endif
}

[[nodiscard]] inline int accept_on(int listening) noexcept {
#if CURFEW_LINUX
  return ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
#else
  const int fd = ::accept(listening, nullptr, nullptr);
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (fd >= 0) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
#endif
}

inline void control_connection::adopt(int fd) noexcept {
  fd_.reset(fd);
#if CURFEW_APPLE
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes);
#endif
}

/// A ring is for whoever waits for news, and not lost to him: he looks for them before he waits.
template <class Byte, class F>
control_io control_connection::all_of(std::size_t& size, Byte*& at, F some, short what,
                                      control_time limit) noexcept {
  while (size != 0) {
    if (cut_.load(std::memory_order_acquire)) return control_io::closed;
    const auto n = some();
    if (n > 0) {
      at += n;
      size -= static_cast<std::size_t>(n);
      continue;
    }
    if (n == 0) return control_io::closed;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return control_io::closed;
    const control_io io = await_descriptor(fd_.get(), what, bell_, limit);
    if (io == control_io::late || io == control_io::closed) return io;
  }
  return control_io::done;
}

/// A server with many callers before it says so by EAGAIN, and has room again in a while.
inline void control_connection::connect(const std::string& path, control_time limit,
                                        std::error_code& ec) {
  sockaddr_un address;
  const socklen_t size = socket_address(path, address, ec);
  if (ec) return;
  adopt(control_socket());
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  for (;;) {
    const bool failed = fd_.get() == event_descriptor::none || ::connect(fd_.get(), to, size) != 0;
    assign_errno(ec, failed && errno != EISCONN);
    if (!ec || (errno != EAGAIN && errno != EINTR)) return;
    const auto soon = lesser(limit, control_limit(std::chrono::milliseconds(10)));
    static_cast<void>(await_descriptor(event_descriptor::none, 0, bell_, soon));
    if (cut_.load(std::memory_order_acquire) || std::chrono::steady_clock::now() >= limit) return;
  }
}

inline bool control_connection::identify(control_peer& peer) const noexcept {
#if CURFEW_LINUX
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return false;
  peer.pid = who.pid;
  peer.uid = who.uid;
#else
  uid_t user = 0;
  gid_t group = 0;
  if (::getpeereid(fd_.get(), &user, &group) != 0) return false;
  peer.uid = user;
#if CURFEW_APPLE
  pid_t process = 0;
  socklen_t size = sizeof process;
  if (::getsockopt(fd_.get(), SOL_LOCAL, LOCAL_PEERPID, &process, &size) == 0) peer.pid = process;
#endif
#endif
  peer.same_user = peer.uid == static_cast<std::int64_t>(::geteuid());
  peer.administrator = peer.uid == 0;
  return true;
}

/// Nobody can connect before listen(), and by then the mode is what it has to be.
inline void control_listener::listen(std::error_code& ec) {
  constexpr int waiting = 64;
  fd_.reset(control_socket());
  assign_errno(ec, fd_.get() == event_descriptor::none);
  if (!ec) path_.bind(fd_.get(), ec);
  if (!ec) assign_errno(ec, ::listen(fd_.get(), waiting) != 0);
}

/// Without a descriptor left, whoever waits goes on waiting: to ask again at once would be to spin.
inline control_io control_listener::accept(control_connection& into) noexcept {
  for (;;) {
    const int fd = accept_on(fd_.get());
    if (fd >= 0) return into.adopt(fd), control_io::done;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      const auto soon = control_limit(std::chrono::milliseconds(100));
      return await_descriptor(event_descriptor::none, 0, bell_, soon);
    }
    const auto never = (control_time::max)();
    if (await_descriptor(fd_.get(), POLLIN, bell_, never) == control_io::rung)
      return control_io::rung;
  }
}

}  // namespace detail
CURFEW_END

#endif
#endif
