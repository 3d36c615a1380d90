// SPDX-License-Identifier: BSL-1.0
//
// systemctl, asked without a shell; its answers as values and as failures.
#ifndef CURFEW_HOST_SYSTEMD_DETAIL_SYSTEMCTL_HPP
#define CURFEW_HOST_SYSTEMD_DETAIL_SYSTEMCTL_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/install/install_step.hpp>
#include <curfew/host/posix/run_program.hpp>
#include <curfew/stop/stop_token.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

CURFEW_BEGIN
namespace detail {

/// What `systemctl show` says of a unit. A property that is not there is empty.
class unit_properties {
 public:
  /// Lines of NAME=VALUE. A list of commands has a line for each of them, and keeps them all.
  [[nodiscard]] static unit_properties parse(std::string_view text);

  [[nodiscard]] const std::string& operator[](const std::string& name) const;
  [[nodiscard]] std::int64_t number(const std::string& name) const;

  void set(const std::string& name, std::string_view value) { values_[name] = value; }

 private:
  void add(std::string_view name, std::string_view value);

  std::map<std::string, std::string> values_;
};

/// Thread safety: any thread.
class systemctl {
 public:
  explicit systemctl(bool user) noexcept : user_(user) {}

  /// One whose waits end when `stop` does, and after `limit` if that is less than usual.
  [[nodiscard]] systemctl bound(const stop_token& stop, clock_duration limit) const;
  /// One that takes its time: for what has to be taken back.
  [[nodiscard]] systemctl unbound() const { return systemctl(user_); }

  /// Empty when the manager has done it. Waits for its answer, not for a service.
  [[nodiscard]] failure run(std::vector<std::string> words) const;
  /// UnitFileState is as the disk has it: systemd keeps the one it has found at first.
  [[nodiscard]] failure show(const std::string& unit, unit_properties& into) const;

  /// Of systemd, also where no manager runs; 0: not known.
  [[nodiscard]] int version() const;
  [[nodiscard]] bool user() const noexcept { return user_; }

 private:
  [[nodiscard]] program_result call(std::vector<std::string> words) const;
  [[nodiscard]] failure look_at_disk(const std::string& unit, unit_properties& into) const;
  [[nodiscard]] failure explain(const std::string& verb, const program_result& result) const;
  [[nodiscard]] failure no_manager() const;

  static constexpr clock_duration usual = std::chrono::seconds(60);  // to read all units anew
  static constexpr clock_duration least = std::chrono::seconds(1);
  bool user_;
  stop_token stop_ = {};
  clock_duration patience_ = usual;
};

// ---------------------------------------------------------------------------------------------

inline unit_properties unit_properties::parse(std::string_view text) {
  unit_properties all;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::size_t equals = line.find('=');
    if (equals != line.npos) all.add(line.substr(0, equals), line.substr(equals + 1));
    text.remove_prefix((std::min)(line.size() + 1, text.size()));
  }
  return all;
}

inline void unit_properties::add(std::string_view name, std::string_view value) {
  std::string& known = values_[std::string(name)];
  const bool more = known.starts_with("{ ") && value.starts_with("{ ");
  if (!more) known.clear();
  known.append(more ? "\n" : "").append(value);
}

inline const std::string& unit_properties::operator[](const std::string& name) const {
  static const std::string* const none = new std::string;  // outlives every static
  const auto found = values_.find(name);
  return found == values_.end() ? *none : found->second;
}

