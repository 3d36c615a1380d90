// SPDX-License-Identifier: BSL-1.0
//
// A unit as it is, and whose it is.
#ifndef CURFEW_HOST_SYSTEMD_DETAIL_KNOWN_UNIT_HPP
#define CURFEW_HOST_SYSTEMD_DETAIL_KNOWN_UNIT_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/install/install_step.hpp>
#include <curfew/host/systemd/detail/systemctl.hpp>
#include <curfew/host/systemd/detail/unit_account.hpp>
#include <curfew/host/systemd/detail/unit_file.hpp>
#include <curfew/host/systemd/unit.hpp>

#include <cstdlib>
#include <string>

#include <sys/stat.h>

CURFEW_BEGIN
namespace detail {

/// Where unit files of ours are; empty: the user has no home.
[[nodiscard]] std::string unit_folder(bool user);

/// What systemd has read of a unit, and what stands in our folder.
struct known_unit {
  unit_properties properties = {};
  stored_unit stored = {};
  /// A link is left of a unit whose file has gone: systemd says nothing of it, but would start by
  /// it the next one of that name.
  bool dangles = false;

  /// Refuses what is somebody else's.
  [[nodiscard]] failure look(const systemctl& manager, const std::string& name);
  /// The same, with the properties that are here.
  [[nodiscard]] failure look_at_file(const systemctl& manager, const std::string& name);

  [[nodiscard]] bool exists() const noexcept { return !stored.bytes.empty(); }
  [[nodiscard]] const std::string& enablement() const { return properties["UnitFileState"]; }
  [[nodiscard]] bool is_enabled() const { return enablement().starts_with("enabled"); }
  [[nodiscard]] bool is_read() const {
    return properties["LoadState"] == "loaded" && properties["NeedDaemonReload"] == "no";
  }
};

// ---------------------------------------------------------------------------------------------

inline std::string unit_folder(bool user) {
  if (!user) return "/etc/systemd/system";
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && *config == '/') return std::string(config) + "/systemd/user";
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? std::string(home) + "/.config/systemd/user" : "";
}

[[nodiscard]] inline failure check_rights(bool user) {
  if (user && unit_folder(user).empty())
    return refused("HOME is not set, below which a user's units are: log in as the user");
  if (user || ::geteuid() == 0) return {};
  return {failure::kind_type::needs_rights,
          "needs root: services of the system are root's; use sudo, or --user for a service of "
          "your own"};
}

[[nodiscard]] inline bool same_file(const std::string& a, const std::string& b) noexcept {
  struct stat x = {};
  struct stat y = {};
  return ::stat(a.c_str(), &x) == 0 && ::stat(b.c_str(), &y) == 0 && x.st_dev == y.st_dev &&
         x.st_ino == y.st_ino;
}

[[nodiscard]] inline unit_file file_of(const systemctl& manager, const std::string& name) {
  return unit_file(unit_folder(manager.user()), name + ".service");
}

/// By which a unit starts with the system.
[[nodiscard]] inline std::string link_of(const systemctl& manager, const std::string& unit) {
  const bool user = manager.user();
  return unit_folder(user) + "/" + wanting_target(user) + ".wants/" + unit;
}

inline failure known_unit::look(const systemctl& manager, const std::string& name) {
  if (failure f = manager.show(name + ".service", properties)) return f;
  return look_at_file(manager, name);
}

inline failure known_unit::look_at_file(const systemctl& manager, const std::string& name) {
  const unit_file file = file_of(manager, name);
  if (failure f = file.read(stored)) return f;
  struct stat s = {};
  dangles = !exists() && ::lstat(link_of(manager, name + ".service").c_str(), &s) == 0;
  const std::string advice = ": take another --name, or remove it by the means it came by";
  if (!is_ours(stored.bytes))
    return refused(file.path() + " was not written by curfew, which leaves it alone" + advice);
  const std::string& other = properties["FragmentPath"];
  if (!other.empty() && other != file.path() && !same_file(other, file.path())) {
    return refused("there is a unit of that name already, " + other +
                   ", which would be used no more" + advice);
  }
  return {};
}

}  // namespace detail
CURFEW_END

#endif
#endif
