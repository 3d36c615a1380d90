// SPDX-License-Identifier: BSL-1.0
//
// What a program in a container knows of its keeper, who tells it nothing but signals.
#ifndef CURFEW_HOST_CONTAINER_HPP
#define CURFEW_HOST_CONTAINER_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/time_source.hpp>

// Selector: backends define bool is_process_one() noexcept.
#if CURFEW_WINDOWS
#include <curfew/host/windows/process_one.hpp>
#else
#include <curfew/host/posix/process_one.hpp>
#endif

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <system_error>

CURFEW_BEGIN
namespace detail {

/// Whole seconds, at least one. Anything else is no answer, and so no limit.
[[nodiscard]] inline time_source::duration parse_grace(const char* text) noexcept {
  const std::string_view all = text == nullptr ? "" : text;
  std::int64_t seconds = 0;
  const auto parsed = std::from_chars(all.data(), all.data() + all.size(), seconds);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == all.data() + all.size();
  if (!whole || seconds < 1) return (time_source::duration::max)();
  return saturate(std::chrono::duration<std::int64_t>(seconds));
}

}  // namespace detail

/// How long whoever runs this program waits after SIGTERM before it kills: CURFEW_GRACE_SECONDS,
/// which a Kubernetes pod sets to its terminationGracePeriodSeconds less what its preStop takes,
/// because a container is not told either. max() when it is not set or makes no sense.
///
/// Reads the environment: before other threads exist.
[[nodiscard]] inline time_source::duration grace_from_environment() noexcept {
  return detail::parse_grace(std::getenv("CURFEW_GRACE_SECONDS"));
}

CURFEW_END

#endif
