// SPDX-License-Identifier: BSL-1.0
//
// What comes from outside, looked at before anything is made of it: a name that would be an option
// or a path, a line break that would become a line of a unit file, a path that means another one
// somewhere else. Whatever passes here can be written down for systemd, the SCM and Kubernetes.
#ifndef CURFEW_HOST_INSTALL_CHECKS_HPP
#define CURFEW_HOST_INSTALL_CHECKS_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/utf8.hpp>
#include <curfew/host/install/service_manager.hpp>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN

/// The first thing that is wrong with what is asked for, and what to do about it.
[[nodiscard]] failure check_request(const install_request& asked);

/// For verbs that get nothing but a name.
[[nodiscard]] failure check_service_name(std::string_view name);

// The problem as the rest of a sentence ("has a line break"); empty: there is none.

/// Good for a unit of systemd, for the SCM, and as the name of a directory: letters, digits and
/// - _ . of ASCII. No @, which makes a systemd unit the instance of another one.
[[nodiscard]] std::string service_name_problem(std::string_view name);
/// Absolute as this system has it, and the same path whoever reads it.
[[nodiscard]] std::string path_problem(std::string_view path);
/// For one line of text: names and descriptions for people.
[[nodiscard]] std::string text_problem(std::string_view text);
/// Anything on one line, tabs included.
[[nodiscard]] std::string argument_problem(std::string_view argument);
/// Anything on one line that is no longer than a name may be.
[[nodiscard]] std::string account_problem(std::string_view account);
/// The name of another service, as the system has it; no template and no group.
[[nodiscard]] std::string dependency_problem(std::string_view name);
/// Of Linux: CAP_NET_BIND_SERVICE. Whether there is one of that name, the kernel knows.
[[nodiscard]] std::string capability_problem(std::string_view name);
/// Of Windows: SeChangeNotifyPrivilege. Whether there is one of that name, the system knows.
[[nodiscard]] std::string privilege_problem(std::string_view name);

// ---------------------------------------------------------------------------------------------

namespace detail {

/// A unit's name has 255 characters with its suffix; the SCM's has 256. What is left is for the
/// names of files beside it.
inline constexpr std::size_t longest_service_name = 200;
inline constexpr std::size_t longest_display_name = 256;  // the SCM's limit
inline constexpr std::size_t longest_path = 4095;         // PATH_MAX of Linux, without its end
inline constexpr std::size_t longest_argument = 32'000;   // a command line of Windows has 32767

[[nodiscard]] constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_letter(char c) noexcept {
  return is_upper(c) || (c >= 'a' && c <= 'z');
}
[[nodiscard]] constexpr bool is_ascii(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x80;
}

/// One that is neither a letter or a digit of ASCII nor in `others`; npos: there is none.
[[nodiscard]] constexpr std::size_t find_stranger(std::string_view text, std::string_view others) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_letter(text[i]) && !is_digit(text[i]) && others.find(text[i]) == others.npos) return i;
  }
  return text.npos;
}

[[nodiscard]] inline std::string visible(char c) {
  if (is_ascii(c) && !is_control(static_cast<unsigned char>(c))) return std::string("'") + c + "'";
  return is_ascii(c) ? "a control character" : "a character outside ASCII";
}

[[nodiscard]] inline std::string unless(bool good, const char* problem) {
  return good ? std::string() : problem;
}

[[nodiscard]] inline std::string first_of(std::initializer_list<std::string> problems) {
  for (const std::string& p : problems) {
    if (!p.empty()) return p;
  }
  return {};
}

[[nodiscard]] inline std::string charset_problem(std::string_view text, std::string_view others,
                                                 const char* use) {
  const std::size_t at = find_stranger(text, others);
  return at == text.npos ? std::string() : "has " + visible(text[at]) + "; use " + use;
}

[[nodiscard]] inline std::string length_problem(std::string_view text, std::size_t most) {
  if (text.size() <= most) return {};
  return "is longer than " + std::to_string(most) + " bytes; shorten it";
}

