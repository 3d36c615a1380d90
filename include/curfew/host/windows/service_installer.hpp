// SPDX-License-Identifier: BSL-1.0
//
// The service manager of Windows, for installing services and for asking after them.
#ifndef CURFEW_HOST_WINDOWS_SERVICE_INSTALLER_HPP
#define CURFEW_HOST_WINDOWS_SERVICE_INSTALLER_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/install/scm_plan.hpp>
#include <curfew/host/install/service_manager.hpp>
#include <curfew/host/windows/service_event_source.hpp>
#include <curfew/host/windows/service_owner.hpp>
#include <curfew/host/windows/service_status.hpp>
#include <curfew/host/windows/service_steps.hpp>

#include <chrono>
#include <cstddef>
#include <string>

CURFEW_BEGIN

/// How long the manager is waited for.
struct scm_patience {
  detail::saturated start = std::chrono::seconds(30);    ///< while another service is starting
  detail::saturated removal = std::chrono::seconds(10);  ///< while somebody holds a deleted one
};

/// Everything it opens it closes before it returns, with the rights that it uses and no others; who
/// is no administrator can query and plan. What an administrator has set and no declaration can ask
/// for stays: a service SID that is restricted, an event source with its own texts. Who did not
/// install a service by curfew neither upgrades nor uninstalls it by curfew; start, stop and reload
/// do what they are asked, and service_status::ours tells who has to be asked first.
class scm_service_manager final : public service_manager {
 public:
  explicit scm_service_manager(scm_patience patience = {}) noexcept : patience_(patience) {}

  [[nodiscard]] failure query(const std::string& name, service_status& into) override;
  [[nodiscard]] failure plan_install(const install_request& asked, install_plan& into) override;
  [[nodiscard]] failure plan_uninstall(const std::string& name, install_plan& into) override;
  [[nodiscard]] failure start(const std::string& name) override;
  /// One that is stopping already is as good as stopped.
  [[nodiscard]] failure stop(const std::string& name) override;
  [[nodiscard]] failure reload(const std::string& name) override;
  [[nodiscard]] std::string render(const install_request& asked) override {
    return render_scm_plan(asked);
  }

 private:
  scm_patience patience_;
};

namespace detail {

/// Calls f until it says something else than that the database is locked, or the time is over.
template <class F>
[[nodiscard]] DWORD while_locked(time_source::duration patience, DWORD pause_ms, F f);

}  // namespace detail

// ---------------------------------------------------------------------------------------------

namespace detail {

/// SCM rule 22: a service that starts locks the database, and the next one has to try again.
template <class F>
DWORD while_locked(time_source::duration patience, DWORD pause_ms, F f) {
  const auto limit = saturating_add(std::chrono::steady_clock::now(), patience);
  for (;;) {
    const DWORD error = f();
    if (error != ERROR_SERVICE_DATABASE_LOCKED) return error;
    if (std::chrono::steady_clock::now() >= limit) return error;
    Sleep(pause_ms);
  }
}

/// The system puts the values of its variables into an image path, and knows no way to say not to.
[[nodiscard]] inline bool holds_variable(const std::string& line) { return expanded(line) != line; }

/// The system gives an entry back in 8 KiB, with all its texts; a longer one could never be read.
inline constexpr std::size_t longest_command_line = 3000;

[[nodiscard]] inline failure impossible(const install_request& asked, const scm_settings& wanted) {
  using kind = failure::kind_type;
  if (asked.user) {
    return {
        kind::not_supported,
        "--user is for systemd: Windows has no services of one user alone; install it for all, as "
        "administrator"};
  }
  if (asked.executable.find('"') != std::string::npos) {
    return {kind::failed,
            "cannot install " + asked.executable + ": no path holds a quote; correct it"};
  }
  if (utf16(wanted.command_line).size() > longest_command_line) {
    return {kind::failed, "cannot install " + asked.executable +
                              ": its command line has more than 3000 characters; put its arguments "
                              "into a file"};
  }
  if (!holds_variable(wanted.command_line)) return {};
  return {kind::failed, "cannot install " + wanted.command_line +
                            ": Windows would put values in the place of the words between percent "
                            "signs; use other words"};
}

inline void plan_new(const scm_settings& wanted, const scm_patience& patience, install_plan& into) {
  into.push_back(creation_step(wanted, patience.removal));
  plan_changes<extra_settings>(fresh_scm_settings(wanted), wanted, into);
  plan_first_preshutdown(wanted, into);
}

[[nodiscard]] inline failure plan_upgrade(const scm_settings& there, const scm_settings& wanted,
                                          install_plan& into) {
  const std::string doing = "install " + wanted.name;
  if (failure f = refuse_others(doing, there)) return f;
  if (is_deleted(wanted.name)) return refused(doing, ERROR_SERVICE_MARKED_FOR_DELETE);
  plan_changes<entry_settings>(there, wanted, into);
  plan_changes<extra_settings>(there, wanted, into);
  return {};
}

/// 1061 and 1052 have several reasons, which the state tells apart.
[[nodiscard]] inline failure not_stoppable(SC_HANDLE service, const std::string& name,
                                           DWORD error) {
  SERVICE_STATUS_PROCESS status{};
  const DWORD unread = read_status(service, status);
  if (unread != 0) return refused("stop " + name, error);
  using kind = failure::kind_type;
  switch (status.dwCurrentState) {
    case SERVICE_STOP_PENDING:
    case SERVICE_STOPPED: return {};
    case SERVICE_START_PENDING:
      return {kind::failed, "cannot stop " + name +
                                ": it is still starting, and takes no stop before it has started; "
                                "wait until it runs"};
    default:
      return {kind::failed, "cannot stop " + name +
                                ": it takes no stop just now; end its process " +
                                std::to_string(status.dwProcessId) + " if it never does"};
  }
}

}  // namespace detail

