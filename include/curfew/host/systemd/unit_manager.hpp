// SPDX-License-Identifier: BSL-1.0
//
// The services that systemd keeps: the system's, or those of the calling user.
#ifndef CURFEW_HOST_SYSTEMD_UNIT_MANAGER_HPP
#define CURFEW_HOST_SYSTEMD_UNIT_MANAGER_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/install/checks.hpp>
#include <curfew/host/install/service_manager.hpp>
#include <curfew/host/systemd/systemctl.hpp>
#include <curfew/host/systemd/unit.hpp>
#include <curfew/host/systemd/unit_file.hpp>
#include <curfew/host/systemd/unit_rights.hpp>
#include <curfew/host/systemd/unit_status.hpp>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

CURFEW_BEGIN

/// A service is one unit file, in /etc/systemd/system or in the user's own folder, and a link to it
/// when it starts with the system. Files that do not begin with our mark are neither changed nor
/// removed, and drop-ins are the administrator's. What a service has stored stays when it goes.
class systemd_service_manager final : public service_manager {
 public:
  explicit systemd_service_manager(bool user = false) noexcept : systemctl_(user) {}

  [[nodiscard]] failure query(const std::string& name, service_status& into) override;
  [[nodiscard]] failure plan_install(const install_request& asked, install_plan& into) override;
  [[nodiscard]] failure plan_uninstall(const std::string& name, install_plan& into) override;
  [[nodiscard]] failure start(const std::string& name) override { return order("start", name); }
  [[nodiscard]] failure stop(const std::string& name) override { return order("stop", name); }
  [[nodiscard]] failure restart(const std::string& name) override { return order("restart", name); }
  /// Told by a signal where that is all that the unit does for it: what systemd then tells of the
  /// service's state is the service's own word, and not that a signal has been sent.
  [[nodiscard]] failure reload(const std::string& name) override;
  [[nodiscard]] std::string render(const install_request& asked) override;

 private:
  [[nodiscard]] failure order(const char* verb, const std::string& name) const;
  [[nodiscard]] failure may_order(const std::string& name) const;
  [[nodiscard]] install_request here(install_request asked) const {
    asked.user = systemctl_.user();
    return asked;
  }

  detail::systemctl systemctl_;
};

namespace detail {

/// Where unit files of ours are; empty: the user has no home.
[[nodiscard]] std::string unit_folder(bool user);

// ---------------------------------------------------------------------------------------------

inline std::string unit_folder(bool user) {
  if (!user) return "/etc/systemd/system";
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && *config == '/') return std::string(config) + "/systemd/user";
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? std::string(home) + "/.config/systemd/user" : "";
}

[[nodiscard]] inline failure check_rights(bool user) {
  if (user && unit_folder(user).empty()) return refused("HOME is not set: log in as the user");
  if (user || ::geteuid() == 0) return {};
  return {failure::kind_type::needs_rights,
          "needs root: use sudo, or --user for a service of your own"};
}

[[nodiscard]] inline bool same_file(const std::string& a, const std::string& b) noexcept {
  struct stat x = {};
  struct stat y = {};
  return ::stat(a.c_str(), &x) == 0 && ::stat(b.c_str(), &y) == 0 && x.st_dev == y.st_dev &&
         x.st_ino == y.st_ino;
}

/// A unit as it is: what systemd has read of it, and what stands in our folder.
struct known_unit {
  unit_properties properties = {};
  std::string bytes = {};

  [[nodiscard]] failure look(const systemctl& manager, const std::string& name);
  [[nodiscard]] bool enabled() const { return properties["UnitFileState"].starts_with("enabled"); }
  [[nodiscard]] bool is_read() const {
    return properties["LoadState"] == "loaded" && properties["NeedDaemonReload"] == "no";
  }
};

[[nodiscard]] inline unit_file file_of(const systemctl& manager, const std::string& name) {
  return unit_file(unit_folder(manager.user()), name + ".service");
}