/// What no text has in which a tab may or may not stand.
[[nodiscard]] inline std::string line_problem(std::string_view text, bool tabs) {
  for (std::string_view rest = text; !rest.empty();) {
    const code_point c = first_code_point(rest);
    if (c.size == 0) return "is not UTF-8; write it so";
    if (c.value == '\n' || c.value == '\r') return "has a line break; remove it";
    if (c.value == 0) return "has a NUL character; remove it";
    if (is_control(c.value) && !(tabs && c.value == '\t')) {
      return "has a control character; remove it";
    }
    rest.remove_prefix(c.size);
  }
  return {};
}

/// Whether one component is "..": a path through a link would then mean something else.
[[nodiscard]] constexpr bool climbs(std::string_view path, std::string_view between) {
  while (!path.empty()) {
    const std::size_t end = path.find_first_of(between);
    if (path.substr(0, end) == "..") return true;
    path.remove_prefix(end == path.npos ? path.size() : end + 1);
  }
  return false;
}

/// systemd cuts blanks off the end of a line, and takes a backslash there for "goes on".
[[nodiscard]] inline std::string posix_path_problem(std::string_view path) {
  const bool good_end = path.empty() || (path.back() != ' ' && path.back() != '\\');
  return first_of({unless(path.starts_with('/'), "is not absolute; write it from / on"),
                   length_problem(path, longest_path), line_problem(path, false),
                   unless(!climbs(path, "/"), "goes up by ..; write where it leads"),
                   unless(good_end, "ends with a blank or a backslash; rename it")});
}

/// "C:\", "\\server\". A slash is as good as a backslash to the system, not to all that read it.
[[nodiscard]] constexpr bool is_windows_absolute(std::string_view path) noexcept {
  const bool drive = path.size() >= 3 && is_letter(path[0]) && path[1] == ':' && path[2] == '\\';
  return drive || (path.size() > 2 && path.starts_with("\\\\"));
}

[[nodiscard]] inline std::string windows_path_problem(std::string_view path) {
  const std::string_view rest = path.substr(path.starts_with("\\\\?\\") ? 4 : 0);
  return first_of(
      {unless(is_windows_absolute(path), "is not absolute; write it from the drive on, as C:\\"),
       length_problem(path, longest_argument), line_problem(path, false),
       unless(!climbs(path, "\\/"), "goes up by ..; write where it leads"),
       unless(rest.find_first_of("\"<>|?*") == rest.npos,
              "has a character that no path of Windows has; check it")});
}

/// "service name 'a b' has ' '; ...". Of a text that has bad bytes itself only these are left out.
[[nodiscard]] inline failure complaint(const char* what, std::string_view about,
                                       const std::string& problem) {
  if (problem.empty()) return {};
  const bool plain = line_problem(about, false).empty() && about.size() <= longest_display_name;
  const std::string shown = plain ? " '" + std::string(about) + "' " : " ";
  return {failure::kind_type::failed, what + shown + problem};
}

using problem_function = std::string (*)(std::string_view);

[[nodiscard]] inline failure check_each(const char* what, const std::vector<std::string>& list,
                                        problem_function problem) {
  for (const std::string& text : list) {
    if (failure f = complaint(what, text, problem(text))) return f;
  }
  return {};
}

[[nodiscard]] inline failure check_if_given(const char* what, const std::string& text,
                                            problem_function problem) {
  return text.empty() ? failure{} : complaint(what, text, problem(text));
}

[[nodiscard]] inline failure check_port(int port) {
  if (port >= 0 && port <= 65535) return {};
  return {failure::kind_type::failed, "probe port " + std::to_string(port) + " is none; use 1 to " +
                                          "65535, or 0 for no probes"};
}

/// Of what other systems make no use of.
[[nodiscard]] inline std::string linux_path_problem(std::string_view path) {
  return CURFEW_WINDOWS != 0 ? std::string() : posix_path_problem(path);
}

[[nodiscard]] inline failure first_failure(std::initializer_list<failure> all) {
  for (const failure& f : all) {
    if (f) return f;
  }
  return {};
}

