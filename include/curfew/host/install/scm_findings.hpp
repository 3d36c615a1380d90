// SPDX-License-Identifier: BSL-1.0
//
// What can be wrong with a service's entry in the service manager of Windows, read from the entry
// alone.
#ifndef CURFEW_HOST_INSTALL_SCM_FINDINGS_HPP
#define CURFEW_HOST_INSTALL_SCM_FINDINGS_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/command_line.hpp>
#include <curfew/host/install/finding.hpp>
#include <curfew/host/install/scm_settings.hpp>
#include <curfew/host/install/scm_words.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN

/// `installed` as it was found; `spec` as the program declares itself now. `shutdown_ms`: how long
/// the system lets services live that it does not tell early.
[[nodiscard]] findings examine_settings(const service_spec& spec, const scm_settings& installed,
                                        std::uint32_t shutdown_ms = scm_infinite);

namespace detail {

/// The program of an image path as its author meant it: one without quotes ends with its extension,
/// or, when it has none, at the first blank of its last part.
[[nodiscard]] std::string meant_program(std::string_view image_path);

}  // namespace detail

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Where a word ends with ".exe"; npos: nowhere.
[[nodiscard]] inline std::size_t end_of_extension(std::string_view line) noexcept {
  constexpr std::string_view extension = ".exe";
  for (std::size_t end = extension.size(); end <= line.size(); ++end) {
    const bool word_ends = end == line.size() || ends_argument(line[end]);
    if (word_ends && same_name(line.substr(end - extension.size(), extension.size()), extension)) {
      return end;
    }
  }
  return line.npos;
}

[[nodiscard]] inline std::size_t end_without_extension(std::string_view line) noexcept {
  const std::size_t options = (std::min)(line.find(" -"), line.find(" /"));
  const std::size_t slash = line.substr(0, options).rfind('\\');
  return line.find_first_of(" \t", slash == line.npos ? 0 : slash);
}

inline std::string meant_program(std::string_view image_path) {
  if (image_path.starts_with('"')) return take_program(image_path);
  const std::size_t end = end_of_extension(image_path);
  return std::string(
      image_path.substr(0, end != image_path.npos ? end : end_without_extension(image_path)));
}

inline void examine_image_path(const scm_settings& s, findings& found) {
  const std::string program = meant_program(s.command_line);
  if (s.command_line.starts_with('"') || program.find(' ') == program.npos) return;
  const std::string first = program.substr(0, program.find(' ')) + ".exe";
  found.push_back({severity::error,
                   "the image path has blanks and no quotes: a program " + first +
                       " would be started instead, with the service's rights",
                   "install it again, which quotes the path"});
}

inline void examine_start(const service_spec& spec, const scm_settings& s, findings& found) {
  if (s.start != scm_disabled || spec.start == start_mode::disabled) return;
  found.push_back({severity::error, "it is disabled: nothing starts it",
                   "install it again, or: sc.exe config " + s.name + " start= auto"});
}

inline void examine_type(const scm_settings& s, findings& found) {
  if (s.type == scm_own_process) return;
  const bool interactive = (s.type & scm_interactive) != 0;
  found.push_back({severity::warning,
                   "it is installed as " + type_in_words(s.type) +
                       (interactive ? "; no service reaches the desktop" : ""),
                   "install it again, which gives it a process of its own"});
}

/// SCM rule 18: without the flag only a crash counts, and a service that reports its failure stays
/// down.
inline void examine_failures(const scm_settings& s, findings& found) {
  if (!s.failure || s.failure->actions.empty() || s.non_crash.value_or(true)) return;
  found.push_back({severity::warning,
                   "its failure actions are for crashes alone; a failure that it reports itself "
                   "restarts nothing",
                   "install it again, or: sc.exe failureflag " + s.name + " 1"});
}

[[nodiscard]] inline bool without_password(std::string_view account) noexcept {
  if (same_name(account, "LocalSystem") || account.ends_with('$')) return true;
  const std::string_view domain = account.substr(0, (std::min)(account.find('\\'), account.size()));
  return same_name(domain, "NT AUTHORITY") || same_name(domain, "NT SERVICE");
}

inline void examine_account(const scm_settings& s, findings& found) {
  if (without_password(s.account)) return;
  found.push_back({severity::warning,
                   "it runs as " + s.account +
                       ", which needs its password kept here and the right to log on as a service; "
                       "a changed password keeps it from starting (error 1069)",
                   "use the account NT SERVICE\\" + s.name + ", or a managed service account"});
}

/// How long a stop may take when the system goes down.
[[nodiscard]] inline std::uint32_t shutdown_need(const service_spec& spec) noexcept {
  const bool bounded = spec.stop_timeout < (clock_duration::max)();
  const clock_duration stop = bounded ? saturate(spec.stop_timeout) : clock_duration::zero();
  return whole<std::chrono::milliseconds>((std::max)(saturate(spec.preshutdown_timeout), stop));
}

/// SCM rule 14: what a service that is not told early does not do in the system's time is cut off.
inline void examine_shutdown(const service_spec& spec, const scm_settings& s,
                             std::uint32_t shutdown_ms, findings& found) {
  const bool told_early = spec.preshutdown_timeout > clock_duration::zero();
  const std::uint32_t given = told_early ? s.preshutdown_ms.value_or(scm_infinite) : shutdown_ms;
  const std::uint32_t need = shutdown_need(spec);
  if (given >= need) return;
  found.push_back({severity::warning,
                   "when the system shuts down it gets " + milliseconds_in_words(given) +
                       ", and a stop may take " + milliseconds_in_words(need),
                   "declare a preshutdown_timeout as long as the stop_timeout, and install again"});
}

}  // namespace detail

inline findings examine_settings(const service_spec& spec, const scm_settings& installed,
                                 std::uint32_t shutdown_ms) {
  findings found;
  detail::examine_image_path(installed, found);
  detail::examine_start(spec, installed, found);
  detail::examine_type(installed, found);
  detail::examine_failures(installed, found);
  detail::examine_account(installed, found);
  detail::examine_shutdown(spec, installed, shutdown_ms, found);
  return found;
}

CURFEW_END

#endif
