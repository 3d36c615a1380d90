// SPDX-License-Identifier: BSL-1.0
//
// A declared service as a unit file of systemd. Pure text: nothing is looked at or changed, and a
// unit can be printed on any system.
#ifndef CURFEW_HOST_SYSTEMD_UNIT_HPP
#define CURFEW_HOST_SYSTEMD_UNIT_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/service_manager.hpp>
#include <curfew/host/systemd/detail/unit_sandbox.hpp>
#include <curfew/host/systemd/detail/unit_text.hpp>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// The unit for what is asked, which has been checked (see checks.hpp).
///
/// Our own limits come first: systemd's are 5 s longer, so that a stop that takes too long ends
/// with our report and not with SIGKILL. A failure is followed by another start for ever, later and
/// later where systemd knows how (254 and newer), but not when the command line is wrong (2).
[[nodiscard]] std::string render_unit(const install_request& asked, const unit_facts& facts = {});

namespace detail {

/// A unit file that begins so may be changed and removed by us, another one never.
inline constexpr std::string_view unit_mark = "# Written by curfew";

/// How much later than ourselves systemd gives up.
inline constexpr std::chrono::seconds manager_patience{5};

[[nodiscard]] inline bool starts_with_system(const service_spec& spec) noexcept {
  return spec.start == start_mode::automatic || spec.start == start_mode::delayed;
}

// ---------------------------------------------------------------------------------------------

/// A unit file as it grows.
class unit_writer {
 public:
  void section(std::string_view name) {
    if (!text_.empty()) text_ += '\n';
    text_.append("[").append(name).append("]\n");
  }
  void set(std::string_view key, std::string_view value) {
    text_.append(key).append("=").append(value).append("\n");
  }
  void lines(std::string_view some) { text_ += some; }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// systemd knows a name without a suffix only on its command line.
[[nodiscard]] inline std::string unit_name(const std::string& service) {
  for (const char* suffix : {".service", ".socket", ".target", ".mount", ".device", ".path",
                             ".timer", ".swap", ".slice", ".scope", ".automount"}) {
    if (service.ends_with(suffix)) return service;
  }
  return service + ".service";
}

[[nodiscard]] inline std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& s : list) out.append(out.empty() ? "" : " ").append(s);
  return out;
}

[[nodiscard]] inline std::string unit_title(const service_spec& spec) {
  if (!spec.display_name.empty()) return unit_line(spec.display_name);
  return unit_line(spec.description.empty() ? spec.name : spec.description);
}

/// The network is the system manager's; a user's own manager has no such target.
[[nodiscard]] inline std::string units_before(const install_request& asked) {
  std::vector<std::string> names;
  if (!asked.user) names.emplace_back("network-online.target");
  for (const std::string& d : asked.spec.dependencies) names.push_back(unit_name(d));
  return joined(names);
}

inline void write_unit_section(unit_writer& out, const install_request& asked) {
  const std::string before = units_before(asked);
  out.section("Unit");
  out.set("Description", unit_title(asked.spec));
  if (!before.empty()) out.set("Wants", before);
  if (!before.empty()) out.set("After", before);
  if (asked.spec.start == start_mode::disabled) out.set("RefuseManualStart", "yes");
  out.set("StartLimitIntervalSec", "0");  // no number of failures is the last one
}

[[nodiscard]] inline std::string command_line(const install_request& asked) {
  std::string line = unit_program(asked.executable);
  for (const std::string& a : asked.spec.arguments) line.append(" ").append(unit_argument(a));
  return line;
}

[[nodiscard]] inline std::string manager_limit(clock_duration ours) {
  const clock_duration least = (std::max)(ours, clock_duration::zero());
  return unit_span(saturating_add(clock_time_point(least), manager_patience).time_since_epoch());
}

/// How a unit reloads where systemd itself does not know how.
inline constexpr const char* reload_by_signal = "/bin/kill -HUP $MAINPID";

/// Before version 253 a unit of type notify-reload is silently one of type simple.
inline void write_reload(unit_writer& out, const service_spec& spec, const unit_facts& facts) {
  const bool by_manager = spec.reloads && facts.version >= 253;
  out.set("Type", by_manager ? "notify-reload" : "notify");
  out.set("NotifyAccess", "main");
  if (spec.reloads && !by_manager) out.set("ExecReload", reload_by_signal);
}

/// With how many restarts the delay grows from the first to the longest by doubling.
[[nodiscard]] inline int doublings(const restart_policy& policy) {
  clock_duration delay = (std::max<clock_duration>)(policy.delay, std::chrono::milliseconds(1));
  int count = 0;
  for (; delay < policy.longest_delay && count < 60; ++count) {
    delay = saturating_add(clock_time_point(delay), delay).time_since_epoch();
  }
  return count;
}

inline void write_restart(unit_writer& out, const restart_policy& policy, const unit_facts& facts) {
  constexpr std::chrono::milliseconds least{100};  // systemd's own; less would be a busy loop
  out.set("Restart", policy.on_failure ? "on-failure" : "no");
  if (!policy.on_failure) return;
  out.set("RestartPreventExitStatus", "2");
  out.set("RestartSec", unit_span((std::max<clock_duration>)(policy.delay, least)));
  const int steps = doublings(policy);
  const bool grows = steps > 0 && policy.longest_delay < (clock_duration::max)();
  if (facts.version < 254 || !grows) return;
  out.set("RestartSteps", std::to_string(steps));
  out.set("RestartMaxDelaySec", unit_span(policy.longest_delay));
}

inline void write_limits(unit_writer& out, const service_spec& spec) {
  out.set("TimeoutStartSec", manager_limit(spec.start_timeout));
  out.set("TimeoutStopSec", manager_limit(spec.stop_timeout));
  if (spec.watchdog > clock_duration::zero()) out.set("WatchdogSec", unit_span(spec.watchdog));
  out.set("KillMode", "mixed");  // children are the program's; what is left at the end is killed
}

inline void write_service_section(unit_writer& out, const install_request& asked,
                                  const unit_facts& facts) {
  const service_spec& spec = asked.spec;
  out.section("Service");
  write_reload(out, spec, facts);
  out.set("ExecStart", command_line(asked));
  if (!spec.working_directory.empty()) {
    out.set("WorkingDirectory", unit_line(spec.working_directory));
  }
  write_limits(out, spec);
  write_restart(out, spec.restart, facts);
  out.set("StateDirectory", spec.name);
  out.set("StateDirectoryMode", "0700");
}

/// By which a unit starts with the system.
[[nodiscard]] inline const char* wanting_target(bool user) noexcept {
  return user ? "default.target" : "multi-user.target";
}

/// A service that is started by hand can still be enabled by hand.
inline void write_install_section(unit_writer& out, const install_request& asked) {
  if (asked.spec.start == start_mode::disabled) return;
  out.section("Install");
  out.set("WantedBy", wanting_target(asked.user));
}

}  // namespace detail

inline std::string render_unit(const install_request& asked, const unit_facts& facts) {
  detail::unit_writer out;
  out.lines(detail::unit_mark);
  out.lines(", which writes it anew; own settings belong into a drop-in:\n# systemctl ");
  out.lines(asked.user ? "--user edit " : "edit ");
  out.lines(asked.spec.name + ".service\n");
  detail::write_unit_section(out, asked);
  detail::write_service_section(out, asked, facts);
  out.lines(detail::sandbox_lines(asked, facts));
  detail::write_install_section(out, asked);
  return out.take();
}

CURFEW_END

#endif
