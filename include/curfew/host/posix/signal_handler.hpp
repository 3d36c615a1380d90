// SPDX-License-Identifier: BSL-1.0
//
// RUNS IN A SIGNAL HANDLER: everything in this file. The only calls allowed are getpid, sigaction,
// kill, memcpy, clock_gettime, _exit and signal_inbox::arrived; nothing allocates, locks or throws,
// and errno is kept.
#ifndef CURFEW_HOST_POSIX_SIGNAL_HANDLER_HPP
#define CURFEW_HOST_POSIX_SIGNAL_HANDLER_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/detail/signal_inbox.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <signal.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

/// A disposition that a late handler may read while the next bridge writes it.
class saved_action {
 public:
  void store(const struct sigaction& action) noexcept {
    std::uintptr_t words[count] = {};
    std::memcpy(words, &action, sizeof action);
    for (std::size_t i = 0; i < count; ++i) words_[i].store(words[i], std::memory_order_relaxed);
  }
  [[nodiscard]] struct sigaction load() const noexcept {
    std::uintptr_t words[count];
    for (std::size_t i = 0; i < count; ++i) words[i] = words_[i].load(std::memory_order_relaxed);
    struct sigaction action;
    std::memcpy(&action, words, sizeof action);
    return action;
  }

 private:
  static constexpr std::size_t word = sizeof(std::uintptr_t);
  static constexpr std::size_t count = (sizeof(struct sigaction) + word - 1) / word;

  std::atomic<std::uintptr_t> words_[count] = {};
};

/// Never destroyed, so that a late handler finds it. The words are seq_cst: a handler counts itself
/// in before it reads `owner`; a bridge that comes or goes writes `owner` before it waits until no
/// handler is inside.
struct signal_desk {
  std::atomic<pid_t> claimed{0};  ///< the process whose bridge exists; 0: none
  std::atomic<pid_t> owner{0};    ///< the process whose bridge listens; 0: none
  std::atomic<int> inside{0};     ///< handlers that are running
  std::atomic<bool> watching_forks{false};
  saved_action previous[signal_set::limit];
  signal_inbox inbox;
};

inline constinit signal_desk desk;

static_assert(std::atomic<pid_t>::is_always_lock_free && std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);
static_assert(std::is_trivially_destructible_v<signal_desk>);

inline void on_signal(int number, siginfo_t* info, void* context) noexcept;

/// Whether the signal still comes to this copy of curfew.
inline bool holds(int number) noexcept {
  struct sigaction now = {};
  return sigaction(number, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 &&
         now.sa_sigaction == &on_signal;
}

inline void put_back(int number) noexcept {
  const struct sigaction before = desk.previous[number].load();
  if (holds(number)) sigaction(number, &before, nullptr);
}

/// The sender is known only when a process sent the signal; the kernel's own (Ctrl-C typed, a
/// timer) have other things in those fields.
inline bool has_sender(int si_code) noexcept {
#if CURFEW_LINUX
  if (si_code == SI_TKILL) return true;
#endif
  return si_code == SI_USER || si_code == SI_QUEUE;
}

inline stop_reason reason_of(int number, const siginfo_t* info) noexcept {
  if (info == nullptr || !has_sender(info->si_code)) return {stop_cause::signal, number};
  return {stop_cause::signal, number, info->si_pid, static_cast<std::int64_t>(info->si_uid)};
}

/// What the program sends itself is meant, each time.
inline bool deliver(const stop_reason& reason) noexcept {
  const auto now = reason.pid == getpid() ? any_time : press_time();
  const auto answer = desk.inbox.arrived(reason, now);
  if (answer == signal_inbox::answer::end) _exit(128 + reason.code);
  return answer == signal_inbox::answer::noted;
}

/// The signal does what it did before the bridge, by being sent again. False: somebody who took it
/// after us has called us, so that sending it would come back here for ever. Not raise(): in a
/// child made by vfork that may mean the parent's thread. Where a bridge listens the table of
/// handlers is its business; in a child, and for an old handler that somebody put back, ours.
inline bool sent_again(int number) noexcept {
  if (desk.owner.load() != getpid()) put_back(number);
  struct sigaction now = {};
  sigaction(number, nullptr, &now);
  return now.sa_handler == desk.previous[number].load().sa_handler && kill(getpid(), number) == 0;
}

inline void call_previous(int number, siginfo_t* info, void* context) noexcept {
  const struct sigaction before = desk.previous[number].load();
  if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) return;
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(number, info, context);
  } else {
    before.sa_handler(number);
  }
}

/// A signal is not ours in a child made by fork or vfork, which does not have the bridge's threads,
/// and when the bridge has just let go.
inline void on_signal(int number, siginfo_t* info, void* context) noexcept {
  const int kept = errno;
  desk.inside.fetch_add(1);
  const bool noted = desk.owner.load() == getpid() && deliver(reason_of(number, info));
  const bool done = noted || sent_again(number);
  desk.inside.fetch_sub(1);
  if (!done) call_previous(number, info, context);
  errno = kept;
}

}  // namespace detail
CURFEW_END

#endif
#endif
