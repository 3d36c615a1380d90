// SPDX-License-Identifier: BSL-1.0
//
// A whole program that also installs, starts, stops and describes itself as a service.
#ifndef CURFEW_SERVICE_SERVICE_MAIN_HPP
#define CURFEW_SERVICE_SERVICE_MAIN_HPP

#include <curfew/config.hpp>
#include <curfew/service/detail/verb_line.hpp>
#include <curfew/service/detail/verb_system.hpp>
#include <curfew/service/run.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// run(), and with a verb as the first argument what that says:
///
///     int main(int argc, char** argv) {
///       return curfew::service_main({.name = "web", .stop_timeout = 10s}, argc, argv, serve);
///     }
///
///     web install [-- ARGS...]     makes it a service that is started as `web ARGS...`
///     web uninstall                stops it and removes all that install has made
///     web start|stop|restart       and waits until that is so
///     web reload                   has it read its configuration anew
///     web status                   0: running, 3: not running, 4: not installed
///     web run [ARGS...]            in the foreground, as `web ARGS...` in a terminal
///     web render                   what install would write, and the part of a Kubernetes pod
///     web doctor                   what is wrong or will be, and how to mend it
///     web help                     all of these
///
/// Each takes --help, which names its options and its exit codes: --name for a name other than the
/// declared one, --user for a service of the calling user, --dry-run, --json, --timeout.
///
/// All of them may be repeated: what is as it was asked to be is left alone, and that is a success.
/// A change that cannot be made as a whole is undone. Exit codes: 0 done, 1 failed, 2 wrong usage,
/// 77 the caller lacks rights, 128 + n interrupted by signal n (130: Ctrl-C), which leaves the
/// service as it is. What is done goes to stdout, errors to stderr; with --json all of it is one
/// object on stdout. What cannot be written makes a success a failure.
///
/// Without a verb it is exactly run(), but for `web --help` and `web -h`, which are `web help`. A
/// program with arguments of its own reads own_arguments(argc, argv), which has no verb in it, and
/// does so before it calls service_main: its own --help names the verbs beside its options. One
/// that has none refuses what is there, for a mistyped verb not to start it.
template <class Main>
int service_main(const service_spec& spec, int argc, char** argv, Main main);

/// Whether the first argument is one of the verbs.
[[nodiscard]] inline bool names_verb(int argc, char** argv);

/// What belongs to the program itself. Without a verb all that follows its name; with `run` all
/// that follows `--name NAME`, without a `--` at the front; with another verb what follows `--`.
[[nodiscard]] inline std::span<char* const> own_arguments(int argc, char** argv);

// ---------------------------------------------------------------------------------------------

namespace detail {

[[nodiscard]] inline std::span<char* const> words_of(int argc, char** argv) noexcept {
  return {argv, argv != nullptr && argc > 0 ? static_cast<std::size_t>(argc) : 0};
}

/// In the foreground, unless its options are wrong or ask for help.
[[nodiscard]] inline bool runs_here(const verb_line& line) {
  return line.what == verb::run && !line.help && line.error.empty() &&
         (line.name.empty() || !check_service_name(line.name));
}

/// Of a program that has no answer of its own.
[[nodiscard]] inline bool asks_for_verbs(std::span<char* const> words) {
  const std::string_view first = words.size() > 1 ? words[1] : "";
  return first == "--help" || first == "-h";
}

}  // namespace detail

inline bool names_verb(int argc, char** argv) {
  const auto words = detail::words_of(argc, argv);
  return words.size() > 1 && detail::verb_of(words[1]) != detail::verb::none;
}

inline std::span<char* const> own_arguments(int argc, char** argv) {
  return detail::parse_verb_line(detail::words_of(argc, argv)).own;
}

template <class Main>
int service_main(const service_spec& spec, int argc, char** argv, Main main) {
  const auto words = detail::words_of(argc, argv);
  if (detail::asks_for_verbs(words)) {
    return detail::obey_on_system(spec, {.what = detail::verb::help}, words[0]);
  }
  if (!names_verb(argc, argv)) return run(spec, argc, argv, std::move(main));
  const detail::verb_line line = detail::parse_verb_line(words);
  if (!detail::runs_here(line)) return detail::obey_on_system(spec, words);
  std::vector<char*> args = {argv[0]};  // the program does not see the verb
  args.insert(args.end(), line.own.begin(), line.own.end());
  return run_in_foreground(detail::spec_named(spec, line.name), static_cast<int>(args.size()),
                           args.data(), std::move(main));
}

CURFEW_END

#endif
