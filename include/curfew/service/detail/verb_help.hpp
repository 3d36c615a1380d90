// SPDX-License-Identifier: BSL-1.0
//
// What `PROGRAM help` and `PROGRAM VERB --help` say.
#ifndef CURFEW_SERVICE_DETAIL_VERB_HELP_HPP
#define CURFEW_SERVICE_DETAIL_VERB_HELP_HPP

#include <curfew/config.hpp>
#include <curfew/service/detail/verb_line.hpp>

#include <cstddef>
#include <string>
#include <string_view>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] constexpr std::string_view verb_purpose(verb v) noexcept {
  switch (v) {
    case verb::install:
      return "Makes this program a service of the system, or brings the one that is installed\n"
             "up to date. What is as it should be is left alone, and a change that cannot be\n"
             "made as a whole is undone.\n";
    case verb::uninstall: return "Stops the service and removes it from the system.\n";
    case verb::start: return "Starts the service and waits until it runs.\n";
    case verb::stop: return "Stops the service and waits until it has ended.\n";
    case verb::restart:
      return "Starts the service anew and waits until it runs, also one that is stopped.\n";
    case verb::reload: return "Has the service read its configuration anew.\n";
    case verb::status: return "Says in which state the service is.\n";
    case verb::run: return "Runs the program in the foreground, whoever started it.\n";
    case verb::render:
      return "Prints what install would tell the system, for its own manager and for\n"
             "Kubernetes, or in the forms asked for. Changes nothing.\n";
    case verb::doctor: return "Looks for what is wrong, or will be, and says how to mend it.\n";
    case verb::plan:
      return "Says whether a stop fits into its time, which depends on its reason, who gets\n"
             "how much of that, and what takes longest.\n";
    case verb::drill: return "Tries a stop on paper, with the times that earlier stops took.\n";
    case verb::codes:
      return "Lists the exit codes of the program, and what systems make of them.\n";
    case verb::last: return "Says how the last run ended, also one that was killed.\n";
    case verb::ask:
      return "Asks the program that runs for its status, health or plan; to stop, reload,\n"
             "pause or resume; to prepare a stop, and then to commit or abort it; or watches\n"
             "it.\n";
    case verb::help: return "Lists the verbs.\n";
    case verb::none: break;
  }
  return "";
}

[[nodiscard]] constexpr std::string_view verb_exit_codes(verb v) noexcept {
  switch (v) {
    case verb::status: return "0 running, 3 not running, 4 not installed, 1 failed, 2 usage";
    case verb::run: return "that of the program";
    case verb::doctor: return "0 no error found, 1 errors found, 2 usage";
    case verb::plan:
      return "0 done, 1 failed, 2 usage; 1 also when the stop for --reason\n"
             "           does not fit, or the plan is worse than that of --diff";
    case verb::drill:
      return "0 done, 1 failed, 2 usage; 1 also when somebody would be cut\n"
             "           short in the stop for --reason";
    case verb::ask: return "0 done, 1 refused or failed, 2 usage, 130 interrupted by Ctrl-C";
    case verb::render:
    case verb::codes:
    case verb::last:
    case verb::help: return "0 done, 1 failed, 2 usage";
    case verb::none: return "";
    default: break;
  }
  return CURFEW_WINDOWS != 0 ? "0 done or so already, 1 failed, 2 usage,\n"
                               "           77 needs administrator, 130 interrupted by Ctrl-C"
                             : "0 done or so already, 1 failed, 2 usage, 77 needs root,\n"
                               "           130 interrupted by Ctrl-C, 143 by SIGTERM";
}

[[nodiscard]] constexpr std::string_view verb_arguments(verb v) noexcept {
  if (v == verb::run) return " [ARGS...]";
  if (v == verb::ask) return " ORDER";
  return v == verb::install || v == verb::render ? " [-- ARGS...]" : "";
}

[[nodiscard]] inline std::string help_line(std::string_view left, std::string_view right) {
  constexpr std::size_t column = 19;
  std::string line = "  " + std::string(left);
  line.append(line.size() < column + 2 ? column + 2 - line.size() : 1, ' ');
  return line.append("  ").append(right).append(1, '\n');
}

[[nodiscard]] inline std::string verb_help(verb v, std::string_view program) {
  std::string text = "usage: " + std::string(program) + ' ' + std::string(to_string(v));
  text.append(" [OPTIONS]").append(verb_arguments(v)).append("\n\n").append(verb_purpose(v)) +=
      '\n';
  for (const verb_option& o : verb_options) {
    const std::string operand = o.operand.empty() ? "" : ' ' + std::string(o.operand);
    if (o.verbs.contains(v)) text += help_line(std::string(o.word) + operand, o.help);
  }
  if (v == verb::ask) text += help_line("ORDER", "status health plan stop reload pause resume");
  if (v == verb::ask) text += help_line("", "prepare commit abort watch");
  if (v == verb::run) text += help_line("ARGS...", "the program's own arguments");
  if (verb_arguments(v).starts_with(" [--")) {
    text += help_line("-- ARGS...", "the service's arguments, instead of the declared ones");
  }
  text.append("\nexit code: ").append(verb_exit_codes(v));
  return text + '\n';
}

/// A line for each verb: how its purpose begins.
[[nodiscard]] inline std::string all_verbs_help(std::string_view program) {
  std::string text = "usage: " + std::string(program) + " VERB [OPTIONS]\n\n";
  for (const std::string_view word : verb_words) {
    const std::string_view purpose = verb_purpose(verb_of(word));
    if (!purpose.empty()) text += help_line(word, purpose.substr(0, purpose.find_first_of(",.\n")));
  }
  return text + "\nWithout a verb it runs, with its own arguments. Each verb has --help.\n";
}

}  // namespace detail
CURFEW_END

#endif
