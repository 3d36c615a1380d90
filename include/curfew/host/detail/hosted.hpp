// SPDX-License-Identifier: BSL-1.0
//
// What a host gives to the program that it runs.
#ifndef CURFEW_HOST_DETAIL_HOSTED_HPP
#define CURFEW_HOST_DETAIL_HOSTED_HPP

#include <curfew/host/message_sink.hpp>
#include <curfew/host/service_host.hpp>

#include <span>

CURFEW_BEGIN

class message_buffer;
struct systemd_link;

namespace detail {

struct hosted {
  service_host& host;
  std::span<char* const> args;
  message_sink* sink = nullptr;     ///< where lines go; null: stderr as it is
  message_buffer* early = nullptr;  ///< what was said before that was known
  systemd_link* systemd = nullptr;
  bool awaited = true;  ///< the host waits for this very process to be ready
};

using hosted_body = outcome (*)(void* context, const hosted& place) noexcept;

}  // namespace detail
CURFEW_END

#endif
