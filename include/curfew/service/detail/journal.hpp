// SPDX-License-Identifier: BSL-1.0
//
// What is closing and what has closed since the stop: written by the stopping thread, read by the
// thread that tells people. Nothing here allocates.
#ifndef CURFEW_SERVICE_DETAIL_JOURNAL_HPP
#define CURFEW_SERVICE_DETAIL_JOURNAL_HPP

#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/service/timeline.hpp>
#include <curfew/stop/detail/spin_lock.hpp>
#include <curfew/stop/time_source.hpp>

#include <array>
#include <cstddef>
#include <string_view>

CURFEW_BEGIN
namespace detail {

struct journal_part {
  fixed_text<48> name = {};
  fixed_text<120> place = {};  ///< "file:line" where it was registered; empty: not known
  fixed_text<400> note = {};   ///< what it last said of itself, or its error
  time_source::time_point began = {};
  time_source::duration elapsed = {};
  time_source::duration limit = (time_source::duration::max)();
  part_state state = part_state::closing;
};

/// Thread safety: all members may be called from any thread; each holds a lock for a copy's time.
class journal {
 public:
  static constexpr std::size_t kept = 12;
  static constexpr std::size_t kept_sides = 8;

  struct contents {
    std::array<journal_part, kept> closed;  ///< failures, late ones, and else the longest
    std::size_t closed_count = 0;
    std::size_t omitted = 0;
    std::size_t untold = 0;  ///< of these, the ones that failed or were late
    journal_part open;
    bool has_open = false;
    std::size_t waiting = 0;  ///< registered, and not begun when the open part began
    std::array<journal_part, kept_sides> sides;
    std::size_t side_count = 0;
    std::size_t more_sides = 0;  ///< for which there was no place
  };

  /// One part closes at a time: it is the open one from begin() to end().
  void begin(const journal_part& part, std::size_t waiting) noexcept;
  void end(part_state state, std::string_view error, time_source::time_point now) noexcept;
  void drop() noexcept;  ///< the end of one that is not worth keeping

  /// Components close beside each other, and beside the open part. Each is known by its name.
  void begin_side(const journal_part& part) noexcept;
  void end_side(const journal_part& part) noexcept;
  void note_side(std::string_view name, std::string_view text) noexcept;

  /// What the open part says of itself.
  void note(std::string_view text) noexcept;

  [[nodiscard]] contents read() const noexcept;

 private:
  void keep(const journal_part& part) noexcept;
  [[nodiscard]] journal_part* find_side(std::string_view name) noexcept;

  mutable spin_lock lock_;
  contents now_;
};

[[nodiscard]] inline bool matters_less(const journal_part& a, const journal_part& b) noexcept {
  const bool a_clean = a.state == part_state::closed;
  const bool b_clean = b.state == part_state::closed;
  return a_clean != b_clean ? a_clean : a.elapsed < b.elapsed;
}

inline void journal::begin(const journal_part& part, std::size_t waiting) noexcept {
  const spin_guard guard(lock_);
  now_.open = part;
  now_.has_open = true;
  now_.waiting = waiting;
}

inline void journal::end(part_state state, std::string_view error,
                         time_source::time_point at) noexcept {
  const spin_guard guard(lock_);
  now_.open.state = state;
  now_.open.elapsed = at - now_.open.began;
  if (!error.empty()) now_.open.note = fixed_text<400>(error);
  now_.has_open = false;
  keep(now_.open);
}

inline void journal::drop() noexcept {
  const spin_guard guard(lock_);
  now_.has_open = false;
}

inline void journal::note(std::string_view text) noexcept {
  const spin_guard guard(lock_);
  now_.open.note = fixed_text<400>(text);
}

inline journal_part* journal::find_side(std::string_view name) noexcept {
  for (std::size_t i = 0; i != now_.side_count; ++i)
    if (now_.sides[i].name.view() == name) return &now_.sides[i];
  return nullptr;
}

inline void journal::begin_side(const journal_part& part) noexcept {
  const spin_guard guard(lock_);
  if (now_.side_count == kept_sides) return static_cast<void>(++now_.more_sides);
  now_.sides[now_.side_count++] = part;
}

inline void journal::end_side(const journal_part& part) noexcept {
  const spin_guard guard(lock_);
  keep(part);
  journal_part* side = find_side(part.name.view());
  if (side == nullptr) return static_cast<void>(now_.more_sides -= now_.more_sides != 0 ? 1 : 0);
  for (journal_part* const last = &now_.sides[--now_.side_count]; side != last; ++side)
    *side = side[1];
}

inline void journal::note_side(std::string_view name, std::string_view text) noexcept {
  const spin_guard guard(lock_);
  if (journal_part* const side = find_side(name)) side->note = fixed_text<400>(text);
}

inline journal::contents journal::read() const noexcept {
  const spin_guard guard(lock_);
  return now_;
}

/// The order of beginning is kept; when all places are taken the least interesting part goes.
inline void journal::keep(const journal_part& part) noexcept {
  if (now_.closed_count == kept) {
    journal_part* least = now_.closed.data();
    for (journal_part& p : now_.closed) {
      if (matters_less(p, *least)) least = &p;
    }
    const bool part_goes = matters_less(part, *least);
    ++now_.omitted;
    if ((part_goes ? part : *least).state != part_state::closed) ++now_.untold;
    if (part_goes) return;
    for (journal_part* const last = &now_.closed.back(); least != last; ++least) *least = least[1];
    --now_.closed_count;
  }
  now_.closed[now_.closed_count++] = part;
}

}  // namespace detail
CURFEW_END

#endif
