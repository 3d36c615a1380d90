// SPDX-License-Identifier: BSL-1.0
//
// Contexts that live in a scope: no allocation, no counting of handles, the same deadlines, reasons
// and parents. Everything that C++26 says of inplace_stop_source and its companions holds.
#ifndef CURFEW_STOP_INPLACE_STOP_TOKEN_HPP
#define CURFEW_STOP_INPLACE_STOP_TOKEN_HPP

#include <curfew/stop/stop_token.hpp>

#include <concepts>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN

class inplace_stop_source;
template <class F>
class inplace_stop_callback;

/// Like stop_token, but a plain pointer: the source must outlive it.
///
/// Thread safety: as a pointer's; what it points to may be asked from any thread.
class inplace_stop_token : public detail::token_base {
 public:
  template <class F>
  using callback_type = inplace_stop_callback<F>;

  /// Empty: it never stops.
  constexpr inplace_stop_token() noexcept = default;

  [[nodiscard]] bool stop_possible() const noexcept { return c_ != nullptr; }
  constexpr void swap(inplace_stop_token& other) noexcept { std::swap(c_, other.c_); }
  friend constexpr void swap(inplace_stop_token& a, inplace_stop_token& b) noexcept { a.swap(b); }
  [[nodiscard]] friend constexpr bool operator==(const inplace_stop_token& a,
                                                 const inplace_stop_token& b) noexcept {
    return a.c_ == b.c_;
  }

 private:
  friend class inplace_stop_source;
  template <class F>
  friend class inplace_stop_callback;
  constexpr explicit inplace_stop_token(detail::context* c) noexcept : token_base(c) {}
};

/// A context in a scope. It outlives its tokens, its callbacks and its children of both kinds
/// (a stop_source cannot have one as parent); its parent may be of either kind.
///
/// The destructor waits while a stop is passing through or its callbacks are being run. It must not
/// run inside one of its own callbacks: that ends the program with a message.
///
/// Errors: only the constructors that take a time can fail, as stop_source's do; with an error_code
/// the context is whole then, but for its own deadline.
///
/// Thread safety: any thread may ask for a stop, take tokens and hang callbacks on them; nobody
/// does any more when the destructor begins.
class inplace_stop_source {
 public:
  constexpr inplace_stop_source() noexcept : c_(detail::the_process_clock) {}
  explicit inplace_stop_source(time_source& t) noexcept : c_(t) {}
  template <detail::time_or_duration Time>
  explicit inplace_stop_source(Time time) : inplace_stop_source(time_source::process(), time) {}
  template <detail::time_or_duration Time>
  inplace_stop_source(time_source& t, Time time) : c_(t) {
    begin(nullptr, detail::limit(t, time));
  }
  template <detail::time_or_duration Time>
  inplace_stop_source(time_source& t, Time time, std::error_code& ec) noexcept : c_(t) {
    begin(nullptr, detail::limit(t, time), ec);
  }

  explicit inplace_stop_source(const stop_token& parent) noexcept : c_(parent.clock()) {
    begin(&parent, {});
  }
  explicit inplace_stop_source(const inplace_stop_token& parent) noexcept : c_(parent.clock()) {
    begin(&parent, {});
  }
  template <std::derived_from<detail::token_base> Parent, detail::time_or_duration Time>
  inplace_stop_source(const Parent& parent, Time time) : c_(parent.clock()) {
    begin(&parent, detail::limit(parent.clock(), time));
  }
  template <std::derived_from<detail::token_base> Parent, detail::time_or_duration Time>
  inplace_stop_source(const Parent& parent, Time time, std::error_code& ec) noexcept
      : c_(parent.clock()) {
    begin(&parent, detail::limit(parent.clock(), time), ec);
  }

  inplace_stop_source(const inplace_stop_source&) = delete;
  inplace_stop_source& operator=(const inplace_stop_source&) = delete;
  ~inplace_stop_source() { detail::end_life(c_); }

  [[nodiscard]] constexpr inplace_stop_token get_token() const noexcept {
    return inplace_stop_token(&c_);
  }
  [[nodiscard]] static constexpr bool stop_possible() noexcept { return true; }
  [[nodiscard]] bool stop_requested() const noexcept { return detail::stopped(c_); }

  /// As stop_source's, but the source must not be destroyed by a callback.
  bool request_stop() noexcept {
    return request_stop(stop_reason{stop_cause::requested, 0, 0, -1});
  }
  bool request_stop(stop_reason reason) noexcept {
    if (reason.cause == stop_cause::none) reason.cause = stop_cause::requested;
    return detail::request_stop(c_, reason);
  }

 private:
  void begin(const detail::token_base* parent, detail::time_limit own);
  void begin(const detail::token_base* parent, detail::time_limit own,
             std::error_code& ec) noexcept;

  mutable detail::inplace_context c_;
};

/// As stop_callback, on an inplace context; its source must outlive it. Removing it in any order
/// and from inside any callback is fine.
template <class F>
class inplace_stop_callback : public detail::callback_holder<F> {
 public:
  using callback_type = F;

  template <class Init>
  requires std::constructible_from<F, Init>
  explicit inplace_stop_callback(inplace_stop_token t,
                                 Init&& f) noexcept(std::is_nothrow_constructible_v<F, Init>)
      : detail::callback_holder<F>(std::in_place, std::forward<Init>(f)) {
    this->attach(t.c_);
  }
};

template <class F>
inplace_stop_callback(inplace_stop_token, F) -> inplace_stop_callback<F>;

/// The token of what is never stopped; all of it is known at compile time.
class never_stop_token {
  struct ignored {
    explicit ignored(never_stop_token, auto&&) noexcept {}
  };

 public:
  template <class>
  using callback_type = ignored;

  [[nodiscard]] static constexpr bool stop_requested() noexcept { return false; }
  [[nodiscard]] static constexpr bool stop_possible() noexcept { return false; }
  [[nodiscard]] bool operator==(const never_stop_token&) const = default;
};

/// The callback that belongs to a kind of token.
template <class Token, class F>
using stop_callback_for_t = typename Token::template callback_type<F>;

namespace detail {
template <template <class> class>
struct check_type_alias_exists;
}  // namespace detail

/// What C++26 calls a stop token: the two here, and anybody's that keeps the same promises.
template <class Token>
concept stoppable_token = requires(const Token t) {
  typename detail::check_type_alias_exists<Token::template callback_type>;
  { t.stop_requested() }
  noexcept->std::same_as<bool>;
  { t.stop_possible() }
  noexcept->std::same_as<bool>;
  { Token(t) }
  noexcept;
}
&&std::copyable<Token>&& std::equality_comparable<Token>;

/// One of which it is known when it is compiled that it never stops.
template <class Token>
concept unstoppable_token = stoppable_token<Token> && requires {
  requires std::bool_constant<(!Token::stop_possible())>::value;
};

// --- bodies -------------------------------------------------------------------------------------

inline void inplace_stop_source::begin(const detail::token_base* parent, detail::time_limit own,
                                       std::error_code& ec) noexcept {
  detail::context* const p = parent != nullptr ? detail::token_access::get(*parent) : nullptr;
  detail::begin_life(c_, p, own, ec);
}

inline void inplace_stop_source::begin(const detail::token_base* parent, detail::time_limit own) {
  std::error_code ec;
  begin(parent, own, ec);
  if (!ec) return;
  detail::end_life(c_);
  detail::throw_error_code(ec, detail::no_timer_thread);
}

CURFEW_END

#endif
