// SPDX-License-Identifier: BSL-1.0
//
// A batch buffer's bodies: what runs on its thread.
#ifndef CURFEW_RELEASE_DETAIL_BATCH_THREAD_HPP
#define CURFEW_RELEASE_DETAIL_BATCH_THREAD_HPP

#include <curfew/release/detail/batch_state.hpp>

CURFEW_BEGIN
namespace detail {

template <class T>
void batch_state<T>::run() noexcept {
  thread_.store(this_thread(), std::memory_order_relaxed);
  while (await_batch()) offer_batch();
  finish();
}

/// False: there is nothing more to write, or no time for it.
template <class T>
bool batch_state<T>::await_batch() noexcept {
  for (bool timed = true;;) {
    inplace_stop_source s(time_);
    time_point until = (time_point::max)();
    {
      const std::lock_guard guard(lock_);
      if (cut_.stop_requested()) return false;
      if (!timed) due_ = accepted_;
      if (due(time_.now())) return take_batch(), true;
      if (closed_) return false;
      if (!waiting_.empty()) until = saturating_add(since_, options_.interval);
      nap_ = &s;
      nap_for_items_ = true;
    }
    // Without a timer nothing waits for the interval.
    timed = attempt([&] { s.get_token().wait_until(until); }) == nullptr;
    const std::lock_guard guard(lock_);
    nap_ = nullptr;
    nap_for_items_ = false;
  }
}

template <class T>
void batch_state<T>::wake() noexcept {
  if (inplace_stop_source* const s = std::exchange(nap_, nullptr)) s->request_stop();
  nap_for_items_ = false;
}

/// An interval that has passed is over for all that wait.
template <class T>
bool batch_state<T>::due(time_point now) noexcept {
  if (waiting_.empty()) return false;
  if (now >= saturating_add(since_, options_.interval)) {
    due_ = accepted_;
    since_ = now;
  }
  return closed_ || waiting_.size() >= options_.batch || accepted_ - waiting_.size() < due_;
}

template <class T>
void batch_state<T>::take_batch() noexcept {
  const std::size_t size = lesser(waiting_.size(), options_.batch);
  before_batch_ = accepted_ - waiting_.size();
  while (batch_.size() != size) batch_.push_back(waiting_.take_front());
  counts_.with_sink = size;
  in_sink_ = true;
}

template <class T>
void batch_state<T>::offer_batch() noexcept {
  tell();  // there is room
  for (unsigned attempts = 1; !offer_once(attempts >= options_.attempts) && rest();) ++attempts;
  batch_.clear();
  tell();
}

/// True: the batch is settled.
template <class T>
bool batch_state<T>::offer_once(bool last) noexcept {
  std::error_code code;
  std::exception_ptr error = attempt([&] { code = write(batch_.all(), cut_.get_token()); });
  const bool failed = code || error != nullptr;
  const std::lock_guard guard(lock_);
  in_sink_ = false;
  if (abandoned_) return true;
  ++(failed ? counts_.failed_flushes : counts_.flushes);
  if (failed) {
    report_.code = code;
    std::swap(report_.error, error);
    if (!last && !cut_.stop_requested()) return false;
  }
  (failed ? counts_.failed : counts_.written) += std::exchange(counts_.with_sink, 0);
  return true;
}

/// Between two attempts: until the next, or a close, which makes one at once. False: there is no
/// time for one.
template <class T>
bool batch_state<T>::rest() noexcept {
  inplace_stop_source s(time_);
  {
    const std::lock_guard guard(lock_);
    nap_ = &s;
    if (cut_.stop_requested()) wake();
  }
  static_cast<void>(attempt([&] { s.get_token().wait_for(options_.retry_after); }));
  const std::lock_guard guard(lock_);
  nap_ = nullptr;
  in_sink_ = !cut_.stop_requested() && !abandoned_;
  if (!in_sink_) counts_.failed += std::exchange(counts_.with_sink, 0);
  return in_sink_;
}

template <class T>
void batch_state<T>::finish() noexcept {
  {
    const item_row<T> left = [this]() noexcept {
      const std::lock_guard guard(lock_);
      return conclude();
    }();
  }
  finished_.request_stop();
  tell();
}

}  // namespace detail
CURFEW_END

#endif
