// SPDX-License-Identifier: BSL-1.0
//
// Processes that a program starts, on Windows.
#ifndef CURFEW_HOST_WINDOWS_CHILD_GUARD_HPP
#define CURFEW_HOST_WINDOWS_CHILD_GUARD_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/job_object.hpp>
#include <curfew/host/windows/kernel32.hpp>
#include <curfew/host/windows/last_error.hpp>
#include <curfew/stop/detail/fail.hpp>

#include <system_error>

extern "C" {
__declspec(dllimport) int __stdcall GenerateConsoleCtrlEvent(unsigned long, unsigned long);
__declspec(dllimport) void* __stdcall OpenProcess(unsigned long, int, unsigned long);
}

CURFEW_BEGIN

/// Windows passes on no handlers and no mask. There is one thing that a process hands down, namely
/// that Ctrl-C is ignored, and curfew never sets it.
struct inherited {
  [[nodiscard]] static inherited now() noexcept { return {}; }
};

/// Children that can be asked to stop one by one, and that do not outlive the guard.
///
/// Thread safety: all members may be called from any thread, but the destructor.
class child_guard {
 public:
  explicit child_guard(const inherited& = {});
  explicit child_guard(std::error_code& ec) noexcept : job_(ec) {}
  child_guard(const child_guard&) = delete;
  child_guard& operator=(const child_guard&) = delete;
  /// Ends at once what still runs of the children that were adopted, and of their own children.
  ~child_guard() = default;

  /// For CreateProcess: CREATE_NEW_PROCESS_GROUP. A Ctrl-Break can be aimed at a group alone, and a
  /// Ctrl-C that somebody types does not reach the child: its stop is this program's business.
  [[nodiscard]] static constexpr unsigned long creation_flags() noexcept { return 0x200; }

  /// The process ends with the guard. Children that it has started already are not bound: start it
  /// suspended, adopt it, then let it run. The handle stays the caller's.
  bool adopt(void* process, std::error_code& ec) noexcept { return job_.assign(process, ec); }

  /// Asks a child to end, by a Ctrl-Break to its group: it is a signal SIGBREAK there. An error: it
  /// was not adopted, or has no console in common with this process, as when that is a service.
  ///
  /// Not by Ctrl-C, which cannot be aimed at a group, and reaches others when one tries; nor by any
  /// change of who ignores Ctrl-C, which would be this process's and that of what it starts.
  bool stop(unsigned long pid, std::error_code& ec) const noexcept;

 private:
  [[nodiscard]] bool holds(unsigned long pid) const noexcept;

  detail::job_object job_;
};

inline child_guard::child_guard(const inherited&) {
  std::error_code ec;
  job_ = detail::job_object(ec);
  if (ec)
    detail::throw_error_code(
        ec, "no child_guard: a job of Windows holds the children; see what the system says");
}

/// The number of a process that is gone may be another one's by now, and 0 would mean all processes
/// of the console, this one too.
inline bool child_guard::holds(unsigned long pid) const noexcept {
  constexpr unsigned long query = 0x400;
  void* const process = pid == 0 ? nullptr : OpenProcess(query, 0, pid);
  const bool ours = process != nullptr && job_.contains(process);
  if (process != nullptr) CloseHandle(process);
  return ours;
}

inline bool child_guard::stop(unsigned long pid, std::error_code& ec) const noexcept {
  constexpr unsigned long ctrl_break_event = 1;
  ec.clear();
  if (!holds(pid))
    ec = std::make_error_code(std::errc::no_such_process);
  else if (GenerateConsoleCtrlEvent(ctrl_break_event, pid) == 0)
    ec = detail::last_error();
  return !ec;
}

CURFEW_END

#endif
#endif
