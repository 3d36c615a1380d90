// SPDX-License-Identifier: BSL-1.0
//
// Whose an installed service is. Windows asks nobody: an administrator may change and delete any
// service of the system, by a mistyped name as well.
#ifndef CURFEW_HOST_WINDOWS_SERVICE_OWNER_HPP
#define CURFEW_HOST_WINDOWS_SERVICE_OWNER_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/executable.hpp>
#include <curfew/host/install/scm_findings.hpp>
#include <curfew/host/windows/service_handle.hpp>

#include <string>

CURFEW_BEGIN
namespace detail {

/// It has our mark, or starts the very program that asks, however that was installed.
[[nodiscard]] bool is_ours(const scm_settings& there);

/// `doing`: "install orders"
[[nodiscard]] failure refuse_others(const std::string& doing, const scm_settings& there);

// ---------------------------------------------------------------------------------------------

/// With the values of the system's variables. Empty: that cannot be.
[[nodiscard]] inline std::string expanded(const std::string& text) {
  const std::wstring wide = utf16(text);
  std::wstring into(ExpandEnvironmentStringsW(wide.c_str(), nullptr, 0), L'\0');
  const auto size = static_cast<DWORD>(into.size());
  const DWORD used = ExpandEnvironmentStringsW(wide.c_str(), into.data(), size);
  return used == 0 || used > size ? std::string() : utf8(into.c_str());
}

[[nodiscard]] inline std::string installed_program(const scm_settings& there) {
  return expanded(meant_program(there.command_line));
}

inline bool is_ours(const scm_settings& there) {
  return there.marked || same_name(installed_program(there), executable_path());
}

inline failure refuse_others(const std::string& doing, const scm_settings& there) {
  if (is_ours(there)) return {};
  return {failure::kind_type::failed,
          "cannot " + doing + ": the service of that name, with the image path " +
              text_in_words(there.command_line) +
              ", was not installed by curfew; take another --name, or remove it by the means it "
              "came by"};
}

}  // namespace detail
CURFEW_END

#endif
#endif
