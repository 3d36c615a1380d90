// SPDX-License-Identifier: BSL-1.0
//
// Whoever keeps the list of a system's services, as one interface: systemd, the SCM of Windows, or
// one that a test makes up.
#ifndef CURFEW_HOST_INSTALL_SERVICE_MANAGER_HPP
#define CURFEW_HOST_INSTALL_SERVICE_MANAGER_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/install_step.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include <cstdint>
#include <string>

CURFEW_BEGIN

/// What the manager of the system says of a service.
enum class service_state {
  not_installed,
  stopped,
  starting,
  running,
  reloading,
  pausing,
  paused,
  resuming,
  stopping,
  failed,   ///< not running, and the last run was a failure
  unknown,  ///< it could not be found out
};

[[nodiscard]] constexpr const char* to_string(service_state state) noexcept;

/// A service as its manager saw it at one moment.
struct service_status {
  service_state state = service_state::unknown;
  std::int64_t pid = 0;   ///< 0: none
  int exit_code = 0;      ///< of the last run
  std::string text = {};  ///< what it last said of itself
  bool enabled = false;   ///< it starts with the system
  /// Installed by a program of this kind, which may change it: as install and uninstall decide it.
  bool ours = true;
  time_source::duration start_limit = {};  ///< as installed; zero: not known
  time_source::duration stop_limit = {};
  std::uint32_t moves = 0;  ///< grows while a pending state makes progress (SCM: the checkpoint)
  time_source::duration hint = {};  ///< how long until it has moved again; zero: not known
  std::uint64_t since = 0;    ///< another number after each change of state (systemd); 0: not known
  std::string triggers = {};  ///< what else starts it (systemd): "web.socket"
};

/// What `install` is to bring about.
struct install_request {
  service_spec spec = {};
  std::string executable = {};  ///< absolute
  bool user = false;            ///< for the calling user only (systemd --user)
};

/// Names, paths and arguments have been checked before they come here (see checks.hpp). No member
/// waits for a service to reach a state, but for the answer of the manager, and that with a limit.
///
/// Thread safety: one thread at a time.
class service_manager {
 public:
  service_manager() = default;
  service_manager(const service_manager&) = delete;
  service_manager& operator=(const service_manager&) = delete;
  virtual ~service_manager() = default;

  [[nodiscard]] virtual failure query(const std::string& name, service_status& into) = 0;

  /// What has to change for the service to be as asked. Nothing is changed by asking.
  [[nodiscard]] virtual failure plan_install(const install_request& asked, install_plan& into) = 0;
  /// It may be asked while the service runs, but the steps are for one that has ended. Empty: there
  /// is no such service.
  [[nodiscard]] virtual failure plan_uninstall(const std::string& name, install_plan& into) = 0;

  [[nodiscard]] virtual failure start(const std::string& name) = 0;
  [[nodiscard]] virtual failure stop(const std::string& name) = 0;
  /// Both as one order, by which the manager keeps what it holds for the service from one run to
  /// the next: sockets, stored descriptors. not_supported: it knows only the one and the other.
  [[nodiscard]] virtual failure restart(const std::string& name);
  [[nodiscard]] virtual failure reload(const std::string& name) = 0;

  /// From now on a wait for the manager's answer ends when `stop` does, and after `patience`, but
  /// for those of steps that are undone.
  virtual void bound(const stop_token& stop, time_source::duration patience) {
    static_cast<void>(stop);
    static_cast<void>(patience);
  }

  /// As text, without a change of anything: the unit file, the entries of the SCM.
  [[nodiscard]] virtual std::string render(const install_request& asked) = 0;
};

inline failure service_manager::restart(const std::string&) {
  return {failure::kind_type::not_supported, "it is stopped first, and then started"};
}

constexpr const char* to_string(service_state state) noexcept {
  switch (state) {
    case service_state::not_installed: return "not installed";
    case service_state::stopped: return "stopped";
    case service_state::starting: return "starting";
    case service_state::running: return "running";
    case service_state::reloading: return "reloading";
    case service_state::pausing: return "pausing";
    case service_state::paused: return "paused";
    case service_state::resuming: return "resuming";
    case service_state::stopping: return "stopping";
    case service_state::failed: return "failed";
    case service_state::unknown: return "unknown";
  }
  return "unknown";
}

CURFEW_END

#endif
