// SPDX-License-Identifier: BSL-1.0
//
// The console control handler: it runs on a new thread of the system, which must give way at once
// for Ctrl-C and must not return at all for CLOSE, LOGOFF and SHUTDOWN.
#ifndef CURFEW_HOST_WINDOWS_CONSOLE_HANDLER_HPP
#define CURFEW_HOST_WINDOWS_CONSOLE_HANDLER_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/detail/signal_inbox.hpp>
#include <curfew/host/windows/console_limit.hpp>

#include <atomic>
#include <chrono>

CURFEW_BEGIN
namespace detail {

inline constexpr int console_sigint = 2;     // SIGINT of the C library
inline constexpr int console_sigbreak = 21;  // its SIGBREAK

enum console_event : unsigned long {
  ctrl_c,
  ctrl_break,
  ctrl_close,
  ctrl_logoff = 5,
  ctrl_shutdown
};

/// Never destroyed, so that a late handler finds it. The order of `inside` and `listening` matters
/// as on POSIX: a handler counts itself in first, a bridge that goes reads the count last.
struct console_desk {
  std::atomic<bool> claimed{false};
  std::atomic<bool> listening{false};
  std::atomic<int> inside{0};   ///< handlers that are running; one that holds is not counted
  std::atomic<int> holding{0};  ///< handlers that will not return
  std::atomic<bool> in_service{false};
  std::atomic<int> outcome{1};
  std::atomic<long> usable_ms{4750};
  signal_inbox inbox;
};

inline constinit console_desk desk;

[[noreturn]] inline void end_process(int code) noexcept {
  TerminateProcess(GetCurrentProcess(), static_cast<unsigned int>(code));
  for (;;) Sleep(1000);
}

enum class console_answer { pass_on, done, hold };

inline console_answer signal_arrived(int number) noexcept {
  switch (desk.inbox.arrived({stop_cause::signal, number})) {
    case signal_inbox::answer::not_ours: return console_answer::pass_on;
    case signal_inbox::answer::noted: return console_answer::done;
    case signal_inbox::answer::end: break;
  }
  end_process(128 + number);
}

inline console_answer decide(unsigned long event) noexcept {
  switch (event) {
    case ctrl_c: return signal_arrived(console_sigint);
    case ctrl_break: return signal_arrived(console_sigbreak);
    case ctrl_close: break;
    case ctrl_logoff:
    case ctrl_shutdown:
      if (desk.in_service.load()) return console_answer::pass_on;
      break;
    default: return console_answer::pass_on;
  }
  desk.inbox.ending({stop_cause::console, static_cast<int>(event)});
  return console_answer::hold;
}

/// Returning would end the process in the middle of its clean-up, whatever were returned. So main's
/// own exit ends it, and this thread with it; or, just before the system would, the outcome does.
[[noreturn]] inline void hold() noexcept {
  Sleep(static_cast<unsigned long>(desk.usable_ms.load()));
  end_process(desk.outcome.load());
}

inline int __stdcall on_console_event(unsigned long event) noexcept {
  desk.inside.fetch_add(1);
  const auto answer = desk.listening.load() ? decide(event) : console_answer::pass_on;
  if (answer == console_answer::hold) desk.holding.fetch_add(1);
  desk.inside.fetch_sub(1);
  if (answer == console_answer::hold) hold();
  return answer == console_answer::done ? 1 : 0;
}

}  // namespace detail
CURFEW_END

#endif
#endif
