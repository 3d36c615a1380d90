// SPDX-License-Identifier: BSL-1.0
//
// What a signal does, as something else for a while.
#ifndef CURFEW_HOST_POSIX_SIGNAL_CHANGE_HPP
#define CURFEW_HOST_POSIX_SIGNAL_CHANGE_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <signal.h>

CURFEW_BEGIN
namespace detail {

/// From SIG_DFL to SIG_IGN, or back; a handler of the program's own is left alone.
class signal_change {
 public:
  using action_type = void (*)(int);

  signal_change(int number, action_type from, action_type to, bool wanted = true) noexcept
      : number_(number) {
    const bool known = wanted && sigaction(number, nullptr, &before_) == 0;
    changed_ = known && (before_.sa_flags & SA_SIGINFO) == 0 && before_.sa_handler == from;
    struct sigaction now = {};
    now.sa_handler = to;
    if (changed_) sigaction(number, &now, nullptr);
  }
  signal_change(const signal_change&) = delete;
  signal_change& operator=(const signal_change&) = delete;
  ~signal_change() {
    if (changed_) sigaction(number_, &before_, nullptr);
  }

 private:
  int number_;
  bool changed_ = false;
  struct sigaction before_ = {};
};

}  // namespace detail
CURFEW_END

#endif
#endif
