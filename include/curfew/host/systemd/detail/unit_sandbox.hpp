// SPDX-License-Identifier: BSL-1.0
//
// The part of a unit that takes rights away from a service, and gives back what it was declared to
// need: its own executable first of all, wherever that lies.
#ifndef CURFEW_HOST_SYSTEMD_DETAIL_UNIT_SANDBOX_HPP
#define CURFEW_HOST_SYSTEMD_DETAIL_UNIT_SANDBOX_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/service_manager.hpp>
#include <curfew/host/systemd/detail/unit_text.hpp>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN

/// What a unit depends on besides the declaration.
struct unit_facts {
  int version = 0;  ///< of systemd; 0: not known, only what all of them understand
  /// Where the executable really lies, when links lead there.
  std::vector<std::string> real_paths = {};
};

namespace detail {

/// The lines of [Service] that follow from the account, the paths and the capabilities.
[[nodiscard]] std::string sandbox_lines(const install_request& asked, const unit_facts& facts);

/// Folders of which a service sees an empty one of its own.
inline constexpr std::string_view hidden_folders[] = {"/tmp", "/var/tmp", "/home", "/root",
                                                      "/run/user"};

/// Below one of them, and not that folder itself.
[[nodiscard]] bool is_hidden(std::string_view path) noexcept;

/// "root", or by its number.
[[nodiscard]] constexpr bool is_root(std::string_view account) noexcept {
  return account == "root" || account == "0";
}

// ---------------------------------------------------------------------------------------------

[[nodiscard]] constexpr bool is_below(std::string_view path, std::string_view folder) noexcept {
  return path.size() > folder.size() + 1 && path.starts_with(folder) && path[folder.size()] == '/';
}

inline bool is_hidden(std::string_view path) noexcept {
  for (const std::string_view folder : hidden_folders) {
    if (is_below(path, folder)) return true;
  }
  return false;
}

[[nodiscard]] constexpr std::string_view parent_of(std::string_view path) noexcept {
  return path.substr(0, path.rfind('/'));
}

/// A folder of its own below a hidden one: neither everybody's nor somebody's home.
[[nodiscard]] inline bool is_own_folder(std::string_view folder) noexcept {
  const std::string_view above = parent_of(folder);
  return is_hidden(folder) && above != "/home" && above != "/run/user";
}

/// The folder in which a program has its libraries and files, which lie beside "bin"; the program
/// alone where that folder is none of its own.
[[nodiscard]] inline std::string_view surroundings(std::string_view program) noexcept {
  const std::string_view folder = parent_of(program);
  if (folder.ends_with("/bin") && is_own_folder(parent_of(folder))) return parent_of(folder);
  return is_own_folder(folder) ? folder : program;
}

inline void add_hidden(std::vector<std::string>& to, std::string_view path) {
  const bool known = std::find(to.begin(), to.end(), path) != to.end();
  if (!known && is_hidden(path)) to.emplace_back(path);
}

/// What would be hidden, and is only read.
[[nodiscard]] inline std::vector<std::string> hidden_reads(const install_request& asked,
                                                           const unit_facts& facts) {
  std::vector<std::string> paths;
  add_hidden(paths, surroundings(asked.executable));
  for (const std::string& real : facts.real_paths) add_hidden(paths, surroundings(real));
  add_hidden(paths, asked.spec.working_directory);
  return paths;
}

[[nodiscard]] inline std::string path_line(std::string_view key, const std::string& value) {
  return std::string(key) + "=" + value + "\n";
}

/// What lies in the state directory systemd makes, or the service does.
[[nodiscard]] inline bool is_own_state(const install_request& asked, std::string_view path) {
  return !asked.user && (std::string(path) + '/').starts_with("/var/lib/" + asked.spec.name + '/');
}

/// "/" becomes nothing.
[[nodiscard]] constexpr std::string_view without_slashes(std::string_view path) noexcept {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

[[nodiscard]] inline bool is_hidden_folder(std::string_view path) noexcept {
  return std::find(std::begin(hidden_folders), std::end(hidden_folders), path) !=
         std::end(hidden_folders);
}

/// A hidden folder that is written to as a whole is the real one. systemd takes the bind mount of
/// two for one path, while PrivateTmp=no means nothing beside DynamicUser.
[[nodiscard]] inline std::string written_over(std::string_view path) {
  std::string out;
  for (const std::string_view folder : hidden_folders) {
    if (is_below(folder, path)) out += path_line("BindPaths", "-" + std::string(folder));
  }
  return out;
}

/// Files are bound from the system's own folders: what a private /tmp or an empty /home hides is
/// seen again at its place, even where only root may go.
[[nodiscard]] inline std::string visible_paths(const install_request& asked,
                                               const unit_facts& facts) {
  std::string out;
  for (const std::string& p : hidden_reads(asked, facts)) {
    const auto& writable = asked.spec.writable_paths;
    const bool also_written = std::find(writable.begin(), writable.end(), p) != writable.end();
    if (!also_written) out += path_line("BindReadOnlyPaths", unit_path(p));
  }
  for (const std::string& declared : asked.spec.writable_paths) {
    if (is_own_state(asked, declared)) continue;
    const std::string_view p = without_slashes(declared);
    const bool hidden = is_hidden(p) || is_hidden_folder(p);
    out += path_line(hidden ? "BindPaths" : "ReadWritePaths", unit_path(p.empty() ? "/" : p));
    out += written_over(p);
  }
  return out;
}

[[nodiscard]] inline std::string account_lines(const service_spec& spec) {
  return spec.account.empty() ? "DynamicUser=yes\n" : "User=" + spec.account + "\n";
}

/// root without a declared capability keeps all of them: who asks for root needs something of it.
[[nodiscard]] inline std::string capability_lines(const service_spec& spec) {
  if (spec.capabilities.empty() && is_root(spec.account)) return {};
  std::string set;
  for (const std::string& c : spec.capabilities) set.append(set.empty() ? "" : " ").append(c);
  const std::string ambient = set.empty() ? "" : "AmbientCapabilities=" + set + "\n";
  return "CapabilityBoundingSet=" + set + "\n" + ambient;
}

/// Filters of system calls, which need no right once no new privileges can be had, and the umask. A
/// 32-bit program on a 64-bit system is not native to it.
[[nodiscard]] inline std::string filter_lines() {
  const std::string native = sizeof(void*) == 8 ? "SystemCallArchitectures=native\n" : "";
  return native +
         "UMask=0077\n"
         "NoNewPrivileges=yes\n"
         "LockPersonality=yes\n"
         "MemoryDenyWriteExecute=yes\n"
         "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n"
         "RestrictNamespaces=yes\n"
         "RestrictRealtime=yes\n"
         "RestrictSUIDSGID=yes\n"
         "SystemCallFilter=@system-service\n"
         "SystemCallErrorNumber=EPERM\n";
}

/// Only the system's own manager may set these up.
inline constexpr const char* isolation_lines =
    "ProtectSystem=strict\n"
    "ProtectHome=tmpfs\n"
    "PrivateTmp=yes\n"
    "PrivateDevices=yes\n"
    "ProtectClock=yes\n"
    "ProtectControlGroups=yes\n"
    "ProtectHostname=yes\n"
    "ProtectKernelLogs=yes\n"
    "ProtectKernelModules=yes\n"
    "ProtectKernelTunables=yes\n"
    "ProtectProc=invisible\n"
    "RemoveIPC=yes\n";

inline std::string sandbox_lines(const install_request& asked, const unit_facts& facts) {
  if (asked.user) return filter_lines();
  return account_lines(asked.spec) + capability_lines(asked.spec) + isolation_lines +
         filter_lines() + visible_paths(asked, facts);
}

}  // namespace detail
CURFEW_END

#endif
