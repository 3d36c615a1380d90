// SPDX-License-Identifier: BSL-1.0
//
// Signals and console events that a test makes up.
#ifndef CURFEW_TESTING_DETAIL_SCRIPTED_SIGNALS_HPP
#define CURFEW_TESTING_DETAIL_SCRIPTED_SIGNALS_HPP

#include <curfew/host/detail/signal_inbox.hpp>
#include <curfew/host/detail/signal_source.hpp>

#include <atomic>
#include <chrono>
#include <system_error>

CURFEW_BEGIN
namespace detail {

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
    return !taken;
  }
  signal_set stopping(signal_set asked) const noexcept override { return asked; }
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
};

}  // namespace detail
CURFEW_END

#endif
