// SPDX-License-Identifier: BSL-1.0
//
// A local door to a running program, for those who may ask it something: a Unix socket, or a named
// pipe.
#ifndef CURFEW_SERVICE_CONTROL_ENDPOINT_HPP
#define CURFEW_SERVICE_CONTROL_ENDPOINT_HPP

#include <curfew/service/control_answer.hpp>
#include <curfew/service/control_options.hpp>
#include <curfew/service/control_policy.hpp>
#include <curfew/service/detail/control_server.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/time_source.hpp>

#include <functional>
#include <memory>
#include <system_error>
#include <utility>

CURFEW_BEGIN

/// What the program does about a request that the policy has allowed. Called by several threads at
/// a time; what it throws is the answer. While it takes its time, others are served.
using control_handler = detail::control_handler;

/// A running program can be asked for something, by those who may:
///
///     curfew::control_endpoint door({.path = "/run/orders/control"}, answer, audit);
///     door.open();
///
/// From then on the program's own user and administrators can connect; everybody else is refused
/// by the system itself, by the file's mode or the pipe's access list, from the first moment. The
/// policy then decides about each request, by what the system tells of the caller, and `audit` is
/// told every decision as an event of the kind `control` (of a flood of refusals a part, and how
/// many there were).
///
/// A frame is its length, in four bytes, the lowest first, and as many bytes of JSON. Of a request
/// `change` and `arguments` may be left out:
///
///     {"curfew":1,"verb":"status","change":"2026-07","arguments":{}}
///     {"curfew":1,"ok":true,"answer":...}
///     {"curfew":1,"ok":false,"error":"...","answer":...}
///
/// One connection may ask several times. The verb `watch` is answered by the endpoint itself: from
/// then on there is a frame for every event that is written to it. Whoever takes them too slowly
/// loses some, and is told how many. A client that is silent, slow, or says what cannot be read is
/// cut off; it holds up nobody but itself.
///
/// Thread safety: write() from any thread; `audit` is told by one at a time. The destructor closes:
/// what is being answered is answered, which takes a second at most. A policy or handler that hangs
/// even then is left behind with its thread, and what it uses must not go before it returns.
class control_endpoint final : public event_sink {
 public:
  control_endpoint(control_options options, control_handler handler, event_sink& audit,
                   time_source& clock = time_source::process())
      : server_(std::make_shared<detail::control_server>(std::move(options), std::move(handler),
                                                         audit, clock)) {}
  control_endpoint(const control_endpoint&) = delete;
  control_endpoint& operator=(const control_endpoint&) = delete;
  ~control_endpoint() { close(); }

  /// Once. Throws std::system_error: errc::address_in_use when somebody lives at that path,
  /// filename_too_long, invalid_argument for an empty path or an abstract one ("@name"),
  /// operation_not_permitted in a forked child of the process that has made it.
  void open();
  void open(std::error_code& ec) { detail::control_server::open(server_, ec); }

  /// For those who watch. Never waits.
  void write(const lifecycle_event& e) noexcept override { server_->write(e); }

  /// Nobody is served any more, and the path is free.
  void close() noexcept { server_->close(); }

 private:
  std::shared_ptr<detail::control_server> server_;
};

inline void control_endpoint::open() {
  std::error_code ec;
  open(ec);
  if (ec) {
    detail::throw_error_code(ec,
                             "no control endpoint: its path is one program's at a time, and in a "
                             "folder that it may write to; see what the system says");
  }
}

CURFEW_END

#endif
