// SPDX-License-Identifier: BSL-1.0
//
// Contexts: a stop_source asks for a stop, its stop_tokens see it, its stop_callbacks are run by
// it. All that C++20's `<stop_token>` has, with its rules; and parents, deadlines and reasons.
#ifndef CURFEW_STOP_STOP_TOKEN_HPP
#define CURFEW_STOP_STOP_TOKEN_HPP

#include <curfew/stop/detail/handle.hpp>
#include <curfew/stop/reason.hpp>
#include <curfew/stop/time_source.hpp>

#include <atomic>
#include <concepts>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN

class stop_source;
template <class F>
class stop_callback;

/// Tag of the source that has no context.
struct nostopstate_t {
  explicit nostopstate_t() = default;
};
/// As in `stop_source none(nostopstate)`: nothing stops it, and it costs nothing.
inline constexpr nostopstate_t nostopstate{};

/// Sees whether, why and until when. Copying one is an atomic increment.
///
/// Thread safety: distinct tokens of one context may be used from any threads, one token like an
/// int. No member throws unless it says so.
class stop_token : public detail::token_base {
 public:
  template <class F>
  using callback_type = stop_callback<F>;

  /// Empty: it never stops, and wait() returns at once.
  stop_token() noexcept = default;
  stop_token(const stop_token& other) noexcept : token_base(other.c_) {
    if (c_ != nullptr) detail::acquire(*c_);
  }
  stop_token(stop_token&& other) noexcept : token_base(std::exchange(other.c_, nullptr)) {}
  stop_token& operator=(stop_token other) noexcept {
    swap(other);
    return *this;
  }
  ~stop_token() {
    if (c_ != nullptr) detail::release(*c_);
  }

  void swap(stop_token& other) noexcept { std::swap(c_, other.c_); }
  friend void swap(stop_token& a, stop_token& b) noexcept { a.swap(b); }
  [[nodiscard]] friend bool operator==(const stop_token& a, const stop_token& b) noexcept {
    return a.c_ == b.c_;
  }

 private:
  friend class stop_source;
  template <class F>
  friend class stop_callback;
  explicit stop_token(detail::context* c) noexcept : token_base(c) {
    if (c_ != nullptr) detail::acquire(*c_);
  }
};

/// Makes a context and stops it. The context lives as long as a source, token, callback or child of
/// it; its deadline happens as long as that, also when no source is left.
///
/// A child stops when its parent does, with the parent's reason, or by itself; it shares the
/// parent's time source. It keeps its parent alive; a parent does not keep its children. The child
/// of an empty token is a root.
///
/// A time is a duration of any type, from now, or a time point of steady_clock. Both saturate:
/// hours::max() means never, and what has passed stops the context at once.
///
/// Errors: a constructor throws std::bad_alloc, and those that take a time std::system_error when
/// the timer's thread cannot be started; the overloads with an error_code leave *this without a
/// context then.
///
/// Thread safety: distinct sources of one context may be used from any threads.
class stop_source {
 public:
  using duration = time_source::duration;
  using time_point = time_source::time_point;

  /// A root: nothing stops it but request_stop().
  stop_source() : stop_source(time_source::process()) {}
  /// No context, and no memory: stop_possible() is false.
  explicit stop_source(nostopstate_t) noexcept {}
  /// A root on that time source, which outlives it and everything below it.
  explicit stop_source(time_source& t) : c_(detail::new_context(t)) {}
  /// A root that stops by itself at that time, with the cause `deadline`.
  template <detail::time_or_duration Time>
  explicit stop_source(Time time) : stop_source(time_source::process(), time) {}
  template <detail::time_or_duration Time>
  stop_source(time_source& t, Time time)
      : c_(detail::new_context(t, nullptr, detail::limit(t, time))) {}
  template <detail::time_or_duration Time>
  stop_source(time_source& t, Time time, std::error_code& ec)
      : c_(detail::new_context(t, nullptr, detail::limit(t, time), ec)) {}

  /// A child. A deadline later than the parent's has no effect.
  explicit stop_source(const stop_token& parent)
      : c_(detail::new_context(parent.clock(), parent.c_)) {}
  template <detail::time_or_duration Time>
  stop_source(const stop_token& parent, Time time)
      : c_(detail::new_context(parent.clock(), parent.c_, detail::limit(parent.clock(), time))) {}
  template <detail::time_or_duration Time>
  stop_source(const stop_token& parent, Time time, std::error_code& ec)
      : c_(detail::new_context(parent.clock(), parent.c_, detail::limit(parent.clock(), time),
                               ec)) {}

