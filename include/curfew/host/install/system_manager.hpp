// SPDX-License-Identifier: BSL-1.0
//
// The service manager of this system.
#ifndef CURFEW_HOST_INSTALL_SYSTEM_MANAGER_HPP
#define CURFEW_HOST_INSTALL_SYSTEM_MANAGER_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/service_manager.hpp>

// Selector: backends define, in curfew:
//   a final service_manager
#if CURFEW_WINDOWS
#include <curfew/host/windows/service_installer.hpp>
#elif CURFEW_LINUX
#include <curfew/host/systemd/unit_manager.hpp>
#endif

#include <memory>
#include <string>
#include <utility>

CURFEW_BEGIN

/// user: the one of the calling user's own services (systemd --user). Where the system has no
/// manager that curfew knows, one that says so whatever it is asked.
[[nodiscard]] std::unique_ptr<service_manager> system_manager(bool user = false);

namespace detail {

class no_service_manager final : public service_manager {
 public:
  explicit no_service_manager(std::string why) : why_(std::move(why)) {}

  failure query(const std::string&, service_status& into) override {
    into = {};
    return refusal();
  }
  failure plan_install(const install_request&, install_plan&) override { return refusal(); }
  failure plan_uninstall(const std::string&, install_plan&) override { return refusal(); }
  failure start(const std::string&) override { return refusal(); }
  failure stop(const std::string&) override { return refusal(); }
  failure restart(const std::string&) override { return refusal(); }
  failure reload(const std::string&) override { return refusal(); }
  std::string render(const install_request&) override { return {}; }

 private:
  [[nodiscard]] failure refusal() const { return {failure::kind_type::not_supported, why_}; }

  std::string why_;
};

}  // namespace detail

inline std::unique_ptr<service_manager> system_manager(bool user) {
#if CURFEW_WINDOWS
  if (!user) return std::make_unique<scm_service_manager>();
  return std::make_unique<detail::no_service_manager>(
      "Windows has no services of one user alone; leave --user away");
#elif CURFEW_LINUX
  return std::make_unique<systemd_service_manager>(user);
#else
  static_cast<void>(user);
  return std::make_unique<detail::no_service_manager>(
      "the services of this system are not known to curfew; have its own manager start the "
      "program, in the foreground");
#endif
}

CURFEW_END

#endif
