// SPDX-License-Identifier: BSL-1.0
//
// What an exception says, without an allocation and whatever was thrown.
#ifndef CURFEW_SERVICE_DETAIL_ERROR_TEXT_HPP
#define CURFEW_SERVICE_DETAIL_ERROR_TEXT_HPP

#include <curfew/config.hpp>
#include <curfew/service/detail/fixed_text.hpp>

#include <exception>

CURFEW_BEGIN
namespace detail {

using error_note = fixed_text<400>;

/// Its what(); empty for a null pointer.
[[nodiscard]] inline error_note error_text(const std::exception_ptr& error) noexcept {
  if (error == nullptr) return {};
#if CURFEW_EXCEPTIONS
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    const char* const what = e.what();  // which may be null, though it should not
    return error_note(what != nullptr ? what : "an exception that says nothing");
  } catch (...) {
  }
#endif
  return error_note("an exception of an unknown type");
}

}  // namespace detail
CURFEW_END

#endif
