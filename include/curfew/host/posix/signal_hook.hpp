// SPDX-License-Identifier: BSL-1.0
//
// What a bridge holds of a POSIX system: the dispositions of its signals.
//
// A handler, not sigwait: it works whatever threads exist already, leaves no blocked mask to
// programs that are started, and costs 2 to 3 us more a signal. The wake is a futex and not a
// descriptor, which a daemon would close with "all above 2", and a child made by fork could write
// to.
#ifndef CURFEW_HOST_POSIX_SIGNAL_HOOK_HPP
#define CURFEW_HOST_POSIX_SIGNAL_HOOK_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/detail/signal_source.hpp>
#include <curfew/host/posix/owner_mark.hpp>
#include <curfew/host/posix/signal_handler.hpp>
#include <curfew/stop/detail/park.hpp>

#include <atomic>
#include <system_error>

#include <pthread.h>

CURFEW_BEGIN
namespace detail {

class signal_hook final : public signal_source {
 public:
  signal_inbox& inbox() noexcept override { return desk.inbox; }
  inline bool open(const signal_options& options, std::error_code& ec) noexcept override;
  signal_set stopping(signal_set asked) const noexcept override { return asked; }
  inline bool take(int signal, route way, std::error_code& ec) noexcept override;
  bool ignores(int signal) const noexcept override {
    return signal_set::valid(signal) && desk.previous[signal].load().sa_handler == SIG_IGN;
  }
  inline void give_back(int signal) noexcept override;
  inline void adopt() const noexcept override;
  bool here() const noexcept override { return process_ == getpid(); }
  inline void close() noexcept override;
  inline void release() noexcept override;
  inline void leave() noexcept override;
  void set_outcome(int) noexcept override {}
  time_source::duration allowed(const stop_reason&) const noexcept override {
    return (time_source::duration::max)();
  }

 private:
  static bool watch_forks(std::error_code& ec) noexcept;
  bool claim(std::error_code& ec) noexcept;
  bool others_hold_one() const noexcept;
  bool install(int signal, std::error_code& ec) noexcept;

