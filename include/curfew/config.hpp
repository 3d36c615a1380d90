// SPDX-License-Identifier: BSL-1.0
//
// The one platform decision. Every other header asks the macros below, which are always defined,
// to 0 or to 1; no other header looks at a compiler's or a system's own macros.
#ifndef CURFEW_CONFIG_HPP
#define CURFEW_CONFIG_HPP

#include <curfew/version.hpp>

#if __cplusplus < 202002L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 202002L)
#error "curfew is written in C++20: compile with -std=c++20, or /std:c++20, or later"
#endif

#if defined(_WIN32)
#define CURFEW_WINDOWS 1
#define CURFEW_POSIX 0
#else
#define CURFEW_WINDOWS 0
#define CURFEW_POSIX 1
#endif

#if defined(_MSC_VER)
#define CURFEW_MSVC 1
#else
#define CURFEW_MSVC 0
#endif

#if defined(__linux__)
#define CURFEW_LINUX 1
#else
#define CURFEW_LINUX 0
#endif

#if defined(__SANITIZE_THREAD__)
#define CURFEW_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CURFEW_THREAD_SANITIZER 1
#endif
#endif
#if !defined(CURFEW_THREAD_SANITIZER)
#define CURFEW_THREAD_SANITIZER 0
#endif

// Whether short naps are the best way there is to sleep on a word. Under the thread sanitizer they
// are: it delivers a signal to a thread only in calls that it knows, and the futex is none.
#if CURFEW_POSIX && (!CURFEW_LINUX || CURFEW_THREAD_SANITIZER)
#define CURFEW_NAPS 1
#define CURFEW_FUTEX 0
#else
#define CURFEW_NAPS 0
#define CURFEW_FUTEX CURFEW_LINUX
#endif

#if defined(__APPLE__)
#define CURFEW_APPLE 1
#else
#define CURFEW_APPLE 0
#endif

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define CURFEW_EXCEPTIONS 1
#define CURFEW_ABI_EXCEPTIONS x
#else
#define CURFEW_EXCEPTIONS 0
#define CURFEW_ABI_EXCEPTIONS n
#endif

// The name of the inline namespace that everything lives in is made from the version and from what
// changes a function's body: two copies of curfew, or two build modes, may meet in one program.
#define CURFEW_ABI_JOIN_(a, b, c) v##a##_##b##_##c
#define CURFEW_ABI_JOIN(a, b, c) CURFEW_ABI_JOIN_(a, b, c)
#define CURFEW_ABI \
  CURFEW_ABI_JOIN(CURFEW_VERSION_MAJOR, CURFEW_VERSION_MINOR, CURFEW_ABI_EXCEPTIONS)

// The enclosing function's name with its template arguments, for messages.
#if defined(_MSC_VER)
#define CURFEW_FUNCTION_NAME __FUNCSIG__
#else
#define CURFEW_FUNCTION_NAME __PRETTY_FUNCTION__
#endif

// A function that is seldom called: it stays out of line, and its caller stays short.
#if defined(_MSC_VER)
#define CURFEW_SELDOM __declspec(noinline)
#else
#define CURFEW_SELDOM __attribute__((noinline, cold))
#endif

#define CURFEW_BEGIN \
  namespace curfew { \
  inline namespace CURFEW_ABI {
#define CURFEW_END \
  }                \
  }

#endif