/// Systems drop that it is started before itself.
[[nodiscard]] inline failure check_not_itself(const service_spec& s) {
  for (const std::string& d : s.dependencies) {
    if (d == s.name || d == s.name + ".service") {
      return complaint("dependency", d, "is the service itself; remove it");
    }
  }
  return {};
}

}  // namespace detail

inline std::string service_name_problem(std::string_view name) {
  using namespace detail;
  return first_of({unless(!name.empty(), "is empty; give one"),
                   charset_problem(name, "-_.", "letters, digits, - _ and ."),
                   unless(!name.starts_with('-') && !name.starts_with('.'),
                          "begins with - or .; begin with a letter or a digit"),
                   unless(!name.ends_with('.'), "ends with a dot; remove it"),
                   unless(!name.ends_with(".service"), "ends with .service; leave that away"),
                   length_problem(name, longest_service_name)});
}

inline std::string path_problem(std::string_view path) {
  if constexpr (CURFEW_WINDOWS != 0) return detail::windows_path_problem(path);
  return detail::posix_path_problem(path);
}

inline std::string text_problem(std::string_view text) { return detail::line_problem(text, false); }

inline std::string argument_problem(std::string_view argument) {
  return detail::first_of({detail::line_problem(argument, true),
                           detail::length_problem(argument, detail::longest_argument)});
}

/// systemd wants a name that any of its parts can use; Windows has "NT AUTHORITY\LocalService",
/// ".\name" and "name@domain".
inline std::string account_problem(std::string_view account) {
  using namespace detail;
  constexpr const char* others = CURFEW_WINDOWS != 0 ? "-_.$@\\ " : "-_.";
  constexpr const char* use = CURFEW_WINDOWS != 0 ? "letters, digits, blanks and - _ . $ @ \\"
                                                  : "letters, digits, - _ and .";
  return first_of({unless(!account.starts_with('-'), "begins with -; give the account's name"),
                   charset_problem(account, others, use),
                   length_problem(account, longest_display_name)});
}

inline std::string dependency_problem(std::string_view name) {
  using namespace detail;
  constexpr const char* others = CURFEW_WINDOWS != 0 ? "-_.$@:+#&()~! " : "-_.:@\\";
  return first_of({unless(!name.empty(), "is empty; remove it"),
                   unless(!name.starts_with('-') && !name.starts_with('@'),
                          "begins with - or @; give the name of a service"),
                   unless(!name.ends_with('@') && name.find("@.") == name.npos,
                          "is a template; name one of its instances"),
                   charset_problem(name, others, "the name of a service as the system has it"),
                   length_problem(name, longest_service_name)});
}

inline std::string capability_problem(std::string_view name) {
  bool good = name.starts_with("CAP_") && name.size() > 4;
  for (const char c : name) good = good && (detail::is_upper(c) || detail::is_digit(c) || c == '_');
  return detail::unless(good, "is no capability; write one as CAP_NET_BIND_SERVICE");
}

inline std::string privilege_problem(std::string_view name) {
  bool good = name.starts_with("Se") && name.ends_with("Privilege");
  for (const char c : name) good = good && detail::is_letter(c);
  return detail::unless(good, "is no privilege; write one as SeChangeNotifyPrivilege");
}

inline failure check_service_name(std::string_view name) {
  return detail::complaint("service name", name, service_name_problem(name));
}

inline failure check_request(const install_request& asked) {
  using namespace detail;
  const service_spec& s = asked.spec;
  return first_failure(
      {check_service_name(s.name), check_if_given("display name", s.display_name, text_problem),
       complaint("display name", s.display_name,
                 length_problem(s.display_name, longest_display_name)),
       check_if_given("description", s.description, text_problem),
       complaint("executable", asked.executable, path_problem(asked.executable)),
       check_if_given("working directory", s.working_directory, path_problem),
       check_if_given("account", s.account, account_problem),
       check_each("dependency", s.dependencies, dependency_problem), check_not_itself(s),
       check_each("argument", s.arguments, argument_problem),
       check_each("writable path", s.writable_paths, linux_path_problem),
       check_each("capability", s.capabilities, capability_problem),
       check_each("privilege", s.privileges, privilege_problem), check_port(s.probe_port)});
}

CURFEW_END

#endif
