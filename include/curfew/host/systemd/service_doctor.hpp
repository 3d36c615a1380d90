// SPDX-License-Identifier: BSL-1.0
//
// What is wrong with a service as systemd has it: the unit as it was read, with all that was added
// to it, against what the program was declared to be.
#ifndef CURFEW_HOST_SYSTEMD_SERVICE_DOCTOR_HPP
#define CURFEW_HOST_SYSTEMD_SERVICE_DOCTOR_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/executable.hpp>
#include <curfew/host/install/finding.hpp>
#include <curfew/host/posix/process_doctor.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/host/systemd/detail/known_unit.hpp>
#include <curfew/host/systemd/detail/systemctl.hpp>
#include <curfew/host/systemd/detail/unit_rights.hpp>
#include <curfew/host/systemd/unit.hpp>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

CURFEW_BEGIN

/// `user`: in the calling user's own manager. `program`: what the unit should start. Nothing is
/// changed, and no right is needed.
[[nodiscard]] findings examine_systemd(const service_spec& spec, const std::string& name, bool user,
                                       const std::string& program = executable_path());

namespace detail {

/// What is to be looked at besides the declaration.
struct examined_unit {
  std::string name = {};
  bool user = false;
  unit_properties properties = {};
  bool ours = true;          ///< install may change it
  std::string program = {};  ///< what it should start; empty: whatever it is
};

/// Of a unit that systemd has.
[[nodiscard]] findings examine_unit(const service_spec& spec, const examined_unit& unit);

// ---------------------------------------------------------------------------------------------

/// "{ path=/usr/bin/x ; argv[]=/usr/bin/x a ; ignore_errors=no ; ... }"
[[nodiscard]] inline std::string program_of(const unit_properties& unit) {
  const std::string& line = unit["ExecStart"];
  const std::size_t begin = line.find("path=");
  const std::size_t end = line.find(" ; argv[]=");
  if (begin == line.npos || end == line.npos || end < begin) return {};
  return line.substr(begin + 5, end - begin - 5);
}

/// As a command: "systemctl --user ".
[[nodiscard]] inline std::string systemctl_command(bool user) {
  return user ? "systemctl --user " : "systemctl ";
}

class unit_examination {
 public:
  unit_examination(const service_spec& spec, const examined_unit& unit)
      : spec_(spec), name_(unit.name), user_(unit.user), unit_(unit.properties), given_(unit) {}

  [[nodiscard]] findings all() {
    protocol();
    stops();
    limits();
    program();
    account();
    start();
    changes();
    return std::move(found_);
  }

 private:
  void error(std::string what, std::string fix) {
    found_.push_back({severity::error, std::move(what), std::move(fix)});
  }
  void warning(std::string what, std::string fix) {
    found_.push_back({severity::warning, std::move(what), std::move(fix)});
  }
  void notice(std::string what, std::string fix) {
    found_.push_back({severity::notice, std::move(what), std::move(fix)});
  }
  [[nodiscard]] std::string remedy(const std::string& setting) const;
  [[nodiscard]] std::string drop_ins() const;

  void protocol();
  void stops();
  void limits();
  void limit(const char* property, clock_duration ours, const char* what);
  void watchdog();
  void program();
  void other_program(const std::string& path);
  void rights(const std::string& path, const char* use);
  void program_hidden(const std::string& path);
  void account();
  void start();
  void changes();

