// SPDX-License-Identifier: BSL-1.0
//
// What stands behind a control endpoint: a thread that lets clients in, and one for each of them.
#ifndef CURFEW_SERVICE_DETAIL_CONTROL_SERVER_HPP
#define CURFEW_SERVICE_DETAIL_CONTROL_SERVER_HPP

#include <curfew/service/control_answer.hpp>
#include <curfew/service/control_options.hpp>
#include <curfew/service/control_policy.hpp>
#include <curfew/service/detail/control_frame.hpp>
#include <curfew/service/detail/control_port.hpp>
#include <curfew/service/detail/control_watch.hpp>
#include <curfew/service/detail/end_process.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/spin_lock.hpp>
#include <curfew/stop/detail/thread.hpp>
#include <curfew/stop/time_source.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

CURFEW_BEGIN
namespace detail {

using control_handler = std::function<control_answer(const control_request&)>;

/// Where one client is at a time.
struct control_place {
  explicit control_place(std::error_code& ec) noexcept : link(ec) {}

  control_connection link;
  control_peer peer;
  bool known = false;     // the peer has been identified
  bool stranger = false;  // the place is one of those for other users
  thread worker;          // belongs to the thread that lets clients in, and then to close()
  // Set by that thread before there is a worker; cleared by the worker as its last act, whose
  // release store pairs with the acquire load before the place is given away again.
  std::atomic<bool> taken{false};
  // Who writes an event has stored it before it looks here; the worker sets this, and then looks
  // for events: so one of the two sees the other.
  std::atomic<bool> watching{false};
};

/// Nobody's flood of refusals fills the audit: of a second some are told, and of the rest how many
/// there were.
class refusal_limit {
 public:
  /// False: not this one. Else so many have not been told since the last.
  [[nodiscard]] bool take(control_time now, std::uint64_t& untold) noexcept {
    constexpr unsigned most = 16;
    const spin_guard guard(lock_);
    if (now - began_ >= std::chrono::seconds(1)) {
      began_ = now;
      told_ = 0;
    }
    if (told_ == most) return ++untold_, false;
    ++told_;
    untold = std::exchange(untold_, 0);
    return true;
  }

  /// How many have not been told.
  [[nodiscard]] std::uint64_t rest() noexcept {
    const spin_guard guard(lock_);
    return std::exchange(untold_, 0);
  }

 private:
  spin_lock lock_;
  control_time began_ = {};
  unsigned told_ = 0;
  std::uint64_t untold_ = 0;
};

/// Its threads own it together with the endpoint. Its limits are those of the real clock, as its
/// peers live in real time; `clock` stamps the events.
///
/// Thread safety: open(), close() by their owner; watchers' write() from any thread.
class control_server {
 public:
  control_server(control_options o, control_handler h, event_sink& audit, time_source& clock);

  static void open(const std::shared_ptr<control_server>& self, std::error_code& ec);
  void close() noexcept;
  void write(const lifecycle_event& e) noexcept;

 private:
  using duration = time_source::duration;
  struct visit {
    std::shared_ptr<control_server> server;
    control_place* place;
  };

  // ---- the thread that lets clients in
  static void door_entry(void* self) noexcept;
  void admit_all(const std::shared_ptr<control_server>& self) noexcept;
  void admit(const std::shared_ptr<control_server>& self);
  [[nodiscard]] bool turned_away(control_peer& peer);
  [[nodiscard]] control_place* free_place(bool stranger) noexcept;
  void start_visit(const std::shared_ptr<control_server>& self, control_place& p) noexcept;

  // ---- the threads of clients
  static void visit_entry(void* opaque) noexcept;
  void talk(control_place& p);
  [[nodiscard]] bool read_request(control_place& p, duration patience, std::string& text);
  [[nodiscard]] bool serve(control_place& p, const std::string& text);
  [[nodiscard]] control_decision decide(const control_request& r) const noexcept;
  [[nodiscard]] control_answer handle(const control_request& r) const;
  [[nodiscard]] bool watch(control_place& p);
  [[nodiscard]] bool pass_on(control_place& p, std::uint64_t& place);
  [[nodiscard]] bool send(control_place& p, const std::string& text) noexcept;

  // ---- audit
  void tell(const control_request& r, const control_decision& d) noexcept;
  void tell_now(const control_request& r, const control_decision& d, std::uint64_t untold) noexcept;

  /// In a child made by fork.
  [[nodiscard]] bool is_a_copy() const noexcept { return process_id() != owner_; }
  void leave_to_parent() noexcept;
  [[nodiscard]] bool closing() const noexcept { return closing_.load(std::memory_order_acquire); }
  [[nodiscard]] bool all_left(control_time limit) noexcept;

  control_options options_;
  control_handler handler_;
  event_sink& audit_;
  time_source& clock_;
  const std::int64_t owner_ = process_id();
  std::error_code unmade_;  // why there cannot be one
  control_listener listener_{unmade_};
  control_connection lobby_{unmade_};  // of whoever has come and has no place yet
  std::deque<control_place> places_;
  recent_events events_{256};
  refusal_limit refusals_;
  std::mutex telling_;     // held while the audit is told something
  bool all_told_ = false;  // under that lock; who is left behind tells it nothing
  thread door_;
  std::shared_ptr<control_server> door_keeps_;  // until close() has joined it
  // Its release store comes before all are rung for, and pairs with the acquire load with which
  // each looks before it waits.
  std::atomic<bool> closing_{false};
  // Counts workers that have come to their end, each after it has cleared `taken`.
  std::atomic<std::uint32_t> left_{0};
};

[[nodiscard]] inline caller_identity identity_of(const control_peer& p) noexcept {
  return {.pid = p.pid, .uid = p.uid, .sid = p.sid};
}

[[nodiscard]] inline control_request request_of(const control_peer& p) noexcept {
  return {.caller = identity_of(p),
          .same_user = p.same_user,
          .administrator = p.administrator,
          .when = std::chrono::system_clock::now()};
}

}  // namespace detail
CURFEW_END

#include <curfew/service/detail/control_serving.hpp>

#endif
