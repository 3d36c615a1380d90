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
#include <curfew/host/windows/service_registry.hpp>

#include <string>

CURFEW_BEGIN
namespace detail {

/// Appended when there is no source of that name; one that there is stays as it is.
void plan_event_source(const std::string& name, install_plan& into);

/// Appended when there is one, and it is exactly as an installation makes it.
void plan_no_event_source(const std::string& name, install_plan& into);

// ---------------------------------------------------------------------------------------------

inline constexpr DWORD all_event_types = 7;  // error, warning, information

[[nodiscard]] inline std::wstring event_source_key(const std::string& name) {
  return utf16(std::string(scm_event_log) + name);
}

enum class source_owner { none, ours, others };

/// What cannot be read is somebody else's, and so is a source that has more to it than we make:
/// eventcreate.exe, too, takes its texts from the same file.
[[nodiscard]] source_owner owner_of_source(const std::string& name);

/// Empty: it has no file whose name is a text. That is not expanded.
[[nodiscard]] inline std::string message_file_of(HKEY key) {
  wchar_t text[1024] = {};
  DWORD size = sizeof text - sizeof(wchar_t);
  constexpr DWORD how = 0x00000002 | 0x00000004 | 0x10000000;  // either text, as it is written
  const auto error = RegGetValueW(key, nullptr, L"EventMessageFile", how, nullptr, text, &size);
  return error == 0 ? utf8(text) : std::string();
}

inline source_owner owner_of_source(const std::string& name) {
  registry_key key;
  DWORD keys = 0;
  DWORD values = 0;
  DWORD error = open_key(event_source_key(name), key);
  if (error == ERROR_FILE_NOT_FOUND) return source_owner::none;
  if (error == 0) {
    error = win32_error(RegQueryInfoKeyW(key.get(), nullptr, nullptr, nullptr, &keys, nullptr,
                                         nullptr, &values, nullptr, nullptr, nullptr, nullptr));
  }
  if (error != 0 || keys != 0) return source_owner::others;
  if (values == 0) return source_owner::none;
  const bool as_made = values == 2 && same_name(message_file_of(key.get()), scm_message_file);
  return as_made ? source_owner::ours : source_owner::others;
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
  return remove_key(event_source_key(name));
}

/// All or nothing: a source that could be written by half only is taken out again.
[[nodiscard]] inline DWORD make_source(const std::string& name) {
  registry_key key;
  DWORD error = make_key(event_source_key(name), key);
  if (error != 0) return error;
  error = write_source_values(key.get());
  if (error != 0) static_cast<void>(remove_source(name));
  return error;
}

inline std::string source_in_words() {
  return "events of the application log, texts from " + std::string(scm_message_file);
}

inline void plan_event_source(const std::string& name, install_plan& into) {
  if (owner_of_source(name) != source_owner::none) return;
  const std::string doing = " the event source " + name;
  into.push_back({"event source", "", source_in_words(), true,
                  [=] { return refused("make" + doing, make_source(name)); },
                  [=] { return refused("remove" + doing, remove_source(name)); }});
}

inline void plan_no_event_source(const std::string& name, install_plan& into) {
  if (owner_of_source(name) != source_owner::ours) return;
  const std::string doing = " the event source " + name;
  into.push_back({"event source", source_in_words(), "", false,
                  [=] { return refused("remove" + doing, remove_source(name)); },
                  [=] { return refused("make" + doing, make_source(name)); }});
}

}  // namespace detail
CURFEW_END

#endif
#endif
