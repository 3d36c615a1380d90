// SPDX-License-Identifier: BSL-1.0
//
// What is wrong with a service as it is installed on Windows, and with this process.
#ifndef CURFEW_HOST_WINDOWS_SERVICE_DOCTOR_HPP
#define CURFEW_HOST_WINDOWS_SERVICE_DOCTOR_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/install/finding.hpp>
#include <curfew/host/install/scm_findings.hpp>
#include <curfew/host/windows/scm_limit.hpp>
#include <curfew/host/windows/service_owner.hpp>
#include <curfew/host/windows/service_steps.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

CURFEW_BEGIN

/// `spec` as the program declares itself now. Changes nothing, and needs no rights but those that
/// every user has to look.
[[nodiscard]] findings examine_scm(const service_spec& spec, const std::string& name);

namespace detail {

/// Whether users without rights have one of these to a file or a folder. 0: `into` is known.
[[nodiscard]] DWORD anybody_has(DWORD rights, const std::string& path, bool& into);

/// A part of a path, and the rights by which a user would decide what is found there.
struct path_part {
  std::string what = {};
  std::string path = {};
  DWORD harm = 0;
  severity level = severity::error;
};

/// The program, its folder, and each folder above that.
[[nodiscard]] std::vector<path_part> parts_of(const std::string& program);

}  // namespace detail

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Everyone, guests, or whoever is logged on.
[[nodiscard]] inline bool is_anybody(PSID sid) noexcept {
  for (const auto kind : {WinWorldSid, WinAuthenticatedUserSid, WinBuiltinUsersSid,
                          WinInteractiveSid, WinNetworkSid, WinBuiltinGuestsSid, WinAnonymousSid}) {
    if (IsWellKnownSid(sid, kind) != 0) return true;
  }
  return false;
}

/// In a folder: put a file there, or delete one of another's. To make a folder in it is no harm.
inline constexpr DWORD harm_to_folder =
    FILE_ADD_FILE | FILE_DELETE_CHILD | right_to_delete | WRITE_DAC | WRITE_OWNER;
inline constexpr DWORD harm_to_file =
    FILE_WRITE_DATA | FILE_APPEND_DATA | right_to_delete | WRITE_DAC | WRITE_OWNER;
/// To put another folder in the place of the one below it; files beside that one are no harm.
inline constexpr DWORD harm_to_parent = harm_to_folder & ~DWORD{FILE_ADD_FILE};

[[nodiscard]] inline DWORD specific_rights(DWORD mask) noexcept {
  GENERIC_MAPPING files{FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE,
                        FILE_ALL_ACCESS};
  MapGenericMask(&mask, &files);
  return mask;
}

/// What any of them is given. Only a denial for everyone counts: one for some leaves the others.
/// The first entry that speaks of a right decides.
class rights_of_anybody {
 public:
  void see(ACCESS_ALLOWED_ACE& entry) noexcept {  // denials have the same shape
    if ((entry.Header.AceFlags & INHERIT_ONLY_ACE) != 0) return;
    PSID const whose = &entry.SidStart;
    const DWORD rights = specific_rights(entry.Mask);
    const BYTE type = entry.Header.AceType;
    if (type == ACCESS_ALLOWED_ACE_TYPE && is_anybody(whose)) given_ |= rights & ~denied_;
    if (type == ACCESS_DENIED_ACE_TYPE && IsWellKnownSid(whose, WinWorldSid) != 0) {
      denied_ |= rights;
    }
  }
  [[nodiscard]] DWORD given() const noexcept { return given_; }

 private:
  DWORD given_ = 0;
  DWORD denied_ = 0;
};

/// No list at all lets everybody do everything; an empty one lets nobody.
[[nodiscard]] inline DWORD rights_in(ACL* list) noexcept {
  if (list == nullptr) return FILE_ALL_ACCESS;
  rights_of_anybody rights;
  for (DWORD n = 0; n < list->AceCount; ++n) {
    void* entry = nullptr;
    if (GetAce(list, n, &entry) != 0) rights.see(*static_cast<ACCESS_ALLOWED_ACE*>(entry));
  }
  return rights.given();
}

