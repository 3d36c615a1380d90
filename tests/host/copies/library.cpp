// SPDX-License-Identifier: BSL-1.0
//
// A shared library that was built with a copy of curfew of its own.
#include <curfew/host/signals.hpp>

#include <optional>

#if CURFEW_WINDOWS
#define EXPORTED extern "C" __declspec(dllexport)
#else
#define EXPORTED extern "C" __attribute__((visibility("default")))
#endif

static std::optional<curfew::signal_bridge> bridge;

EXPORTED const void* desk_of_library() { return &curfew::detail::desk; }

/// 0: made; 1: refused.
EXPORTED int make_bridge() {
  std::error_code ec;
  bridge.emplace(curfew::stop_source(), ec);
  if (ec) bridge.reset();
  return ec == std::errc::device_or_resource_busy ? 1 : 0;
}

EXPORTED void drop_bridge() { bridge.reset(); }
