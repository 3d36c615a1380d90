// SPDX-License-Identifier: BSL-1.0
//
// Stops among senders and receivers (P2300, C++26's std::execution): curfew's tokens answer a
// receiver's get_stop_token, and a receiver's stop reaches a curfew context. Nothing is included.
#ifndef CURFEW_INTEROP_SENDERS_HPP
#define CURFEW_INTEROP_SENDERS_HPP

#include <curfew/stop/inplace_stop_token.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

CURFEW_BEGIN

/// The query of C++26's [exec.get.stop.token], for libraries that have none and for stop_env: the
/// stop token of an environment, which is asked by env.query(get_stop_token) and must answer
/// noexcept; never_stop_token if it does not know the question.
struct get_stop_token_t {
  template <class Env>
  [[nodiscard]] constexpr auto operator()(const Env& env) const noexcept {
    if constexpr (requires { env.query(*this); }) {
      static_assert(noexcept(env.query(*this)), "query(get_stop_token) must be noexcept");
      static_assert(stoppable_token<std::remove_cvref_t<decltype(env.query(*this))>>);
      return env.query(*this);
    } else {
      return never_stop_token();
    }
  }

  /// To std::forwarding_query and its like: who wraps an environment passes this question on.
  template <class ForwardingQuery>
  [[nodiscard]] constexpr bool query(ForwardingQuery) const noexcept {
    return true;
  }
};
/// Asks an environment for its token.
inline constexpr get_stop_token_t get_stop_token{};

/// The kind of token that an environment answers with.
template <class Env>
using stop_token_of_t = std::remove_cvref_t<decltype(get_stop_token(std::declval<const Env&>()))>;

/// An environment, or a base of one, that answers with a token: to get_stop_token, and to those
/// queries of the same meaning in other libraries that it is given:
///
///     write_env(work, curfew::stop_env(token, std::get_stop_token))
///     write_env(work, curfew::stop_env(token, stdexec::get_stop_token))
template <stoppable_token Token, class... Queries>
class stop_env {
 public:
  constexpr explicit stop_env(Token token, Queries...) noexcept : token_(std::move(token)) {}

  [[nodiscard]] constexpr Token query(get_stop_token_t) const noexcept { return token_; }
  template <class Query>
  requires(std::same_as<Query, Queries> || ...) [[nodiscard]] constexpr Token
      query(Query) const noexcept {
    return token_;
  }

 private:
  Token token_;
};

/// A curfew context that stops when anybody's token does, with the cause `requested`; or, with a
/// parent, when that one is, with its reason. No allocation, so an operation state may hold it:
///
///     curfew::from_stoppable_token stop(get_stop_token(get_env(receiver)));
///     serve(stop.get_token());
///
/// Like the context of an inplace_stop_source it outlives its tokens, and the destructor waits for
/// a stop that is passing through; it must not run inside of a callback of that stop.
template <stoppable_token Token>
class from_stoppable_token {
 public:
  explicit from_stoppable_token(Token token, inplace_stop_token parent = {})
      : source_(parent), on_stop_(std::move(token), relay{&source_}) {}
  from_stoppable_token(const from_stoppable_token&) = delete;
  from_stoppable_token& operator=(const from_stoppable_token&) = delete;

  [[nodiscard]] inplace_stop_token get_token() const noexcept { return source_.get_token(); }

 private:
  struct relay {
    inplace_stop_source* to;
    void operator()() const noexcept { to->request_stop(); }
  };

  inplace_stop_source source_;
  stop_callback_for_t<Token, relay> on_stop_;  // last: removed before the source goes
};

CURFEW_END

#endif
