// SPDX-License-Identifier: BSL-1.0
//
// What a bridge holds of a POSIX system: the dispositions of its signals.
//
// A handler, not sigwait: it works whatever threads exist already and whatever they block, leaves no
// blocked mask to programs that are started, and costs 2 to 3 us more a signal. The wake is a futex,
// not a descriptor: none that a daemon closes with "all above 2" or that a child could write to.
#ifndef CURFEW_HOST_POSIX_SIGNAL_HOOK_HPP
#define CURFEW_HOST_POSIX_SIGNAL_HOOK_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/posix/owner_mark.hpp>
#include <curfew/host/posix/signal_handler.hpp>
#include <curfew/stop/time_source.hpp>

#include <system_error>

#include <pthread.h>

CURFEW_BEGIN
namespace detail {

class signal_hook {
 public:
  bool open(const signal_options& options, std::error_code& ec) noexcept;
  bool take(int signal, route way, std::error_code& ec) noexcept;
  void give_back(int signal) noexcept;
  void adopt() const noexcept { pthread_sigmask(SIG_SETMASK, &mask_, nullptr); }
  bool close() noexcept;
  void release() noexcept;

  static signal_set stopping(const signal_set& asked) noexcept { return asked; }
  static void set_outcome(int) noexcept {}
  static time_source::duration allowed(const stop_reason&) noexcept {
    return time_source::duration::max();
  }

 private:
  bool claim(std::error_code& ec) noexcept;
  bool install(int signal, std::error_code& ec) noexcept;

  pid_t process_ = 0;
  sigset_t mask_{};  // of the thread that made the bridge: programs started by user code inherit it
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

inline bool signal_hook::open(const signal_options& options, std::error_code& ec) noexcept {
  process_ = getpid();
  if (!claim(ec)) return false;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
  desk.inbox.open(options);
  desk.owner.store(process_);
  return true;
}

/// A claim of another process id was inherited through fork, with the count of handlers that ran
/// just then, which therefore is forgotten.
inline bool signal_hook::claim(std::error_code& ec) noexcept {
  pid_t before = desk.claimed.load();
  if (before == process_ || !desk.claimed.compare_exchange_strong(before, process_)) {
    return refuse(std::errc::device_or_resource_busy, ec);
  }
  if (any_owner_mark(process_)) {
    desk.claimed.store(0);
    return refuse(std::errc::device_or_resource_busy, ec);
  }
  if (before != 0) desk.inside.store(0);
  return true;
}

inline bool signal_hook::take(int signal, route way, std::error_code& ec) noexcept {
  ec.clear();
  if (!signal_set::valid(signal) || tells_of_fault(signal)) {
    return refuse(std::errc::invalid_argument, ec);
  }
  const bool held = taken_.contains(signal) && holds(signal);
  struct sigaction now = {};
  if (sigaction(signal, nullptr, &now) != 0) return refuse(std::errc::invalid_argument, ec);
  // A handler of ours that came with fork remembers what was there before it.
  if (!held && !holds(signal)) desk.previous[signal] = now;
  if (way == route::press && desk.previous[signal].sa_handler == SIG_IGN) {
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

/// Handlers that have counted themselves in are waited for; one that has not yet will find that
/// `owner` is gone and raises its signal again, for whoever holds it now.
inline bool signal_hook::close() noexcept {
  const bool here = process_ == getpid();
  if (here || desk.claimed.load() != getpid()) {
    for (int signal = 1; signal < signal_set::limit; ++signal) {
      if (taken_.contains(signal)) put_back(signal);
    }
  }
  if (!here) return false;
  desk.owner.store(0);
  for (unsigned spins = 0; desk.inside.load() != 0; ++spins) relax(spins);
  desk.inbox.close();
  return true;
}

inline void signal_hook::release() noexcept { desk.claimed.store(0); }

}  // namespace detail
CURFEW_END

#endif
#endif
