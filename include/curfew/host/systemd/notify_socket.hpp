// SPDX-License-Identifier: BSL-1.0
//
// The socket that systemd listens to for what its services say of themselves. Needs no libsystemd.
#ifndef CURFEW_HOST_SYSTEMD_NOTIFY_SOCKET_HPP
#define CURFEW_HOST_SYSTEMD_NOTIFY_SOCKET_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/detail/notify_port.hpp>
#include <curfew/host/detail/notify_text.hpp>
#include <curfew/host/systemd/detail/datagram.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/detail/posix/event.hpp>

#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

CURFEW_BEGIN

/// Sends notifications, as sd_notify(3) describes them, to the address in NOTIFY_SOCKET: a path, or
/// a name in the abstract namespace after '@'. The address is used once: a later chroot, change of
/// user or move of the path does no harm. When whoever listened has gone, a send looks once whether
/// there is a new listener at the address.
///
/// Success means that the message waits in the manager's queue, which it may or may not believe
/// (see NotifyAccess=); barrier() waits until it has been read. A send waits for room in that
/// queue for half a second at most. A child made by fork sends nothing, for it would speak as a
/// process that the manager does not know, or worse, does; it may open a socket of its own.
///
/// No member raises SIGPIPE. Thread safety: all members from any thread.
class notify_socket final : public detail::notify_port {
 public:
  using duration = detail::clock_duration;
  static constexpr std::size_t most_descriptors = detail::datagram::most_descriptors;
  static constexpr std::size_t longest_name = 255;

  /// Throws std::system_error when the address is none of the two, or nobody listens there.
  explicit notify_socket(std::string_view address);
  /// With an error, nothing can be sent.
  notify_socket(std::string_view address, std::error_code& ec) noexcept;
  notify_socket(const notify_socket&) = delete;
  notify_socket& operator=(const notify_socket&) = delete;
  ~notify_socket() = default;

  /// One message, lines of KEY=value. False: it did not get through.
  inline bool send(std::string_view text) noexcept override;
  bool send(std::string_view text, std::error_code& ec) noexcept;
  /// The descriptors go with it, and stay open here.
  bool send(std::string_view text, std::span<const int> descriptors, std::error_code& ec) noexcept;
  /// Without waiting for room.
  inline bool offer(std::string_view text) noexcept override;

  /// Waits until the manager has read all that was sent before. False, with an error: it has not,
  /// within the limit (errc::timed_out), or nothing could be sent.
  template <class Rep, class Period>
  bool barrier(std::chrono::duration<Rep, Period> limit, std::error_code& ec) noexcept {
    return await_barrier(detail::saturate(limit), ec);
  }

  /// Has the manager keep them for the next run of this unit, which gets them as passed_descriptors
  /// of this name (FileDescriptorStoreMax= says how many). A name has up to 255 characters of
  /// ASCII, none of them ':' or a control character; with any other, nothing is sent.
  bool store(std::string_view name, std::span<const int> descriptors, std::error_code& ec) noexcept;
  /// All that were stored by that name.
  bool remove(std::string_view name, std::error_code& ec) noexcept;

 private:
  static constexpr std::chrono::milliseconds patience{500};
  using clock = std::chrono::steady_clock;

  struct result {
    std::error_code ec;
  };
  notify_socket(std::string_view address, result&& r);
  bool connect(std::error_code& ec) const noexcept;
  bool post(const detail::datagram& what, clock::time_point until, std::error_code& ec) noexcept;
  [[nodiscard]] bool has_room(clock::time_point until) const noexcept;
  bool await_barrier(duration limit, std::error_code& ec) noexcept;
  static bool is_name(std::string_view name, std::error_code& ec) noexcept;

  detail::local_address address_;
  detail::event_descriptor socket_;
  const pid_t owner_ = ::getpid();
};

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Waits until one of the events is there, or an error; false: the time has passed.
inline bool await_events(int descriptor, short events,
                         std::chrono::steady_clock::time_point until) noexcept {
  pollfd p{descriptor, events, 0};
  for (;;) {
    const auto left = saturating_subtract(until, std::chrono::steady_clock::now());
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    const int found = ::poll(&p, 1, static_cast<int>(within<long long>(ms, 0, INT_MAX)));
    if (found > 0 || (found < 0 && errno != EINTR)) return true;
    if (ms <= 0) return false;
  }
}

[[nodiscard]] inline bool listener_is_gone(int error) noexcept {
  return error == ECONNREFUSED || error == ENOTCONN || error == ECONNRESET || error == EPIPE;
}

