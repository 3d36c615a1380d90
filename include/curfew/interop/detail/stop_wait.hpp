// SPDX-License-Identifier: BSL-1.0
//
// The wait for a stop as a composed operation of Asio, for async_wait_stop().
#ifndef CURFEW_INTEROP_DETAIL_STOP_WAIT_HPP
#define CURFEW_INTEROP_DETAIL_STOP_WAIT_HPP

#include <curfew/interop/detail/asio_choice.hpp>

#if CURFEW_ASIO

#include <curfew/interop/detail/bound_operation.hpp>
#include <curfew/interop/executor_stop_callback.hpp>

#include <chrono>
#include <memory>
#include <utility>

CURFEW_BEGIN
namespace detail::CURFEW_ASIO_INSIDE {

/// The wait of a timer that never expires, which the stop cancels: so the context owns what is
/// pending, as with every operation, and its end is the end of that.
template <class Executor, class Token>
class stop_wait {
 public:
  stop_wait(const Executor& executor, Token stop)
      : timer_(std::make_unique<timer>(executor, (clock::time_point::max)())),
        stop_(std::move(stop)) {}

#if CURFEW_ASIO_SLOTS
  /// First on whatever thread starts it, and then where the handler is to be called: elsewhere
  /// Asio's own part of self would race whoever cancels.
  template <class Self>
  void operator()(Self& self, asio_error = {}) {
    if (step_++ == 0) {
      self.reset_cancellation_state(asio_here::enable_total_cancellation());
      timer& t = *timer_;
      t.async_wait(stop_bound<Token, Self>{stop_, std::move(self)});
    } else {
      timer_.reset();
      complete(self);
    }
  }
#else
  /// First on whatever thread starts it; then twice on the executor, which alone may use the timer,
  /// whatever executor the handler has; and last where the handler is to be called.
  template <class Self>
  void operator()(Self& self, asio_error = {}) {
    switch (step_++) {
      case 0: return enter(self);
      case 1: return begin(self);
      case 2: return leave(self);
      default: return complete(self);
    }
  }
#endif

 private:
  using clock = std::chrono::steady_clock;
  using timer = asio_here::basic_waitable_timer<clock, asio_here::wait_traits<clock>, Executor>;
#if !CURFEW_ASIO_SLOTS
  struct cancel_timer {
    timer* pending;
    void operator()() const { pending->cancel(); }
  };
  using on_stop = executor_stop_callback<Token, Executor, cancel_timer>;

  /// A handler that has no executor of its own.
  template <class Self>
  static auto plain(Self& self) {
    return [own = std::move(self)](asio_error = {}) mutable { own(asio_error()); };
  }
  template <class Self>
  void enter(Self& self) {
    const Executor executor = timer_->get_executor();
    asio_here::dispatch(executor, plain(self));
  }
  template <class Self>
  void begin(Self& self) {
    timer& t = *timer_;
    on_stop_ = std::make_unique<on_stop>(stop_, t.get_executor(), cancel_timer{&t});
    t.async_wait(plain(self));
  }
  template <class Self>
  void leave(Self& self) {
    on_stop_.reset();
    timer_.reset();
    asio_here::dispatch(std::move(self));
  }
#endif

  template <class Self>
  void complete(Self& self) {
    const asio_error aborted = asio_here::error::operation_aborted;
    self.complete(stop_.stop_requested() ? asio_error() : aborted, stop_.reason());
  }

  std::unique_ptr<timer> timer_;
  Token stop_;
#if !CURFEW_ASIO_SLOTS
  std::unique_ptr<on_stop> on_stop_;  // after the timer that it cancels
#endif
  int step_ = 0;
};

}  // namespace detail::CURFEW_ASIO_INSIDE
CURFEW_END

#endif
#endif
