// SPDX-License-Identifier: BSL-1.0
//
// Keeps what is said before it is known who listens.
#ifndef CURFEW_HOST_MESSAGE_BUFFER_HPP
#define CURFEW_HOST_MESSAGE_BUFFER_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/cut_text.hpp>
#include <curfew/host/message_sink.hpp>
#include <curfew/stop/detail/spin_lock.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>

CURFEW_BEGIN

/// Lines in memory of its own, of which the newest are kept: nothing is allocated, however much is
/// said. A line that is too long is cut, before a character and not inside it.
///
/// Thread safety: all members may be called from any thread.
class message_buffer final : public message_sink {
 public:
  static constexpr std::size_t most_lines = 64;
  static constexpr std::size_t longest_line = 240;

  message_buffer() noexcept = default;
  message_buffer(const message_buffer&) = delete;
  message_buffer& operator=(const message_buffer&) = delete;
  ~message_buffer() = default;

  inline void write(severity level, std::string_view line) noexcept override;

  /// Hands over what is here now, the oldest first, and keeps it no longer. Where lines had to give
  /// way a warning says how many. What is written meanwhile, by `to` itself as well, stays for
  /// another call: who changes over makes `to` known first, then calls this, and nothing is lost.
  void replay(message_sink& to) noexcept;

  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] std::size_t lost() const noexcept;  ///< lines that gave way and are not yet told

 private:
  struct kept {
    severity level = severity::info;
    std::size_t size = 0;
    char text[longest_line] = {};
  };

  void drop_oldest() noexcept;
  bool take(std::size_t until, kept& line, std::size_t& lost) noexcept;

  mutable detail::spin_lock lock_;
  std::size_t first_ = 0;  // numbers of lines, which count on; the place is the number modulo
  std::size_t end_ = 0;
  std::size_t lost_ = 0;
  std::array<kept, most_lines> lines_{};
};

namespace detail {

inline void tell_lost(message_sink& to, std::size_t count) noexcept {
  char text[64];
  const auto number = std::to_chars(text, text + 24, count);
  const std::string_view rest = " earlier messages were lost";
  rest.copy(number.ptr, rest.size());
  to.write(severity::warning, {text, static_cast<std::size_t>(number.ptr - text) + rest.size()});
}

}  // namespace detail

inline void message_buffer::write(severity level, std::string_view line) noexcept {
  const std::string_view fits = detail::cut_to(line, longest_line);
  const detail::spin_guard guard(lock_);
  if (end_ - first_ == most_lines) drop_oldest();
  kept& place = lines_[end_++ % most_lines];
  place.level = level;
  place.size = fits.copy(place.text, longest_line);
}

inline void message_buffer::drop_oldest() noexcept {
  ++first_;
  ++lost_;
}

/// One at a time, and none under the lock: `to` may take its time, and may write here.
inline void message_buffer::replay(message_sink& to) noexcept {
  lock_.lock();
  const std::size_t until = end_;
  lock_.unlock();
  kept line;
  std::size_t lost = 0;
  for (bool more = true; more;) {
    more = take(until, line, lost);
    if (lost != 0) detail::tell_lost(to, lost);
    if (more) to.write(line.level, {line.text, line.size});
  }
}

inline bool message_buffer::take(std::size_t until, kept& line, std::size_t& lost) noexcept {
  const detail::spin_guard guard(lock_);
  lost = lost_;
  lost_ = 0;
  if (first_ >= until) return false;
  line = lines_[first_++ % most_lines];
  return true;
}

inline std::size_t message_buffer::size() const noexcept {
  const detail::spin_guard guard(lock_);
  return end_ - first_;
}

inline std::size_t message_buffer::lost() const noexcept {
  const detail::spin_guard guard(lock_);
  return lost_;
}

CURFEW_END

#endif
