// SPDX-License-Identifier: BSL-1.0
//
// A gate that knows who is inside, and since when: so that a stop which waits can say for whom.
#ifndef CURFEW_RELEASE_ROSTER_HPP
#define CURFEW_RELEASE_ROSTER_HPP

#include <curfew/release/detail/roster_text.hpp>
#include <curfew/release/gate.hpp>
#include <curfew/release/label.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/spin_lock.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

CURFEW_BEGIN

/// Somebody inside, as of the moment of asking.
struct roster_holder {
  detail::roster_name name = {};  ///< view(): at most 47 bytes of it, those of controls as '?'
  source_place place = {};
  time_source::duration elapsed{};  ///< since it entered
};

/// A gate whose first N holders have names:
///
///     if (auto hold = requests.enter("GET /slow")) serve(connection);
///     ...
///     requests.close();
///     if (!requests.wait(budget))            // a token with a deadline
///       log(requests.describe(text));        // "2 in flight: GET /slow 3.2 s, GET / 12 ms"
///
/// While N are inside, whoever enters is counted as ever, and has no name.
///
/// Thread safety: all members may be called from any thread; none allocates, and those that do not
/// wait never block. To be destroyed as a gate is: when its count is zero and nobody uses it.
template <std::size_t N = 32>
class roster {
  static_assert(N != 0 && N < 0xffff'ffffu);

 public:
  class hold;

  roster() noexcept : roster(time_source::process()) {}
  explicit roster(time_source& time) noexcept : time_(time) {
    for (std::size_t i = 0; i != N; ++i) slots_[i].next = static_cast<std::uint32_t>(i + 1);
  }
  roster(const roster&) = delete;
  roster& operator=(const roster&) = delete;

  /// As the gate's; the name is copied.
  [[nodiscard]] hold enter(label name) noexcept;

  void close() noexcept { gate_.close(); }
  [[nodiscard]] bool closed() const noexcept { return gate_.closed(); }
  template <class Token = stop_token>
  bool wait(Token token) noexcept {
    return gate_.wait(std::move(token));
  }
  [[nodiscard]] std::size_t count() const noexcept { return gate_.count(); }

  /// The holders that have been inside for longest, longest first; how many of `into` they are.
  std::size_t holders(std::span<roster_holder> into) const noexcept;

  /// "nobody in flight", or "5 in flight: GET /slow 3.2 s, GET / 12 ms, and 3 more": those that
  /// have been inside for longest, as many as fit, and four at most. Ends with a zero byte, if
  /// there is room for anything; the text is what is before it.
  std::string_view describe(std::span<char> into) const noexcept;

 private:
  struct slot {
    detail::roster_name name;
    source_place place;
    time_source::time_point entered;
    std::uint64_t order = 0;  // of entering; 0: free
    std::uint32_t next = 0;   // free slot; N: none
  };

  [[nodiscard]] std::uint32_t take_slot(const label& name, time_source::time_point now) noexcept;
  void give_back(std::uint32_t place) noexcept;
  [[nodiscard]] const slot* oldest_after(std::uint64_t order) const noexcept;

  time_source& time_;
  gate gate_;
  mutable detail::spin_lock lock_;  // of all below
  slot slots_[N];
  std::uint32_t free_ = 0;
  std::uint64_t entries_ = 0;
};

/// Counts as one in its roster's gate until it is destroyed or let go. Empty: it has none.
template <std::size_t N>
class roster<N>::hold {
 public:
  hold() noexcept = default;
  hold(hold&& other) noexcept
      : roster_(std::exchange(other.roster_, nullptr)),
        slot_(other.slot_),
        inside_(std::move(other.inside_)) {}
  hold& operator=(hold&& other) noexcept {
    hold(std::move(other)).swap(*this);
    return *this;
  }
  ~hold() { reset(); }

  explicit operator bool() const noexcept { return static_cast<bool>(inside_); }
  [[nodiscard]] bool named() const noexcept { return roster_ != nullptr; }
  /// The roster may be gone when it returns.
  void reset() noexcept {
    if (roster* const r = std::exchange(roster_, nullptr)) r->give_back(slot_);
    inside_.reset();
  }
  void swap(hold& other) noexcept {
    std::swap(roster_, other.roster_);
    std::swap(slot_, other.slot_);
    inside_.swap(other.inside_);
  }

 private:
  friend class roster;
  hold(roster* r, std::uint32_t s, gate::hold inside) noexcept
      : roster_(r), slot_(s), inside_(std::move(inside)) {}

  roster* roster_ = nullptr;  // null: there is no slot
  std::uint32_t slot_ = 0;
  gate::hold inside_;
};

// --- bodies -------------------------------------------------------------------------------------

template <std::size_t N>
typename roster<N>::hold roster<N>::enter(label name) noexcept {
  gate::hold inside = gate_.enter();
  if (!inside) return {};
  const std::uint32_t s = take_slot(name, time_.now());
  return hold(s != N ? this : nullptr, s, std::move(inside));
}

template <std::size_t N>
std::uint32_t roster<N>::take_slot(const label& name, time_source::time_point now) noexcept {
  const detail::roster_name copy(name.text);
  const detail::spin_guard guard(lock_);
  const std::uint32_t place = free_;
  if (place == N) return place;
  slot& s = slots_[place];
  free_ = s.next;
  s.name = copy;
  s.place = name.place;
  s.entered = now;
  s.order = ++entries_;
  return place;
}

template <std::size_t N>
void roster<N>::give_back(std::uint32_t place) noexcept {
  const detail::spin_guard guard(lock_);
  slots_[place].order = 0;
  slots_[place].next = std::exchange(free_, place);
}

template <std::size_t N>
const typename roster<N>::slot* roster<N>::oldest_after(std::uint64_t order) const noexcept {
  const slot* found = nullptr;
  for (const slot& s : slots_) {
    if (s.order > order && (found == nullptr || s.order < found->order)) found = &s;
  }
  return found;
}

template <std::size_t N>
std::size_t roster<N>::holders(std::span<roster_holder> into) const noexcept {
  const time_source::time_point now = time_.now();
  const detail::spin_guard guard(lock_);
  std::size_t size = 0;
  std::uint64_t order = 0;
  while (size != into.size()) {
    const slot* const s = oldest_after(order);
    if (s == nullptr) break;
    const auto elapsed = detail::saturating_subtract(now, s->entered);
    into[size++] = {s->name, s->place, detail::greater(elapsed, time_source::duration::zero())};
    order = s->order;
  }
  return size;
}

template <std::size_t N>
std::string_view roster<N>::describe(std::span<char> into) const noexcept {
  roster_holder oldest[4];
  const std::size_t named = holders(oldest);
  // Who leaves between the two looks has been seen, and counts.
  detail::roster_line line(into, detail::greater(count(), named));
  for (std::size_t i = 0; i != named; ++i) line.add(oldest[i].name.view(), oldest[i].elapsed);
  return line.finish();
}

CURFEW_END

#endif
