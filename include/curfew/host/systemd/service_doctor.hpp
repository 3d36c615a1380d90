// SPDX-License-Identifier: BSL-1.0
//
// What is wrong with a service as systemd has it: the unit as it was read, with all that was added
// to it, against what the program was declared to be.
#ifndef CURFEW_HOST_SYSTEMD_SERVICE_DOCTOR_HPP
#define CURFEW_HOST_SYSTEMD_SERVICE_DOCTOR_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/install/finding.hpp>
#include <curfew/host/posix/process_doctor.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/host/systemd/systemctl.hpp>
#include <curfew/host/systemd/unit.hpp>
#include <curfew/host/systemd/unit_rights.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

CURFEW_BEGIN

/// `user`: in the calling user's own manager. Nothing is changed, and no right is needed.
[[nodiscard]] findings examine_systemd(const service_spec& spec, const std::string& name,
                                       bool user);

namespace detail {

/// The same from properties that were read before: a unit that systemd has.
[[nodiscard]] findings examine_unit(const service_spec& spec, const std::string& name, bool user,
                                    const unit_properties& unit);

// ---------------------------------------------------------------------------------------------

/// "{ path=/usr/bin/x ; argv[]=/usr/bin/x a ; ignore_errors=no ; ... }"
[[nodiscard]] inline std::string program_of(const unit_properties& unit) {
  const std::string& line = unit["ExecStart"];
  const std::size_t begin = line.find("path=");
  const std::size_t end = line.find(" ; argv[]=");
  if (begin == line.npos || end == line.npos || end < begin) return {};
  return line.substr(begin + 5, end - begin - 5);
}

class unit_examination {
 public:
  unit_examination(const service_spec& spec, const std::string& name, bool user,
                   const unit_properties& unit)
      : spec_(spec), name_(name), user_(user), unit_(unit) {}

  [[nodiscard]] findings all() {
    protocol();
    limits();
    program();
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
  [[nodiscard]] std::string edit() const {
    return std::string("systemctl ") + (user_ ? "--user " : "") + "edit " + name_ + ", or install";
  }

  void protocol();
  void limits();
  void limit(const char* property, clock_duration ours, const char* what);
  void program();
  void program_rights(const std::string& path);
  void program_hidden(const std::string& path);
  void start();
  void changes();

  const service_spec& spec_;
  const std::string& name_;
  bool user_;
  const unit_properties& unit_;
  findings found_;
};

/// Only these two types wait for the program to say that it is ready.
inline void unit_examination::protocol() {
  const std::string& type = unit_["Type"];
  if (type != "notify" && type != "notify-reload") {
    error("the unit has Type=" + type + ", so systemd does not wait until the service is ready",
          "Type=notify: " + edit());
  }
  if (unit_["NotifyAccess"] == "none") {
    error("the unit has NotifyAccess=none, so nothing that the service says is heard",
          "NotifyAccess=main: " + edit());
  }
}

inline void unit_examination::limit(const char* property, clock_duration ours, const char* what) {
  const auto theirs = parse_span(unit_[property]);
  if (!theirs || *theirs >= ours) return;
  error(std::string(what) + " is killed after " + unit_[property] + ", but may take " +
            unit_span(ours),
        "a longer limit: " + edit());
}

inline void unit_examination::limits() {
  limit("TimeoutStopUSec", spec_.stop_timeout, "a stop");
  limit("TimeoutStartUSec", spec_.start_timeout, "a start");
  if (spec_.watchdog <= clock_duration::zero()) return;
  limit("WatchdogUSec", spec_.watchdog, "a service between two heartbeats");
}

/// Whoever can write to it, or to a folder on the way, decides what the service runs. A sticky
/// folder lets nobody replace what is not his.
inline void unit_examination::program_rights(const std::string& path) {
  for (const std::string& part : components(path)) {
    struct stat s = {};
    if (::stat(part.c_str(), &s) != 0) continue;
    const bool shared = S_ISDIR(s.st_mode) && (s.st_mode & S_ISVTX) != 0;
    if ((s.st_mode & S_IWOTH) != 0 && !shared) {
      error("everybody can write to " + part + ", and so replace the program", "chmod o-w " + part);
    } else if ((s.st_mode & S_IWGRP) != 0 && !shared && !user_ && s.st_gid != 0) {
      warning("a group can write to " + part + ", and so replace the program", "chmod g-w " + part);
    }
    if (s.st_uid != 0 && !(user_ && s.st_uid == ::geteuid())) {
      warning(
          "user " + std::to_string(s.st_uid) + " owns " + part + ", and so can replace the program",
          "install it where only root writes, as in /usr/local/bin");
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
  if (path.empty()) return error("the unit has no ExecStart", "install again");
  if (::access(path.c_str(), X_OK) != 0) {
    return error("there is no program " + path, "put it there, or install from where it is");
  }
  const std::string real = real_path(path);
  program_rights(path);
  if (real != path) program_rights(real);
  program_hidden(path);
  if (real != path) program_hidden(real);
  if (unit_["DynamicUser"] != "yes") return;
  if (failure f = check_strangers_way(real, surroundings(real))) {
    error(f.text, "then start the service again");
  }
}

inline void unit_examination::start() {
  const std::string& state = unit_["UnitFileState"];
  const bool enabled = state.starts_with("enabled");
  if (starts_with_system(spec_) && !enabled) {
    warning("the service does not start with the system (" + state + ")",
            std::string("systemctl ") + (user_ ? "--user " : "") + "enable " + name_);
  }
}

/// Drop-ins for all services are the distribution's.
inline void unit_examination::changes() {
  const std::string& paths = unit_["DropInPaths"];
  if (mentions(paths, "/" + name_ + ".service.d/")) {
    found_.push_back({severity::notice, "settings are added to the unit by " + paths,
                      "look whether they are still meant: systemctl cat " + name_});
  }
  if (unit_["NeedDaemonReload"] != "yes") return;
  warning("the unit was changed after systemd has read it",
          std::string("systemctl ") + (user_ ? "--user " : "") + "daemon-reload");
}

inline findings examine_unit(const service_spec& spec, const std::string& name, bool user,
                             const unit_properties& unit) {
  return unit_examination(spec, name, user, unit).all();
}

/// What keeps the unit from being looked at; nothing: it can be.
[[nodiscard]] inline std::optional<finding> no_unit(const unit_properties& unit) {
  const std::string& load = unit["LoadState"];
  if (load == "loaded") return std::nullopt;
  if (load == "not-found")
    return finding{severity::notice, "the service is not installed", "install"};
  if (load == "masked") {
    return finding{severity::error, "the unit is masked: nothing starts it", "systemctl unmask it"};
  }
  return finding{severity::error, "systemd cannot use the unit: " + load + " " + unit["LoadError"],
                 "systemd-analyze verify " + unit["FragmentPath"]};
}

}  // namespace detail

inline findings examine_systemd(const service_spec& spec, const std::string& name, bool user) {
  findings found;
  if (!user && ::geteuid() != 0) {
    found.push_back({severity::notice, "not root: nothing of the system's services can be changed",
                     "sudo, or --user for a service of your own"});
  }
  detail::unit_properties unit;
  if (failure f = detail::systemctl(user).show(name + ".service", unit)) {
    found.push_back({severity::notice, "nothing is known of the installed service", f.text});
  } else if (const auto none = detail::no_unit(unit)) {
    found.push_back(*none);
  } else {
    for (finding& more : detail::examine_unit(spec, name, user, unit)) found.push_back(more);
  }
  return found;
}

CURFEW_END

#endif
#endif
