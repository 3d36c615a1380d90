// SPDX-License-Identifier: BSL-1.0
//
// Counts work in flight, and after it is closed waits until the last of it is done.
#ifndef CURFEW_RELEASE_GATE_HPP
#define CURFEW_RELEASE_GATE_HPP

#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/detail/park.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <utility>

CURFEW_BEGIN

/// Every piece of work enters and keeps its hold until it is done; a stop closes the gate and
/// waits:
///
///     if (auto hold = requests.enter()) serve(connection);   // a worker
///     ...
///     requests.close();                                      // the stop: no new ones
///     bool drained = requests.wait(budget);                  // and the last one is done
///
/// Thread safety: all members may be called from any thread. The gate may be destroyed as soon as
/// its count is zero and nobody enters or waits any more; destroying it earlier ends the program.
class gate {
 public:
  class hold;

  gate() noexcept = default;
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;
  ~gate();

  /// Never blocks. An empty hold when the gate is closed; whoever gets one also sees everything
  /// that was done before close().
  [[nodiscard]] hold enter() noexcept;

  /// For good. Called a second time it does nothing.
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept;

  /// Sleeps until the gate is closed and the last hold is gone, and then returns true; false when
  /// the token stops first. What was done under a hold happened before a wait that returns true.
  template <class Token = stop_token>
  bool wait(Token token) noexcept;

  /// The holds that there are now.
  [[nodiscard]] std::size_t count() const noexcept;

 private:
  void leave() noexcept;
  [[nodiscard]] bool drained() const noexcept;
  void tell_drained() noexcept;
  void tell_stopped() noexcept;

  // holds_: the closed bit, and below it the number of holds. Once closed the number only falls, so
  // exactly one call takes the word to `closed and no holds`: the last leave(), or a close() that
  // finds nobody. That call and nobody else tells so.
  static constexpr std::uint32_t closed_bit = 0x8000'0000u;
  static constexpr std::uint32_t most_holds = closed_bit - 1;
  // news_: what waiters park on. Bit 0: drained; its store is the last access to the gate by
  // whoever leaves, so that a waiter that sees it may destroy the gate. The bits above count stops
  // of waiters' tokens. Whatever ends a wait first becomes visible and then changes news_; a waiter
  // reads news_, looks for what ends its wait, and parks on what it read: so it either sees the
  // event or does not fall asleep.
  static constexpr std::uint32_t drained_bit = 1;
  static constexpr std::uint32_t one_stop = 2;

  std::atomic<std::uint32_t> holds_{0};
  std::atomic<std::uint32_t> news_{0};
};

/// Counts as one in its gate until it is destroyed or let go. Empty: it has no gate.
class gate::hold {
 public:
  hold() noexcept = default;
  hold(hold&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
  hold& operator=(hold&& other) noexcept {
    hold{std::move(other)}.swap(*this);
    return *this;
  }
  ~hold() { reset(); }

  explicit operator bool() const noexcept { return gate_ != nullptr; }
  void reset() noexcept {
    if (gate* g = std::exchange(gate_, nullptr)) g->leave();
  }
  void swap(hold& other) noexcept { std::swap(gate_, other.gate_); }

 private:
  friend class gate;
  explicit hold(gate* g) noexcept : gate_(g) {}

  gate* gate_ = nullptr;
};

inline gate::hold gate::enter() noexcept {
  std::uint32_t seen = holds_.load(std::memory_order_acquire);
  while (seen < most_holds)  // not closed, and not full
    if (holds_.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire)) return hold(this);
  return hold();
}

// The release half lets the last one out, and so the waiter, see what was done under this hold; the
// acquire half lets the last one see what all others did.
inline void gate::leave() noexcept {
  if (holds_.fetch_sub(1, std::memory_order_acq_rel) == (closed_bit | 1)) tell_drained();
}

inline void gate::close() noexcept {
  if (holds_.fetch_or(closed_bit, std::memory_order_acq_rel) == 0) tell_drained();
}

inline bool gate::closed() const noexcept {
  return (holds_.load(std::memory_order_acquire) & closed_bit) != 0;
}

inline std::size_t gate::count() const noexcept {
  return holds_.load(std::memory_order_acquire) & most_holds;
}

inline bool gate::drained() const noexcept {
  return (news_.load(std::memory_order_acquire) & drained_bit) != 0;
}

/// The gate may be gone after the first line; waking uses its address alone.
inline void gate::tell_drained() noexcept {
  news_.fetch_or(drained_bit, std::memory_order_release);
  detail::unpark_all(news_);
}

inline void gate::tell_stopped() noexcept {
  news_.fetch_add(one_stop, std::memory_order_release);
  detail::unpark_all(news_);
}

template <class Token>
bool gate::wait(Token token) noexcept {
  const auto stopped = [this]() noexcept { tell_stopped(); };
  const stop_callback_for_t<Token, decltype(stopped)> on_stop(token, stopped);
  for (;;) {
    const std::uint32_t seen = news_.load(std::memory_order_acquire);
    if ((seen & drained_bit) != 0) return true;
    if (token.stop_requested()) return false;
    detail::park(news_, seen);
  }
}

inline gate::~gate() {
  const std::uint32_t left = holds_.load(std::memory_order_acquire);
  if ((left & most_holds) != 0) {
    char text[160];
    std::snprintf(
        text, sizeof text,
        "a gate is destroyed with %lu of its holds still out, which come back to it; close() it "
        "and wait() first",
        static_cast<unsigned long>(left & most_holds));
    detail::fatal(text);
  }
  // The last one out may be about to tell, if nobody waited for that.
  for (unsigned spins = 0; left != 0 && !drained(); ++spins) detail::relax(spins);
}

CURFEW_END

#endif
