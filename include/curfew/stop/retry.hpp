// SPDX-License-Identifier: BSL-1.0
//
// Tries until it works: with waits that double and are drawn at random, and that end at the stop;
// within the deadline, a number of attempts, and a budget that others share.
#ifndef CURFEW_STOP_RETRY_HPP
#define CURFEW_STOP_RETRY_HPP

#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/detail/jitter.hpp>
#include <curfew/stop/detail/retry_attempt.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/retry_budget.hpp>
#include <curfew/stop/retry_result.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <type_traits>

CURFEW_BEGIN

/// How long to wait between attempts, and how often to try. The n-th wait is a random time in
/// [0, cap] ("full jitter": those who failed together do not come back together), where the cap is
/// `initial` first, then twice that, and so on, up to `longest`.
struct backoff {
  detail::saturated initial = std::chrono::milliseconds(100);  ///< at least a tick of the clock
  detail::saturated longest = std::chrono::seconds(10);        ///< not positive: waits for nothing
  std::uint32_t attempts = 0;      ///< at most, with the first. 0, or all bits: no limit
  retry_budget* budget = nullptr;  ///< shared with others; outlives the call
  std::uint64_t seed = 0;          ///< of the random times, for tests. 0: another one each call
};

namespace detail {

/// The predicate of those who have none.
struct always_again {
  template <class T>
  bool operator()(const T&) const noexcept {
    return true;
  }
};

}  // namespace detail

/// f(Token) or f(): returns void (its success is not to throw), bool, std::error_code or one like
/// it (with value() and category(): false is the success), or what says by a conversion to bool
/// that it is there: an optional, an expected, a pointer. Not a number.
template <class F, class Token>
concept retry_function =
    detail::can_be_tried<F, Token> && detail::tells_success<detail::attempt_value<F, Token>>;

/// Calls f until it succeeds; waits in between, on the token's clock. Whatever ends it ends it at
/// once: a stop wakes it, and it does not sleep towards a deadline that the wait would pass, but
/// gives up then and there, while the caller still has the time that is left. A success counts also
/// when the stop or the deadline came meanwhile. A stopped token has nothing called.
///
/// An exception of f is a failure like others; the last one is kept, and never leaves retry().
///
/// `again` says of a failure whether it may pass: it is called with what f returned or, when f
/// threw, with the std::exception_ptr; false ends it as `permanent`. What it does not take is tried
/// again. Its own exceptions leave through retry().
///
/// With a budget each call is one request of it. A wait that a stop cuts short costs it nothing.
///
/// It allocates nothing and starts no thread of its own; std::system_error only from a clock, other
/// than the process's, that cannot keep a deadline. An empty token never stops.
template <stoppable_token Token, retry_function<Token> F, class Again = detail::always_again>
retry_result<detail::attempt_value<F, Token>> retry(const Token& token, const backoff& how, F&& f,
                                                    Again again = {});

// --- bodies -------------------------------------------------------------------------------------

namespace detail {

/// The lengths of the waits of one call.
class retry_pace {
 public:
  explicit retry_pace(const backoff& how) noexcept
      : random_(how.seed != 0 ? how.seed : fresh_seed()),
        longest_(greater(clock_duration(how.longest), clock_duration::zero())),
        cap_(lesser(greater(clock_duration(how.initial), clock_duration(1)), longest_)) {}

  [[nodiscard]] clock_duration next() noexcept {
    const auto drawn = random_.up_to(static_cast<std::uint64_t>(cap_.count()));
    cap_ = cap_ > longest_ / 2 ? longest_ : cap_ * 2;
    return clock_duration(static_cast<clock_duration::rep>(drawn));
  }

 private:
  small_random random_;
  clock_duration longest_;
  clock_duration cap_;
};

template <class Token>
concept token_of_ours = std::derived_from<Token, token_base>;

struct stop_of {
  inplace_stop_source& source;
  void operator()() const noexcept { source.request_stop(); }
};

/// For that long, or until the token is stopped. Not on the token itself: one that can never be
/// stopped would not wait.
template <class Token>
void pause(const Token& token, clock_duration d) {
  if constexpr (token_of_ours<Token>) {
    const inplace_stop_source here(token);
    here.get_token().wait_for(d);
  } else {
    inplace_stop_source here;
    [[maybe_unused]] const stop_callback_for_t<Token, stop_of> on_stop(token, stop_of{here});
    here.get_token().wait_for(d);
  }
}

/// Whether the token is stopped, which `out` says then.
template <class Token>
bool ended_by(const Token& token, retry_outcome& out) noexcept {
  if constexpr (token_of_ours<Token>) {
    const stop_cause cause = token.reason().cause;
    out.end = cause == stop_cause::deadline ? retry_end::out_of_time : retry_end::stopped;
    return cause != stop_cause::none;
  } else {
    out.end = retry_end::stopped;
    return token.stop_requested();
  }
}

/// Whether the deadline leaves nothing after a wait of that length.
template <class Token>
bool passes_deadline(const Token& token, clock_duration wait) noexcept {
  if constexpr (token_of_ours<Token>) {
    return token.deadline() != (clock_time_point::max)() && wait >= token.remaining();
  } else {
    return false;
  }
}

/// What stands against another attempt, but for a stop and the predicate; `succeeded`: nothing.
/// What comes from the budget comes last, when nothing else stands against it.
template <class Token>
[[nodiscard]] retry_end obstacle(const Token& token, const backoff& how, std::uint32_t attempts,
                                 clock_duration wait) noexcept {
  if (how.attempts != 0 && how.attempts != 0xffff'ffffu && attempts >= how.attempts)
    return retry_end::exhausted;
  if (detail::passes_deadline(token, wait)) return retry_end::out_of_time;
  if (how.budget != nullptr && !how.budget->try_withdraw()) return retry_end::budget_spent;
  return retry_end::succeeded;
}

/// Waits for the next attempt; false: there is none, and `out` says why.
template <class Token>
bool await_next(retry_outcome& out, const Token& token, const backoff& how, retry_pace& pace) {
  const clock_duration wait = pace.next();
  const retry_end against = detail::obstacle(token, how, out.attempts, wait);
  if (against != retry_end::succeeded) {
    out.end = against;
    return false;
  }
  detail::pause(token, wait);
  if (!detail::ended_by(token, out)) return true;
  if (how.budget != nullptr) how.budget->put_back();
  return false;
}

template <class R, class Token, class Again>
bool goes_on(retry_result<R>& out, const Token& token, const backoff& how, Again& again,
             retry_pace& pace) {
  if (detail::ended_by(token, out)) return false;
  if (detail::may_pass(out, again)) return detail::await_next(out, token, how, pace);
  out.end = retry_end::permanent;
  return false;
}

template <class R, class F, class Token, class Again>
void retry_into(retry_result<R>& out, const Token& token, const backoff& how, F& f, Again& again) {
  if (detail::ended_by(token, out)) return;
  if (how.budget != nullptr) how.budget->deposit();
  if (detail::try_once(out, f, token)) return;
  retry_pace pace(how);
  while (detail::goes_on(out, token, how, again, pace) && !detail::try_once(out, f, token)) {
  }
}

}  // namespace detail

template <stoppable_token Token, retry_function<Token> F, class Again>
retry_result<detail::attempt_value<F, Token>> retry(const Token& token, const backoff& how, F&& f,
                                                    Again again) {
  retry_result<detail::attempt_value<F, Token>> out;
  detail::retry_into(out, token, how, f, again);
  if (!out.ok() && !out.error) out.error = detail::error_of(out.end);
  return out;
}

CURFEW_END

#endif
