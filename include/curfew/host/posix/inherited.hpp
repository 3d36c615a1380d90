// SPDX-License-Identifier: BSL-1.0
//
// What a process has from whoever started it, and passes on through exec whether it wants or not.
#ifndef CURFEW_HOST_POSIX_INHERITED_HPP
#define CURFEW_HOST_POSIX_INHERITED_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/posix/journal_stream.hpp>
#include <curfew/host/signal_options.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

extern "C" {
extern char** environ;
}

CURFEW_BEGIN

/// exec keeps the mask, and the signals that are ignored: signal(7). Handlers it does not keep.
struct inherited {
  sigset_t mask{};
  signal_set ignored;

  /// Those of the calling thread and of the process as they are now.
  [[nodiscard]] static inherited now() noexcept;
};

namespace detail {

#if CURFEW_LINUX

/// A child that believes what systemd has said to this process alone speaks for the service.
/// JOURNAL_STREAM stays while stdout or stderr is that stream: a child that has it redirected is
/// told to compare, and one that does not compare is right as long as nothing was redirected here.
[[nodiscard]] inline bool is_for_children(std::string_view variable) noexcept {
  const std::size_t name_size = variable.find('=');
  const std::string_view name = variable.substr(0, name_size);
  for (const char* known : systemd_private_variables) {
    if (name == known) return false;
  }
  if (name != "JOURNAL_STREAM" || name_size == variable.npos) return true;
  const char* const value = variable.data() + name_size + 1;
  return is_journal(STDOUT_FILENO, value) || is_journal(STDERR_FILENO, value);
}

#else

[[nodiscard]] inline bool is_for_children(std::string_view) noexcept { return true; }

#endif

/// The pointers are those of `environ`, and a null at the end.
[[nodiscard]] inline std::vector<char*> environment_for_children() {
  std::vector<char*> kept;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (is_for_children(*variable)) kept.push_back(*variable);
  }
  kept.push_back(nullptr);
  return kept;
}

}  // namespace detail

inline inherited inherited::now() noexcept {
  inherited here;
  pthread_sigmask(SIG_SETMASK, nullptr, &here.mask);
  for (int signal = 1; signal < signal_set::limit; ++signal) {
    struct sigaction action = {};
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      here.ignored.insert(signal);
  }
  return here;
}

CURFEW_END

#endif
#endif
