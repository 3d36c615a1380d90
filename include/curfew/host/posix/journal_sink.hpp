// SPDX-License-Identifier: BSL-1.0
//
// Lines for the journal of systemd, which reads stderr and takes "<N>" in front of a line for the
// line's priority: sd-daemon(3).
#ifndef CURFEW_HOST_POSIX_JOURNAL_SINK_HPP
#define CURFEW_HOST_POSIX_JOURNAL_SINK_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/detail/cut_text.hpp>
#include <curfew/host/detail/utf8.hpp>
#include <curfew/host/message_sink.hpp>
#include <curfew/host/posix/journal_stream.hpp>
#include <curfew/stop/detail/bounds.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <string_view>

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

/// Writes to a stream that belongs to others: a reader that is slow is waited for, one that has
/// stopped reading is not, and one that has gone is no SIGPIPE.
class stream_writer {
 public:
  explicit stream_writer(int fd) noexcept : fd_(fd) {}

  /// All of a line with its end, or as much as a reader takes within half a second. Once it did
  /// not, none is waited for until it reads again.
  void write(std::string_view text) noexcept;

 private:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds patience{500};

  bool write_until(std::string_view& text, clock::time_point until) const noexcept;
  [[nodiscard]] ssize_t write_some(std::string_view text) const noexcept;
  [[nodiscard]] bool has_room(clock::time_point until) const noexcept;

  const int fd_;
  std::atomic<bool> unread_{false};  // the last line found no reader in time
  std::atomic<bool> cut_{false};     // it was written in part
};

}  // namespace detail

/// A newline inside a text begins another line of the same priority, and so does what is longer
/// than a line can be. What else is no text for a terminal becomes blanks, since the journal shows
/// a line with control characters, or that is no UTF-8, as binary.
///
/// Thread safety: write() may be called from any thread. Lines of several threads do not mix.
class journal_sink final : public message_sink {
 public:
  explicit journal_sink(int fd = STDERR_FILENO) noexcept : out_(fd) {}
  journal_sink(const journal_sink&) = delete;
  journal_sink& operator=(const journal_sink&) = delete;
  ~journal_sink() = default;

  inline void write(severity level, std::string_view text) noexcept override;

 private:
  // With its prefix and its end a line goes into a pipe in one piece.
  static constexpr std::size_t longest_line = detail::lesser<std::size_t>(PIPE_BUF, 2048);

  void write_line(char priority, std::string_view line) noexcept;

  detail::stream_writer out_;
};

// ---------------------------------------------------------------------------------------------

namespace detail {

inline void stream_writer::write(std::string_view text) noexcept {
  const int kept = errno;
  const auto until = clock::now() + (unread_.load() ? clock::duration::zero() : patience);
  std::string_view newline = "\n";
  if (cut_.load() && write_until(newline, until)) cut_.store(false);
  const std::size_t whole = text.size();
  const bool done = !cut_.load() && write_until(text, until);
  if (!done && text.size() < whole) cut_.store(true);
  unread_.store(!done);
  errno = kept;
}

inline bool stream_writer::write_until(std::string_view& text,
                                       clock::time_point until) const noexcept {
  while (!text.empty()) {
    if (!has_room(until)) return false;
    const ssize_t n = write_some(text);
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
    const bool full = n < 0 && errno == EAGAIN && clock::now() < until;
    if (n == 0 || (n < 0 && errno != EINTR && !full)) return false;
  }
  return true;
}

/// The journal is a socket. A pipe that has room takes so much without waiting.
inline ssize_t stream_writer::write_some(std::string_view text) const noexcept {
  const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0 || errno != ENOTSOCK) return sent;
  return ::write(fd_, text.data(), lesser<std::size_t>(text.size(), PIPE_BUF));
}

inline bool stream_writer::has_room(clock::time_point until) const noexcept {
  pollfd p{fd_, POLLOUT, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
    const int found = ::poll(&p, 1, left.count() < 0 ? 0 : static_cast<int>(left.count()));
    if (found >= 0 || errno != EINTR)
      return found > 0 && (p.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
  }
}

}  // namespace detail

inline void journal_sink::write(severity level, std::string_view text) noexcept {
  const char priority = static_cast<char>('0' + static_cast<int>(level));
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::string_view piece = detail::cut_to(line, longest_line - 4);
    if (!piece.empty()) write_line(priority, piece);
    text.remove_prefix(piece.size());
    if (piece.size() == line.size() && !text.empty()) text.remove_prefix(1);
  }
}

inline void journal_sink::write_line(char priority, std::string_view line) noexcept {
  char buffer[longest_line];
  char* end = buffer;
  for (const char c : {'<', priority, '>'}) *end++ = c;
  while (!line.empty()) {
    const std::size_t printable = detail::printable_prefix(line);
    if (printable == 0) *end++ = ' ';
    end += line.copy(end, printable);
    line.remove_prefix(detail::greater<std::size_t>(printable, 1));
  }
  *end++ = '\n';
  out_.write({buffer, static_cast<std::size_t>(end - buffer)});
}

CURFEW_END

#endif
#endif
