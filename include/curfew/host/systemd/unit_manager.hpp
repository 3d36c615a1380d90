// SPDX-License-Identifier: BSL-1.0
//
// The services that systemd keeps: the system's, or those of the calling user.
#ifndef CURFEW_HOST_SYSTEMD_UNIT_MANAGER_HPP
#define CURFEW_HOST_SYSTEMD_UNIT_MANAGER_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/install/checks.hpp>
#include <curfew/host/install/service_manager.hpp>
#include <curfew/host/systemd/detail/known_unit.hpp>
#include <curfew/host/systemd/detail/systemctl.hpp>
#include <curfew/host/systemd/detail/unit_file.hpp>
#include <curfew/host/systemd/detail/unit_rights.hpp>
#include <curfew/host/systemd/detail/unit_status.hpp>
#include <curfew/host/systemd/unit.hpp>

#include <cerrno>
#include <memory>
#include <optional>
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
  void bound(const stop_token& stop, time_source::duration patience) override {
    systemctl_ = systemctl_.bound(stop, patience);
  }

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

/// The steps of one plan, which live as long as its functions.
class unit_steps {
 public:
  unit_steps(const systemctl& manager, const std::string& name)
      : manager_(manager), unit_(name + ".service"), file_(file_of(manager, name)) {}

  [[nodiscard]] install_step file(const stored_unit& before, const stored_unit& after) const;
  [[nodiscard]] install_step read_again(bool there) const;
  /// Only beside a unit file that says what it is to be linked to.
  [[nodiscard]] install_step enabled(bool wanted, const std::string& before) const;
  /// Instead, when the unit file has gone.
  [[nodiscard]] install_step unlinked() const;
  [[nodiscard]] install_step forgotten() const;
  [[nodiscard]] std::optional<install_step> kept() const;

 private:
  systemctl manager_;
  std::string unit_;
  unit_file file_;
};

[[nodiscard]] inline failure set_file(const unit_file& file, const stored_unit& unit,
                                      std::vector<std::string>& made) {
  if (!unit.bytes.empty()) return file.write(unit, made);
  if (failure f = file.remove()) return f;
  for (; !made.empty(); made.pop_back()) ::rmdir(made.back().c_str());
  return {};
}

/// Of a file that is replaced only what the other one has not.
[[nodiscard]] inline std::string file_in_words(const stored_unit& one, const stored_unit& other) {
  if (one.bytes.empty()) return {};
  if (other.bytes.empty()) return "installed";
  if (one.bytes == other.bytes) return one.is_safe() ? "its owner's alone" : "others can change it";
  const std::string lines = lines_only_in(one.bytes, other.bytes);
  return lines.empty() ? "no line more" : lines;
}

/// Undone after the steps that follow it, so that it is here that systemd reads the old file again.
inline install_step unit_steps::file(const stored_unit& before, const stored_unit& after) const {
  const auto made = std::make_shared<std::vector<std::string>>();
  const auto file = file_;
  const auto manager = manager_.unbound();
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
                 now["LoadError"] +
                 "), which it must find and understand: see systemd-analyze unit-paths and its "
                 "journal");
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

inline constexpr const char* start_mode_step = "start with the system";

/// What `systemctl` calls it: "enabled", "enabled-runtime" (until the next boot), or none of them.
[[nodiscard]] inline failure set_enabled(const systemctl& manager, const std::string& unit,
                                         const std::string& state) {
  if (state == "enabled") return manager.run({"enable", "--quiet", "--", unit});
  failure f = manager.run({"disable", "--quiet", "--", unit});
  const bool runtime = state == "enabled-runtime";
  const char* verb = runtime ? "enable" : "disable";
  return f ? f : manager.run({verb, "--runtime", "--quiet", "--", unit});
}

/// systemctl may fail, or be ended, after it has made or removed the link.
inline install_step unit_steps::enabled(bool wanted, const std::string& before) const {
  const auto unit = unit_;
  const auto manager = manager_;
  install_step step;
  step.what = start_mode_step;
  step.from = wanted ? "no" : "yes";
  step.to = wanted ? "yes" : "no";
  step.apply = [=] {
    failure f = set_enabled(manager, unit, wanted ? "enabled" : "disabled");
    if (f) static_cast<void>(set_enabled(manager.unbound(), unit, before));
    return f;
  };
  step.undo = [=] { return set_enabled(manager.unbound(), unit, before); };
  return step;
}

