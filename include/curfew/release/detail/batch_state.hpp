// SPDX-License-Identifier: BSL-1.0
//
// What a batch buffer shares with its thread, and the life of that thread.
#ifndef CURFEW_RELEASE_DETAIL_BATCH_STATE_HPP
#define CURFEW_RELEASE_DETAIL_BATCH_STATE_HPP

#include <curfew/release/batch_options.hpp>
#include <curfew/release/batch_report.hpp>
#include <curfew/release/detail/attempt.hpp>
#include <curfew/release/detail/item_row.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/park.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN
namespace detail {

template <class R>
concept tells_batch_failure =
    std::is_void_v<R> || std::same_as<std::remove_cvref_t<R>, std::error_code>;

template <class F, class... Args>
concept writes_batch = std::invocable<F&, const Args&...> &&
    tells_batch_failure<std::invoke_result_t<F&, const Args&...>>;

/// Members are the buffer's, those that run the thread apart. No lock is held while the sink runs,
/// nor while an item is destroyed.
template <class T>
class batch_state {
 public:
  using duration = time_source::duration;
  using time_point = time_source::time_point;

  batch_state(const batch_options& o, std::error_code& ec);
  batch_state(const batch_state&) = delete;
  batch_state& operator=(const batch_state&) = delete;
  virtual ~batch_state() = default;  // by leave(), or when there is no thread

  /// By the buffer, and by its thread, at the end.
  void leave() noexcept {
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  void run() noexcept;

  bool push(T&& item) noexcept;
  template <class Token>
  bool push(T&& item, const Token& token) noexcept;
  template <class Token>
  bool flush(const Token& token) noexcept;
  batch_report close_within(duration limit) noexcept;
  template <class Token>
  batch_report close_until(const Token& token) noexcept;

  [[nodiscard]] batch_counts counts() noexcept;
  [[nodiscard]] bool closed() noexcept;
  [[nodiscard]] bool abandoned() noexcept;
  [[nodiscard]] duration close_timeout() const noexcept { return options_.close_timeout; }
  [[nodiscard]] bool on_own_thread() const noexcept {
    return thread_.load(std::memory_order_relaxed) == this_thread();
  }

 protected:
  virtual std::error_code write(std::span<T> batch, const stop_token& cut) = 0;

 private:
  // The thread.
  [[nodiscard]] bool await_batch() noexcept;
  void take_batch() noexcept;
  void offer_batch() noexcept;
  [[nodiscard]] bool offer_once(bool last) noexcept;
  [[nodiscard]] bool rest() noexcept;
  void finish() noexcept;

  // With the lock held.
  void accept(T&& item) noexcept;
  void wake() noexcept;
  [[nodiscard]] bool due(time_point now) noexcept;
  [[nodiscard]] std::uint64_t settled() const noexcept;
  [[nodiscard]] batch_counts counted() const noexcept;
  [[nodiscard]] item_row<T> conclude() noexcept;

  void begin_close() noexcept;
  [[nodiscard]] bool finished_within(duration limit) noexcept;
  [[nodiscard]] batch_report ended_within(duration grace) noexcept;
  void cut() noexcept;
  void abandon() noexcept;
  [[nodiscard]] batch_report report() noexcept;
  void tell() noexcept {
    news_.fetch_add(1, std::memory_order_release);
    unpark_all(news_);
  }

  const batch_options options_;
  time_source& time_;
  std::atomic<unsigned> owners_{2};   // acq_rel: the last one sees what the other did
  std::atomic<thread_id> thread_{0};  // who compares it with itself has stored it itself
  // What those park on who wait for room, or for a flush. Whatever ends such a wait is done first,
  // under the lock or in a token, and then news_ changes; who waits reads news_, looks for what
  // ends its wait, and parks on what it read. The release pairs with the acquire of that read.
  std::atomic<std::uint32_t> news_{0};
  stop_source cut_{nostopstate};  // the sink's time is up; no call of it begins any more
  inplace_stop_source finished_;  // the report is
  item_row<T> batch_;             // the thread's own

  std::mutex lock_;  // of all below
  item_row<T> waiting_;
  batch_counts counts_;  // but for fill
  batch_report report_;  // counts: when it is finished
  std::uint64_t accepted_ = 0;
  std::uint64_t before_batch_ = 0;  // so many of those came before what is with the sink
  std::uint64_t due_ = 0;           // the first so many are to be written at once
  time_point since_{};              // no other one that waits came earlier
  inplace_stop_source* nap_ = nullptr;
  bool nap_for_items_ = false;
  bool in_sink_ = false;
  bool closed_ = false;
  bool abandoned_ = false;
};

template <class T, class Sink>
class batch_state_of final : public batch_state<T> {
 public:
  batch_state_of(Sink&& sink, const batch_options& o, std::error_code& ec)
      : batch_state<T>(o, ec), sink_(std::move(sink)) {}

