// SPDX-License-Identifier: BSL-1.0
//
// A host that asks by signals only and is told nothing: a terminal, a script, a container.
#ifndef CURFEW_HOST_DETAIL_CONSOLE_HOST_HPP
#define CURFEW_HOST_DETAIL_CONSOLE_HOST_HPP

#include <curfew/host/service_host.hpp>

CURFEW_BEGIN
namespace detail {

class console_host : public service_host {
 public:
  /// How long it lets the program live after a signal: the grace period of a pod.
  explicit console_host(duration grace = (duration::max)()) noexcept : grace_(grace) {}

  host_kind kind() const noexcept override { return host_kind::console; }
  void attach(host_listener&) noexcept override {}
  void detach() noexcept override {}
  void accept(const host_interests&) noexcept override {}
  void ready() noexcept override {}
  void progress(std::string_view, duration) noexcept override {}
  void reloading() noexcept override {}
  void paused() noexcept override {}
  void resumed() noexcept override {}
  void alive() noexcept override {}
  void stopping(const stop_reason&, duration) noexcept override {}
  void stopped(const outcome&) noexcept override {}
  duration allowed(const stop_reason& reason) const noexcept override {
    return reason.cause == stop_cause::signal ? grace_ : (duration::max)();
  }

 private:
  duration grace_;
};

}  // namespace detail
CURFEW_END

#endif
