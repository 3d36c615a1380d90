// SPDX-License-Identifier: BSL-1.0
//
// What the web server needs from POSIX or Windows: TCP sockets that never block. Every wait ends at
// a time limit or when a curfew::stop_event says so, and what has arrived comes before a stop.
#ifndef CURFEW_EXAMPLES_WEB_SYSTEM_HPP
#define CURFEW_EXAMPLES_WEB_SYSTEM_HPP

#include <curfew/config.hpp>
#include <curfew/stop/stop_event.hpp>

#if CURFEW_WINDOWS
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <winsock2.h>
#include <ws2tcpip.h>
#ifdef _MSC_VER
#pragma comment(lib, "ws2_32")
#endif
#else
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace web {

using steady = std::chrono::steady_clock;

// Writes to a file, a terminal or a pipe, and returns what it could not write: after an error, or
// when nobody takes it for half a second.
std::string_view write_out(std::FILE* to, std::string_view data);

inline int complain(const std::string& what) {
  write_out(stderr, "web_server: " + what + "\n");
  return 1;
}

// What takes away the live line of a stop that stands on a terminal; nothing elsewhere.
const char* line_start();

inline void say(const std::string& line) {
  const bool read = write_out(stdout, line_start() + line + "\n").empty();
  if (!read) complain("nobody reads: " + line);
}

enum class io { done, stopped, timed_out, closed };

// From now on; 0 when it has passed.
inline int milliseconds_to(steady::time_point until) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::ceil<milliseconds>(until - steady::now());
  return static_cast<int>(std::clamp(left, milliseconds(0), milliseconds(3'600'000)).count());
}

#if CURFEW_WINDOWS
using native_socket = SOCKET;
using io_size = int;
constexpr native_socket no_socket = INVALID_SOCKET;
constexpr int shut_write = SD_SEND;
constexpr int listen_option = SO_EXCLUSIVEADDRUSE;

inline int last_error() { return WSAGetLastError(); }
inline bool is_temporary(int error) { return error == WSAEWOULDBLOCK; }
inline void close_native(native_socket socket) { closesocket(socket); }

inline void make_nonblocking(native_socket socket) {
  u_long yes = 1;
  ioctlsocket(socket, static_cast<long>(FIONBIO), &yes);
}

// Once, before the first socket.
inline void prepare_sockets() {
  WSADATA data;
  WSAStartup(MAKEWORD(2, 2), &data);
}

inline const char* line_start() { return ""; }

// Whether a person sits in front of us.
inline bool at_terminal() {
  DWORD mode = 0;
  return GetConsoleMode(GetStdHandle(STD_INPUT_HANDLE), &mode) != 0;
}

// `done` may be a false alarm: the caller tries, and waits again.
inline io await(native_socket socket, bool to_write, const curfew::stop_event& stop, int limit) {
  const WSAEVENT events[] = {WSACreateEvent(), stop.native_handle()};
  WSAEventSelect(socket, events[0], FD_CLOSE | (to_write ? FD_WRITE : FD_READ | FD_ACCEPT));
  const DWORD first = WSAWaitForMultipleEvents(2, events, FALSE, static_cast<DWORD>(limit), FALSE);
  WSAEventSelect(socket, nullptr, 0);
  WSACloseEvent(events[0]);
  if (first == WSA_WAIT_TIMEOUT) return io::timed_out;
  return first == WSA_WAIT_EVENT_0 + 1 ? io::stopped : io::done;
}

// A pipe cannot be asked for room: who does not read it stops whoever writes to it.
inline std::string_view write_out(std::FILE* to, std::string_view data) {
  const bool whole = std::fwrite(data.data(), 1, data.size(), to) == data.size();
  return std::fflush(to) == 0 && whole ? std::string_view() : data;
}
#else
using native_socket = int;
using io_size = std::size_t;
constexpr native_socket no_socket = -1;
constexpr int shut_write = SHUT_WR;
constexpr int listen_option = SO_REUSEADDR;

inline int last_error() { return errno; }
inline bool is_temporary(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}
inline void close_native(native_socket socket) { ::close(socket); }
inline bool at_terminal() { return ::isatty(STDIN_FILENO) == 1; }
inline const char* line_start() { return ::isatty(STDOUT_FILENO) == 1 ? "\r\x1b[K" : ""; }
inline void make_nonblocking(native_socket socket) { ::fcntl(socket, F_SETFL, O_NONBLOCK); }

inline bool is_listening(native_socket socket) {
  int yes = 0;
  socklen_t size = sizeof yes;
  return ::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes != 0;
}

// Once, before the first socket: a peer that has gone is an error of send(), not a signal, and no
// socket takes the number of a standard stream that was closed.
inline void prepare_sockets() {
  std::signal(SIGPIPE, SIG_IGN);
  int taken = 0;
  while (taken >= 0 && taken <= STDERR_FILENO) taken = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (taken >= 0) ::close(taken);
}

