// SPDX-License-Identifier: BSL-1.0
//
// What is wrong with a service as it is installed on Windows, and with this process.
#ifndef CURFEW_HOST_WINDOWS_SERVICE_DOCTOR_HPP
#define CURFEW_HOST_WINDOWS_SERVICE_DOCTOR_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/install/finding.hpp>
#include <curfew/host/install/scm_findings.hpp>
#include <curfew/host/windows/service_steps.hpp>

#include <cstdint>
#include <string>
#include <vector>

CURFEW_BEGIN

/// `spec` as the program declares itself now. Changes nothing, and needs no rights but those that
/// every user has to look. A service that is not installed is not found fault with.
[[nodiscard]] findings examine_scm(const service_spec& spec, const std::string& name);

namespace detail {

/// Whether users without rights can change the file or, in a folder, put another one in its place.
/// 0: `into` is known.
[[nodiscard]] DWORD anybody_writes(const std::string& path, bool folder, bool& into);

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

inline DWORD anybody_writes(const std::string& path, bool folder, bool& into) {
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
  const DWORD given = rights_in(present != 0 ? list : nullptr);
  into = (given & (folder ? harm_to_folder : harm_to_file)) != 0;
  return 0;
}

inline void examine_writable(const std::string& path, bool folder, findings& found) {
  const std::string what = (folder ? "the folder " : "the executable ") + path;
  bool writable = false;
  if (const DWORD error = anybody_writes(path, folder, writable)) {
    found.push_back({severity::notice,
                     "who may change " + what + " could not be read: " + system_text(error),
                     "ask again from an elevated command prompt"});
    return;
  }
  if (!writable) return;
  found.push_back({severity::error,
                   what + " can be changed by every user, and so can what runs with the service's "
                          "rights",
                   "move the program below Program Files, or take the users' rights to write there "
                   "away, with icacls"});
}

[[nodiscard]] inline std::string expanded(const std::string& path) {
  std::wstring text(32768, L'\0');
  const DWORD size =
      ExpandEnvironmentStringsW(utf16(path).c_str(), text.data(), static_cast<DWORD>(text.size()));
  return size == 0 || size > text.size() ? path : utf8(text.c_str());
}

[[nodiscard]] inline bool is_file(const std::string& path) {
  const DWORD attributes = GetFileAttributesW(utf16(path).c_str());
  return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

inline void examine_executable(const scm_settings& s, findings& found) {
  const std::string program = expanded(meant_program(s.command_line));
  if (!is_file(program)) {
    found.push_back({severity::error, "there is no executable " + program,
                     "put it there, or install the service again from where it is now"});
    return;
  }
  examine_writable(program, false, found);
  const auto slash = program.find_last_of("\\/");
  if (slash != program.npos) examine_writable(program.substr(0, slash + 1), true, found);
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
    found = examine_settings(spec, installed);
    detail::examine_executable(installed, found);
  } else if (f.kind != failure::kind_type::not_installed) {
    found.push_back({severity::warning, f.text, "ask again from an elevated command prompt"});
  }
  detail::examine_user32(found);
  return found;
}

CURFEW_END

#endif
#endif