  const service_spec& spec_;
  const std::string& name_;
  bool user_;
  const unit_properties& unit_;
  const examined_unit& given_;
  findings found_;
};

/// Those for this service; drop-ins for all services are the distribution's.
inline std::string unit_examination::drop_ins() const {
  const std::string folder = "/" + name_ + ".service.d/";
  std::string own;
  for (std::string_view rest = unit_["DropInPaths"]; !rest.empty();) {
    const std::string_view path = rest.substr(0, rest.find(' '));
    if (mentions(path, folder)) own.append(own.empty() ? "" : " ").append(path);
    rest.remove_prefix((std::min)(path.size() + 1, rest.size()));
  }
  return own;
}

/// How the unit gets a setting: what was added to it wins over what install writes.
inline std::string unit_examination::remedy(const std::string& setting) const {
  const std::string added = drop_ins();
  if (!given_.ours) return setting + ": " + systemctl_command(user_) + "edit " + name_;
  if (added.empty()) return setting + ": install again";
  return setting + ": take another one out of " + added + ", then " + systemctl_command(user_) +
         "daemon-reload, or install again if it is not there";
}

/// Only these two types wait for the program to say that it is ready.
inline void unit_examination::protocol() {
  const std::string& type = unit_["Type"];
  if (type != "notify" && type != "notify-reload") {
    error("the unit has Type=" + type + ", so systemd does not wait until the service is ready",
          remedy("Type=notify"));
  }
  if (unit_["NotifyAccess"] == "none") {
    error("the unit has NotifyAccess=none, so nothing that the service says is heard",
          remedy("NotifyAccess=main"));
  }
}

/// A stop is a signal to the program, and then time.
inline void unit_examination::stops() {
  if (unit_.number("KillSignal") == SIGKILL) {
    error("the unit has KillSignal=SIGKILL, so the service ends without a stop",
          remedy("KillSignal=SIGTERM"));
  }
  if (unit_["KillMode"] == "none") {
    error("the unit has KillMode=none, so nothing ends a service that is to stop",
          remedy("KillMode=mixed"));
  }
}

inline void unit_examination::limit(const char* property, clock_duration ours, const char* what) {
  const auto theirs = parse_span(unit_[property]);
  if (!theirs || *theirs >= ours) return;
  error(std::string(what) + " is killed after " + unit_[property] + ", but may take " +
            unit_span(ours),
        remedy("a longer limit"));
}

/// systemd has zero for "nobody looks".
inline void unit_examination::watchdog() {
  const auto theirs = parse_span(unit_["WatchdogUSec"]);
  const bool looks = theirs && *theirs != clock_duration{} && *theirs != (clock_duration::max)();
  if (looks) return limit("WatchdogUSec", spec_.watchdog, "a service between two heartbeats");
  warning("nobody restarts the service when it is stuck: the unit has no watchdog",
          remedy("WatchdogSec=" + unit_span(spec_.watchdog)));
}

inline void unit_examination::limits() {
  limit("TimeoutStopUSec", spec_.stop_timeout, "a stop");
  limit("TimeoutStartUSec", spec_.start_timeout, "a start");
  if (spec_.watchdog > clock_duration::zero()) watchdog();
}

/// Whoever can write to it, or to a folder on the way, decides what the service runs. A sticky
/// folder lets nobody replace what is not his.
inline void unit_examination::rights(const std::string& path, const char* use) {
  for (const std::string& part : components(path)) {
    struct stat s = {};
    if (::stat(part.c_str(), &s) != 0) continue;
    const bool shared = S_ISDIR(s.st_mode) && (s.st_mode & S_ISVTX) != 0;
    if ((s.st_mode & S_IWOTH) != 0 && !shared) {
      error("everybody can write to " + part + ", and so " + use, "chmod o-w " + part);
    } else if ((s.st_mode & S_IWGRP) != 0 && !shared && !user_ && s.st_gid != 0) {
      warning("a group can write to " + part + ", and so " + use, "chmod g-w " + part);
    }
    if (s.st_uid != 0 && !(user_ && s.st_uid == ::geteuid())) {
      warning("user " + std::to_string(s.st_uid) + " owns " + part + ", and so can " + use,
              "have it where only root writes, as in /usr/local/bin, or chown root " + part);
    }
  }
}

inline void unit_examination::program_hidden(const std::string& path) {
  const std::string& home = unit_["ProtectHome"];
  const bool in_tmp = is_below(path, "/tmp") || is_below(path, "/var/tmp");
  const bool hidden = in_tmp ? unit_["PrivateTmp"] == "yes" : home == "yes" || home == "tmpfs";
  if (!is_hidden(path) || !hidden) return;
  for (const char* binds : {"BindReadOnlyPaths", "BindPaths"}) {
    if (mentions(unit_[binds], surroundings(path))) return;
  }
  error(std::string("the unit hides its own program by ") +
            (in_tmp ? "PrivateTmp" : "ProtectHome") + ": " + path,
        "install it in /usr/local/bin, or install again");
}

inline void unit_examination::program() {
  const std::string path = program_of(unit_);
  if (!unit_["FragmentPath"].empty()) rights(unit_["FragmentPath"], "change what is started");
  if (path.empty()) return error("the unit has no ExecStart", remedy("ExecStart"));
  if (::access(path.c_str(), X_OK) != 0) {
    return error("there is no program " + path, "put it there, or install from where it is");
  }
  const std::string real = real_path(path);
  other_program(path);
  rights(path, "replace the program");
  if (real != path) rights(real, "replace the program");
  program_hidden(path);
  if (real != path) program_hidden(real);
  if (unit_["DynamicUser"] != "yes") return;
  if (failure f = check_strangers_way(real, surroundings(real))) {
    error(f.text, "then start the service again");
  }
}

/// 127 is what the loader and shells end with when they do not find what they need.
inline void unit_examination::other_program(const std::string& path) {
  if (!given_.program.empty() && !same_file(path, given_.program)) {
    warning("the unit starts " + path + ", and not this program",
            given_.ours ? "install again" : "take another --name");
  }
  if (unit_.number("ExecMainStatus") != 127) return;
  error("the last start ended with 127, so " + path + " did not find its libraries",
        "put them beside it or where the system has its own: a service sees no other places of "
        "/home, /root and /tmp");
}

/// As the unit has it, in which a drop-in may have changed it.
inline void unit_examination::account() {
  if (user_) return;
  install_request asked;
  asked.spec = spec_;
  asked.spec.account = unit_["DynamicUser"] == "yes" ? "" : unit_["User"];
  if (unit_["DynamicUser"] != "yes" && asked.spec.account.empty()) asked.spec.account = "root";
  if (failure f = check_writable_paths(asked)) error(f.text, "then start the service again");
}

inline void unit_examination::start() {
  const std::string& state = unit_["UnitFileState"];
  if (!starts_with_system(spec_) || state == "enabled") return;
  const std::string enable = systemctl_command(user_) + "enable " + name_;
  warning("the service does not start with the system (" + state + ")",
          given_.ours ? "install again" : enable);
}

inline void unit_examination::changes() {
  const std::string show = systemctl_command(user_) + "cat " + name_;
  if (!given_.ours) {
    notice("the unit was not written by curfew: install and uninstall leave it alone", show);
  }
  const std::string added = drop_ins();
  if (!added.empty()) {
    notice("settings are added to the unit by " + added,
           "look whether they are still meant: " + show);
  }
  if (unit_["NeedDaemonReload"] != "yes") return;
  warning("the unit was changed after systemd has read it",
          systemctl_command(user_) + "daemon-reload");
}

inline findings examine_unit(const service_spec& spec, const examined_unit& unit) {
  return unit_examination(spec, unit).all();
}

/// What keeps the unit from being looked at; nothing: it can be.
[[nodiscard]] inline std::optional<finding> no_unit(const examined_unit& examined) {
  const unit_properties& unit = examined.properties;
  const std::string& load = unit["LoadState"];
  if (load == "loaded") return std::nullopt;
  if (load == "not-found")
    return finding{severity::notice, "the service is not installed", "install"};
  if (load == "masked") {
    return finding{severity::error, "the unit is masked: nothing starts it",
                   systemctl_command(examined.user) + "unmask " + examined.name +
                       ", or remove the unit file where that is an empty one"};
  }
  return finding{severity::error, "systemd cannot use the unit: " + load + " " + unit["LoadError"],
                 "systemd-analyze verify " + unit["FragmentPath"]};
}

/// A user's manager ends with the last login, unless it lingers.
[[nodiscard]] inline std::optional<finding> no_linger() {
  const std::string user = std::to_string(::geteuid());
  const auto said = run_program({"loginctl", "show-user", user, "--property=Linger"});
  if (said.output != "Linger=no\n") return std::nullopt;
  return finding{severity::notice,
                 "the service ends when you log out, and starts only when you log in",
                 "loginctl enable-linger"};
}

/// Its kind tells a system without systemd from a systemd that does not answer.
[[nodiscard]] inline finding unknown_unit(const examined_unit& unit, const failure& why) {
  const bool none = why.kind == failure::kind_type::not_supported;
  return {none ? severity::notice : severity::error,
          "nothing is known of the installed service: " + why.text,
          "where systemd runs: " + systemctl_command(unit.user) + "status " + unit.name};
}

}  // namespace detail

inline findings examine_systemd(const service_spec& spec, const std::string& name, bool user,
                                const std::string& program) {
  findings found;
  if (!user && ::geteuid() != 0) {
    found.push_back({severity::notice, "not root: nothing of the system's services can be changed",
                     "sudo, or --user for a service of your own"});
  }
  detail::known_unit now;
  const detail::systemctl manager(user);
  const failure unknown = manager.show(name + ".service", now.properties);
  const bool ours = now.look_at_file(manager, name).kind != failure::kind_type::failed;
  const detail::examined_unit unit{name, user, now.properties, ours, program};
  if (unknown) {
    found.push_back(detail::unknown_unit(unit, unknown));
  } else if (const auto none = detail::no_unit(unit)) {
    found.push_back(*none);
  } else {
    for (finding& more : detail::examine_unit(spec, unit)) found.push_back(std::move(more));
    if (const auto logout = user ? detail::no_linger() : std::nullopt) found.push_back(*logout);
  }
  return found;
}

CURFEW_END

#endif
#endif
