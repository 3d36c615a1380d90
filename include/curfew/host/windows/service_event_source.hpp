// SPDX-License-Identifier: BSL-1.0
//
// The entry in the registry that lets the event viewer show what a service reports. It is made when
// the service is installed, because a service of little rights could not.
#ifndef CURFEW_HOST_WINDOWS_SERVICE_EVENT_SOURCE_HPP
#define CURFEW_HOST_WINDOWS_SERVICE_EVENT_SOURCE_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/install/install_step.hpp>
#include <curfew/host/install/scm_settings.hpp>
#include <curfew/host/windows/service_handle.hpp>

#include <string>

CURFEW_BEGIN
namespace detail {

/// Appended when there is no source of that name; one that has a message file of its own stays.
[[nodiscard]] failure plan_event_source(const std::string& name, install_plan& into);

/// Appended when there is one, and it is as an installation makes it.
[[nodiscard]] failure plan_no_event_source(const std::string& name, install_plan& into);

// ---------------------------------------------------------------------------------------------

inline constexpr DWORD all_event_types = 7;  // error, warning, information

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

[[nodiscard]] inline std::wstring event_source_key(const std::string& name) {
  return utf16(std::string(scm_event_log) + name);
}

[[nodiscard]] inline DWORD win32_error(LSTATUS status) noexcept {
  return static_cast<DWORD>(status);
}

/// Empty: there is no source, or it has no file. The file's name is not expanded.
[[nodiscard]] inline DWORD read_message_file(const std::string& name, std::string& into) {
  wchar_t text[1024] = {};
  DWORD size = sizeof text - sizeof(wchar_t);
  constexpr DWORD how = 0x00000002 | 0x00000004 | 0x10000000;  // either text, as it is written
  const DWORD error = win32_error(RegGetValueW(HKEY_LOCAL_MACHINE, event_source_key(name).c_str(),
                                               L"EventMessageFile", how, nullptr, text, &size));
  if (error == 0) into = utf8(text);
  return error == ERROR_FILE_NOT_FOUND ? 0 : error;
}

[[nodiscard]] inline DWORD write_source_values(HKEY key) {
  const std::wstring file = utf16(scm_message_file);
  const auto bytes = static_cast<DWORD>((file.size() + 1) * sizeof(wchar_t));
  const DWORD error =
      win32_error(RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ,
                                 reinterpret_cast<const BYTE*>(file.c_str()), bytes));
  if (error != 0) return error;
  return win32_error(RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD,
                                    reinterpret_cast<const BYTE*>(&all_event_types),
                                    sizeof all_event_types));
}

[[nodiscard]] inline DWORD remove_source(const std::string& name) {
  const DWORD error =
      win32_error(RegDeleteKeyW(HKEY_LOCAL_MACHINE, event_source_key(name).c_str()));
  return error == ERROR_FILE_NOT_FOUND ? 0 : error;
}

/// All or nothing: a source that could be written by half only is taken out again.
[[nodiscard]] inline DWORD make_source(const std::string& name) {
  DWORD error = 0;
  {
    registry_key key;
    error = win32_error(RegCreateKeyExW(HKEY_LOCAL_MACHINE, event_source_key(name).c_str(), 0,
                                        nullptr, 0, KEY_SET_VALUE, nullptr, key.out(), nullptr));
    if (error == 0) error = write_source_values(key.get());
    if (key.get() == nullptr) return error;
  }
  if (error != 0) static_cast<void>(remove_source(name));
  return error;
}

inline std::string source_in_words() {
  return "events of the application log, texts from " + std::string(scm_message_file);
}

inline failure plan_event_source(const std::string& name, install_plan& into) {
  std::string file;
  if (const DWORD e = read_message_file(name, file)) {
    return refused("read the event source " + name, e);
  }
  if (!file.empty()) return {};
  const std::string doing = " the event source " + name;
  into.push_back({"event source", "", source_in_words(), true,
                  [=] { return refused("make" + doing, make_source(name)); },
                  [=] { return refused("remove" + doing, remove_source(name)); }});
  return {};
}

inline failure plan_no_event_source(const std::string& name, install_plan& into) {
  std::string file;
  if (const DWORD e = read_message_file(name, file)) {
    return refused("read the event source " + name, e);
  }
  if (!same_name(file, scm_message_file)) return {};
  const std::string doing = " the event source " + name;
  into.push_back({"event source", source_in_words(), "", false,
                  [=] { return refused("remove" + doing, remove_source(name)); },
                  [=] { return refused("make" + doing, make_source(name)); }});
  return {};
}

}  // namespace detail
CURFEW_END

#endif
#endif
