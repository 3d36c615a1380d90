// SPDX-License-Identifier: BSL-1.0
//
// How many retries many callers may make together, so that a server that is down is not held down
// by those who try again.
#ifndef CURFEW_STOP_RETRY_BUDGET_HPP
#define CURFEW_STOP_RETRY_BUDGET_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/bounds.hpp>

#include <atomic>
#include <cstdint>

CURFEW_BEGIN

/// A bucket of retries. It begins with a reserve; each request (its first attempt) puts in a part
/// of a retry, and each retry takes out a whole one, or is not made. Put back is only what was
/// taken.
///
/// However many threads use it, and whatever the server does:
///
///     retries made  <=  ratio * requests  +  reserve
///
/// So a server that fails always sees at most 1 + ratio times the requests, and the reserve once.
/// What is saved never exceeds the reserve (or one retry and what a request puts in, if that is
/// more): a long quiet time buys no storm.
///
/// The ratio is rounded to thousandths, and is 1000 at most; what is negative or no number counts
/// as 0. The reserve is a million at most.
///
/// Thread safety: all members may be called from any thread, also from a stop callback; none
/// allocates or blocks. While the bucket is full, a request only reads. It outlives whoever uses
/// it.
class retry_budget {
 public:
  explicit retry_budget(double ratio = 0.1, std::uint32_t reserve = 10) noexcept
      : deposit_(thousandths(ratio)),
        most_(detail::greater(retries_worth(reserve), whole + deposit_)),
        balance_(retries_worth(reserve)) {}
  retry_budget(const retry_budget&) = delete;
  retry_budget& operator=(const retry_budget&) = delete;

  /// For a first attempt.
  void deposit() noexcept { put(deposit_); }

  /// For a retry; false: it is not to be made.
  [[nodiscard]] bool try_withdraw() noexcept;

  /// A retry that was withdrawn is not made after all.
  void put_back() noexcept {
    put(whole);
    retries_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// How many retries there are now.
  [[nodiscard]] std::uint32_t available() const noexcept {
    return balance_.load(std::memory_order_relaxed) / whole;
  }
  /// How many there have been, and how many were not to be made.
  [[nodiscard]] std::uint64_t retries() const noexcept {
    return retries_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t refused() const noexcept {
    return refused_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint32_t whole = 1000;  // one retry
  static constexpr std::uint32_t largest = 1'000'000;

  [[nodiscard]] static constexpr std::uint32_t thousandths(double ratio) noexcept {
    if (!(ratio > 0)) return 0;
    return static_cast<std::uint32_t>(detail::lesser(ratio, 1000.0) * whole + 0.5);
  }
  [[nodiscard]] static constexpr std::uint32_t retries_worth(std::uint32_t reserve) noexcept {
    return detail::lesser(reserve, largest) * whole;
  }
  void put(std::uint32_t amount) noexcept;

  const std::uint32_t deposit_;
  const std::uint32_t most_;
  // In thousandths of a retry, in [0, most_]. All that matters is in this word: each change is one
  // compare and exchange from the value that it was computed from, so no retry is paid for twice.
  // It publishes nothing, therefore all is relaxed.
  std::atomic<std::uint32_t> balance_;
  std::atomic<std::uint64_t> retries_{0};  // these two only count; nothing is decided by them
  std::atomic<std::uint64_t> refused_{0};
};

inline void retry_budget::put(std::uint32_t amount) noexcept {
  std::uint32_t before = balance_.load(std::memory_order_relaxed);
  std::uint32_t after = 0;
  do {
    after = detail::lesser(before + amount, most_);  // both are at most 10^9
    if (after == before) return;
  } while (!balance_.compare_exchange_weak(before, after, std::memory_order_relaxed));
}

inline bool retry_budget::try_withdraw() noexcept {
  std::uint32_t before = balance_.load(std::memory_order_relaxed);
  while (before >= whole) {
    if (!balance_.compare_exchange_weak(before, before - whole, std::memory_order_relaxed))
      continue;
    retries_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

CURFEW_END

#endif
