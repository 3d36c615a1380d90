// SPDX-License-Identifier: BSL-1.0
//
// The process of a verb on POSIX: its words, and its signals.
#ifndef CURFEW_SERVICE_DETAIL_POSIX_VERB_PROCESS_HPP
#define CURFEW_SERVICE_DETAIL_POSIX_VERB_PROCESS_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/posix/signal_change.hpp>
#include <curfew/host/signal_options.hpp>
#include <curfew/service/detail/verb_line.hpp>

#include <csignal>
#include <span>
#include <string>
#include <vector>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] inline std::vector<std::string> typed_words(std::span<char* const> args) {
  return {args.begin(), args.end()};
}

inline constexpr signal_set verb_stops = {SIGINT, SIGTERM, SIGHUP};

/// A starter that ignored SIGCHLD would have us lose the exit codes of systemctl. What is being
/// changed is not left half done because nobody reads of it any more (SIGPIPE).
class verb_signals {
 public:
  explicit verb_signals(verb what) noexcept
      : children_(SIGCHLD, SIG_IGN, SIG_DFL, what != verb::doctor),
        readers_(SIGPIPE, SIG_DFL, SIG_IGN, changing_verbs.contains(what)) {}

 private:
  signal_change children_;
  signal_change readers_;
};

}  // namespace detail
CURFEW_END

#endif
#endif
