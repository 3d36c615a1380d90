// SPDX-License-Identifier: BSL-1.0
//
// A whole program that also installs, starts, stops and describes itself as a service.
#ifndef CURFEW_SERVICE_SERVICE_MAIN_HPP
#define CURFEW_SERVICE_SERVICE_MAIN_HPP

#include <curfew/config.hpp>
#include <curfew/service/detail/verb_line.hpp>
#include <curfew/service/detail/verb_system.hpp>
#include <curfew/service/plan.hpp>
#include <curfew/service/run.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <string>
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
///     web plan                     whether a stop fits into the time that its reason leaves
///     web drill                    how it would go, with the times that earlier stops took
///     web codes                    the exit codes, and what systems make of them
///     web last                     how the last run ended
///     web ask ORDER                asks the one that runs, over its control endpoint
///     web help                     all of these
///
/// Each takes --help, which names its options and its exit codes: --name for a name other than the
/// declared one, --user for a service of the calling user, --dry-run, --json, --timeout; for a plan
/// --reason, and --diff with one that was kept.
///
/// A main that has a member parts() is asked for them by plan and drill, and whenever a timeout of
/// the spec is as_planned, as is one that has lame_duck() for how long all stay up before they are
/// stopped; one that has recording(), the path of its flight recorder, by drill and last; one that
/// has control_path() by ask. All are called without main being run, and before it.
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

template <class Main>
concept tells_parts = requires(Main& main) {
  { main.parts() } -> std::convertible_to<std::vector<plan_part>>;
};
template <class Main>
concept tells_lame_duck = requires(Main& main) {
  { main.lame_duck() } -> std::convertible_to<saturated>;
};
template <class Main>
concept tells_recording = requires(Main& main) {
  { main.recording() } -> std::convertible_to<std::string>;
};

template <class Main>
concept tells_control_path = requires(Main& main) {
  { main.control_path() } -> std::convertible_to<std::string>;
};

template <class Main>
[[nodiscard]] program_facts facts_of(Main& main) {
  program_facts facts;
  if constexpr (tells_parts<Main>) {
    facts.parts = [&main]() -> std::vector<plan_part> { return main.parts(); };
  }
  if constexpr (tells_lame_duck<Main>) facts.lame_duck = main.lame_duck();
  if constexpr (tells_recording<Main>) {
    facts.recording = [&main]() -> std::string { return main.recording(); };
  }
  if constexpr (tells_control_path<Main>) {
    facts.control_path = [&main]() -> std::string { return main.control_path(); };
  }
  return facts;
}

/// Parts that cannot be are told as what keeps the program from starting.
[[nodiscard]] inline std::optional<service_spec> with_timeouts(const service_spec& spec,
                                                               const program_facts& facts) {
  if (spec.start_timeout != as_planned && spec.stop_timeout != as_planned) return spec;
  std::optional<service_spec> resolved;
  const std::exception_ptr error = attempt([&] {
    const auto parts = facts.parts ? facts.parts() : std::vector<plan_part>();
    resolved = resolve_timeouts(spec, parts, facts.lame_duck);
  });
  if (error != nullptr) run_access::tell_refusal(spec, nullptr, error_text(error).view());
  return resolved;
}

/// What the program was called with, when its timeouts are known.
template <class Main>
int obey_or_run(const service_spec& spec, int argc, char** argv, Main& main,
                const program_facts& facts) {
  const auto words = words_of(argc, argv);
  if (asks_for_verbs(words)) return obey_on_system(spec, {.what = verb::help}, words[0]);
  if (!names_verb(argc, argv)) return run(spec, argc, argv, std::move(main));
  const verb_line line = parse_verb_line(words);
  if (!runs_here(line)) return obey_on_system(spec, words, facts);
  std::vector<char*> args = {argv[0]};  // the program does not see the verb
  args.insert(args.end(), line.own.begin(), line.own.end());
  return run_in_foreground(spec_named(spec, line.name), static_cast<int>(args.size()), args.data(),
                           std::move(main));
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
  const detail::program_facts facts = detail::facts_of(main);
  const std::optional<service_spec> resolved = detail::with_timeouts(spec, facts);
  if (!resolved) return exit_code_failed;
  return detail::obey_or_run(*resolved, argc, argv, main, facts);
}

CURFEW_END

#endif
