// SPDX-License-Identifier: BSL-1.0
//
// What an entry of a resource stack holds: an object whose destructor releases it, or a function
// that does, and then the context that hurries it.
#ifndef CURFEW_RELEASE_DETAIL_HELD_HPP
#define CURFEW_RELEASE_DETAIL_HELD_HPP

#include <curfew/release/detail/attempt.hpp>
#include <curfew/release/detail/release_node.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <exception>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// Parentheses, or braces for an aggregate where the compiler does not yet take parentheses.
template <class T, class... Args>
[[nodiscard]] T make(Args&&... args) {
  if constexpr (std::is_constructible_v<T, Args...>) {
    return T(std::forward<Args>(args)...);
  } else {
    return T{std::forward<Args>(args)...};
  }
}

/// The node outlives what it holds: the one belongs to the report, the other ends with its release.
template <class T>
struct held : release_node {
  template <class... Args>
  held(run_function* r, std::string_view name, const source_place& place,
       time_source::duration limit, Args&&... args)
      : release_node(r, name, place, limit), value(make<T>(std::forward<Args>(args)...)) {}
  held(const held&) = delete;
  held& operator=(const held&) = delete;
  ~held() {}

  union {
    T value;
  };
};

/// Gives a root that nobody has seen yet its time. Without a timer to be had that time will not end
/// by itself: then false.
template <class Source>
[[nodiscard]] bool give_time(Source& root, const release_terms& terms) noexcept {
  constexpr bool inplace = std::is_same_v<Source, inplace_stop_source>;
  using kind = std::conditional_t<inplace, inplace_context, context>;
  std::error_code ec;
  kind& c = static_cast<kind&>(*token_access::get(root.get_token()));
  begin_life(c, nullptr, terms.until, ec);
  return !ec;
}

// --- objects ------------------------------------------------------------------------------------

template <class T>
std::exception_ptr destroy_held(release_node& n, const release_terms&) noexcept {
  T& object = static_cast<held<T>&>(n).value;
  return attempt([&] { object.~T(); });
}

// --- functions ----------------------------------------------------------------------------------

/// The context of a release that does not ask for one.
struct no_source {
  explicit no_source(time_source&) noexcept {}
};

template <class F>
inline constexpr bool takes_shared = std::is_invocable_v<F&, stop_token>;
template <class F>
inline constexpr bool takes_inplace = std::is_invocable_v<F&, inplace_stop_token>;

/// release(), release(stop_token hurry), or release(inplace_stop_token hurry).
template <class F>
concept release_function = takes_shared<F> || takes_inplace<F> || std::is_invocable_v<F&>;

template <class F>
using hurry_source =
    std::conditional_t<takes_shared<F>, stop_source,
                       std::conditional_t<takes_inplace<F>, inplace_stop_source, no_source>>;

/// Calls a release that nobody hurries.
template <class F>
void call_at_leisure(F& f) {
  if constexpr (takes_shared<F>) {
    static_cast<void>(f(stop_token()));
  } else if constexpr (takes_inplace<F>) {
    static_cast<void>(f(inplace_stop_token()));
  } else {
    static_cast<void>(f());
  }
}

/// A release and its context, which is made when there is time for an error: calling it allocates
/// nothing.
template <class F>
struct deferred {
  template <class Init>
  deferred(time_source& clock, Init&& init) : hurry(clock), f(std::forward<Init>(init)) {}

  /// Its token stops at the end of its time, or as soon as the whole is hurried: then with that
  /// reason. If its time cannot be measured it is hurried at once.
  void call(const release_terms& terms) {
    if constexpr (std::is_same_v<hurry_source<F>, no_source>) {
      static_cast<void>(f());
    } else {
      const auto pass_on = [&]() noexcept { hurry.request_stop(terms.outer.reason()); };
      if (!give_time(hurry, terms)) hurry.request_stop({.cause = stop_cause::fault});
      const stop_callback outer(terms.outer, pass_on);
      static_cast<void>(f(hurry.get_token()));
    }
  }

  [[no_unique_address]] hurry_source<F> hurry;
  F f;
};

template <class F>
std::exception_ptr call_held(release_node& n, const release_terms& terms) noexcept {
  auto& release = static_cast<held<deferred<F>>&>(n).value;
  std::exception_ptr error = attempt([&] { release.call(terms); });
  release.~deferred();
  return error;
}

}  // namespace detail
CURFEW_END

#endif
