// SPDX-License-Identifier: BSL-1.0
//
// Whose rights a service of the system has, and what of theirs it must not take over.
#ifndef CURFEW_HOST_SYSTEMD_DETAIL_UNIT_ACCOUNT_HPP
#define CURFEW_HOST_SYSTEMD_DETAIL_UNIT_ACCOUNT_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/install/install_step.hpp>
#include <curfew/host/posix/run_program.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

using account_number = unsigned long;

/// One that exists only while the service runs, in no group and the owner of nothing; or a named
/// one.
struct service_account {
  std::optional<account_number> user = {};
  std::vector<account_number> groups = {};

  /// `wanted`: 4 to read, 2 to write, 1 to execute or to pass. Lists of further rights are not
  /// read: where there is one a named account may.
  [[nodiscard]] bool may(unsigned wanted, const std::string& path, const struct stat& s) const;
};

[[nodiscard]] service_account account_of(const std::string& name);

/// The named account is there.
[[nodiscard]] failure check_account(const std::string& account);

/// systemd.exec(5), DynamicUser: an account, or a group, that has the name of the unit is taken
/// instead of a new one, with all that it may do.
[[nodiscard]] failure check_no_account(const std::string& service);

/// systemd.exec(5), StateDirectory: what lies there is moved and given to the service's account.
[[nodiscard]] failure check_state(const std::string& folder, const std::string& service,
                                  const std::string& account);

// ---------------------------------------------------------------------------------------------

[[nodiscard]] inline failure refused(const std::string& text) {
  return {failure::kind_type::failed, text};
}

/// What a text begins with.
[[nodiscard]] inline std::optional<account_number> number_in(std::string_view text) {
  account_number value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

[[nodiscard]] inline bool is_number(std::string_view account) noexcept {
  return account.find_first_not_of("0123456789") == account.npos;
}

/// By a program, as the C library's own functions bind a static program to shared libraries.
[[nodiscard]] inline std::optional<account_number> user_number(const std::string& account) {
  const program_result result = run_program({"id", "-u", "--", account});
  return result.ok() ? number_in(result.output) : std::nullopt;
}

inline service_account account_of(const std::string& name) {
  service_account account;
  if (name.empty()) return account;
  account.user = is_number(name) ? number_in(name) : user_number(name);
  const std::string groups = run_program({"id", "-G", "--", name}).output;
  for (std::string_view rest = groups; !rest.empty();) {
    if (const auto group = number_in(rest)) account.groups.push_back(*group);
    rest.remove_prefix((std::min)(rest.find_first_of(" \n"), rest.size() - 1) + 1);
  }
  return account;
}

inline bool service_account::may(unsigned wanted, const std::string& path,
                                 const struct stat& s) const {
  const bool owner = user == s.st_uid;
  const bool member = std::find(groups.begin(), groups.end(), s.st_gid) != groups.end();
  const unsigned rights = s.st_mode >> (owner ? 6 : member ? 3 : 0);
  if (user == 0u || (rights & wanted) == wanted) return true;
  return user && ::getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
}

inline failure check_account(const std::string& account) {
  if (is_number(account)) return {};  // a number needs no name
  if (run_program({"id", "-u", "--", account}).exit_code != 1) return {};
  return refused("there is no account " + account +
                 ", and systemd makes none that has been named: create it, or leave the choice to "
                 "systemd");
}

/// Of the range that systemd takes new ones from, so that it is the service's own, which runs.
[[nodiscard]] constexpr bool is_dynamic(account_number number) noexcept {
  return number >= 61184 && number <= 65519;
}

/// "sudo:x:27:". Where there is no getent, no group is known.
[[nodiscard]] inline std::optional<account_number> group_number(const std::string& group) {
  const std::string line = run_program({"getent", "group", group}).output;
  const std::size_t colon = line.find(':', line.find(':') + 1);
  return colon == line.npos ? std::nullopt : number_in(std::string_view(line).substr(colon + 1));
}

inline failure check_no_account(const std::string& service) {
  const auto user = user_number(service);
  const auto group = user ? std::nullopt : group_number(service);
  if (is_dynamic(user.value_or(group.value_or(61184)))) return {};
  return refused("there is " + std::string(user ? "an account " : "a group ") + service +
                 " already, whose rights the service would have: " +
                 (user ? "declare it as its account, or " : "") + "take another --name");
}

/// Nothing there would change: what a run before has left.
[[nodiscard]] inline bool is_state_of(const std::string& path, const std::string& service,
                                      const std::string& account) {
  struct stat s = {};
  if (::lstat(path.c_str(), &s) != 0) return true;
  if (S_ISLNK(s.st_mode)) {
    char target[256] = {};
    return ::readlink(path.c_str(), target, sizeof target - 1) > 0 &&
           "private/" + service == target;
  }
  const bool own = !account.empty() && account_of(account).user == s.st_uid;
  return S_ISDIR(s.st_mode) && own && (s.st_mode & 07777) == 0700;
}

inline failure check_state(const std::string& folder, const std::string& service,
                           const std::string& account) {
  const std::string path = folder + "/" + service;
  if (is_state_of(path, service, account)) return {};
  const std::string make = ", or, if it is, chown " + account + " and chmod 700 it";
  return refused("there is a " + path +
                 " already, which is not this service's: take another --name" +
                 (account.empty() ? "" : make));
}

}  // namespace detail
CURFEW_END

#endif
#endif
