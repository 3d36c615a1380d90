// SPDX-License-Identifier: BSL-1.0
//
// Who may open the named pipe of a control endpoint, and who has: SIDs.
#ifndef CURFEW_SERVICE_DETAIL_WINDOWS_CONTROL_ACCESS_HPP
#define CURFEW_SERVICE_DETAIL_WINDOWS_CONTROL_ACCESS_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/wide_text.hpp>
#include <curfew/service/detail/control_peer.hpp>
#include <curfew/service/detail/windows/control_api.hpp>
#include <curfew/stop/detail/fail.hpp>

#include <string>
#include <system_error>

CURFEW_BEGIN
namespace detail {

/// A token, given back.
class access_token {
 public:
  access_token() noexcept = default;
  access_token(const access_token&) = delete;
  access_token& operator=(const access_token&) = delete;
  ~access_token() {
    if (handle != nullptr) CloseHandle(handle);
  }
  void* handle = nullptr;
};

/// What LocalAlloc has made.
class local_memory {
 public:
  explicit local_memory(void* memory = nullptr) noexcept : at(memory) {}
  local_memory(const local_memory&) = delete;
  local_memory& operator=(const local_memory&) = delete;
  ~local_memory() {
    if (at != nullptr) LocalFree(at);
  }
  void* at;
};

/// "S-1-5-18"; empty: it cannot be had. The function comes by its name, since a parameter of it is
/// of an enumeration that only <windows.h> can declare.
[[nodiscard]] inline std::wstring sid_of(const access_token& token) {
  using get_information = int(__stdcall*)(void*, int, void*, unsigned long, unsigned long*);
  constexpr int token_user = 1;
  alignas(void*) unsigned char bytes[256];
  unsigned long size = 0;
  HINSTANCE__* const module = GetModuleHandleA("advapi32.dll");
  void* const found = module == nullptr
                          ? nullptr
                          : reinterpret_cast<void*>(GetProcAddress(module, "GetTokenInformation"));
  if (found == nullptr || token.handle == nullptr) return {};
  const auto get = reinterpret_cast<get_information>(found);
  if (get(token.handle, token_user, bytes, sizeof bytes, &size) == 0) return {};
  wchar_t* text = nullptr;
  if (ConvertSidToStringSidW(*reinterpret_cast<void**>(bytes), &text) == 0) return {};
  const local_memory kept_until_copied(text);
  return text;
}

[[nodiscard]] inline std::wstring own_sid() {
  constexpr unsigned long query = 8;
  access_token token;
  if (OpenProcessToken(GetCurrentProcess(), query, &token.handle) == 0) return {};
  return sid_of(token);
}

/// An administrator whose rights are split off has none until he acts as one.
[[nodiscard]] inline bool is_administrator(const access_token& token, const std::wstring& sid) {
  if (sid == L"S-1-5-18") return true;
  local_memory administrators;
  int is_member = 0;
  return ConvertStringSidToSidW(L"S-1-5-32-544", &administrators.at) != 0 &&
         CheckTokenMembership(token.handle, administrators.at, &is_member) != 0 && is_member != 0;
}

/// To be the client for a moment is to know him, whatever has become of his process. A thread that
/// could not become itself again would do what follows in his name.
inline bool token_of_client(void* pipe, access_token& token) {
  constexpr unsigned long query = 8;
  if (ImpersonateNamedPipeClient(pipe) == 0) return false;
  const bool opened = OpenThreadToken(GetCurrentThread(), query, 1, &token.handle) != 0;
  if (RevertToSelf() == 0) {
    fatal(
        "control endpoint: a thread cannot leave its client's identity, in whose name it must not "
        "go on; start the program again");
  }
  return opened;
}

[[nodiscard]] inline bool identify_client(void* pipe, control_peer& peer) {
  unsigned long pid = 0;
  access_token token;
  std::error_code ec;
  if (!token_of_client(pipe, token)) return false;
  const std::wstring sid = sid_of(token);
  if (GetNamedPipeClientProcessId(pipe, &pid) != 0) peer.pid = pid;
  peer.sid = to_utf8(sid, ec);
  peer.same_user = !sid.empty() && sid == own_sid();
  peer.administrator = is_administrator(token, sid);
  return !sid.empty() && !ec;
}

/// For this program's own user, SYSTEM and Administrators; nothing is inherited.
inline void make_security(local_memory& into, std::error_code& ec) {
  constexpr unsigned long revision = 1;
  const std::wstring sid = own_sid();
  const std::wstring text = L"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;" + sid + L")";
  const bool made = !sid.empty() && ConvertStringSecurityDescriptorToSecurityDescriptorW(
                                        text.c_str(), revision, &into.at, nullptr) != 0;
  ec = made ? std::error_code() : last_error();
}

}  // namespace detail
CURFEW_END

#endif
#endif
