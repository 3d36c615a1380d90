// SPDX-License-Identifier: BSL-1.0
//
// The program's stderr, and what may be done with it: found out once, at the start of a run.
#ifndef CURFEW_SERVICE_DETAIL_TERMINAL_HPP
#define CURFEW_SERVICE_DETAIL_TERMINAL_HPP

#include <curfew/config.hpp>
#include <curfew/host/message_sink.hpp>
#include <curfew/service/timeline.hpp>
#include <curfew/stop/detail/bounds.hpp>

// Selector: stderr below the C library, whose lock a thread that hangs may hold. Backends define,
// in curfew::detail:
//   class standard_error
//     bool is_open() const noexcept     as it was at construction: later the number or the handle
//                                       may belong to something else that was opened
//     bool is_terminal() const noexcept      one that understands the usual escape sequences
//     bool speaks_utf8() const noexcept
//     std::size_t width() const noexcept     in columns, now
//     void write(std::string_view) noexcept  all of it, or what can be written; where the system
//                                       lets it, it waits half a second for a reader and then never
//                                       writes again
#if CURFEW_WINDOWS
#include <curfew/service/detail/windows/standard_error.hpp>
#else
#include <curfew/service/detail/posix/standard_error.hpp>
#endif

#include <cstddef>
#include <cstdlib>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// https://no-color.org: set and not empty.
[[nodiscard]] inline bool colour_wanted() noexcept {
  const char* no = std::getenv("NO_COLOR");
  return no == nullptr || *no == '\0';
}

[[nodiscard]] inline bool terminal_is_dumb() noexcept {
  const char* kind = std::getenv("TERM");
  return kind != nullptr && std::string_view(kind) == "dumb";
}

/// Reads the environment when it is made: on the main thread, before the program changes it. Where
/// there is a sink instead, lines go there and nothing is live.
///
/// Thread safety: all members may be called from any thread.
class terminal {
 public:
  explicit terminal(message_sink* instead = nullptr) noexcept
      : sink_(instead),
        live_(sink_ == nullptr && error_.is_open() && error_.is_terminal() && !terminal_is_dumb()),
        colour_(colour_wanted()) {}

  /// Lines can be redrawn in place, for somebody who looks.
  [[nodiscard]] bool live() const noexcept { return live_; }

  [[nodiscard]] timeline_style style() const noexcept {
    return {error_.width(), live_ && colour_, error_.speaks_utf8()};
  }

  /// Whole lines; each becomes one of the sink's. On Windows it may block for as long as the reader
  /// of stderr does not read.
  void write(severity level, std::string_view text) noexcept {
    if (sink_ == nullptr) return write(text);
    while (!text.empty()) {
      const std::size_t end = lesser(text.find('\n'), text.size());
      if (end != 0) sink_->write(level, text.substr(0, end));
      text.remove_prefix(lesser(end + 1, text.size()));
    }
  }

  /// As it stands, for a live terminal.
  void write(std::string_view text) noexcept {
    if (error_.is_open()) error_.write(text);
  }

 private:
  standard_error error_;
  message_sink* sink_;
  bool live_;
  bool colour_;
};

}  // namespace detail
CURFEW_END

#endif
