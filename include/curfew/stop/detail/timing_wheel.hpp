// SPDX-License-Identifier: BSL-1.0
//
// A hierarchical timing wheel: O(1) to insert and remove, no allocation, exact to one tick.
#ifndef CURFEW_STOP_DETAIL_TIMING_WHEEL_HPP
#define CURFEW_STOP_DETAIL_TIMING_WHEEL_HPP

#include <curfew/stop/time_source.hpp>

#include <bit>
#include <chrono>
#include <cstdint>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// Ticks are written in base 64. An entry stands on the level of the highest digit in which its
/// tick differs from the wheel's own (`base`), in the slot of that digit; so all entries of a level
/// come after all entries of the levels below it, and within a level slots are in order.
///
/// A deadline is rounded up to a tick, so nothing is ever early; a tick is 4.096 us, so nothing is
/// late by more on the wheel's account. Not thread-safe: its owner locks it.
class timing_wheel {
 public:
  using tick = std::uint64_t;
  static constexpr tick never = ~tick{0};

  constexpr timing_wheel() noexcept = default;

  /// The first tick at which a deadline has passed.
  [[nodiscard]] static constexpr tick tick_of(clock_time_point t) noexcept {
    return (nanoseconds(t) + (tick{1} << tick_bits) - 1) >> tick_bits;
  }
  /// The last tick that has passed at a point in time.
  [[nodiscard]] static constexpr tick passed(clock_time_point t) noexcept {
    return nanoseconds(t) >> tick_bits;
  }
  [[nodiscard]] static constexpr clock_time_point time_of(tick t) noexcept {
    if (t >= (tick{1} << (63 - tick_bits))) return (clock_time_point::max)();
    return saturate(std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>(
        std::chrono::nanoseconds(static_cast<std::int64_t>(t << tick_bits))));
  }

  /// The tick that it has been advanced to.
  [[nodiscard]] tick base() const noexcept { return base_; }

  /// Calls f(timer_entry&) for each entry; f may take the entry out.
  template <class F>
  void for_each(F f) noexcept;

  /// Inserts an entry, at the next tick if its own has passed; returns the tick it will be due.
  tick insert(timer_entry& e) noexcept;

  /// The first tick at which advance() may have something to do; `never` for an empty wheel.
  [[nodiscard]] tick next() noexcept;

  /// Moves every entry whose tick has come to the front of `due`, in no order.
  void advance(tick to, timer_entry*& due) noexcept;

 private:
  static constexpr unsigned tick_bits = 12;
  static constexpr unsigned digit_bits = 6;
  static constexpr unsigned levels = 9;  // 2^63 ns are 2^51 ticks: nine digits
  static constexpr tick digit_mask = 63;

  [[nodiscard]] static constexpr tick nanoseconds(clock_time_point t) noexcept {
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch());
    return since.count() <= 0 ? 0 : static_cast<tick>(since.count());
  }
  [[nodiscard]] static constexpr unsigned top_level(tick difference) noexcept {
    return (static_cast<unsigned>(std::bit_width(difference)) - 1) / digit_bits;
  }
  [[nodiscard]] static constexpr tick digit(tick t, unsigned level) noexcept {
    return (t >> (level * digit_bits)) & digit_mask;
  }
  void place(timer_entry& e, tick due) noexcept;
  void empty_slots(unsigned level, tick up_to, tick now, timer_entry*& due) noexcept;
  void empty_slot(timer_entry*& slot, tick now, timer_entry*& due) noexcept;

  tick base_ = 0;
  std::uint64_t used_[levels] =
      {};  // a set bit: the slot may hold entries; a clear one: it is empty
  timer_entry* slots_[levels][64] = {};
};

template <class F>
void timing_wheel::for_each(F f) noexcept {
  for (auto& level : slots_)
    for (timer_entry* slot : level)
      while (slot != nullptr) f(*std::exchange(slot, slot->next));
}

inline void timing_wheel::place(timer_entry& e, tick due) noexcept {
  const unsigned level = top_level(due ^ base_);
  const tick slot = digit(due, level);
  used_[level] |= std::uint64_t{1} << slot;
  link_timer(e, slots_[level][slot]);
}

inline timing_wheel::tick timing_wheel::insert(timer_entry& e) noexcept {
  tick due = tick_of(e.deadline);
  if (due <= base_) due = base_ + 1;
  place(e, due);
  return due;
}

// Removal leaves the bit of an emptied slot behind; it is cleared when it is met here.
inline timing_wheel::tick timing_wheel::next() noexcept {
  for (unsigned level = 0; level < levels; ++level) {
    while (used_[level] != 0) {
      const auto slot = static_cast<unsigned>(std::countr_zero(used_[level]));
      const unsigned shift = level * digit_bits;
      if (slots_[level][slot] != nullptr) return (((base_ >> shift) & ~digit_mask) | slot) << shift;
      used_[level] &= used_[level] - 1;
    }
  }
  return never;
}

inline void timing_wheel::advance(tick to, timer_entry*& due) noexcept {
  if (to <= base_) return;
  const unsigned top = top_level(to ^ base_);
  base_ = to;
  for (unsigned level = 0; level < top; ++level) empty_slots(level, digit_mask, to, due);
  empty_slots(top, digit(to, top), to, due);
}

inline void timing_wheel::empty_slots(unsigned level, tick up_to, tick now,
                                      timer_entry*& due) noexcept {
  const std::uint64_t reached = ~std::uint64_t{0} >> (digit_mask - up_to);
  for (std::uint64_t bits = used_[level] & reached; bits != 0; bits &= bits - 1) {
    const auto slot = static_cast<unsigned>(std::countr_zero(bits));
    used_[level] &= ~(std::uint64_t{1} << slot);
    empty_slot(slots_[level][slot], now, due);
  }
}

// Entries of the slot that the new base stands in may lie ahead: they go to a lower level.
inline void timing_wheel::empty_slot(timer_entry*& slot, tick now, timer_entry*& due) noexcept {
  while (slot != nullptr) {
    timer_entry& e = *slot;
    unlink_timer(e);
    const tick at = tick_of(e.deadline);
    if (at <= now) {
      link_timer(e, due);
    } else {
      place(e, at);
    }
  }
}

}  // namespace detail
CURFEW_END

#endif
