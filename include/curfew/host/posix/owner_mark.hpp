// SPDX-License-Identifier: BSL-1.0
//
// How a bridge is found by another copy of curfew in the same process: a static of a header is one
// object a library when symbols are hidden, but the table of signal handlers is the process's own.
// Our handlers stand in it with a mask that nobody else would ask for and that spells the process
// id, so the mark costs no name and no descriptor, is gone with the handler and with exec, and is
// known to be somebody else's in a child made by fork.
#ifndef CURFEW_HOST_POSIX_OWNER_MARK_HPP
#define CURFEW_HOST_POSIX_OWNER_MARK_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/signal_options.hpp>

#include <signal.h>
#include <sys/types.h>

CURFEW_BEGIN
namespace detail {

inline constexpr int mark_holes[] = {SIGURG, SIGTTIN, SIGXFSZ};

/// While a handler of ours runs all is blocked but these three and the clear bits of the id. Only
/// Linux has real-time signals enough and ids of at most 22 bits; elsewhere the holes do alone.
inline sigset_t owner_mark(pid_t pid) noexcept {
  sigset_t mask;
  sigfillset(&mask);
  for (const int signal : mark_holes) sigdelset(&mask, signal);
#if CURFEW_LINUX
  for (int bit = 0; bit < 22; ++bit) {
    if ((pid >> bit & 1) == 0) sigdelset(&mask, SIGRTMIN + 1 + bit);
  }
#else
  static_cast<void>(pid);
#endif
  return mask;
}

inline bool same_signals(const sigset_t& a, const sigset_t& b, int first, int last) noexcept {
  for (int signal = first; signal <= last; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;  // which the system strikes out
    if (sigismember(&a, signal) != sigismember(&b, signal)) return false;
  }
  return true;
}

inline bool has_owner_mark(const struct sigaction& action, pid_t pid) noexcept {
  if ((action.sa_flags & SA_SIGINFO) == 0) return false;
  const sigset_t mark = owner_mark(pid);
#if CURFEW_LINUX
  if (!same_signals(action.sa_mask, mark, SIGRTMIN + 1, SIGRTMIN + 22)) return false;
#endif
  return same_signals(action.sa_mask, mark, 1, 31);
}

}  // namespace detail
CURFEW_END

#endif
#endif
