// SPDX-License-Identifier: BSL-1.0
//
// What the error codes of the service manager of Windows mean for somebody who installs a service,
// and what to do about them.
#ifndef CURFEW_HOST_INSTALL_SCM_ADVICE_HPP
#define CURFEW_HOST_INSTALL_SCM_ADVICE_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/install_step.hpp>

#include <cstdint>
#include <string>
#include <string_view>

CURFEW_BEGIN

/// Empty: no more is known than what the system itself says.
[[nodiscard]] constexpr std::string_view scm_advice(std::uint32_t error) noexcept;

/// `doing`: "start orders-api". `otherwise`: the system's own text, for codes without advice.
[[nodiscard]] failure scm_failure(std::string_view doing, std::uint32_t error,
                                  std::string_view otherwise);

namespace detail {

enum scm_error : std::uint32_t {
  scm_file_missing = 2,
  scm_access_denied = 5,
  scm_not_supported = 50,
  scm_not_implemented = 120,
  scm_invalid_level = 124,
  scm_cannot_accept = 1052,
  scm_not_in_time = 1053,
  scm_database_locked = 1055,
  scm_already_running = 1056,
  scm_not_installed = 1060,
  scm_cannot_control = 1061,
  scm_not_active = 1062,
  scm_specific_error = 1066,
  scm_marked_for_delete = 1072,
  scm_never_started = 1077,
};

/// A setting that this system does not have. Others than Windows answer so for the newer ones.
[[nodiscard]] constexpr bool lacks_setting(std::uint32_t error) noexcept {
  return error == scm_not_supported || error == scm_not_implemented || error == scm_invalid_level;
}

[[nodiscard]] constexpr failure::kind_type scm_failure_kind(std::uint32_t error) noexcept {
  if (error == scm_access_denied) return failure::kind_type::needs_rights;
  if (error == scm_not_installed) return failure::kind_type::not_installed;
  return lacks_setting(error) ? failure::kind_type::not_supported : failure::kind_type::failed;
}

}  // namespace detail

// ---------------------------------------------------------------------------------------------

constexpr std::string_view scm_advice(std::uint32_t error) noexcept {
  switch (error) {
    case 2:
    case 3: return "its executable is not where the image path says; install it again";
    case 50:
    case 120:
    case 124: return "this system does not have that setting; leave it out";
    case 123: return "the name is not allowed; use letters, digits, dots, hyphens";
    case 193: return "its executable is no program for this system; install the right one";
    case 1051: return "other services that are running depend on it; stop those first";
    case 1053: return "it did not answer in time; its log and the event log may say why";
    case 1055: return "another service has been starting all the time; try again";
    case 1057:
      return "the account does not exist, or has a password; check its name, or set both "
             "with: sc.exe config NAME obj= ACCOUNT password= PASSWORD";
    case 1058: return "it is disabled; install it with another start mode";
    case 1059: return "its dependencies lead back to itself; take that one out";
    case 1060: return "it is not installed; install it first";
    case 1061: return "it is starting or stopping just now; wait until that is over";
    case 1062: return "it is not running; start it first";
    case 1067: return "its process ended while it was starting; its log may say why";
    case 1068: return "a service that it depends on does not start; start that one to see why";
    case 1069:
      return "its account cannot log on; check the password, and that the account has the "
             "right to log on as a service (secpol.msc)";
    case 1072:
      return "it has been deleted, but somebody still holds it; close services.msc, Task "
             "Manager and other tools that show services, or restart the computer";
    case 1073: return "it was installed by somebody else just now; try again";
    case 1075: return "a service that it depends on is not installed; install that one first";
    case 1078: return "another service has the same display name; choose another one";
    case 1115: return "the computer is shutting down; try again afterwards";
    default: return {};
  }
}

inline failure scm_failure(std::string_view doing, std::uint32_t error,
                           std::string_view otherwise) {
  const auto kind = detail::scm_failure_kind(error);
  std::string text = "cannot " + std::string(doing);
  if (kind == failure::kind_type::needs_rights) {
    return {kind, "needs administrator: " + text + "; run this from an elevated command prompt"};
  }
  const std::string_view advice = scm_advice(error);
  text.append(": ").append(advice.empty() ? otherwise : advice);
  return {kind, text.append(" (error ")
                    .append(std::to_string(error))
                    .append(")")
                    .append(advice.empty() ? "; see: net helpmsg " + std::to_string(error) : "")};
}

CURFEW_END

#endif
