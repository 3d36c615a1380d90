// SPDX-License-Identifier: BSL-1.0
//
// Ends the process when the time for stopping is spent, whoever hangs, and says what did.
#ifndef CURFEW_SERVICE_DETAIL_WATCHDOG_HPP
#define CURFEW_SERVICE_DETAIL_WATCHDOG_HPP

#include <curfew/service/detail/end_process.hpp>
#include <curfew/service/detail/run_state.hpp>
#include <curfew/stop/detail/thread.hpp>

#include <algorithm>
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

  [[nodiscard]] bool decided_in_time() noexcept;
  void force() noexcept;

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
  s_.root.get_token().wait();
  if (!decided_in_time()) force();
  if (s_.over.get_token().wait_for(after_an_end)) return;
  const int code = exit_code(s_.decision());
  end_process(code != 0 ? code : exit_code_failed);
}

/// In ticks, since the limit may come nearer.
inline bool watchdog::decided_in_time() noexcept {
  const inplace_stop_token decided = s_.decided.get_token();
  for (;;) {
    const auto limit = s_.limit();
    if (decided.wait_until((std::min)(limit, s_.now() + tick))) return true;
    if (s_.now() >= limit) return false;
  }
}

/// Returns when main has been quicker.
inline void watchdog::force() noexcept {
  forced_.reason = s_.reason();
  if (!s_.decide(forced_)) return;
  s_.told.get_token().wait_for(after_a_forced_end);
  end_process(exit_code(forced_));
}

}  // namespace detail
CURFEW_END

#endif
