// SPDX-License-Identifier: BSL-1.0
//
// A call of exit() in the middle of a run, by main or by a release.
#ifndef CURFEW_SERVICE_DETAIL_EXIT_WATCH_HPP
#define CURFEW_SERVICE_DETAIL_EXIT_WATCH_HPP

#include <curfew/service/detail/end_process.hpp>
#include <curfew/service/detail/run_state.hpp>
#include <curfew/stop/detail/thread.hpp>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

CURFEW_BEGIN
namespace detail {

/// While it lives, an exit() that leaves resources behind is told and is a failure. One that loses
/// nothing (--help), comes from another thread, or from a child made by fork, is none of its
/// business.
class exit_watch {
 public:
  explicit exit_watch(run_state& s) noexcept : s_(s) {
    // For the whole process, since an exit handler cannot be taken back. No memory: not watched.
    static const bool armed = std::atexit(&exit_watch::exiting) == 0;
    static_cast<void>(armed);
    current_.store(this, std::memory_order_release);
  }
  exit_watch(const exit_watch&) = delete;
  exit_watch& operator=(const exit_watch&) = delete;
  ~exit_watch() { current_.store(nullptr, std::memory_order_relaxed); }

 private:
  static void exiting() noexcept {
    if (exit_watch* const watch = current_.load(std::memory_order_acquire)) watch->called();
  }

  /// The status of an exit can be changed only by ending the process here; destructors of statics
  /// would run beside threads that hold what was not released.
  void called() noexcept {
    if (thread_ != this_thread() || process_ != process_id()) return;
    if (!s_.releasing && s_.resources.empty() && !s_.faulted) return;
    s_.tell(severity::error, "exit() was called before all was released");
    std::fflush(nullptr);
    s_.host.stopped({.kind = outcome_kind::failed, .reason = s_.reason()});
    end_process(exit_code_failed);
  }

  inline static std::atomic<exit_watch*> current_{nullptr};

  run_state& s_;
  const thread_id thread_ = this_thread();
  const std::intptr_t process_ = process_id();
};

}  // namespace detail
CURFEW_END

#endif