/// Refuses what is somebody else's.
inline failure known_unit::look(const systemctl& manager, const std::string& name) {
  const unit_file file = file_of(manager, name);
  if (failure f = manager.show(name + ".service", properties)) return f;
  if (failure f = file.read(bytes)) return f;
  const std::string advice = ": take another --name, or remove it by the means it came by";
  if (!is_ours(bytes)) return refused(file.path() + " was not written by curfew" + advice);
  const std::string& other = properties["FragmentPath"];
  if (!other.empty() && other != file.path() && !same_file(other, file.path())) {
    return refused("there is a unit of that name already, " + other + advice);
  }
  return {};
}

/// The steps of one plan, which live as long as its functions.
class unit_steps {
 public:
  unit_steps(const systemctl& manager, const std::string& name)
      : manager_(manager), unit_(name + ".service"), file_(file_of(manager, name)) {}

  [[nodiscard]] install_step file(const std::string& before, const std::string& after) const;
  [[nodiscard]] install_step read_again(bool there) const;
  [[nodiscard]] install_step enabled(bool wanted) const;
  [[nodiscard]] install_step forgotten() const;

 private:
  systemctl manager_;
  std::string unit_;
  unit_file file_;
};

[[nodiscard]] inline failure set_file(const unit_file& file, const std::string& bytes,
                                      std::vector<std::string>& made) {
  if (!bytes.empty()) return file.write(bytes, made);
  if (failure f = file.remove()) return f;
  for (; !made.empty(); made.pop_back()) ::rmdir(made.back().c_str());
  return {};
}

/// Of a file that is replaced only what the other one has not.
[[nodiscard]] inline std::string file_in_words(const std::string& one, const std::string& other) {
  if (one.empty()) return {};
  if (other.empty()) return "installed";
  const std::string lines = lines_only_in(one, other);
  return lines.empty() ? "no line more" : lines;
}

/// Undone after the steps that follow it, so that it is here that systemd reads the old file again.
inline install_step unit_steps::file(const std::string& before, const std::string& after) const {
  const auto made = std::make_shared<std::vector<std::string>>();
  const auto file = file_;
  const auto manager = manager_;
  install_step step;
  step.what = "unit file " + file_.path();
  step.from = file_in_words(before, after);
  step.to = file_in_words(after, before);
  step.apply = [=] {
    failure f = set_file(file, after, *made);
    for (; f && !made->empty(); made->pop_back()) ::rmdir(made->back().c_str());
    return f;
  };
  step.undo = [=] {
    if (failure f = set_file(file, before, *made)) return f;
    return manager.run({"daemon-reload"});
  };
  return step;
}

/// systemd says of a unit that it cannot use, or does not find, only when it is asked.
[[nodiscard]] inline failure check_loaded(const systemctl& manager, const std::string& unit,
                                          const std::string& path) {
  unit_properties now;
  if (failure f = manager.show(unit, now)) return f;
  if (now["LoadState"] == "loaded" && same_file(now["FragmentPath"], path)) return {};
  return refused("systemd does not take " + path + " (" + now["LoadState"] + " " +
                 now["LoadError"] + "): see systemd-analyze unit-paths and its journal");
}

inline install_step unit_steps::read_again(bool there) const {
  const auto unit = unit_;
  const auto path = file_.path();
  const auto manager = manager_;
  install_step step;
  step.what = "unit files";
  step.from = "as they were";
  step.to = "read again by systemd";
  step.apply = [=] {
    failure f = manager.run({"daemon-reload"});
    return f || !there ? f : check_loaded(manager, unit, path);
  };
  return step;
}

inline install_step unit_steps::enabled(bool wanted) const {
  const auto unit = unit_;
  const auto manager = manager_;
  install_step step;
  step.what = "start with the system";
  step.from = wanted ? "no" : "yes";
  step.to = wanted ? "yes" : "no";
  step.apply = [=] { return manager.run({wanted ? "enable" : "disable", "--", unit}); };
  step.undo = [=] { return manager.run({wanted ? "disable" : "enable", "--", unit}); };
  return step;
}

