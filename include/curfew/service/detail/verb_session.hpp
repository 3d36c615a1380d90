// SPDX-License-Identifier: BSL-1.0
//
// One verb on its way: what was asked for, what it may use, what it says, what it has come to.
#ifndef CURFEW_SERVICE_DETAIL_VERB_SESSION_HPP
#define CURFEW_SERVICE_DETAIL_VERB_SESSION_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/apply_plan.hpp>
#include <curfew/host/install/finding.hpp>
#include <curfew/host/install/service_manager.hpp>
#include <curfew/service/detail/verb_line.hpp>
#include <curfew/service/detail/verb_text.hpp>
#include <curfew/service/drill.hpp>
#include <curfew/service/exit_codes.hpp>
#include <curfew/service/flight_recording.hpp>
#include <curfew/service/plan.hpp>
#include <curfew/service/plan_diff.hpp>
#include <curfew/service/stop_budget.hpp>
#include <curfew/stop/stop_token.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN
namespace detail {

inline constexpr int exit_code_verb_failed = 1;
inline constexpr int exit_code_needs_rights = 77;

enum class render_form { unit, scm, kubernetes };

/// What verbs use of the system; tests script it.
class verb_backend {
 public:
  [[nodiscard]] virtual service_manager& manager() = 0;
  /// Fills in the executable and makes the paths of the spec absolute.
  [[nodiscard]] virtual failure resolve(install_request& asked) = 0;
  [[nodiscard]] virtual failure render(render_form form, const install_request& asked,
                                       std::string& into) = 0;
  [[nodiscard]] virtual findings diagnose(const install_request& asked) = 0;

 protected:
  ~verb_backend() = default;
};

/// Where lines for people go, and the one JSON object.
class verb_output {
 public:
  virtual void out(std::string_view text) = 0;
  virtual void err(std::string_view text) = 0;
  /// Why some of `out` is lost; empty: nothing is.
  [[nodiscard]] virtual std::string lost() const { return {}; }

 protected:
  ~verb_output() = default;
};

/// What a program can say of itself without being run.
struct program_facts {
  std::function<std::vector<plan_part>()> parts = {};  ///< empty: it does not say
  std::function<std::string()> recording = {};         ///< the path; empty: there is none
  std::function<std::string()> control_path = {};      ///< of its endpoint; empty: there is none
  saturated lame_duck = std::chrono::seconds(0);       ///< for which all stay up first
  system_limits limits = {};                           ///< of a stop, on this system
};

struct verb_call {
  service_spec spec = {};  ///< with the name that the command line gives
  verb_line line = {};
  std::string program = {};  ///< as it was typed, quoted, for hints of what to type next
  stop_token stop = {};      ///< Ctrl-C, and the time
  program_facts facts = {};
};

/// What --json tells. Empty members are left out.
struct verb_report {
  int code = 0;
  failure why = {};
  std::string text = {};  ///< the last sentence that was said
  bool interrupted = false;
  bool restart_needed = false;
  std::optional<bool> changed = {};
  std::optional<service_status> status = {};
  std::optional<install_request> request = {};
  std::optional<std::vector<step_result>> steps = {};
  std::optional<findings> found = {};
  std::vector<std::pair<std::string, std::string>> rendered = {};
  std::optional<stop_plan> plan = {};
  std::optional<plan_difference> difference = {};
  std::vector<drill_report> drills = {};
  std::optional<flight_recording> recording = {};
  std::string answer = {};  ///< of the program that was asked: JSON
  bool codes = false;       ///< the table of exit codes was asked for
};

class verb_session {
 public:
  verb_session(verb_backend& backend, const verb_call& call, verb_output& output)
      : backend_(backend), call_(call), output_(output) {}

  [[nodiscard]] const verb_line& line() const noexcept { return call_.line; }
  [[nodiscard]] const service_spec& spec() const noexcept { return call_.spec; }
  [[nodiscard]] const std::string& name() const noexcept { return call_.spec.name; }
  [[nodiscard]] const program_facts& facts() const noexcept { return call_.facts; }
  [[nodiscard]] const stop_token& stop() const noexcept { return call_.stop; }
  [[nodiscard]] verb_backend& backend() noexcept { return backend_; }
  [[nodiscard]] service_manager& manager() { return backend_.manager(); }
  [[nodiscard]] verb_report& report() noexcept { return report_; }

