// SPDX-License-Identifier: BSL-1.0
//
// Who started this process.
#ifndef CURFEW_HOST_POSIX_FIND_HOST_HPP
#define CURFEW_HOST_POSIX_FIND_HOST_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/detail/console_host.hpp>
#include <curfew/host/detail/hosted.hpp>
#include <curfew/host/service_spec.hpp>

CURFEW_BEGIN
namespace detail {

inline int with_host(const service_spec&, std::span<char* const> args, bool, hosted_body body,
                     void* context) {
  console_host console;
  const outcome o = body(context, {console, args});
  return exit_code(o);
}

}  // namespace detail
CURFEW_END

#endif
#endif
