// SPDX-License-Identifier: BSL-1.0
//
// Events where the system itself keeps what programs tell it, with their fields: the journal of
// systemd, the event log of Windows.
#ifndef CURFEW_SERVICE_SYSTEM_LOG_HPP
#define CURFEW_SERVICE_SYSTEM_LOG_HPP

#include <curfew/host/message_sink.hpp>
#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/detail/event_line.hpp>
#include <curfew/service/detail/system_log_port.hpp>
#include <curfew/service/lifecycle_event.hpp>

#include <atomic>
#include <cstddef>
#include <string_view>

CURFEW_BEGIN

/// Under Linux, each event is an entry of the journal: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER,
/// MESSAGE_ID (526b136828884df1a8fd568976c28b and the number of its kind, in two hexadecimal
/// digits), CODE_FILE and CODE_LINE of the component's declaration, and CURFEW_EVENT, CURFEW_PART,
/// CURFEW_STEP, CURFEW_OUTCOME, CURFEW_ELAPSED_US, CURFEW_LIMIT_US, CURFEW_REASON (also _CAUSE,
/// _CODE, _PID, _UID), CURFEW_ACTOR_PID, _UID, CURFEW_VERB, CURFEW_CHANGE, CURFEW_DECISION,
/// CURFEW_TEXT, as far as they have a meaning for it:
///
///     journalctl CURFEW_EVENT=abandoned -o json
///
/// Under Windows it is an entry of the application log, under the service's name, of the number 100
/// and that of its kind, with the same fields in the lines of its text. Where there is no such log,
/// nothing is written, and nothing lost.
///
/// Thread safety: write() and flush() from one thread at a time, as an event_stream does; the
/// others from any thread.
class system_log final : public event_sink {
 public:
  /// `most`: the least important ones that are kept. Progress and the beginnings of steps are
  /// severity::debug.
  explicit system_log(std::string_view service, severity most = severity::info)
      : port_(service), most_(most) {}
  system_log(const system_log&) = delete;
  system_log& operator=(const system_log&) = delete;
  ~system_log() = default;

  void write(const lifecycle_event& e) noexcept override {
    const severity level = detail::severity_of(e);
    if (level > most_ || !is_open()) return;
    bool taken = false;
    static_cast<void>(detail::attempt([&] { taken = port_.put(level, e); }));
    if (!taken) lost_.fetch_add(1, std::memory_order_relaxed);
  }
  bool flush(const stop_token&) noexcept override { return lost() == 0; }

  [[nodiscard]] bool is_open() const noexcept { return port_.is_open(); }
  /// Events that the log did not take.
  [[nodiscard]] std::size_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

 private:
  detail::system_log_port port_;
  const severity most_;
  std::atomic<std::size_t> lost_{0};  // relaxed: a count, and nothing hangs on it
};

CURFEW_END

#endif
