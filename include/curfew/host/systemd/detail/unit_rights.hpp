// SPDX-License-Identifier: BSL-1.0
//
// Whether a service could reach its own executable and the paths it writes to.
#ifndef CURFEW_HOST_SYSTEMD_DETAIL_UNIT_RIGHTS_HPP
#define CURFEW_HOST_SYSTEMD_DETAIL_UNIT_RIGHTS_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/install/service_manager.hpp>
#include <curfew/host/systemd/detail/unit_account.hpp>
#include <curfew/host/systemd/detail/unit_sandbox.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

/// What has to be there before a unit is written: the executable, the account, the paths.
[[nodiscard]] failure check_system(const install_request& asked);

/// The path without links; itself when it cannot be followed.
[[nodiscard]] std::string real_path(const std::string& path);

/// "/", "/usr", "/usr/bin", "/usr/bin/x".
[[nodiscard]] std::vector<std::string> components(std::string_view path);

// ---------------------------------------------------------------------------------------------

inline std::string real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> found(::realpath(path.c_str(), nullptr), &std::free);
  return found == nullptr ? path : std::string(found.get());
}

inline std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> all = {"/"};
  for (std::size_t end = path.find('/', 1); end != path.npos; end = path.find('/', end + 1)) {
    all.emplace_back(path.substr(0, end));
  }
  all.emplace_back(path);
  return all;
}

/// systemd 252: "Executable name contains special characters", and the unit is none.
[[nodiscard]] inline failure check_characters(const std::string& program) {
  if (program.find_first_of("\"'\\") == program.npos) return {};
  return refused("systemd starts no program with a quote or a backslash in its path: move " +
                 program);
}

[[nodiscard]] inline failure check_program(const std::string& program) {
  struct stat s = {};
  if (::stat(program.c_str(), &s) != 0) {
    return refused("executable " + program + " cannot be found: " +
                   std::system_category().message(errno) + "; install it from where it stays");
  }
  if (!S_ISREG(s.st_mode))
    return refused("executable " + program + " is no file, and a service is one: name it");
  if ((s.st_mode & 0111) == 0)
    return refused(program + " is not executable, and systemd could not start it: chmod +x it");
  return {};
}

/// systemd itself binds what lies under its own empty folders into place; from there on the rights
/// of files count.
[[nodiscard]] inline bool is_bound(std::string_view part, std::string_view bound) noexcept {
  return is_hidden(bound) && part.size() < bound.size();
}

/// The first part of the path that keeps the account from it; empty: none does.
[[nodiscard]] inline std::string obstacle(const service_account& account, const std::string& path,
                                          std::string_view bound, unsigned wanted) {
  for (const std::string& part : components(path)) {
    struct stat s = {};
    if (is_bound(part, bound) || ::stat(part.c_str(), &s) != 0) continue;
    if (!account.may(part == path ? wanted : 1, part, s)) return part;
  }
  return {};
}

/// An account that exists only while the service runs is in no group and owns nothing.
[[nodiscard]] inline failure check_strangers_way(const std::string& path, std::string_view bound) {
  const std::string part = obstacle({}, path, bound, 5);
  if (part.empty()) return {};
  return refused("the service's own account cannot get at " + path + " because of the rights of " +
                 part + ": take a place like /usr/local/bin or /opt, or chmod o+rx " + part);
}

/// New files in a directory need the right to go there, too.
[[nodiscard]] inline failure check_writable(const install_request& asked,
                                            const service_account& account,
                                            const std::string& declared) {
  const std::string path = declared == "/" ? declared : std::string(without_slashes(declared));
  struct stat s = {};
  const bool folder = ::stat(path.c_str(), &s) == 0 && S_ISDIR(s.st_mode);
  const std::string part = obstacle(account, path, path, folder ? 3 : 2);
  if (part.empty()) return {};
  const std::string why = " cannot write to " + path + " because of the rights of " + part + ": ";
  if (!asked.spec.account.empty()) return refused(asked.spec.account + why + "chown or chmod it");
  return refused("the service's own account" + why + "chmod " + (part == path ? "o+w" : "o+x") +
                 " it, declare an account that owns it, or write to /var/lib/" + asked.spec.name);
}

[[nodiscard]] inline failure check_writable_paths(const install_request& asked) {
  const auto& granted = asked.spec.capabilities;
  if (std::find(granted.begin(), granted.end(), "CAP_DAC_OVERRIDE") != granted.end()) return {};
  const service_account account = account_of(asked.spec.account);
  for (const std::string& path : asked.spec.writable_paths) {
    if (is_own_state(asked, path)) continue;
    if (failure f = check_writable(asked, account, path)) return f;
  }
  return {};
}

[[nodiscard]] inline failure check_own_account(const install_request& asked) {
  const std::string real = real_path(asked.executable);
  const std::string& directory = asked.spec.working_directory;
  if (failure f = check_strangers_way(asked.executable, surroundings(asked.executable))) return f;
  if (failure f = check_strangers_way(real, surroundings(real))) return f;
  return directory.empty() ? failure{} : check_strangers_way(directory, directory);
}

/// A path that is not there makes systemd refuse the whole start.
[[nodiscard]] inline failure check_paths(const install_request& asked) {
  std::vector<std::string> all = asked.spec.writable_paths;
  const std::string& directory = asked.spec.working_directory;
  if (!directory.empty()) all.push_back(directory);
  for (const std::string& path : all) {
    if (is_own_state(asked, path)) continue;
    if (::access(path.c_str(), F_OK) != 0)
      return refused("there is no " + path +
                     ", without which systemd would not start it: create it");
  }
  return {};
}

inline failure check_system(const install_request& asked) {
  if (failure f = check_characters(asked.executable)) return f;
  if (failure f = check_program(real_path(asked.executable))) return f;
  if (failure f = check_paths(asked)) return f;
  if (asked.user) return {};
  const std::string& account = asked.spec.account;
  if (failure f = account.empty() ? check_no_account(asked.spec.name) : check_account(account)) {
    return f;
  }
  if (failure f = check_writable_paths(asked)) return f;
  return account.empty() ? check_own_account(asked) : failure{};
}

}  // namespace detail
CURFEW_END

#endif
#endif