 private:
  std::error_code write(std::span<T> batch, const stop_token& cut) override {
    if constexpr (std::is_invocable_v<Sink&, std::span<T>, stop_token>) {
      return called(batch, cut);
    } else {
      return called(batch);
    }
  }
  template <class... Args>
  std::error_code called(const Args&... args) {
    if constexpr (std::is_void_v<std::invoke_result_t<Sink&, const Args&...>>) {
      sink_(args...);
      return {};
    } else {
      return sink_(args...);
    }
  }

  Sink sink_;
};

[[nodiscard]] inline batch_options sound(batch_options o) noexcept {
  o.capacity = greater<std::size_t>(o.capacity, 1);
  o.batch = within<std::size_t>(o.batch, 1, o.capacity);
  o.grace = greater<clock_duration>(o.grace, clock_duration::zero());
  return o;
}

template <class T>
batch_state<T>::batch_state(const batch_options& o, std::error_code& ec)
    : options_(sound(o)),
      time_(o.time != nullptr ? *o.time : time_source::process()),
      finished_(time_) {
  bool made = waiting_.allocate(options_.capacity) && batch_.allocate(options_.batch);
  made = made && attempt([&] { cut_ = stop_source(time_); }) == nullptr;
  if (!made) ec = std::make_error_code(std::errc::not_enough_memory);
}

// ---- items come

template <class T>
bool batch_state<T>::push(T&& item) noexcept {
  std::optional<T> oldest;  // destroyed when the lock is free again
  const std::lock_guard guard(lock_);
  if (closed_) return ++counts_.refused, false;
  if (waiting_.full()) {
    ++counts_.dropped;
    if (options_.full == when_full::drop_newest) return false;
    oldest.emplace(waiting_.take_front());
  }
  accept(std::move(item));
  return true;
}

template <class T>
template <class Token>
bool batch_state<T>::push(T&& item, const Token& token) noexcept {
  if (on_own_thread()) return push(std::move(item));
  const auto stopped = [this]() noexcept { tell(); };
  const stop_callback_for_t<Token, decltype(stopped)> on_stop(token, stopped);
  for (;;) {
    const std::uint32_t seen = news_.load(std::memory_order_acquire);
    const bool in_vain = token.stop_requested();
    {
      const std::lock_guard guard(lock_);
      if (closed_) return ++counts_.refused, false;
      if (!waiting_.full()) return accept(std::move(item)), true;
      if (in_vain) return ++counts_.dropped, false;
    }
    park(news_, seen);
  }
}

/// The thread is woken to see when the first item is due, and when a batch is full.
template <class T>
void batch_state<T>::accept(T&& item) noexcept {
  if (waiting_.empty() || due_ == accepted_) since_ = time_.now();
  waiting_.push_back(std::move(item));
  ++accepted_;
  counts_.most_fill = greater(counts_.most_fill, waiting_.size());
  if (nap_for_items_ && (waiting_.size() == 1 || waiting_.size() >= options_.batch)) wake();
}

template <class T>
template <class Token>
bool batch_state<T>::flush(const Token& token) noexcept {
  const auto stopped = [this]() noexcept { tell(); };
  const stop_callback_for_t<Token, decltype(stopped)> on_stop(token, stopped);
  std::uint64_t target = 0;
  for (;;) {
    const std::uint32_t seen = news_.load(std::memory_order_acquire);
    const bool in_vain = token.stop_requested() || on_own_thread();
    {
      const std::lock_guard guard(lock_);
      if (target == 0) {
        target = due_ = accepted_;
        if (nap_for_items_) wake();
      }
      if (settled() >= target) return true;
      if (in_vain) return false;
    }
    park(news_, seen);
  }
}

/// The first so many of the accepted items have been written, or lost and counted. More may have
/// been: what waits is pushed out also while what is older is with the sink.
template <class T>
std::uint64_t batch_state<T>::settled() const noexcept {
  return counts_.with_sink != 0 ? before_batch_ : accepted_ - waiting_.size();
}

template <class T>
batch_counts batch_state<T>::counted() const noexcept {
  batch_counts c = counts_;
  c.fill = waiting_.size();
  return c;
}

template <class T>
batch_counts batch_state<T>::counts() noexcept {
  const std::lock_guard guard(lock_);
  return counted();
}

template <class T>
bool batch_state<T>::closed() noexcept {
  const std::lock_guard guard(lock_);
  return closed_;
}

template <class T>
bool batch_state<T>::abandoned() noexcept {
  const std::lock_guard guard(lock_);
  return abandoned_;
}

}  // namespace detail
CURFEW_END

#endif