/// A unit without a file is kept in mind as long as its last run was a failure, if systemd has not
/// forgotten it meanwhile.
inline install_step unit_steps::forgotten() const {
  const auto unit = unit_;
  const auto manager = manager_;
  install_step step;
  step.what = "last failure";
  step.from = "remembered";
  step.apply = [=] {
    unit_properties now;
    const failure f = manager.show(unit, now);
    if (f || now["ActiveState"] != "failed") return f;
    return manager.run({"reset-failed", "--", unit});
  };
  return step;
}

[[nodiscard]] inline bool reloads_by_signal(const unit_properties& unit) {
  const std::string ours = std::string(" argv[]=") + reload_by_signal + " ;";
  const std::string& known = unit["ExecReload"];
  const bool alone = known.find("argv[]=") == known.rfind("argv[]=");
  return alone && mentions(known, ours) && unit["Type"] == "notify" && unit.number("MainPID") != 0;
}

/// A path that does not change its meaning between the install and a start of the service.
[[nodiscard]] inline unit_facts facts_of(const systemctl& manager, const install_request& asked) {
  unit_facts facts{manager.version(), {}};
  const std::string real = real_path(asked.executable);
  if (real != asked.executable) facts.real_paths.push_back(real);
  return facts;
}

}  // namespace detail

inline failure systemd_service_manager::query(const std::string& name, service_status& into) {
  detail::unit_properties now;
  if (failure f = systemctl_.show(name + ".service", now)) return f;
  into = detail::status_of(now);
  return {};
}

inline std::string systemd_service_manager::render(const install_request& asked) {
  return render_unit(here(asked), detail::facts_of(systemctl_, asked));
}

inline failure systemd_service_manager::plan_install(const install_request& asked,
                                                     install_plan& into) {
  const std::string& name = asked.spec.name;
  if (failure f = check_request(asked)) return f;
  if (failure f = detail::check_rights(systemctl_.user())) return f;
  if (failure f = detail::check_system(here(asked))) return f;
  detail::known_unit now;
  if (failure f = now.look(systemctl_, name)) return f;
  const std::string text = render(asked);
  const bool wanted = detail::starts_with_system(asked.spec);
  const detail::unit_steps steps(systemctl_, name);
  if (text != now.bytes) into.push_back(steps.file(now.bytes, text));
  if (text != now.bytes || !now.is_read()) into.push_back(steps.read_again(true));
  if (wanted != now.enabled()) into.push_back(steps.enabled(wanted));
  return {};
}

/// The link goes first, while systemd can still read in the file what it was for.
inline failure systemd_service_manager::plan_uninstall(const std::string& name,
                                                       install_plan& into) {
  if (failure f = check_service_name(name)) return f;
  if (failure f = detail::check_rights(systemctl_.user())) return f;
  detail::known_unit now;
  if (failure f = now.look(systemctl_, name)) return f;
  const detail::unit_steps steps(systemctl_, name);
  if (now.enabled()) into.push_back(steps.enabled(false));
  if (!now.bytes.empty()) into.push_back(steps.file(now.bytes, ""));
  const bool known = !now.bytes.empty() || now.properties["LoadState"] == "loaded";
  if (known) into.push_back(steps.read_again(false));
  if (now.properties["ActiveState"] == "failed") into.push_back(steps.forgotten());
  return {};
}

inline failure systemd_service_manager::may_order(const std::string& name) const {
  if (failure f = check_service_name(name)) return f;
  return detail::check_rights(systemctl_.user());
}

/// systemd answers when it has noted the order, not when it has carried it out.
inline failure systemd_service_manager::order(const char* verb, const std::string& name) const {
  if (failure f = may_order(name)) return f;
  return systemctl_.run({verb, "--no-block", "--", name + ".service"});
}

inline failure systemd_service_manager::reload(const std::string& name) {
  if (failure f = may_order(name)) return f;
  detail::unit_properties now;
  if (failure f = systemctl_.show(name + ".service", now)) return f;
  if (!detail::reloads_by_signal(now)) return order("reload", name);
  return systemctl_.run({"kill", "--kill-who=main", "--signal=HUP", "--", name + ".service"});
}

CURFEW_END

#endif
#endif
