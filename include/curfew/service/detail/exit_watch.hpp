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
/// nothing (--help), or comes from a child made by fork, is none of its
/// business.
class exit_watch {
 public:
  explicit exit_watch(run_state& s) noexcept : s_(s) {
    // For the whole process, since an exit handler cannot be taken back. No memory: not watched.
    static const bool armed = std::atexit(&exit_watch::exiting) == 0;
    static_cast<void>(armed);
    current_.store(this);
  }
  exit_watch(const exit_watch&) = delete;
  exit_watch& operator=(const exit_watch&) = delete;
  /// Another thread that is in here ends the process, or leaves it alone.
  ~exit_watch() {
    current_.store(nullptr);
    for (unsigned spins = 0; inside_.load() != 0; ++spins) relax(spins);
  }

 private:
  static void exiting() noexcept {
    inside_.fetch_add(1);
    if (exit_watch* const watch = current_.load()) watch->called();
    inside_.fetch_sub(1);
  }

  /// The status of an exit can be changed only by ending the process here; destructors of statics
  /// would run beside threads that hold what was not released.
  void called() noexcept {
    if (process_ != process_id() || s_.decided.stop_requested()) return;
    if (thread_ == this_thread() && loses_nothing()) return;
    s_.tell(severity::error,
            "exit() was called before all was released, and releases nothing; return from main");
    std::fflush(nullptr);
    s_.host.stopped({.kind = outcome_kind::failed, .reason = s_.reason()});
    end_process(exit_code_failed);
  }

  [[nodiscard]] bool loses_nothing() const noexcept {
    return !s_.releasing && s_.resources.empty() && !s_.faulted && !s_.unready;
  }

  // seq_cst, both: who comes counts itself in before it looks for the watch; the watch that goes
  // reads the count last.
  inline static std::atomic<exit_watch*> current_{nullptr};
  inline static std::atomic<int> inside_{0};

  run_state& s_;
  const thread_id thread_ = this_thread();
  const std::intptr_t process_ = process_id();
};

}  // namespace detail
CURFEW_END

#endif
