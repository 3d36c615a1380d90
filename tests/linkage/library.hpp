// SPDX-License-Identifier: BSL-1.0
//
// What the shared library exports. It is built with hidden visibility, so it has a copy of its own
// of every static that curfew's headers hold; contexts, callbacks and waits cross the border.
#pragma once

#include <curfew/config.hpp>
#include <curfew/stop/stop_token.hpp>

#include <atomic>
#include <chrono>

#if CURFEW_POSIX
#define LINKAGE_API __attribute__((visibility("default")))
#elif defined(LINKAGE_LIBRARY)
#define LINKAGE_API __declspec(dllexport)
#else
#define LINKAGE_API __declspec(dllimport)
#endif

namespace library {

/// Contexts that the library makes.
LINKAGE_API curfew::stop_source root();
LINKAGE_API curfew::stop_source root(curfew::time_source& clock);
LINKAGE_API curfew::stop_source child(const curfew::stop_token& parent);
LINKAGE_API curfew::stop_source child(const curfew::stop_token& parent,
                                      std::chrono::milliseconds timeout);

/// A callback whose code and whose block are the library's.
struct listener;
LINKAGE_API listener* listen(const curfew::stop_token& token, std::atomic<int>& calls);
LINKAGE_API void forget(listener* registered);

/// Calls of the library's own copy of the members.
LINKAGE_API bool request_stop(curfew::stop_source& source, curfew::stop_reason reason);
LINKAGE_API bool stop_requested(const curfew::stop_token& token);
LINKAGE_API curfew::stop_reason reason(const curfew::stop_token& token);
LINKAGE_API bool wait(const curfew::stop_token& token);

}  // namespace library