inline install_step unit_steps::unlinked() const {
  const auto link = link_of(manager_, unit_);
  const auto target = file_.path();
  install_step step;
  step.what = start_mode_step;
  step.from = "yes";
  step.to = "no";
  step.apply = [=] {
    const bool gone = ::unlink(link.c_str()) == 0 || errno == ENOENT;
    return gone ? failure{} : file_failure("remove " + link, errno);
  };
  step.undo = [=] {
    const bool back = ::symlink(target.c_str(), link.c_str()) == 0;
    return back ? failure{} : file_failure("make " + link, errno);
  };
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
    failure f = manager.show(unit, now);
    if (f || now["ActiveState"] != "failed") return f;
    return manager.run({"reset-failed", "--", unit});
  };
  return step;
}

/// Told of, since a service of that name that is installed later gets them.
inline std::optional<install_step> unit_steps::kept() const {
  const std::string folder = file_.path() + ".d";
  if (::access(folder.c_str(), F_OK) != 0) return std::nullopt;
  install_step step;
  step.what = "settings added in " + folder;
  step.from = "there";
  step.to = "left there: a later service of that name gets them, unless you remove them";
  return step;
}

[[nodiscard]] inline bool reloads_by_signal(const unit_properties& unit) {
  const std::string ours = std::string(" argv[]=") + reload_by_signal + " ;";
  const std::string& known = unit["ExecReload"];
  const bool alone = known.find("argv[]=") == known.rfind("argv[]=");
  return alone && mentions(known, ours) && unit["Type"] == "notify" && unit.number("MainPID") != 0;
}

inline void drop_links(const known_unit& now, const unit_steps& steps, install_plan& into) {
  if (now.is_enabled()) into.push_back(steps.enabled(false, now.enablement()));
  if (now.dangles) into.push_back(steps.unlinked());
}

/// A link goes before the file changes, and comes after it has: systemd reads in the file what it
/// is for, and so does whoever takes the step back.
inline void plan_install(const known_unit& now, const stored_unit& after, bool wanted,
                         const unit_steps& steps, install_plan& into) {
  const bool changes = after.bytes != now.stored.bytes || !now.stored.is_safe();
  if (!wanted) drop_links(now, steps, into);
  if (changes) into.push_back(steps.file(now.stored, after));
  if (changes || !now.is_read()) into.push_back(steps.read_again(true));
  if (wanted && now.enablement() != "enabled") {
    into.push_back(steps.enabled(true, now.enablement()));
  }
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
  detail::known_unit now;
  if (failure f = systemctl_.show(name + ".service", now.properties)) return f;
  into = detail::status_of(now.properties);
  into.ours = now.look_at_file(systemctl_, name).kind != failure::kind_type::failed;
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
  if (!systemctl_.user() && !now.exists()) {
    if (failure f = detail::check_state("/var/lib", name, asked.spec.account)) return f;
  }
  detail::plan_install(now, {render(asked)}, detail::starts_with_system(asked.spec),
                       detail::unit_steps(systemctl_, name), into);
  return {};
}

inline failure systemd_service_manager::plan_uninstall(const std::string& name,
                                                       install_plan& into) {
  if (failure f = check_service_name(name)) return f;
  if (failure f = detail::check_rights(systemctl_.user())) return f;
  detail::known_unit now;
  if (failure f = now.look(systemctl_, name)) return f;
  const detail::unit_steps steps(systemctl_, name);
  detail::drop_links(now, steps, into);
  if (now.exists()) into.push_back(steps.file(now.stored, {}));
  const bool known = now.exists() || now.properties["LoadState"] == "loaded";
  if (known) into.push_back(steps.read_again(false));
  if (now.properties["ActiveState"] == "failed") into.push_back(steps.forgotten());
  if (auto more = now.exists() ? steps.kept() : std::nullopt) into.push_back(std::move(*more));
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
