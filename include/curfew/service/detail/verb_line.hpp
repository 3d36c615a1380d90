// SPDX-License-Identifier: BSL-1.0
//
// A command line that names a verb: PROGRAM VERB [OPTIONS] [-- ARGS...].
#ifndef CURFEW_SERVICE_DETAIL_VERB_LINE_HPP
#define CURFEW_SERVICE_DETAIL_VERB_LINE_HPP

#include <curfew/config.hpp>
#include <curfew/stop/time_source.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

CURFEW_BEGIN
namespace detail {

enum class verb {
  none,
  install,
  uninstall,
  start,
  stop,
  restart,
  reload,
  status,
  run,
  render,
  doctor,
  plan,
  drill,
  codes,
  last,
  ask,
  help
};

inline constexpr std::array<std::string_view, 17> verb_words = {
    "",       "install", "uninstall", "start", "stop",  "restart", "reload", "status", "run",
    "render", "doctor",  "plan",      "drill", "codes", "last",    "ask",    "help"};

[[nodiscard]] constexpr std::string_view to_string(verb v) noexcept {
  return verb_words[static_cast<std::size_t>(v)];
}

[[nodiscard]] constexpr verb verb_of(std::string_view word) noexcept {
  const auto found = std::find(verb_words.begin() + 1, verb_words.end(), word);
  return found == verb_words.end() ? verb::none : static_cast<verb>(found - verb_words.begin());
}

struct verb_line {
  verb what = verb::none;
  std::string name = {};  ///< empty: as the service is declared
  bool user = false;
  bool dry_run = false;
  bool json = false;
  bool help = false;
  bool unit = false;
  bool scm = false;
  bool kubernetes = false;
  std::string diff = {};    ///< a plan that was kept
  std::string reason = {};  ///< empty: all of them
  std::string order = {};   ///< what a running program is asked
  std::string change = {};
  std::string path = {};  ///< empty: as the program declares it
  std::optional<time_source::duration> timeout = {};
  bool has_own = false;             ///< there is a "--"
  std::span<char* const> own = {};  ///< what belongs to the program itself
  std::string error = {};           ///< empty: it can be done
};

class verb_set {
 public:
  template <class... Verbs>
  explicit constexpr verb_set(Verbs... verbs) noexcept : bits_((bit(verbs) | ... | 0u)) {}
  [[nodiscard]] constexpr bool contains(verb v) const noexcept { return (bits_ & bit(v)) != 0; }
  [[nodiscard]] constexpr verb_set without(verb v) const noexcept {
    verb_set rest = *this;
    rest.bits_ &= ~bit(v);
    return rest;
  }

 private:
  static constexpr std::uint32_t bit(verb v) noexcept {
    return std::uint32_t{1} << static_cast<unsigned>(v);
  }
  std::uint32_t bits_;
};

inline constexpr verb_set changing_verbs{verb::install, verb::uninstall, verb::start,
                                         verb::stop,    verb::restart,   verb::reload};
inline constexpr verb_set all_verbs{verb::install, verb::uninstall, verb::start,  verb::stop,
                                    verb::restart, verb::reload,    verb::status, verb::run,
                                    verb::render,  verb::doctor,    verb::plan,   verb::drill,
                                    verb::codes,   verb::last,      verb::ask,    verb::help};
/// Those about a service of the system, which has a name.
inline constexpr verb_set service_verbs = all_verbs.without(verb::help)
                                              .without(verb::plan)
                                              .without(verb::drill)
                                              .without(verb::codes)
                                              .without(verb::last)
                                              .without(verb::ask);
/// Those that wait for an outcome.
inline constexpr verb_set limited_verbs{verb::uninstall, verb::start,  verb::stop,
                                        verb::restart,   verb::reload, verb::ask};

struct verb_option {
  std::string_view word;
  std::string_view operand;      ///< empty: it takes none
  bool verb_line::*flag;         ///< null: it takes one
  std::string verb_line::*text;  ///< where that goes; null: it is a number of seconds
  verb_set verbs;                ///< which have it
  std::string_view help;
};

inline constexpr std::array<verb_option, 13> verb_options = {{
    {"--name", "NAME", nullptr, &verb_line::name, service_verbs,
     "the service's name, instead of the declared one"},
    {"--user", "", &verb_line::user, nullptr, service_verbs.without(verb::run),
     "a service of the calling user (systemd --user)"},
    {"--dry-run", "", &verb_line::dry_run, nullptr, changing_verbs,
     "says what would be done, and does not"},
    {"--unit", "", &verb_line::unit, nullptr, verb_set(verb::render), "the systemd unit"},
    {"--scm", "", &verb_line::scm, nullptr, verb_set(verb::render),
     "the entries of the Windows SCM"},
    {"--kubernetes", "", &verb_line::kubernetes, nullptr, verb_set(verb::render),
     "the part of a pod"},
    {"--json", "", &verb_line::json, nullptr, all_verbs.without(verb::run),
     "one JSON object on stdout"},
    {"--reason", "REASON", nullptr, &verb_line::reason, verb_set(verb::plan, verb::drill),
     "of a stop: sigterm, pod, scm-shutdown, ..."},
    {"--diff", "FILE", nullptr, &verb_line::diff, verb_set(verb::plan),
     "what has changed since FILE, a kept plan --json"},
    {"--change", "NAME", nullptr, &verb_line::change, verb_set(verb::ask),
     "of the matter, kept by the audit"},
    {"--path", "PATH", nullptr, &verb_line::path, verb_set(verb::ask),
     "of the endpoint, instead of the declared one"},
    {"--timeout", "SECONDS", nullptr, nullptr, limited_verbs, "how long to wait for the outcome"},
    {"--help", "", &verb_line::help, nullptr, all_verbs, "this text"},
}};

/// args: as main has them, the program's own name first. `own` is a part of args: without a verb
/// all that follows the name, with `run` all that follows its options, else what follows "--".
[[nodiscard]] inline verb_line parse_verb_line(std::span<char* const> args);

/// "30", "0.5"; nothing for what is not a number of seconds.
[[nodiscard]] constexpr std::optional<time_source::duration> parse_seconds(
    std::string_view text) noexcept;

// ---------------------------------------------------------------------------------------------

class verb_parser {
 public:
  explicit verb_parser(std::span<char* const> args) : args_(args) {}

