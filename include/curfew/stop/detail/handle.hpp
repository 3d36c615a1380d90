// SPDX-License-Identifier: BSL-1.0
//
// What the tokens of both kinds of context have in common, and the callbacks of both.
#ifndef CURFEW_STOP_DETAIL_HANDLE_HPP
#define CURFEW_STOP_DETAIL_HANDLE_HPP

#include <curfew/stop/detail/process_clock.hpp>
#include <curfew/stop/detail/waiting.hpp>
#include <curfew/stop/stopped_error.hpp>

#include <chrono>
#include <concepts>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN
namespace detail {

template <class Rep, class Period>
using any_duration = std::chrono::duration<Rep, Period>;
template <class Duration>
using any_time_point = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// The questions that every token answers; `stop_token` and `inplace_stop_token` inherit them.
class token_base {
 public:
  /// One acquire load: whatever was done before the stop was asked for is seen after it.
  [[nodiscard]] bool stop_requested() const noexcept { return c_ != nullptr && stopped(*c_); }

  /// Stopped, or somebody or something is left who could: a source, a deadline, a parent.
  [[nodiscard]] bool stop_possible() const noexcept { return c_ != nullptr && possible(*c_); }

  /// Cause `none` until stopped. Asked after the deadline it says `deadline`, however late the
  /// timer is.
  [[nodiscard]] stop_reason reason() const noexcept {
    return c_ != nullptr && stopped_or_late(*c_) ? reason_of(*c_) : stop_reason{};
  }

  /// The earliest of its own and its ancestors'; time_point::max() when there is none.
  [[nodiscard]] time_source::time_point deadline() const noexcept {
    return c_ != nullptr ? c_->deadline : (time_source::time_point::max)();
  }

  /// Until the deadline, never negative; duration::max() when there is none.
  [[nodiscard]] time_source::duration remaining() const noexcept;

  /// The clock that deadline() is a time of; the process's for an empty token.
  [[nodiscard]] time_source& clock() const noexcept {
    return c_ != nullptr ? *c_->time : time_source::process();
  }

  /// Blocks until stopped: true. False as soon as a stop is impossible, at once for an empty token.
  bool wait() const { return c_ != nullptr && detail::wait(*c_); }

  /// The same with a limit on the token's clock; true: stopped. On a clock other than the process's
  /// it can throw what arming a deadline there throws.
  template <class Rep, class Period>
  bool wait_for(any_duration<Rep, Period> d) const {
    return c_ != nullptr && detail::wait_until(*c_, saturating_add(c_->time->now(), saturate(d)));
  }
  /// The same until a time point of the token's clock.
  template <class Duration>
  bool wait_until(any_time_point<Duration> limit) const {
    return c_ != nullptr && detail::wait_until(*c_, saturate(limit));
  }

  /// Throws stopped_error if stopped. Built without exceptions it ends the program instead.
  void throw_if_stopped() const;

 protected:
  constexpr token_base() noexcept = default;
  constexpr explicit token_base(context* c) noexcept : c_(c) {}
  friend struct token_access;

  context* c_ = nullptr;
};

/// For those who build contexts below a token.
struct token_access {
  [[nodiscard]] static context* get(const token_base& t) noexcept { return t.c_; }
  [[nodiscard]] static time_source& clock(const token_base& t) noexcept { return t.clock(); }
};

inline time_source::duration token_base::remaining() const noexcept {
  if (c_ == nullptr || !has_deadline(*c_)) return (time_source::duration::max)();
  const auto now = c_->time->now();
  if (now < c_->deadline) return saturating_subtract(c_->deadline, now);
  stopped_or_late(*c_);
  return time_source::duration::zero();
}

inline void token_base::throw_if_stopped() const {
  if (c_ == nullptr || !stopped_or_late(*c_)) return;
#if CURFEW_EXCEPTIONS
  throw stopped_error(reason_of(*c_));
#else
  fatal(
      "throw_if_stopped() was called on a stopped token, and a build without exceptions cannot "
      "throw; ask stop_requested() instead");
#endif
}

/// A callback of type F and its registration. It cannot be copied or moved: the context knows where
/// it is.
template <class F>
class callback_holder : callback_base {
  static_assert(std::invocable<F> && std::destructible<F>);

 public:
  callback_holder(const callback_holder&) = delete;
  callback_holder& operator=(const callback_holder&) = delete;

  /// Afterwards the callback is not running on another thread and will not be started. Waits while
  /// it runs on another thread; inside the callback itself it does not wait.
  void remove() noexcept { static_cast<void>(remove_callback(*this)); }

  /// Never waits. True: as after remove(). False: it is running, and stays registered; a later
  /// remove(), or the destructor, waits for it.
  [[nodiscard]] bool try_remove() noexcept {
    return try_remove_callback(*this, nullptr) == removal::done;
  }

 protected:
  /// Tagged, so that it is never mistaken for a copy.
  template <class Init>
  callback_holder(std::in_place_t, Init&& f) noexcept(std::is_nothrow_constructible_v<F, Init>)
      : callback_base(ops), f_(std::forward<Init>(f)) {}
  ~callback_holder() { end_callback(*this); }

  /// Registers, or runs the callback here and now if stopped. The caller keeps the context alive
  /// meanwhile.
  void attach(context* c) noexcept {
    if (c != nullptr && register_callback(*this, *c) == registration::stopped) run(*this);
  }

 private:
  static void run(callback_base& self) noexcept {
    std::forward<F>(static_cast<callback_holder&>(self).f_)();
  }
  static const char* name() noexcept { return CURFEW_FUNCTION_NAME; }
  static constexpr callback_ops ops{&run, &name};

  F f_;
};

}  // namespace detail
CURFEW_END

#endif