/// Functions of the stop path leave errno as they find it.
class kept_errno {
 public:
  kept_errno() noexcept = default;
  kept_errno(const kept_errno&) = delete;
  kept_errno& operator=(const kept_errno&) = delete;
  ~kept_errno() { errno = value_; }

 private:
  const int value_ = errno;
};

}  // namespace detail

inline notify_socket::notify_socket(std::string_view address) : notify_socket(address, result{}) {}

inline notify_socket::notify_socket(std::string_view address, result&& r)
    : notify_socket(address, r.ec) {
  if (r.ec) {
    detail::throw_error_code(r.ec,
                             "no notify socket: its address is a path from / on, or @ and a name; "
                             "take NOTIFY_SOCKET as it is, and let the account reach it");
  }
}

inline notify_socket::notify_socket(std::string_view address, std::error_code& ec) noexcept
    : address_(address, ec) {
  if (ec) return;
  socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!connect(ec)) socket_.reset();
}

/// Also of a socket that has not become one, which is the error then.
inline bool notify_socket::connect(std::error_code& ec) const noexcept {
  detail::assign_errno(ec, socket_.get() == -1 || !address_.connect(socket_.get()));
  return !ec;
}

inline bool notify_socket::send(std::string_view text) noexcept {
  std::error_code ignored;
  return send(text, ignored);
}

inline bool notify_socket::send(std::string_view text, std::error_code& ec) noexcept {
  return post(detail::datagram(text), clock::now() + patience, ec);
}

inline bool notify_socket::offer(std::string_view text) noexcept {
  std::error_code ignored;
  return post(detail::datagram(text), (clock::time_point::min)(), ignored);
}

inline bool notify_socket::send(std::string_view text, std::span<const int> descriptors,
                                std::error_code& ec) noexcept {
  if (descriptors.size() > most_descriptors) {
    ec = std::make_error_code(std::errc::argument_list_too_long);
    return false;
  }
  return post(detail::datagram(text, descriptors), clock::now() + patience, ec);
}

inline bool notify_socket::post(const detail::datagram& what, clock::time_point until,
                                std::error_code& ec) noexcept {
  const detail::kept_errno kept;
  ec = std::make_error_code(std::errc::operation_not_permitted);
  if (::getpid() != owner_) return false;
  for (bool renewed = false; !what.send(socket_.get());) {
    detail::assign_errno(ec, true);
    if (errno == EINTR) continue;
    if (errno == EAGAIN && has_room(until)) continue;
    if (renewed || !detail::listener_is_gone(ec.value()) || !connect(ec)) return false;
    renewed = true;
  }
  ec.clear();
  return true;
}

inline bool notify_socket::has_room(clock::time_point until) const noexcept {
  return clock::now() < until && detail::await_events(socket_.get(), POLLOUT, until);
}

/// The manager closes what it gets. No other message may share the datagram, and no other
/// descriptor.
inline bool notify_socket::await_barrier(duration limit, std::error_code& ec) noexcept {
  const detail::kept_errno kept;
  const auto until = detail::saturating_add(clock::now(), limit);
  int ends[2] = {-1, -1};
  detail::assign_errno(ec, ::pipe2(ends, O_CLOEXEC) != 0);
  if (ec) return false;
  const detail::event_descriptor here(ends[0]);
  detail::event_descriptor there(ends[1]);
  const detail::datagram barrier("BARRIER=1", {&ends[1], 1});
  if (!post(barrier, detail::lesser(until, clock::now() + patience), ec)) return false;
  there.reset();
  if (!detail::await_events(here.get(), 0, until)) ec = std::make_error_code(std::errc::timed_out);
  return !ec;
}

inline bool notify_socket::store(std::string_view name, std::span<const int> descriptors,
                                 std::error_code& ec) noexcept {
  if (!is_name(name, ec)) return false;
  ec = std::make_error_code(std::errc::invalid_argument);
  if (descriptors.empty()) return false;
  return send(detail::notify_text().line("FDSTORE=1").line("FDNAME=").text(name).view(),
              descriptors, ec);
}

inline bool notify_socket::remove(std::string_view name, std::error_code& ec) noexcept {
  if (!is_name(name, ec)) return false;
  return send(detail::notify_text().line("FDSTOREREMOVE=1").line("FDNAME=").text(name).view(), ec);
}

/// What systemd does not take for a name it ignores, and stores under another one.
inline bool notify_socket::is_name(std::string_view name, std::error_code& ec) noexcept {
  const bool fits = !name.empty() && name.size() <= longest_name;
  bool plain = true;
  for (const char c : name) plain = plain && c >= ' ' && c < '\x7f' && c != ':';
  ec = fits && plain ? std::error_code() : std::make_error_code(std::errc::invalid_argument);
  return !ec;
}

CURFEW_END

#endif
#endif
