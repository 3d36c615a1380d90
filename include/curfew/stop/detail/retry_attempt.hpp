// SPDX-License-Identifier: BSL-1.0
//
// One attempt of a retry(): calls the function, judges what it returns or throws, and keeps that.
#ifndef CURFEW_STOP_DETAIL_RETRY_ATTEMPT_HPP
#define CURFEW_STOP_DETAIL_RETRY_ATTEMPT_HPP

#include <curfew/config.hpp>
#include <curfew/stop/retry_result.hpp>

#include <concepts>
#include <exception>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// std::error_code, std::error_condition, and those of other libraries: true means failure.
template <class R>
concept error_value = requires(const R& r) {
  r.value();
  r.category();
};

/// Not std::exception_ptr, of which true would mean an exception.
template <class R>
concept tells_by_conversion =
    std::is_class_v<R> && !std::same_as<R, std::exception_ptr> && requires(const R& r) {
  static_cast<bool>(r);
};

/// What f may return. A number is refused: whether 0 means success differs from one to the next.
template <class R>
concept tells_success =
    std::is_void_v<R> || std::is_pointer_v<R> || std::same_as<R, bool> || tells_by_conversion<R>;

template <class F, class Token>
concept takes_token = requires(F& f, const Token& token) {
  f(token);
};

template <class F, class Token>
decltype(auto) call_attempt(F& f, const Token& token) {
  if constexpr (takes_token<F, Token>) {
    return f(token);
  } else {
    return f();
  }
}

template <class F, class Token>
concept can_be_tried = takes_token<F, Token> || requires(F& f) {
  f();
};

template <class F, class Token>
using attempt_value = std::remove_cvref_t<decltype(detail::call_attempt(
    std::declval<F&>(), std::declval<const Token&>()))>;

template <class R>
[[nodiscard]] bool says_success(const R& r) {
  return static_cast<bool>(r) != error_value<R>;
}

template <class R>
concept has_error_code = requires(const R& r) {
  { r.error() } -> std::convertible_to<std::error_code>;
};

template <class R>
[[nodiscard]] std::error_code error_in(const R& r) {
  if constexpr (std::convertible_to<const R&, std::error_code>) {
    return r;
  } else if constexpr (has_error_code<R>) {
    return r.error();
  } else {
    return {};
  }
}

template <class R, class F, class Token>
void call_and_judge(retry_result<R>& out, F& f, const Token& token) {
  if constexpr (std::is_void_v<R>) {
    detail::call_attempt(f, token);
    out.end = retry_end::succeeded;
  } else {
    const R& r = out.last.emplace(detail::call_attempt(f, token));
    if (detail::says_success(r)) {
      out.end = retry_end::succeeded;
    } else {
      out.error = detail::error_in(r);
    }
  }
}

/// What the attempt before this one left.
template <class R>
void forget_attempt(retry_result<R>& out) noexcept {
  out.error.clear();
  out.thrown = nullptr;
  if constexpr (!std::is_void_v<R>) out.last.reset();
}

template <class R, class F, class Token>
bool try_once(retry_result<R>& out, F& f, const Token& token) {
  detail::forget_attempt(out);
  out.attempts += out.attempts != 0xffff'ffffu ? 1 : 0;
#if CURFEW_EXCEPTIONS
  try {
    detail::call_and_judge(out, f, token);
  } catch (const std::system_error& e) {
    out.error = e.code();
    out.thrown = std::current_exception();
  } catch (...) {
    out.thrown = std::current_exception();
  }
#else
  detail::call_and_judge(out, f, token);
#endif
  return out.ok();
}

template <class Again, class T>
[[nodiscard]] bool asks_again(Again& again, const T& failure) {
  if constexpr (requires { static_cast<bool>(again(failure)); }) {
    return static_cast<bool>(again(failure));
  } else {
    return true;
  }
}

template <class R, class Again>
[[nodiscard]] bool may_pass(const retry_result<R>& out, Again& again) {
  if (out.thrown != nullptr) return detail::asks_again(again, out.thrown);
  if constexpr (std::is_void_v<R>) {
    return true;
  } else {
    return detail::asks_again(again, *out.last);
  }
}

}  // namespace detail
CURFEW_END

#endif
