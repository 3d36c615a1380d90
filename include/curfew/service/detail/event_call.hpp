// SPDX-License-Identifier: BSL-1.0
//
// What the user has given to be called when the host asks, and how long it is kept.
#ifndef CURFEW_SERVICE_DETAIL_EVENT_CALL_HPP
#define CURFEW_SERVICE_DETAIL_EVENT_CALL_HPP

#include <curfew/stop/detail/owned.hpp>

#include <utility>

CURFEW_BEGIN
namespace detail {

/// A function of the user's, whatever it is made of; it need not be one that can be copied.
template <class Result, class Argument>
class event_call {
 public:
  template <class F>
  [[nodiscard]] static owned<event_call> of(F f);

  event_call() = default;
  event_call(const event_call&) = delete;
  event_call& operator=(const event_call&) = delete;
  virtual ~event_call() = default;
  virtual Result run(Argument what) = 0;

  event_call* older = nullptr;

 private:
  template <class F>
  class made_of;
};

template <class Result, class Argument>
template <class F>
class event_call<Result, Argument>::made_of final : public event_call {
 public:
  explicit made_of(F f) : f_(std::move(f)) {}
  Result run(Argument what) override { return static_cast<Result>(f_(what)); }

 private:
  F f_;
};

template <class Result, class Argument>
template <class F>
owned<event_call<Result, Argument>> event_call<Result, Argument>::of(F f) {
  return owned<event_call>(new made_of<F>(std::move(f)));
}

/// All of them, those that have been replaced too: a thread may still be in one.
template <class Call>
class kept_calls {
 public:
  kept_calls() = default;
  kept_calls(const kept_calls&) = delete;
  kept_calls& operator=(const kept_calls&) = delete;
  ~kept_calls() { clear(); }

  void keep(owned<Call> fresh) noexcept {
    fresh->older = newest_;
    newest_ = fresh.release();
  }
  void clear() noexcept {
    while (newest_ != nullptr) delete std::exchange(newest_, newest_->older);
  }

 private:
  Call* newest_ = nullptr;
};

}  // namespace detail
CURFEW_END

#endif
