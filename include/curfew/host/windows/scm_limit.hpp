// SPDX-License-Identifier: BSL-1.0
//
// How long Windows lets a service live when it shuts down.
#ifndef CURFEW_HOST_WINDOWS_SCM_LIMIT_HPP
#define CURFEW_HOST_WINDOWS_SCM_LIMIT_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/detail/scm_host.hpp>
#include <curfew/host/windows/console_limit.hpp>
#include <curfew/host/windows/scm_api.hpp>

#include <chrono>
#include <cstdint>

CURFEW_BEGIN
namespace detail {

/// WaitToKillServiceTimeout, a string of milliseconds that belongs to the system: it is read and
/// never set. Without it, or with one that makes no sense, `otherwise`.
inline std::chrono::milliseconds shutdown_limit(std::chrono::milliseconds otherwise) noexcept {
  constexpr unsigned long only_strings = 2;
  const auto local_machine = reinterpret_cast<HKEY__*>(static_cast<std::intptr_t>(-0x7FFFFFFE));
  char text[16] = {};
  unsigned long size = sizeof text;
  const long error = RegGetValueA(local_machine, "SYSTEM\\CurrentControlSet\\Control",
                                  "WaitToKillServiceTimeout", only_strings, nullptr, text, &size);
  const auto usual = static_cast<unsigned long>(otherwise.count());
  return std::chrono::milliseconds(error == 0 ? parse_milliseconds(text, usual) : usual);
}

/// As this system has them.
inline scm_limits system_scm_limits() noexcept {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  return {.shutdown = shutdown_limit(duration_cast<milliseconds>(scm_limits{}.shutdown)),
          .console = console_limit()};
}

}  // namespace detail
CURFEW_END

#endif
#endif
