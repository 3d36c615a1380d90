// SPDX-License-Identifier: BSL-1.0
//
// Signals and console events that a test makes up.
#ifndef CURFEW_TESTING_DETAIL_SCRIPTED_SIGNALS_HPP
#define CURFEW_TESTING_DETAIL_SCRIPTED_SIGNALS_HPP

#include <curfew/host/detail/signal_inbox.hpp>
#include <curfew/host/detail/signal_source.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <system_error>

CURFEW_BEGIN
namespace detail {

enum : int { console_close_event = 2, console_logoff_event = 5, console_shutdown_event = 6 };
inline constexpr int console_break_signal = 21;  // SIGBREAK of Windows

/// Each has its own, so that several runs may stand side by side in one test.
class scripted_signals final : public signal_source {
 public:
  /// How long a console event leaves the program alive.
  std::atomic<time_source::duration> console_limit{std::chrono::seconds(5)};

  signal_inbox& inbox() noexcept override { return inbox_; }
  bool open(const signal_options& options, std::error_code& ec) noexcept override {
    const bool taken = open_.exchange(true);
    if (taken) ec = std::make_error_code(std::errc::device_or_resource_busy);
    if (!taken) inbox_.open(options);
    if (!taken) in_service_ = options.in_service;
    return !taken;
  }
  /// As Windows has it, on every system: Ctrl-Break is a SIGTERM.
  signal_set stopping(signal_set asked) const noexcept override {
    if (asked.contains(SIGTERM)) asked.insert(console_break_signal);
    return asked;
  }

  /// What the handler for console events does. False: the event is none of this program's business,
  /// since a service outlives the users that log off, and is told of a shutdown by its manager.
  bool console_event(int event) noexcept {
    const bool of_users = event == console_logoff_event || event == console_shutdown_event;
    if (in_service_ && of_users) return false;
    inbox_.ending({stop_cause::console, event});
    return true;
  }
  bool take(int signal, route way, std::error_code& ec) noexcept override {
    ec.clear();
    inbox_.set_route(signal, way);
    return true;
  }
  bool ignores(int) const noexcept override { return false; }
  void give_back(int signal) noexcept override { inbox_.set_route(signal, route::none); }
  void adopt() const noexcept override {}
  bool here() const noexcept override { return true; }
  void close() noexcept override {}
  void release() noexcept override { open_ = false; }
  void leave() noexcept override { open_ = false; }
  void set_outcome(int) noexcept override {}
  time_source::duration allowed(const stop_reason& reason) const noexcept override {
    if (reason.cause != stop_cause::console) return (time_source::duration::max)();
    return console_limit.load();
  }

 private:
  signal_inbox inbox_;
  std::atomic<bool> open_{false};
  std::atomic<bool> in_service_{false};
};

}  // namespace detail
CURFEW_END

#endif
