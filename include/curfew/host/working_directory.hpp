// SPDX-License-Identifier: BSL-1.0
//
// The directory a service works in, the same one whoever starts it.
#ifndef CURFEW_HOST_WORKING_DIRECTORY_HPP
#define CURFEW_HOST_WORKING_DIRECTORY_HPP

#include <curfew/config.hpp>
#include <curfew/host/executable.hpp>
#include <curfew/host/host_kind.hpp>
#include <curfew/stop/detail/fail.hpp>

// Selector: backends define, in curfew::detail:
//   enum class path_form { absolute, relative, invalid }   invalid: depends on what nobody declares
//   path_form form_of(std::string_view path)
//   std::error_code change_directory(const std::string&)
#if CURFEW_WINDOWS
#include <curfew/host/windows/working_directory.hpp>
#else
#include <curfew/host/posix/working_directory.hpp>
#endif

#include <string>
#include <system_error>

CURFEW_BEGIN
namespace detail {

/// Where to go; empty: nowhere. `directory` gives that of the executable, when it is needed.
template <class Directory>
[[nodiscard]] std::string working_directory_for(const std::string& declared, host_kind kind,
                                                Directory directory, std::error_code& ec) {
  ec.clear();
  if (declared.empty()) return kind == host_kind::scm ? directory(ec) : std::string();
  const path_form form = form_of(declared);
  if (form == path_form::invalid) ec = std::make_error_code(std::errc::invalid_argument);
  if (form != path_form::relative) return declared;
  const std::string base = directory(ec);
  return base.empty() || base.back() == separators[0] ? base + declared
                                                      : base + separators[0] + declared;
}

/// The system's own reason stands behind it.
[[nodiscard]] inline std::string no_directory(const std::string& declared) {
  return "working directory " + declared +
         " cannot be entered: it has to be there; create it, or declare another";
}

}  // namespace detail

/// Makes `declared` the working directory. A relative one lies where the executable lies, whatever
/// the program was started in. None at all: a person's or systemd's choice is left as it is, but
/// the service manager of Windows has made none: it leaves every service in system32, so there it
/// is the directory of the executable.
///
/// For the main thread, before others exist: the directory is the whole process's.
inline void enter_working_directory(const std::string& declared, host_kind kind,
                                    std::error_code& ec) {
  const auto here = [](std::error_code& e) { return executable_directory(e); };
  const std::string to = detail::working_directory_for(declared, kind, here, ec);
  if (!ec && !to.empty()) ec = detail::change_directory(to);
}

/// The same; throws std::system_error when it cannot be entered.
inline void enter_working_directory(const std::string& declared, host_kind kind) {
  std::error_code ec;
  enter_working_directory(declared, kind, ec);
  if (ec) detail::throw_error_code(ec, detail::no_directory(declared).c_str());
}

CURFEW_END

#endif