  stop_source(const stop_source& other) noexcept : c_(other.c_) {
    if (c_ != nullptr) c_->sources.fetch_add(1, std::memory_order_relaxed);
  }
  stop_source(stop_source&& other) noexcept : c_(std::exchange(other.c_, nullptr)) {}
  stop_source& operator=(stop_source other) noexcept {
    swap(other);
    return *this;
  }
  ~stop_source() {
    if (c_ != nullptr) detail::release_source(*c_);
  }

  [[nodiscard]] stop_token get_token() const noexcept { return stop_token(c_); }
  /// Whether there is a context: it may have been stopped already.
  [[nodiscard]] bool stop_possible() const noexcept { return c_ != nullptr; }
  [[nodiscard]] bool stop_requested() const noexcept {
    return c_ != nullptr && detail::stopped(*c_);
  }

  /// Stops the context and all below it, unless it is stopped: then false, also when its deadline
  /// has passed and nobody has noticed yet. When it returns true, the callbacks have been run, on
  /// this thread: descendants before ancestors, newest child first, in each context the newest
  /// callback first. Before the first of them, everything below is stopped and whoever waits is
  /// woken. This source may be destroyed by a callback.
  bool request_stop() noexcept {
    return request_stop(stop_reason{stop_cause::requested, 0, 0, -1});
  }
  /// The reason of the first stop stays. A cause of `none` is told as `requested`.
  bool request_stop(stop_reason reason) noexcept {
    if (reason.cause == stop_cause::none) reason.cause = stop_cause::requested;
    return c_ != nullptr && detail::request_stop(*c_, reason);
  }

  void swap(stop_source& other) noexcept { std::swap(c_, other.c_); }
  friend void swap(stop_source& a, stop_source& b) noexcept { a.swap(b); }
  [[nodiscard]] friend bool operator==(const stop_source& a, const stop_source& b) noexcept {
    return a.c_ == b.c_;
  }

  template <std::same_as<stop_token>... Tokens>
  friend stop_source linked(Tokens... parents);

 private:
  detail::context* c_ = nullptr;
};

/// A context that stops when the first of its parents does, with that one's reason, or by itself.
/// One allocation. Empty tokens count as parents that never stop. All others must be on one time
/// source: if not, std::system_error with std::errc::invalid_argument.
template <std::same_as<stop_token>... Tokens>
[[nodiscard]] stop_source linked(Tokens... parents);

/// Runs f when the context is stopped: on the thread that stops it, or here in the constructor if
/// it is stopped already. An exception that leaves f ends the program.
///
/// The destructor removes it, and waits for it while it runs on another thread; inside f itself it
/// does not wait. It never waits for another callback.
template <class F>
class stop_callback : public detail::callback_holder<F> {
 public:
  using callback_type = F;

  template <class Init>
  requires std::constructible_from<F, Init>
  explicit stop_callback(const stop_token& t,
                         Init&& f) noexcept(std::is_nothrow_constructible_v<F, Init>)
      : detail::callback_holder<F>(std::in_place, std::forward<Init>(f)) {
    this->attach(t.c_);
  }
  template <class Init>
  requires std::constructible_from<F, Init>
  explicit stop_callback(stop_token&& t,
                         Init&& f) noexcept(std::is_nothrow_constructible_v<F, Init>)
      : detail::callback_holder<F>(std::in_place, std::forward<Init>(f)) {
    const stop_token owned(std::move(t));
    this->attach(owned.c_);
  }
};

template <class F>
stop_callback(stop_token, F) -> stop_callback<F>;

// --- bodies -------------------------------------------------------------------------------------

namespace detail {

/// The one time source of the contexts that are not null; the process's if all are.
[[nodiscard]] inline time_source& common_clock(context* const* first, context* const* last) {
  time_source* common = nullptr;
  for (; first != last; ++first) {
    if (*first == nullptr) continue;
    if (common != nullptr && !clocks::agree(*common, *(*first)->time))
      throw_errc(
          std::errc::invalid_argument,
          "linked(): the tokens are on different time sources; a context has one clock; build "
          "their roots on one");
    common = (*first)->time;
  }
  return common != nullptr ? *common : time_source::process();
}

}  // namespace detail

template <std::same_as<stop_token>... Tokens>
stop_source linked(Tokens... parents) {
  detail::context* const contexts[] = {detail::token_access::get(parents)..., nullptr};
  stop_source s(nostopstate);
  s.c_ = detail::new_linked(detail::common_clock(contexts, contexts + sizeof...(parents)), contexts,
                            sizeof...(parents));
  return s;
}

CURFEW_END

#endif
