// SPDX-License-Identifier: BSL-1.0
//
// What stands in the registry of a service: what some systems keep and do not tell of, and our mark
// on the services that we have installed.
#ifndef CURFEW_HOST_WINDOWS_SERVICE_REGISTRY_HPP
#define CURFEW_HOST_WINDOWS_SERVICE_REGISTRY_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/service_handle.hpp>

#include <string>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// Services first, then groups with a plus. Wine keeps dependencies and does not tell of them; the
/// registry has them everywhere. Empty, too, when it cannot be read.
[[nodiscard]] std::vector<std::string> stored_dependencies(const std::string& service);

/// A key of our own below the service's, which goes away with it: nothing else that a service
/// manager keeps says who installed a service.
[[nodiscard]] bool is_marked(const std::string& service);
[[nodiscard]] DWORD write_mark(const std::string& service, bool marked);

// ---------------------------------------------------------------------------------------------

class registry_key {
 public:
  registry_key() = default;
  registry_key(const registry_key&) = delete;
  registry_key& operator=(const registry_key&) = delete;
  ~registry_key() {
    if (key_ != nullptr) RegCloseKey(key_);
  }
  [[nodiscard]] HKEY get() const noexcept { return key_; }
  [[nodiscard]] HKEY* out() noexcept { return &key_; }

 private:
  HKEY key_ = nullptr;
};

[[nodiscard]] inline DWORD win32_error(LSTATUS status) noexcept {
  return static_cast<DWORD>(status);
}

[[nodiscard]] inline DWORD open_key(const std::wstring& path, registry_key& into) noexcept {
  return win32_error(
      RegOpenKeyExW(HKEY_LOCAL_MACHINE, path.c_str(), 0, KEY_QUERY_VALUE, into.out()));
}

[[nodiscard]] inline DWORD make_key(const std::wstring& path, registry_key& into) noexcept {
  return win32_error(RegCreateKeyExW(HKEY_LOCAL_MACHINE, path.c_str(), 0, nullptr, 0, KEY_SET_VALUE,
                                     nullptr, into.out(), nullptr));
}

/// One with keys below it stays, and that is an error.
[[nodiscard]] inline DWORD remove_key(const std::wstring& path) noexcept {
  const DWORD error = win32_error(RegDeleteKeyW(HKEY_LOCAL_MACHINE, path.c_str()));
  return error == ERROR_FILE_NOT_FOUND ? 0 : error;
}

[[nodiscard]] inline std::wstring service_key(const std::string& service) {
  return utf16("SYSTEM\\CurrentControlSet\\Services\\" + service);
}

/// A list of names as the registry keeps it.
[[nodiscard]] inline std::vector<std::string> stored_names(const std::string& service,
                                                           const wchar_t* which) {
  constexpr DWORD list_of_texts = 0x00000020;
  std::wstring room(4096, L'\0');
  DWORD size = static_cast<DWORD>((room.size() - 2) * sizeof(wchar_t));
  const auto error = RegGetValueW(HKEY_LOCAL_MACHINE, service_key(service).c_str(), which,
                                  list_of_texts, nullptr, room.data(), &size);
  return error == 0 ? texts_of(room.c_str()) : std::vector<std::string>();
}

inline std::vector<std::string> stored_dependencies(const std::string& service) {
  std::vector<std::string> names = stored_names(service, L"DependOnService");
  for (const std::string& group : stored_names(service, L"DependOnGroup")) {
    names.push_back('+' + group);
  }
  return names;
}

[[nodiscard]] inline std::wstring mark_key(const std::string& service) {
  return service_key(service) + L"\\Curfew";
}

inline bool is_marked(const std::string& service) {
  registry_key key;
  return open_key(mark_key(service), key) == 0;
}

inline DWORD write_mark(const std::string& service, bool marked) {
  registry_key key;
  return marked ? make_key(mark_key(service), key) : remove_key(mark_key(service));
}

}  // namespace detail
CURFEW_END

#endif
#endif
