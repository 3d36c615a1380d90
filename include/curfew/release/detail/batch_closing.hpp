// SPDX-License-Identifier: BSL-1.0
//
// A batch buffer's bodies: how it is closed, and what is left when there is no more time.
#ifndef CURFEW_RELEASE_DETAIL_BATCH_CLOSING_HPP
#define CURFEW_RELEASE_DETAIL_BATCH_CLOSING_HPP

#include <curfew/release/detail/batch_state.hpp>

CURFEW_BEGIN
namespace detail {

template <class T>
batch_report batch_state<T>::close_within(duration limit) noexcept {
  begin_close();
  if (on_own_thread()) return report();
  const duration grace = lesser<duration>(options_.grace, limit / 10);
  const bool endless = limit == (duration::max)();
  return finished_within(endless ? limit : limit - grace) ? report() : ended_within(grace);
}

template <class T>
template <class Token>
batch_report batch_state<T>::close_until(const Token& token) noexcept {
  begin_close();
  if (on_own_thread()) return report();
  inplace_stop_source either(finished_.get_token());
  const auto stopped = [&either]() noexcept { either.request_stop(); };
  {
    const stop_callback_for_t<Token, decltype(stopped)> on_stop(token, stopped);
    static_cast<void>(attempt([&] { either.get_token().wait(); }));
  }
  return finished_.stop_requested() ? report() : ended_within(options_.grace);
}

template <class T>
void batch_state<T>::begin_close() noexcept {
  {
    const std::lock_guard guard(lock_);
    if (!std::exchange(closed_, true)) wake();
  }
  tell();
}

template <class T>
bool batch_state<T>::finished_within(duration limit) noexcept {
  bool finished = false;  // where time cannot be told, it has passed
  static_cast<void>(attempt([&] { finished = finished_.get_token().wait_for(limit); }));
  return finished;
}

template <class T>
batch_report batch_state<T>::ended_within(duration grace) noexcept {
  cut();
  if (!finished_within(grace)) abandon();
  return report();
}

template <class T>
void batch_state<T>::cut() noexcept {
  cut_.request_stop({.cause = stop_cause::deadline});
  const std::lock_guard guard(lock_);
  wake();
}

/// What the sink does now does not count any more.
template <class T>
void batch_state<T>::abandon() noexcept {
  {
    const item_row<T> left = [this]() noexcept {
      const std::lock_guard guard(lock_);
      if (!report_.finished) abandoned_ = true;
      return conclude();
    }();
  }
  finished_.request_stop();
  tell();
}

/// The first time: what waits is unwritten, and to be destroyed without the lock.
template <class T>
item_row<T> batch_state<T>::conclude() noexcept {
  if (report_.finished) return {};
  (in_sink_ ? counts_.in_doubt : counts_.failed) += std::exchange(counts_.with_sink, 0);
  counts_.unwritten += waiting_.size();
  item_row<T> left(std::move(waiting_));
  report_.counts = counted();
  report_.finished = true;
  return left;
}

template <class T>
batch_report batch_state<T>::report() noexcept {
  const std::lock_guard guard(lock_);
  batch_report r = report_;
  if (!r.finished) r.counts = counted();
  return r;
}

}  // namespace detail
CURFEW_END

#endif