  pid_t process_ = 0;
  sigset_t mask_{};  // of the thread that made the bridge
  signal_set taken_{};
};

/// These tell of a fault of the instruction just run; returning from their handler repeats it.
inline bool tells_of_fault(int signal) noexcept {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
         signal == SIGTRAP || signal == SIGSYS || signal == SIGABRT;
}

inline bool refuse(std::errc why, std::error_code& ec) noexcept {
  ec = std::make_error_code(why);
  return false;
}

inline void await_handlers() noexcept {
  for (unsigned spins = 0; desk.inside.load() != 0; ++spins) relax(spins);
}

/// The thread sanitizer of GCC loses a signal that comes while a thread is in the first of its
/// calls that can block: with this one it has had that before a signal can come.
inline void meet_the_sanitizer() noexcept {
  constexpr unsigned long_enough_to_nap = 64;
  if (CURFEW_THREAD_SANITIZER) relax(long_enough_to_nap);
}

/// Handlers of ours that are in the table before came with fork, or were left there. Those that run
/// may still use the inbox, or put back what was before them, so they are waited for: those of an
/// earlier owner, and those that have not seen the new one.
inline bool signal_hook::open(const signal_options& options, std::error_code& ec) noexcept {
  meet_the_sanitizer();
  process_ = getpid();
  if (!watch_forks(ec) || !claim(ec)) return false;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
  for (int signal = 1; signal < signal_set::limit; ++signal) put_back(signal);
  desk.owner.store(0);
  await_handlers();
  desk.inbox.open(options);
  desk.owner.store(process_);
  await_handlers();
  return true;
}

/// A child made by fork has none of the handlers that were running in other threads just then.
inline bool signal_hook::watch_forks(std::error_code& ec) noexcept {
  if (desk.watching_forks.exchange(true)) return true;
  const int error = pthread_atfork(nullptr, nullptr, [] { desk.inside.store(0); });
  ec.assign(error, std::system_category());
  desk.watching_forks.store(error == 0);
  return error == 0;
}

/// A claim of another process id was inherited through fork.
inline bool signal_hook::claim(std::error_code& ec) noexcept {
  pid_t before = desk.claimed.load();
  if (before == process_ || !desk.claimed.compare_exchange_strong(before, process_)) {
    return refuse(std::errc::device_or_resource_busy, ec);
  }
  if (others_hold_one()) {
    desk.claimed.store(0);
    return refuse(std::errc::device_or_resource_busy, ec);
  }
  return true;
}

/// Whether another copy of curfew has a bridge in this process. A handler of our own is an old one
/// that somebody has saved and put back, like system() does; it hands its signal on.
inline bool signal_hook::others_hold_one() const noexcept {
  for (int signal = 1; signal < signal_set::limit; ++signal) {
    struct sigaction now = {};
    if (sigaction(signal, nullptr, &now) != 0 || now.sa_sigaction == &on_signal) continue;
    if (has_owner_mark(now, process_)) return true;
  }
  return false;
}

/// Programs that user code starts inherit the mask of a thread of ours, so it is that of the maker.
/// But the bridge's own signals are open: they come even if all threads of the program block them,
/// as after the start by a program that had them blocked.
inline void signal_hook::adopt() const noexcept {
  meet_the_sanitizer();
  sigset_t mask = mask_;
  for (int signal = 1; signal < signal_set::limit; ++signal) {
    if (desk.inbox.route_of(signal) != route::none) sigdelset(&mask, signal);
  }
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
}

inline bool signal_hook::take(int signal, route way, std::error_code& ec) noexcept {
  ec.clear();
  if (!signal_set::valid(signal) || tells_of_fault(signal)) {
    return refuse(std::errc::invalid_argument, ec);
  }
  const bool held = taken_.contains(signal) && holds(signal);
  struct sigaction now = {};
  if (sigaction(signal, nullptr, &now) != 0) return refuse(std::errc::invalid_argument, ec);
  // An old handler of ours that somebody put back is not what was there before.
  if (!held && !holds(signal)) desk.previous[signal].store(now);
  if (way != route::call && desk.previous[signal].load().sa_handler == SIG_IGN) {
    give_back(signal);
    return true;
  }
  desk.inbox.set_route(signal, way);
  return held || install(signal, ec);
}

inline bool signal_hook::install(int signal, std::error_code& ec) noexcept {
  struct sigaction ours = {};
  struct sigaction before = {};
  ours.sa_sigaction = &on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  ours.sa_mask = owner_mark(process_);
  if (sigaction(signal, &ours, &before) != 0) return refuse(std::errc::invalid_argument, ec);
  if (before.sa_sigaction != &on_signal && has_owner_mark(before, process_)) {
    sigaction(signal, &before, nullptr);  // another copy of curfew was quicker
    return refuse(std::errc::device_or_resource_busy, ec);
  }
  taken_.insert(signal);
  return true;
}

inline void signal_hook::give_back(int signal) noexcept {
  if (!taken_.contains(signal)) return;
  put_back(signal);
  taken_.erase(signal);
  desk.inbox.set_route(signal, route::none);
}

/// In a child made by fork only what no bridge of the child holds is given back.
/// Handlers that have counted themselves in are waited for; one that has not yet will find that
/// `owner` is gone and send its signal again, for whoever holds it now.
inline void signal_hook::close() noexcept {
  if (here() || desk.claimed.load() != getpid()) {
    for (int signal = 1; signal < signal_set::limit; ++signal) {
      if (taken_.contains(signal)) put_back(signal);
    }
  }
  if (!here()) return;
  desk.owner.store(0);
  await_handlers();
}

inline void signal_hook::release() noexcept { desk.claimed.store(0); }

/// Without its mark a handler does not stand for a bridge.
inline void signal_hook::leave() noexcept {
  for (int signal = 1; signal < signal_set::limit; ++signal) {
    struct sigaction ours = {};
    if (!taken_.contains(signal) || !holds(signal)) continue;
    sigaction(signal, nullptr, &ours);
    sigfillset(&ours.sa_mask);
    sigaction(signal, &ours, nullptr);
  }
  release();
}

}  // namespace detail
CURFEW_END

#endif
#endif
