// SPDX-License-Identifier: BSL-1.0
//
// The host that a box plays: a real one of curfew's, on a port that records.
#ifndef CURFEW_TESTING_DETAIL_BOX_HOST_HPP
#define CURFEW_TESTING_DETAIL_BOX_HOST_HPP

#include <curfew/host/detail/console_host.hpp>
#include <curfew/host/detail/scm_host.hpp>
#include <curfew/host/detail/systemd_host.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/testing/detail/box_record.hpp>

#include <functional>
#include <optional>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// Passes all on, and notes when the program is ready, stops, and is no longer to be reached.
class box_host final : public service_host {
 public:
  box_host(host_kind kind, const service_spec& spec, time_source& time, box_record& record,
           std::function<void()> unreachable)
      : record_(record), unreachable_(std::move(unreachable)) {
    if (kind == host_kind::systemd) inner_ = &systemd_.emplace(record, time, 0, spec.watchdog);
    if (kind == host_kind::scm) inner_ = &scm_.emplace(record, spec);
  }

  /// Null unless it plays the SCM.
  [[nodiscard]] scm_host* scm() noexcept { return scm_ ? &*scm_ : nullptr; }

  host_kind kind() const noexcept override { return inner_->kind(); }
  void attach(host_listener& to) noexcept override { inner_->attach(to); }
  void detach() noexcept override {
    inner_->detach();
    unreachable_();
  }
  void accept(const host_interests& what) noexcept override { inner_->accept(what); }
  void ready() noexcept override {
    inner_->ready();
    record_.change([](auto& c) { c.ready = true; });
  }
  void progress(std::string_view what, duration need) noexcept override {
    inner_->progress(what, need);
  }
  void reloading() noexcept override { inner_->reloading(); }
  void paused() noexcept override { inner_->paused(); }
  void resumed() noexcept override { inner_->resumed(); }
  void alive() noexcept override { inner_->alive(); }
  void stopping(const stop_reason& reason, duration budget) noexcept override {
    inner_->stopping(reason, budget);
    record_.change([](auto& c) { c.stopping = true; });
  }
  void stopped(const outcome& how) noexcept override { inner_->stopped(how); }
  duration allowed(const stop_reason& reason) const noexcept override {
    return inner_->allowed(reason);
  }

 private:
  box_record& record_;
  const std::function<void()> unreachable_;
  console_host console_;
  std::optional<systemd_host> systemd_;
  std::optional<scm_host> scm_;
  service_host* inner_ = &console_;
};

}  // namespace detail
CURFEW_END

#endif
