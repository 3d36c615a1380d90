// SPDX-License-Identifier: BSL-1.0
//
// Where a bridge's signals come from: the system, or a test that makes them up.
#ifndef CURFEW_HOST_DETAIL_SIGNAL_SOURCE_HPP
#define CURFEW_HOST_DETAIL_SIGNAL_SOURCE_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/signal_inbox.hpp>
#include <curfew/host/signal_options.hpp>
#include <curfew/stop/reason.hpp>
#include <curfew/stop/time_source.hpp>

#include <system_error>

CURFEW_BEGIN
namespace detail {

/// One bridge uses it at a time.
class signal_source {
 public:
  /// Where signals arrive; it outlives the bridge.
  [[nodiscard]] virtual signal_inbox& inbox() noexcept = 0;

  /// Claims it for a bridge; false: another bridge, in whatever library, holds it.
  virtual bool open(const signal_options& options, std::error_code& ec) noexcept = 0;
  /// What the system calls the signals of that set.
  [[nodiscard]] virtual signal_set stopping(signal_set asked) const noexcept = 0;
  /// From now on the signal goes to the inbox by this route. True also when the system ignores the
  /// signal and it therefore stays ignored (but for route::call).
  virtual bool take(int signal, route way, std::error_code& ec) noexcept = 0;
  /// One of options.stop_on that the system ignored at open().
  [[nodiscard]] virtual bool ignores(int signal) const noexcept = 0;
  /// As it was before, unless somebody else took it since.
  virtual void give_back(int signal) noexcept = 0;
  /// Makes a thread of the bridge fit for user code and for the signals that have a route now.
  virtual void adopt() const noexcept = 0;
  /// False: in a child made by fork, where the bridge's threads are not.
  [[nodiscard]] virtual bool here() const noexcept = 0;

  /// Gives all back and waits for handlers that run.
  virtual void close() noexcept = 0;
  /// Ends the claim.
  virtual void release() noexcept = 0;
  /// Ends the claim and gives nothing back: signals come to the inbox until the next open().
  virtual void leave() noexcept = 0;

  virtual void set_outcome(int exit_code) noexcept = 0;
  [[nodiscard]] virtual time_source::duration allowed(const stop_reason& reason) const noexcept = 0;

 protected:
  signal_source() = default;
  signal_source(const signal_source&) = default;
  signal_source& operator=(const signal_source&) = default;
  ~signal_source() = default;
};

}  // namespace detail
CURFEW_END

#endif
