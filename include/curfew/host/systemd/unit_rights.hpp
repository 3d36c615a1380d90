// SPDX-License-Identifier: BSL-1.0
//
// Whether a service could reach its own executable, and who else could replace that.
#ifndef CURFEW_HOST_SYSTEMD_UNIT_RIGHTS_HPP
#define CURFEW_HOST_SYSTEMD_UNIT_RIGHTS_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/install/service_manager.hpp>
#include <curfew/host/posix/run_program.hpp>
#include <curfew/host/systemd/unit_sandbox.hpp>

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

[[nodiscard]] inline failure refused(const std::string& text) {
  return {failure::kind_type::failed, text};
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
    return refused("executable " + program + ": " + std::system_category().message(errno));
  }
  if (!S_ISREG(s.st_mode)) return refused("executable " + program + " is no file");
  if ((s.st_mode & 0111) == 0) return refused(program + " is not executable: chmod +x it");
  return {};
}

/// systemd itself binds what lies under its own empty folders into place; from there on the rights
/// of files count.
[[nodiscard]] inline bool is_bound(std::string_view part, std::string_view bound) noexcept {
  return is_hidden(bound) && part.size() < bound.size();
}

/// An account that exists only while the service runs is in no group and owns nothing.
[[nodiscard]] inline failure check_strangers_way(const std::string& path, std::string_view bound) {
  for (const std::string& part : components(path)) {
    struct stat s = {};
    if (is_bound(part, bound) || ::stat(part.c_str(), &s) != 0) continue;
    const unsigned wanted = part == path ? 0005 : 0001;
    if ((s.st_mode & wanted) == wanted) continue;
    return refused("the service's own account cannot get at " + path +
                   " because of the rights of " + part +
                   ": take a place like /usr/local/bin or /opt, or chmod o+rx " + part);
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

/// By a program, as the C library's own functions bind a static program to shared libraries.
[[nodiscard]] inline failure check_account(const std::string& account) {
  if (account.find_first_not_of("0123456789") == account.npos) return {};  // a number needs no name
  if (run_program({"id", "-u", "--", account}).exit_code != 1) return {};
  return refused("there is no account " + account + ": create it, or leave the choice to systemd");
}

/// A path that is not there makes systemd refuse the whole start.
[[nodiscard]] inline failure check_paths(const install_request& asked) {
  std::vector<std::string> all = asked.spec.writable_paths;
  const std::string& directory = asked.spec.working_directory;
  if (!directory.empty()) all.push_back(directory);
  for (const std::string& path : all) {
    if (is_own_state(asked, path)) continue;
    if (::access(path.c_str(), F_OK) != 0) return refused("there is no " + path + ": create it");
  }
  return {};
}

inline failure check_system(const install_request& asked) {
  if (failure f = check_characters(asked.executable)) return f;
  if (failure f = check_program(real_path(asked.executable))) return f;
  if (failure f = check_paths(asked)) return f;
  if (asked.user) return {};
  return asked.spec.account.empty() ? check_own_account(asked) : check_account(asked.spec.account);
}

}  // namespace detail
CURFEW_END

#endif
#endif
