// SPDX-License-Identifier: BSL-1.0
//
// A stop as text: one live line for each part that is still closing, and bars for all of them at
// the end. Pure functions from values to text; who writes it where is not decided here.
#ifndef CURFEW_SERVICE_TIMELINE_HPP
#define CURFEW_SERVICE_TIMELINE_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// How a part is on its way down.
enum class part_state { closing, closed, late, failed };

/// One part of a program on its way down.
struct timeline_part {
  std::string name = {};
  time_source::duration began{};                                 ///< counted from the stop
  time_source::duration elapsed{};                               ///< until now, or in all
  time_source::duration limit = (time_source::duration::max)();  ///< max(): none
  part_state state = part_state::closing;
  std::string note = {};  ///< what it last said of itself, or its error
};

/// A stop as it is drawn: a bar for each part.
struct timeline {
  std::vector<timeline_part> parts = {};  ///< in the order in which they began
  time_source::duration total{};          ///< from the stop until the end
  std::size_t omitted = 0;                ///< parts too short to be shown
};

/// What the terminal can show.
struct timeline_style {
  std::size_t width = 80;  ///< of the terminal, in columns
  bool colour = false;
  bool unicode = false;
};

/// "850 us", "340 ms", "1.2 s", "30 s", "2 min 5 s", "3 h 0 min". Never rounded up.
[[nodiscard]] std::string to_text(time_source::duration d);

/// "closing db-pool  1.2 s of 5 s  14 connections left": one line, never wider than the terminal.
[[nodiscard]] std::string live_line(const timeline_part& part, const timeline_style& style);

/// A line with a bar for each part, on one time scale: where it stands says when, its length how
/// long. Empty when there is no part.
[[nodiscard]] std::string bars(const timeline& t, const timeline_style& style);

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Columns of UTF-8 text, one for each character: wide and combining ones are not known.
[[nodiscard]] inline std::size_t columns(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0u) != 0x80u ? 1 : 0;
  return count;
}

/// At most n columns of it, whole characters only.
[[nodiscard]] inline std::string_view cut(std::string_view text, std::size_t n) noexcept {
  std::size_t size = text.size();
  for (std::size_t wide = columns(text); wide > n; --wide) {
    while ((static_cast<unsigned char>(text[--size]) & 0xc0u) == 0x80u) {
    }
  }
  return text.substr(0, size);
}

[[nodiscard]] inline std::string padded(std::string_view text, std::size_t n) {
  const std::string_view kept = cut(text, n);
  return std::string(kept).append(n - columns(kept), ' ');
}

[[nodiscard]] constexpr const char* colour_of(part_state state) noexcept {
  switch (state) {
    case part_state::closed: return "\x1b[32m";
    case part_state::late: return "\x1b[33m";
    case part_state::failed: return "\x1b[31m";
    case part_state::closing: return "\x1b[36m";
  }
  return "";
}

[[nodiscard]] inline std::string painted(const std::string& text, part_state state,
                                         const timeline_style& style) {
  return style.colour ? colour_of(state) + text + "\x1b[0m" : text;
}

/// Past its limit a part that still closes looks as late as it is.
[[nodiscard]] inline part_state looks(const timeline_part& p) noexcept {
  return p.state == part_state::closing && p.elapsed >= p.limit ? part_state::late : p.state;
}

[[nodiscard]] constexpr const char* word_of(part_state state) noexcept {
  switch (state) {
    case part_state::closed: return "";
    case part_state::late: return "  late";
    case part_state::failed: return "  failed";
    case part_state::closing: return "  still open";
  }
  return "";
}

inline std::string in_tenths(std::int64_t tenths, const char* unit) {
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0) text.append(1, '.').append(std::to_string(tenths % 10));
  return text.append(unit);
}

inline std::string in_two(std::int64_t value, std::int64_t base, const char* whole,
                          const char* rest) {
  std::string text = std::to_string(value / base).append(whole);
  return text.append(std::to_string(value % base)).append(rest);
}

/// The columns that a bar of `width` columns leaves empty, and those that it fills: at least one.
struct bar_span {
  std::size_t from;
  std::size_t size;
};

[[nodiscard]] inline bar_span place_bar(const timeline_part& p, time_source::duration total,
                                        std::size_t width) noexcept {
  const auto whole = static_cast<double>(greater(total.count(), 1));
  const auto scale = [&](time_source::duration d) {
    const double share = within(static_cast<double>(d.count()) / whole, 0.0, 1.0);
    return static_cast<std::size_t>(share * static_cast<double>(width) + 0.5);
  };
  const std::size_t from = lesser(scale(p.began), width - 1);
  const std::size_t to = within(scale(p.began + p.elapsed), from + 1, width);
  return {from, to - from};
}

[[nodiscard]] inline std::string bar(const timeline_part& p, const timeline& t, std::size_t width,
                                     const timeline_style& style) {
  const bar_span at = place_bar(p, t.total, width);
  std::string filled;
  for (std::size_t i = 0; i < at.size; ++i) filled += style.unicode ? "\xe2\x96\x88" : "=";
  return std::string(at.from, ' ') + painted(filled, p.state, style) +
         std::string(width - at.from - at.size, ' ');
}

[[nodiscard]] inline std::size_t name_column(const timeline& t) noexcept {
  std::size_t widest = 4;
  for (const timeline_part& p : t.parts) widest = greater(widest, columns(p.name));
  return lesser<std::size_t>(widest, 24);
}

}  // namespace detail

inline std::string to_text(time_source::duration d) {
  using namespace std::chrono;
  if (d == (time_source::duration::max)()) return "no limit";
  if (d < 10ms) return std::to_string(duration_cast<microseconds>(d).count()) + " us";
  if (d < 1s) return std::to_string(duration_cast<milliseconds>(d).count()) + " ms";
  if (d < 1min) return detail::in_tenths(duration_cast<milliseconds>(d).count() / 100, " s");
  if (d < 1h) return detail::in_two(duration_cast<seconds>(d).count(), 60, " min ", " s");
  return detail::in_two(duration_cast<minutes>(d).count(), 60, " h ", " min");
}

inline std::string live_line(const timeline_part& p, const timeline_style& style) {
  std::string text = "closing " + p.name + "  " + to_text(p.elapsed);
  if (p.limit != (time_source::duration::max)()) text += " of " + to_text(p.limit);
  if (!p.note.empty()) text += "  " + p.note;
  const std::size_t room = style.width > 1 ? style.width - 1 : 0;
  return detail::painted(std::string(detail::cut(text, room)), detail::looks(p), style);
}

inline std::string bars(const timeline& t, const timeline_style& style) {
  const std::size_t names = detail::name_column(t);
  const std::size_t taken = names + 28;  // the margins, a duration and a word
  const std::size_t width = detail::within(style.width, taken + 10, taken + 40) - taken;
  std::string text;
  for (const timeline_part& p : t.parts) {
    text += "  " + detail::padded(p.name, names) + "  " + detail::bar(p, t, width, style) + "  " +
            to_text(p.elapsed) + detail::word_of(p.state) + "\n";
  }
  if (t.omitted != 0) text += "  and " + std::to_string(t.omitted) + " shorter\n";
  return text;
}

CURFEW_END

#endif
