// SPDX-License-Identifier: BSL-1.0
//
// What came of a retry(): how it ended, after how many attempts, and what the last of them left.
#ifndef CURFEW_STOP_RETRY_RESULT_HPP
#define CURFEW_STOP_RETRY_RESULT_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/fail.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

CURFEW_BEGIN

/// Why a retry() ended.
enum class retry_end : std::uint8_t {
  succeeded,
  stopped,       ///< the token was, before an attempt or in a wait
  out_of_time,   ///< the token's deadline has passed, or would have passed in the next wait
  exhausted,     ///< all attempts were made
  budget_spent,  ///< the budget had no retry left
  permanent,     ///< the caller's predicate said that trying again is of no use
};
[[nodiscard]] constexpr const char* to_string(retry_end end) noexcept;

/// What there is to say of a retry(), whatever its function returns.
struct retry_outcome {
  retry_end end = retry_end::stopped;
  std::uint32_t attempts = 0;  ///< made; 0 when the token was stopped before the first one

  /// Why the last attempt failed, where it says so by a std::error_code: returned, as error() of
  /// what it returned, or in a std::system_error. Otherwise why there was no other attempt:
  /// operation_canceled, timed_out, resource_unavailable_try_again or, for `permanent`, io_error.
  /// None after a success.
  std::error_code error;

  std::exception_ptr thrown;  ///< by the last attempt

  [[nodiscard]] bool ok() const noexcept { return end == retry_end::succeeded; }
  explicit operator bool() const noexcept { return ok(); }

  /// After a failure: rethrows what the last attempt threw; if it did not throw, throws `error` as
  /// a std::system_error. Built without exceptions it ends the program instead.
  void throw_if_failed() const;
};

/// R: what the function returns, by value; void: nothing.
template <class R>
struct retry_result : retry_outcome {
  std::optional<R> last;  ///< from the last attempt, a failed one as well; empty when it threw

  /// What the successful attempt returned; after a failure as throw_if_failed().
  [[nodiscard]] R& value() & { return throw_if_failed(), *last; }
  [[nodiscard]] const R& value() const& { return throw_if_failed(), *last; }
  [[nodiscard]] R&& value() && { return throw_if_failed(), *std::move(last); }
};
/// For a function that returns nothing.
template <>
struct retry_result<void> : retry_outcome {};

// --- bodies -------------------------------------------------------------------------------------

constexpr const char* to_string(retry_end end) noexcept {
  switch (end) {
    case retry_end::succeeded: return "succeeded";
    case retry_end::stopped: return "stopped";
    case retry_end::out_of_time: return "out of time";
    case retry_end::exhausted: return "attempts exhausted";
    case retry_end::budget_spent: return "retry budget spent";
    case retry_end::permanent: return "failed for good";
  }
  return "unknown";
}

inline void retry_outcome::throw_if_failed() const {
  if (ok()) return;
#if CURFEW_EXCEPTIONS
  if (thrown != nullptr) std::rethrow_exception(thrown);
#endif
  const std::string text = std::string("a call that was tried again and again has failed: ") +
                           to_string(end) + "; see what the last attempt says";
  detail::throw_error_code(error, text.c_str());
}

namespace detail {

/// For an end whose last attempt had no code of its own.
[[nodiscard]] inline std::error_code error_of(retry_end end) noexcept {
  switch (end) {
    case retry_end::succeeded: return {};
    case retry_end::stopped: return std::make_error_code(std::errc::operation_canceled);
    case retry_end::out_of_time: return std::make_error_code(std::errc::timed_out);
    case retry_end::permanent: return std::make_error_code(std::errc::io_error);
    default: return std::make_error_code(std::errc::resource_unavailable_try_again);
  }
}

}  // namespace detail
CURFEW_END

#endif