inline DWORD anybody_has(DWORD rights, const std::string& path, bool& into) {
  const std::wstring wide = utf16(path);
  DWORD size = 0;
  GetFileSecurityW(wide.c_str(), DACL_SECURITY_INFORMATION, nullptr, 0, &size);
  std::vector<std::uint64_t> room(size / sizeof(std::uint64_t) + 1);
  if (GetFileSecurityW(wide.c_str(), DACL_SECURITY_INFORMATION, room.data(), size, &size) == 0) {
    return GetLastError();
  }
  ACL* list = nullptr;
  int present = 0;
  int defaulted = 0;
  if (GetSecurityDescriptorDacl(room.data(), &present, &list, &defaulted) == 0) {
    return GetLastError();
  }
  into = (rights_in(present != 0 ? list : nullptr) & rights) != 0;
  return 0;
}

inline void examine_part(const path_part& part, findings& found) {
  const std::string what = part.what + part.path;
  bool writable = false;
  if (const DWORD error = anybody_has(part.harm, part.path, writable)) {
    found.push_back({severity::notice,
                     "who may change " + what + " could not be read: " + system_text(error),
                     "ask again from an elevated command prompt"});
    return;
  }
  if (!writable) return;
  found.push_back({part.level,
                   what + " can be changed by every user, and so can what runs with the service's "
                          "rights",
                   "move the program below Program Files, or take the users' rights to write there "
                   "away, with icacls"});
}

/// A folder further up is no error: some systems let only its owner take what is in it, which no
/// access list says. And nobody deletes the root.
inline std::vector<path_part> parts_of(const std::string& program) {
  std::vector<path_part> parts = {{"the executable ", program, harm_to_file}};
  std::string below = program;
  for (std::string up = directory_of(below); !up.empty() && up != below; up = directory_of(below)) {
    const bool holds_it = below == program;
    const bool root = up == directory_of(up);
    const DWORD harm = holds_it ? harm_to_folder : harm_to_parent;
    parts.push_back({"the folder ", up, root ? harm & ~right_to_delete : harm,
                     holds_it ? severity::error : severity::warning});
    below = up;
  }
  return parts;
}

[[nodiscard]] inline bool is_file(const std::string& path) {
  const DWORD attributes = GetFileAttributesW(utf16(path).c_str());
  return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

inline void examine_executable(const scm_settings& s, findings& found) {
  const std::string program = installed_program(s);
  if (!is_file(program)) {
    found.push_back({severity::error,
                     "there is no executable " + program + ", which the service is",
                     "put it there, or install the service again from where it is now"});
    return;
  }
  for (const path_part& part : parts_of(program)) examine_part(part, found);
}

inline void examine_deletion(const scm_settings& s, findings& found) {
  if (!is_deleted(s.name)) return;
  found.push_back({severity::error, "it has been deleted, and goes when nobody holds it any more",
                   std::string(scm_advice(scm_marked_for_delete))});
}

/// What the declaration asks for is nothing to a service of others.
[[nodiscard]] inline findings examine_entry(const service_spec& spec, const scm_settings& s) {
  if (!is_ours(s)) {
    return {{severity::warning,
             "the service of that name was not installed by curfew, which neither changes nor "
             "removes it",
             "take another --name, or remove it by the means it came by"}};
  }
  const auto limit = system_scm_limits().shutdown;
  findings found = examine_settings(spec, s, whole<std::chrono::milliseconds>(limit));
  examine_deletion(s, found);
  examine_executable(s, found);
  return found;
}

/// SCM rule 26: a process that has loaded it is told of no LOGOFF and no SHUTDOWN.
inline void examine_user32(findings& found) {
  if (GetModuleHandleW(L"user32.dll") == nullptr) return;
  found.push_back(
      {severity::warning,
       "this program has loaded user32.dll, perhaps by another library, so in a console "
       "it is not told when the user logs off or the system shuts down",
       "link without user32 and gdi32, or load what needs them when it is needed"});
}

}  // namespace detail

inline findings examine_scm(const service_spec& spec, const std::string& name) {
  findings found;
  detail::service_handle service;
  scm_settings installed;
  const failure f = detail::read_service(name, 0, service, installed);
  if (!f) {
    found = detail::examine_entry(spec, installed);
  } else if (f.kind == failure::kind_type::not_installed) {
    found.push_back({severity::notice, "the service is not installed", "install it"});
  } else {
    found.push_back({severity::warning, f.text, "ask again from an elevated command prompt"});
  }
  detail::examine_user32(found);
  return found;
}

CURFEW_END

#endif
#endif