// `done` may be a false alarm: the caller tries, and waits again.
inline io await(native_socket socket, bool to_write, const curfew::stop_event& stop, int limit) {
  const short what = to_write ? POLLOUT : POLLIN;
  pollfd sets[] = {{socket, what, 0}, {stop.native_handle(), POLLIN, 0}};
  if (::poll(sets, 2, limit) == 0) return io::timed_out;
  return sets[0].revents == 0 && sets[1].revents != 0 ? io::stopped : io::done;
}

// A pipe that has room has room for 512 bytes.
inline std::string_view write_out(std::FILE* to, std::string_view data) {
  const auto until = steady::now() + std::chrono::milliseconds(500);
  while (!data.empty()) {
    pollfd out{::fileno(to), POLLOUT, 0};
    auto size = static_cast<ssize_t>(::poll(&out, 1, milliseconds_to(until)));
    if (size > 0) size = ::write(out.fd, data.data(), std::min(data.size(), std::size_t(512)));
    if (size == 0 || (size < 0 && !is_temporary(errno))) break;
    if (size > 0) data.remove_prefix(static_cast<std::size_t>(size));
  }
  return data;
}
#endif

// Owns one socket. One thread at a time.
class tcp_socket {
 public:
  tcp_socket() = default;
  explicit tcp_socket(native_socket native) : native_(native) { make_nonblocking(native); }
  tcp_socket(tcp_socket&& other) noexcept : native_(std::exchange(other.native_, no_socket)) {}
  tcp_socket& operator=(tcp_socket&& other) noexcept;
  ~tcp_socket() { close(); }

  explicit operator bool() const { return native_ != no_socket; }
  native_socket native() const { return native_; }
  unsigned port() const;
  void set(int level, int option) const;

  tcp_socket accept() const;  // empty: see last_error()
  io wait(bool to_write, const curfew::stop_event& stop, steady::time_point until) const;
  io receive(std::string& into, const curfew::stop_event& stop, steady::time_point until) const;
  io send(std::string_view data, const curfew::stop_event& stop, steady::time_point until) const;
  void end_writing() const { ::shutdown(native_, shut_write); }
  void close();

 private:
  native_socket native_ = no_socket;
};

// On 127.0.0.1; port 0 takes any free one.
tcp_socket listen_on(std::uint16_t port, int backlog, std::error_code& error);

inline tcp_socket& tcp_socket::operator=(tcp_socket&& other) noexcept {
  std::swap(native_, other.native_);
  return *this;
}

inline void tcp_socket::close() {
  if (*this) close_native(std::exchange(native_, no_socket));
}

inline unsigned tcp_socket::port() const {
  sockaddr_in address{};  // the beginning of one of IPv6 too, which has its port in the same place
  socklen_t size = sizeof address;
  ::getsockname(native_, reinterpret_cast<sockaddr*>(&address), &size);
  const bool has_port = address.sin_family == AF_INET || address.sin_family == AF_INET6;
  return has_port ? ntohs(address.sin_port) : 0;
}

inline void tcp_socket::set(int level, int option) const {
  const int yes = 1;
  ::setsockopt(native_, level, option, reinterpret_cast<const char*>(&yes), sizeof yes);
}

inline tcp_socket tcp_socket::accept() const {
  const native_socket taken = ::accept(native_, nullptr, nullptr);
  if (taken == no_socket) return {};
  tcp_socket connection(taken);
  connection.set(IPPROTO_TCP, TCP_NODELAY);
  return connection;
}

inline io tcp_socket::wait(bool to_write, const curfew::stop_event& stop,
                           steady::time_point until) const {
  return await(native_, to_write, stop, milliseconds_to(until));
}

// Appends what is there, else waits for it.
inline io tcp_socket::receive(std::string& into, const curfew::stop_event& stop,
                              steady::time_point until) const {
  char block[4096];
  for (;;) {
    const auto size = ::recv(native_, block, sizeof block, 0);
    if (size > 0) {
      into.append(block, static_cast<std::size_t>(size));
      return io::done;
    }
    if (size == 0 || !is_temporary(last_error())) return io::closed;
    if (const io waited = wait(false, stop, until); waited != io::done) return waited;
  }
}

// All of it, in as many parts as it takes.
inline io tcp_socket::send(std::string_view data, const curfew::stop_event& stop,
                           steady::time_point until) const {
  while (!data.empty()) {
    const auto size = ::send(native_, data.data(), static_cast<io_size>(data.size()), 0);
    if (size > 0) {
      data.remove_prefix(static_cast<std::size_t>(size));
    } else if (!is_temporary(last_error())) {
      return io::closed;
    } else if (const io waited = wait(true, stop, until); waited != io::done) {
      return waited;
    }
  }
  return io::done;
}

inline tcp_socket listen_on(std::uint16_t port, int backlog, std::error_code& error) {
  tcp_socket listener(::socket(AF_INET, SOCK_STREAM, 0));
  listener.set(SOL_SOCKET, listen_option);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(listener.native(), where, sizeof address) != 0 ||
      ::listen(listener.native(), backlog) != 0) {
    error.assign(last_error(), std::system_category());
  }
  return listener;
}

}  // namespace web

#endif