inline failure scm_service_manager::query(const std::string& name, service_status& into) {
  detail::service_handle service;
  scm_settings entry;
  SERVICE_STATUS_PROCESS status{};
  into = {};
  DWORD error = detail::open_service(name, detail::right_to_read, service);
  if (error == ERROR_SERVICE_DOES_NOT_EXIST) {
    into.state = service_state::not_installed;
    return {};
  }
  if (error == 0) error = detail::read_status(service.get(), status);
  if (error == 0) error = detail::read_entry(service.get(), name, entry);
  if (error != 0) return detail::refused("ask after " + name, error);
  into = detail::status_of(status);
  into.enabled = entry.start == scm_automatic;
  into.ours = detail::is_ours(entry);
  return {};
}

inline failure scm_service_manager::plan_install(const install_request& asked, install_plan& into) {
  const scm_settings wanted = wanted_scm_settings(asked);
  into.clear();
  if (failure f = detail::impossible(asked, wanted)) return f;
  detail::service_handle service;
  scm_settings there;
  failure f = detail::read_service(wanted.name, 0, service, there);
  if (f.kind == failure::kind_type::not_installed) {
    detail::plan_new(wanted, patience_, into);
    f = {};
  } else if (!f) {
    f = detail::plan_upgrade(there, wanted, into);
  }
  if (!f) detail::plan_event_source(wanted.name, into);
  return f;
}

/// What is easily put back goes first.
inline failure scm_service_manager::plan_uninstall(const std::string& name, install_plan& into) {
  into.clear();
  detail::service_handle service;
  scm_settings there;
  failure f = detail::read_service(name, 0, service, there);
  const bool installed = f.kind != failure::kind_type::not_installed;
  if (!f) f = detail::refuse_others("uninstall " + name, there);
  if (f && installed) return f;
  detail::plan_no_event_source(name, into);
  if (installed) into.push_back(detail::deletion_step(there, patience_.removal));
  return {};
}

inline failure scm_service_manager::start(const std::string& name) {
  constexpr DWORD pause_ms = 500;
  detail::service_handle service;
  DWORD error = detail::open_service(name, SERVICE_START, service);
  if (error == 0) {
    error = detail::while_locked(patience_.start, pause_ms, [&] {
      return detail::error_unless(StartServiceW(service.get(), 0, nullptr));
    });
  }
  return detail::refused("start " + name, error == ERROR_SERVICE_ALREADY_RUNNING ? 0 : error);
}

inline failure scm_service_manager::stop(const std::string& name) {
  detail::service_handle service;
  SERVICE_STATUS ignored{};
  DWORD error = detail::open_service(name, SERVICE_STOP | SERVICE_QUERY_STATUS, service);
  if (error == 0) {
    error = detail::error_unless(ControlService(service.get(), SERVICE_CONTROL_STOP, &ignored));
  }
  switch (error) {
    case ERROR_SERVICE_NOT_ACTIVE: return {};
    case ERROR_SERVICE_CANNOT_ACCEPT_CTRL:
    case ERROR_INVALID_SERVICE_CONTROL: return detail::not_stoppable(service.get(), name, error);
    default: return detail::refused("stop " + name, error);
  }
}

inline failure scm_service_manager::reload(const std::string& name) {
  detail::service_handle service;
  SERVICE_STATUS ignored{};
  DWORD error = detail::open_service(name, SERVICE_PAUSE_CONTINUE, service);
  if (error == 0) {
    error =
        detail::error_unless(ControlService(service.get(), SERVICE_CONTROL_PARAMCHANGE, &ignored));
  }
  if (error != ERROR_INVALID_SERVICE_CONTROL) return detail::refused("reload " + name, error);
  return {failure::kind_type::failed,
          "cannot reload " + name + ": it takes no new settings while it runs; restart it"};
}

CURFEW_END

#endif
#endif