  [[nodiscard]] verb_line parse() {
    line_.what = args_.size() > 1 ? verb_of(args_[1]) : verb::none;
    at_ = line_.what == verb::none ? 1 : 2;
    while (line_.what != verb::none && at_ < args_.size() && take_word()) {
    }
    line_.own = args_.subspan((std::min)(at_, args_.size()));
    return line_;
  }

 private:
  /// False: here begins what belongs to the program.
  bool take_word() {
    const std::string_view word = args_[at_];
    if (word == "--") {
      line_.has_own = true;
      ++at_;
      return false;
    }
    const std::size_t equals = word.starts_with("--") ? word.find('=') : word.npos;
    const verb_option* const option = find(word.substr(0, equals));
    if (option == nullptr && line_.what == verb::run) return false;
    ++at_;
    if (option == nullptr) return take_order(word) || refuse(word);
    return option->flag != nullptr ? take_flag(*option, equals) : take_operand(*option, equals);
  }

  [[nodiscard]] const verb_option* find(std::string_view word) const noexcept {
    for (const verb_option& o : verb_options) {
      if (o.word == word && o.verbs.contains(line_.what)) return &o;
    }
    return word == "-h" ? &verb_options.back() : nullptr;
  }

  bool take_flag(const verb_option& option, std::size_t equals) {
    if (equals != std::string_view::npos) {
      return complain(std::string(option.word) + " takes no value");
    }
    line_.*option.flag = true;
    return true;
  }

  bool take_operand(const verb_option& option, std::size_t equals) {
    const std::string wanted = std::string(option.word) + " wants " + std::string(option.operand);
    std::string_view operand;
    if (equals != std::string_view::npos) {
      operand = std::string_view(args_[at_ - 1]).substr(equals + 1);
    } else if (at_ < args_.size() && !std::string_view(args_[at_]).starts_with("--")) {
      operand = args_[at_++];
    }
    if (operand.empty()) return complain(wanted);
    if (option.text != nullptr) {
      line_.*option.text = operand;
      return true;
    }
    line_.timeout = parse_seconds(operand);
    return line_.timeout.has_value() || complain(wanted + ", not " + std::string(operand));
  }

  bool take_order(std::string_view word) {
    if (line_.what != verb::ask || !line_.order.empty() || word.starts_with("-")) return false;
    line_.order = word;
    return true;
  }

  bool refuse(std::string_view word) {
    const std::string text(word);
    if (word.starts_with("-")) {
      return complain(std::string(to_string(line_.what)) + " has no option " + text);
    }
    return complain("unexpected " + text + ": the service's own arguments stand after --");
  }

  /// The rest is read nevertheless, since it may hold --json.
  bool complain(std::string text) {
    if (line_.error.empty()) line_.error = std::move(text);
    return true;
  }

  std::span<char* const> args_;
  std::size_t at_ = 0;
  verb_line line_;
};

inline verb_line parse_verb_line(std::span<char* const> args) { return verb_parser(args).parse(); }

[[nodiscard]] constexpr bool all_digits(std::string_view text) noexcept {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

constexpr std::optional<time_source::duration> parse_seconds(std::string_view text) noexcept {
  constexpr std::int64_t most = 10'000'000'000'000'000;  // of microseconds, three centuries: never
  const std::size_t point = (std::min)(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view part = text.substr((std::min)(point + 1, text.size()));
  if (!all_digits(whole) || (point != text.size() && !all_digits(part))) return {};
  std::int64_t sum = 0;
  for (const char c : whole) sum = (std::min)(sum * 10 + (c - '0') * std::int64_t{1'000'000}, most);
  for (std::int64_t place = 100'000; const char c : part) {
    sum += (c - '0') * place;
    place /= 10;
  }
  return saturate(std::chrono::microseconds(sum));
}

}  // namespace detail
CURFEW_END

#endif
