// SPDX-License-Identifier: BSL-1.0
//
// Handles of the service manager, its texts in UTF-8, and its errors as failures.
#ifndef CURFEW_HOST_WINDOWS_SERVICE_HANDLE_HPP
#define CURFEW_HOST_WINDOWS_SERVICE_HANDLE_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/install/scm_advice.hpp>
#include <curfew/host/windows/wide_text.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#include <winsvc.h>

#if CURFEW_MSVC
#pragma comment(lib, "advapi32")
#endif

CURFEW_BEGIN
namespace detail {

/// What is not valid becomes empty, which no call takes for a name.
[[nodiscard]] inline std::wstring utf16(std::string_view text) {
  std::error_code ignored;
  return to_wide(text, ignored);
}
[[nodiscard]] inline std::string utf8(std::wstring_view text) {
  std::error_code ignored;
  return to_utf8(text, ignored);
}
[[nodiscard]] inline std::string utf8(const wchar_t* text) {
  return text == nullptr ? std::string() : utf8(std::wstring_view(text));
}

/// Texts one after the other, each with its end, and an empty one at the end of all.
[[nodiscard]] std::wstring multi_text(const std::vector<std::string>& texts);
[[nodiscard]] std::vector<std::string> texts_of(const wchar_t* multi);

/// 0 when the call, which has just returned this, succeeded.
[[nodiscard]] inline DWORD error_unless(int succeeded) noexcept {
  return succeeded != 0 ? 0 : GetLastError();
}

[[nodiscard]] std::string system_text(DWORD error);
[[nodiscard]] inline failure refused(std::string_view doing, DWORD error) {
  if (error == 0) return {};
  return scm_failure(doing, static_cast<std::uint32_t>(error), system_text(error));
}

/// Of the manager or of a service. While one is open anywhere, a deleted service does not go.
class service_handle {
 public:
  service_handle() = default;
  explicit service_handle(SC_HANDLE handle) noexcept : handle_(handle) {}
  service_handle(service_handle&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  service_handle& operator=(service_handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~service_handle() {
    if (handle_ != nullptr) CloseServiceHandle(handle_);
  }
  [[nodiscard]] SC_HANDLE get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return handle_ != nullptr; }

 private:
  SC_HANDLE handle_ = nullptr;
};

[[nodiscard]] DWORD open_manager(DWORD rights, service_handle& into) noexcept;

/// With the rights that are used and no others: who may only look can look.
[[nodiscard]] DWORD open_service(const std::string& name, DWORD rights, service_handle& into);

/// Its own names for these: the system's are macros that a program may have taken for its own.
inline constexpr DWORD right_to_delete = 0x00010000;
inline constexpr DWORD right_to_read = SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS;

// ---------------------------------------------------------------------------------------------

inline std::wstring multi_text(const std::vector<std::string>& texts) {
  std::wstring multi;
  for (const std::string& text : texts) multi.append(utf16(text)).append(1, L'\0');
  return multi.append(1, L'\0');
}

inline std::vector<std::string> texts_of(const wchar_t* multi) {
  std::vector<std::string> texts;
  for (; multi != nullptr && *multi != L'\0'; multi += std::wstring_view(multi).size() + 1) {
    texts.push_back(utf8(multi));
  }
  return texts;
}

inline std::string system_text(DWORD error) {
  wchar_t text[512] = {};
  constexpr DWORD how = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
  DWORD size = FormatMessageW(how, nullptr, error, 0, text, 512, nullptr);
  while (size > 0 && (text[size - 1] <= L' ' || text[size - 1] == L'.')) --size;
  return size > 0 ? utf8(std::wstring_view(text, size)) : "the system says no more";
}

inline DWORD open_manager(DWORD rights, service_handle& into) noexcept {
  into = service_handle(OpenSCManagerW(nullptr, nullptr, rights));
  return error_unless(into ? 1 : 0);
}

inline DWORD open_service(const std::string& name, DWORD rights, service_handle& into) {
  service_handle manager;
  if (const DWORD error = open_manager(SC_MANAGER_CONNECT, manager)) return error;
  into = service_handle(OpenServiceW(manager.get(), utf16(name).c_str(), rights));
  return error_unless(into ? 1 : 0);
}

}  // namespace detail
CURFEW_END

#endif
#endif
