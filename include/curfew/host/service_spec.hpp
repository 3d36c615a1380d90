// SPDX-License-Identifier: BSL-1.0
//
// What a service is called, how long it may take, and how it is installed: declared once, used by
// whatever runs it and by whatever installs it.
#ifndef CURFEW_HOST_SERVICE_SPEC_HPP
#define CURFEW_HOST_SERVICE_SPEC_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/duration.hpp>

#include <chrono>
#include <string>
#include <vector>

CURFEW_BEGIN

/// When the system starts the service.
enum class start_mode {
  automatic,  ///< with the system
  delayed,    ///< with the system, when that has calmed down (Linux: the same as automatic)
  demand,     ///< when somebody asks
  disabled,   ///< not at all
};

/// What the system does when the service ends as a failure.
struct restart_policy {
  bool on_failure = true;
  detail::saturated delay = std::chrono::seconds(1);          ///< before the first restart
  detail::saturated longest_delay = std::chrono::minutes(1);  ///< it doubles up to this
  detail::saturated reset_after = std::chrono::minutes(10);   ///< without a failure: from the start
};

/// The timeouts take a duration of any type; hours::max() means no limit.
struct service_spec {
  std::string name = {};          ///< short, for systems and in front of log lines: "orders-api"
  std::string display_name = {};  ///< for people; empty: the name
  std::string description = {};   ///< a sentence for people

  /// From the start until ready() is called. A service that takes longer has failed, unless
  /// progress() has asked for more. The foreground has nobody who waits for that.
  detail::saturated start_timeout = std::chrono::seconds(30);

  /// From the moment of a stop until the end: for main to return and for all resources to be
  /// released. When it is spent the process is ended, with a report of what was still open.
  /// Zero or less: no time at all.
  detail::saturated stop_timeout = std::chrono::seconds(30);

  // ---- for whoever runs it

  /// The directory it works in, under every host. Empty: as it is started in a terminal and by
  /// systemd; under the service manager of Windows that of the executable, never system32.
  std::string working_directory = {};

  /// It calls heartbeat() at least this often, or is taken for stuck. Zero: it does not.
  detail::saturated watchdog = std::chrono::seconds(0);

  /// It has an on_reload function, and so `reload` is offered, and SIGHUP is no stop from the first
  /// moment on.
  bool reloads = false;

  /// As process 1 of a container: also wait for children that others have left behind. Not for a
  /// program that waits for children of its own in any way (waitpid, system, popen): it would miss
  /// their end.
  bool reaps_children = false;

  // ---- for whoever installs it

  start_mode start = start_mode::automatic;
  restart_policy restart = {};

  /// Whose rights it has. Empty: an account of its own with none ("NT SERVICE\name", DynamicUser).
  /// Else as the system calls it: "LocalSystem", "root", "www-data".
  std::string account = {};

  std::vector<std::string> dependencies = {};  ///< services to be started before, as named there
  std::vector<std::string> arguments = {};     ///< of the command line that is installed

  /// Directories and files outside its own state directory that it writes to (Linux).
  std::vector<std::string> writable_paths = {};
  std::vector<std::string> capabilities = {};  ///< Linux: "CAP_NET_BIND_SERVICE"
  std::vector<std::string> privileges = {};    ///< Windows: "SeChangeNotifyPrivilege"

  /// Windows: to be told of a shutdown before other services are, with this much time. Zero: with
  /// the others, and with the little time that the system gives them.
  detail::saturated preshutdown_timeout = std::chrono::seconds(0);

  int probe_port = 0;  ///< Kubernetes: where /livez and /readyz are answered; 0: nowhere
};

CURFEW_END

#endif
