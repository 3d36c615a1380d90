// SPDX-License-Identifier: BSL-1.0
//
// Runs the user's code on the stop path, where an error is kept and nothing is thrown.
#ifndef CURFEW_RELEASE_DETAIL_ATTEMPT_HPP
#define CURFEW_RELEASE_DETAIL_ATTEMPT_HPP

#include <curfew/config.hpp>

#include <exception>

CURFEW_BEGIN
namespace detail {

/// What f threw; null when it returned, which without exceptions is the only way out of it.
template <class F>
[[nodiscard]] std::exception_ptr attempt(F&& f) noexcept {
#if CURFEW_EXCEPTIONS
  try {
    f();
  } catch (...) {
    return std::current_exception();
  }
#else
  f();
#endif
  return nullptr;
}

}  // namespace detail
CURFEW_END

#endif