  /// The limit for an outcome that the service itself has so long for: what --timeout says, or that
  /// and a reserve in which its manager notices that it is late.
  [[nodiscard]] time_source::duration limit(time_source::duration own) const noexcept;

  /// "web_server start --user", to be typed next.
  [[nodiscard]] std::string command(verb v) const;

  /// For people only.
  void note(std::string_view text) { print(printable(text)); }
  /// The same with every byte as it is.
  void print(std::string_view text) {
    if (!line().json) output_.out(text);
  }
  /// "web: installed"
  void say(std::string text);
  /// Done, and this is how.
  int succeed(std::string text, int code = 0);
  /// Also what was not done because of a Ctrl-C in the middle of it.
  int fail(failure why, const std::string& advice = {});
  int refuse(const std::string& wrong_usage);
  int interrupt(std::string text);

 private:
  [[nodiscard]] std::string prefix() const {
    return name().empty() ? std::string() : name() + ": ";
  }
  void complain(std::string_view text) {
    if (!line().json) output_.err(printable(text));
  }

  verb_backend& backend_;
  const verb_call& call_;
  verb_output& output_;
  verb_report report_;
};

/// The declared service, or a second one of another name. The SCM takes no display name twice.
[[nodiscard]] service_spec spec_named(service_spec declared, const std::string& name);

// ---------------------------------------------------------------------------------------------

inline service_spec spec_named(service_spec spec, const std::string& name) {
  if (name.empty() || name == spec.name) return spec;
  if (!spec.display_name.empty()) spec.display_name += " (" + name + ")";
  spec.name = name;
  return spec;
}

[[nodiscard]] constexpr int code_of(failure::kind_type kind) noexcept {
  if (kind == failure::kind_type::none) return 0;
  return kind == failure::kind_type::needs_rights ? exit_code_needs_rights : exit_code_verb_failed;
}

/// As a shell has it: 128 and the signal's number.
[[nodiscard]] constexpr int exit_code_interrupted(const stop_reason& why) noexcept {
  constexpr int interrupt = 2;
  const bool numbered = why.cause == stop_cause::signal && why.code > 0 && why.code < 128;
  return 128 + (numbered ? why.code : interrupt);
}

[[nodiscard]] inline std::string with_lead(const failure& why) {
  const std::string_view lead = CURFEW_WINDOWS != 0 ? "needs administrator" : "needs root";
  const bool bare = why.kind == failure::kind_type::needs_rights && !why.text.starts_with("needs ");
  return bare ? std::string(lead) + ": " + why.text : why.text;
}

inline time_source::duration verb_session::limit(time_source::duration own) const noexcept {
  constexpr time_source::duration reserve = std::chrono::seconds(15);
  constexpr time_source::duration most = (time_source::duration::max)();
  if (line().timeout.has_value()) return *line().timeout;
  const auto given = (std::max)(own, time_source::duration::zero());
  return given > most - reserve ? most : given + reserve;
}

inline std::string verb_session::command(verb v) const {
  std::string text = call_.program + ' ' + std::string(to_string(v));
  if (!line().name.empty()) text += " --name " + line().name;
  return line().user ? text + " --user" : text;
}

inline void verb_session::say(std::string text) {
  note(prefix() + text + '\n');
  report_.text = std::move(text);
}

inline int verb_session::succeed(std::string text, int code) {
  say(std::move(text));
  return report_.code = code;
}

inline int verb_session::fail(failure why, const std::string& advice) {
  report_.interrupted = stop().stop_requested();
  why.text = (report_.interrupted ? "interrupted: " : "") + with_lead(why);
  complain(prefix() + why.text + '\n' + (advice.empty() ? "" : advice + '\n'));
  report_.code = report_.interrupted ? exit_code_interrupted(stop().reason()) : code_of(why.kind);
  report_.why = std::move(why);
  return report_.code;
}

inline int verb_session::refuse(const std::string& wrong_usage) {
  const std::string program = call_.program + ' ' + std::string(to_string(line().what));
  complain(call_.program + ": " + wrong_usage + "\nsee: " + program + " --help\n");
  report_.why = {failure::kind_type::failed, wrong_usage};
  return report_.code = exit_code_usage;
}

inline int verb_session::interrupt(std::string text) {
  complain(prefix() + "interrupted: " + text + '\n');
  report_.interrupted = true;
  report_.text = std::move(text);
  return report_.code = exit_code_interrupted(stop().reason());
}

}  // namespace detail
CURFEW_END

#endif
