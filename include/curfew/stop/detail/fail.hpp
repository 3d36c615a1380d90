// SPDX-License-Identifier: BSL-1.0
//
// How curfew fails: by std::system_error where a resource is missing, and where exceptions are off
// (or a contract is broken) by one line on stderr and an abort. Nothing on the stop path calls it.
#ifndef CURFEW_STOP_DETAIL_FAIL_HPP
#define CURFEW_STOP_DETAIL_FAIL_HPP

#include <curfew/config.hpp>

#include <cstdio>
#include <cstdlib>
#include <system_error>

CURFEW_BEGIN
namespace detail {

/// Says what contract was broken and what to do, and ends the program.
[[noreturn]] inline void fatal(const char* what) noexcept {
  std::fprintf(stderr, "curfew: %s\n", what);
  std::fflush(stderr);
  std::abort();
}

[[noreturn]] inline void throw_error_code(std::error_code ec, const char* what) {
#if CURFEW_EXCEPTIONS
  throw std::system_error(ec, what);
#else
  std::fprintf(stderr, "curfew: %s: %s\n", what, ec.message().c_str());
  std::abort();
#endif
}

/// code: errno, or what GetLastError() gave.
[[noreturn]] inline void throw_system_error(int code, const char* what) {
  throw_error_code(std::error_code(code, std::system_category()), what);
}

[[noreturn]] inline void throw_errc(std::errc code, const char* what) {
  throw_error_code(std::make_error_code(code), what);
}

}  // namespace detail
CURFEW_END

#endif
