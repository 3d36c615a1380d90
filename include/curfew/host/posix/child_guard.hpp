// SPDX-License-Identifier: BSL-1.0
//
// Processes that a program starts, on POSIX systems.
#ifndef CURFEW_HOST_POSIX_CHILD_GUARD_HPP
#define CURFEW_HOST_POSIX_CHILD_GUARD_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/posix/inherited.hpp>
#include <curfew/host/signal_options.hpp>
#include <curfew/stop/detail/bounds.hpp>

#include <cerrno>
#include <initializer_list>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>
#if CURFEW_LINUX
#include <sys/syscall.h>
#endif

CURFEW_BEGIN

/// Made in the parent at any time, used for any number of children. Without it a child that is
/// started by a thread which blocks signals blocks them for its life, and ignores for its life what
/// this program ignores for itself, such as SIGPIPE.
///
/// Thread safety: all members may be called from any thread.
class child_guard {
 public:
  /// The children get what `given` was: best what this process had when it started. The default is
  /// what the calling thread and the process have now.
  explicit child_guard(const inherited& given = inherited::now()) noexcept : given_(given) {}

  /// Between fork or vfork and exec, and async-signal-safe. No handler of the parent runs from here
  /// on: signals that have one, and those that the parent alone ignores, get their default action;
  /// what was ignored is so again. Then the mask is put back, and close_on_exec() is called: who
  /// hands a descriptor on clears its FD_CLOEXEC after this.
  ///
  /// A signal that comes between fork and this call meets the parent's handlers. A signal_bridge's
  /// do then what was done before the bridge.
  void in_child() const noexcept;

  /// The same for posix_spawn, except for descriptors, and one thing that it cannot do: a signal
  /// that was ignored and has a handler now gets its default action.
  [[nodiscard]] std::error_code prepare(posix_spawnattr_t& attributes) const noexcept;

  /// The environment without what systemd has told this process alone (NOTIFY_SOCKET, WATCHDOG_*,
  /// LISTEN_*); JOURNAL_STREAM stays where stdout or stderr is still that stream. For execve and
  /// posix_spawn, made before fork, with pointers that setenv and putenv make invalid.
  [[nodiscard]] std::vector<char*> environment() const {
    return detail::environment_for_children();
  }

  /// What is open above stderr just now does not live on in a program that exec starts. In the
  /// parent, before posix_spawn, it marks the parent's own. Where the system has no call for all at
  /// once (Linux before 5.11, others) those up to the limit of open files are marked, at most
  /// 65536. Async-signal-safe.
  static void close_on_exec() noexcept;

 private:
  inherited given_;
};

// ---------------------------------------------------------------------------------------------

namespace detail {

/// A handler is never equal to either of the two.
inline void give_to_child(int signal, void (*action)(int)) noexcept {
  struct sigaction now = {};
  if (sigaction(signal, nullptr, &now) != 0 || now.sa_handler == action) return;
  now = {};
  now.sa_handler = action;
  sigaction(signal, &now, nullptr);
}

inline bool mark_all_descriptors() noexcept {
#if defined(SYS_close_range)
  constexpr unsigned int close_on_exec = 4;
  return ::syscall(SYS_close_range, 3U, ~0U, close_on_exec) == 0;
#else
  return false;
#endif
}

inline void mark_each_descriptor() noexcept {
  const long limit = ::sysconf(_SC_OPEN_MAX);
  const long most = 65536;
  for (int fd = 3; fd < (limit < 0 ? most : lesser(limit, most)); ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags != -1) ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
  }
}

}  // namespace detail

inline void child_guard::close_on_exec() noexcept {
  const int kept = errno;
  if (!detail::mark_all_descriptors()) detail::mark_each_descriptor();
  errno = kept;
}

inline void child_guard::in_child() const noexcept {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  for (int signal = 1; signal < signal_set::limit; ++signal) {
    detail::give_to_child(signal, given_.ignored.contains(signal) ? SIG_IGN : SIG_DFL);
  }
  close_on_exec();
  pthread_sigmask(SIG_SETMASK, &given_.mask, nullptr);
}

inline std::error_code child_guard::prepare(posix_spawnattr_t& attributes) const noexcept {
  sigset_t defaults;
  sigfillset(&defaults);
  for (int signal = 1; signal < signal_set::limit; ++signal) {
    if (given_.ignored.contains(signal)) sigdelset(&defaults, signal);
  }
  for (const int untouchable : {SIGKILL, SIGSTOP}) sigdelset(&defaults, untouchable);
  short flags = 0;
  int error = posix_spawnattr_getflags(&attributes, &flags);
  if (error == 0) error = posix_spawnattr_setsigmask(&attributes, &given_.mask);
  if (error == 0) error = posix_spawnattr_setsigdefault(&attributes, &defaults);
  const int both = flags | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (error == 0) error = posix_spawnattr_setflags(&attributes, static_cast<short>(both));
  return {error, std::system_category()};
}

CURFEW_END

#endif
#endif
