// SPDX-License-Identifier: BSL-1.0
//
// Ends the process when the time for stopping is spent, whoever hangs, and says what did.
#ifndef CURFEW_SERVICE_DETAIL_WATCHDOG_HPP
#define CURFEW_SERVICE_DETAIL_WATCHDOG_HPP

#include <curfew/service/detail/run_state.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/thread.hpp>

#include <chrono>
#include <system_error>

CURFEW_BEGIN
namespace detail {

/// Runs no code of the user's, takes no lock that such code may hold, and allocates nothing.
class watchdog {
 public:
  explicit watchdog(run_state& s) noexcept : s_(s) {}

  bool start(std::error_code& ec) noexcept { return thread_.start(&watchdog::entry, this, ec); }
  void join() noexcept {
    if (thread_.joinable()) thread_.join();
  }

 private:
  static void entry(void* self) noexcept { static_cast<watchdog*>(self)->run(); }
  void run() noexcept;

  void await_start() noexcept;
  [[nodiscard]] bool decided_in_time() noexcept;
  void force() noexcept;
  void await_over() noexcept;

  static constexpr std::chrono::milliseconds tick{100};
  // For what is told to be written, should whoever reads it not read.
  static constexpr std::chrono::milliseconds after_a_forced_end{500};
  static constexpr std::chrono::milliseconds after_an_end{2000};

  run_state& s_;
  outcome forced_{.kind = outcome_kind::forced};
  thread thread_;
};

/// A run that was decided in time may still hang in what it tells, where the system cannot limit a
/// write. It ends here too, and not as a success: what comes after run() is never reached.
inline void watchdog::run() noexcept {
  if (s_.setting.place.awaited && s_.host.kind() != host_kind::console) await_start();
  s_.root.get_token().wait();
  return decided_in_time() ? await_over() : force();
}

inline void watchdog::await_over() noexcept {
  if (s_.over.get_token().wait_for(after_an_end)) return;
  outcome hung = s_.decision();
  if (hung.ok()) {
    hung.kind = outcome_kind::failed;
    s_.tell_outcome(hung);
    static_cast<void>(s_.flush_events());
  }
  s_.host.stopped(hung);
  s_.setting.end.end(exit_code(hung));
}

/// Who waits for ready() would end the process without a word about what it was doing.
inline void watchdog::await_start() noexcept {
  const stop_token started = s_.started.get_token();
  for (;;) {
    const auto limit = s_.start_limit();
    if (started.wait_until(limit)) return;
    if (limit == s_.start_limit()) break;
  }
  s_.unready = true;
  s_.bridge->request_stop({stop_cause::fault});
}

/// In ticks, since the limit may come nearer.
inline bool watchdog::decided_in_time() noexcept {
  const inplace_stop_token decided = s_.decided.get_token();
  for (;;) {
    const auto limit = s_.limit();
    if (decided.wait_until(lesser(limit, s_.now() + tick))) return true;
    if (s_.now() >= limit) return false;
    s_.touch();
  }
}

/// Main may still be quicker.
inline void watchdog::force() noexcept {
  forced_.reason = s_.reason();
  if (!s_.decide(forced_)) return await_over();
  s_.told.get_token().wait_for(after_a_forced_end);
  static_cast<void>(s_.flush_events());
  s_.host.stopped(forced_);
  s_.setting.end.end(exit_code(forced_));
}

}  // namespace detail
CURFEW_END

#endif