inline std::int64_t unit_properties::number(const std::string& name) const {
  const std::string& text = (*this)[name];
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

[[nodiscard]] inline std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

[[nodiscard]] inline bool mentions(std::string_view text, std::string_view what) {
  return text.find(what) != text.npos;
}

/// What went wrong. Before it and after it systemctl may say more, as which links it has made.
[[nodiscard]] inline std::string_view reason_in(std::string_view text) {
  std::string_view last;
  for (; !text.empty(); text.remove_prefix((std::min)(first_line(text).size() + 1, text.size()))) {
    const std::string_view line = first_line(text);
    if (line.starts_with("Failed")) return line;
    if (!line.empty()) last = line;
  }
  return last;
}

inline systemctl systemctl::bound(const stop_token& stop, clock_duration limit) const {
  systemctl other(user_);
  other.stop_ = stop;
  other.patience_ = std::clamp(limit, least, usual);
  return other;
}

inline program_result systemctl::call(std::vector<std::string> words) const {
  std::vector<std::string> all = {"systemctl", "--no-pager", "--no-ask-password"};
  if (user_) all.emplace_back("--user");
  for (std::string& w : words) all.push_back(std::move(w));
  return run_program(all, {.limit = patience_, .environment = {"LC_ALL=C"}, .stop = stop_});
}

inline failure systemctl::run(std::vector<std::string> words) const {
  const std::string verb = words.front();
  return explain(verb, call(std::move(words)));
}

inline failure systemctl::show(const std::string& unit, unit_properties& into) const {
  constexpr const char* names =
      "ActiveState,BindPaths,BindReadOnlyPaths,DropInPaths,DynamicUser,ExecMainCode,ExecMainStatus,"
      "ExecReload,ExecStart,FragmentPath,Job,KillMode,KillSignal,LoadError,LoadState,MainPID,"
      "NeedDaemonReload,NotifyAccess,PrivateTmp,ProtectHome,StateChangeTimestampMonotonic,"
      "StatusText,SubState,TimeoutStartUSec,TimeoutStopUSec,TriggeredBy,Type,UnitFileState,User,"
      "WatchdogUSec";
  const program_result result = call({"show", "-p", names, "--", unit});
  into = unit_properties::parse(result.output);
  if (failure f = explain("show", result)) return f;
  return into["UnitFileState"].empty() ? failure{} : look_at_disk(unit, into);
}

/// The exit code tells "disabled" from "enabled", and is no failure. Nothing is said of a unit file
/// that has gone meanwhile.
inline failure systemctl::look_at_disk(const std::string& unit, unit_properties& into) const {
  const program_result result = call({"is-enabled", "--", unit});
  if (result.error || !result.in_time || result.interrupted) return explain("is-enabled", result);
  into.set("UnitFileState", first_line(result.output));
  return {};
}

inline int systemctl::version() const {
  const std::string text = call({"--version"}).output;  // "systemd 252 (252.38-1)"
  const std::size_t digits = text.find_first_of("0123456789");
  int version = 0;
  if (digits == text.npos) return 0;
  std::from_chars(text.data() + digits, text.data() + text.size(), version);
  return version;
}

inline failure systemctl::no_manager() const {
  if (!user_ && ::geteuid() != 0 && ::access("/run/systemd/system", F_OK) == 0) {
    return {failure::kind_type::needs_rights,
            "needs root: this system has no D-Bus, by which others could ask systemd; use sudo"};
  }
  if (!user_) {
    return {
        failure::kind_type::not_supported,
        "systemd does not run here as the system's service manager; have the program started by "
        "what does, or see its unit: render --unit"};
  }
  return {
      failure::kind_type::not_supported,
      "no systemd of this user is running: log in as the user itself, not by su or sudo, or let "
      "one run always: loginctl enable-linger"};
}

/// The texts are those of systemctl, in English by our LC_ALL; exit codes as of LSB: 4 for missing
/// rights, 5 for a unit that does not exist.
inline failure systemctl::explain(const std::string& verb, const program_result& result) const {
  using kind = failure::kind_type;
  if (result.ok()) return {};
  if (result.error == std::errc::no_such_file_or_directory) {
    return {kind::not_supported,
            "systemctl cannot be started (" + result.error.message() +
                "): services are installed where systemd is; install it, or use what "
                "this system has"};
  }
  const std::string asked = "systemctl " + verb;
  if (result.error)
    return {kind::failed, asked + " cannot be run: " + result.error.message() + "; try it by hand"};
  if (result.interrupted)
    return {kind::failed, asked + " was interrupted: a stop was asked for; do it again"};
  if (!result.in_time) return {kind::failed, asked + " did not answer in its time; try again"};
  const std::string said = asked + ": " + std::string(reason_in(result.errors));
  for (const char* text : {"Failed to connect to bus", "not been booted with systemd"}) {
    if (mentions(result.errors, text)) return no_manager();
  }
  for (const char* text : {"Access denied", "Permission denied", "authentication required"}) {
    if (mentions(result.errors, text))
      return {kind::needs_rights, "needs root: " + said + "; use sudo"};
  }
  if (mentions(result.errors, "Operation refused")) {
    return {kind::failed,
            said + ": it is installed as disabled; install it with another start mode"};
  }
  if (result.exit_code == 5) return {kind::not_installed, said};
  return {kind::failed, said};
}

}  // namespace detail
CURFEW_END

#endif
#endif
