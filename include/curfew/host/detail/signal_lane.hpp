// SPDX-License-Identifier: BSL-1.0
//
// A thread of the signal bridge that runs one kind of user code. Each kind has its own, so that a
// reload that hangs does not hold up the stop, nor a stop callback that blocks the hurry.
#ifndef CURFEW_HOST_DETAIL_SIGNAL_LANE_HPP
#define CURFEW_HOST_DETAIL_SIGNAL_LANE_HPP

#include <curfew/host/detail/signal_source.hpp>
#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/detail/thread.hpp>

#include <atomic>
#include <system_error>

CURFEW_BEGIN
namespace detail {

class signal_lane {
 public:
  using work = void (*)(void*) noexcept;  // takes what is in the inbox, all of it

  bool start(bell& door, work f, void* argument, const signal_source& source,
             std::error_code& ec) noexcept;
  [[nodiscard]] bool started() const noexcept { return thread_.joinable(); }
  /// Does what has come until now, then ends. No harm when not started.
  void finish() noexcept;

 private:
  static void run(void* self) noexcept { static_cast<signal_lane*>(self)->serve(); }
  void serve() noexcept;

  thread thread_;
  std::atomic<thread_id> id_{0};
  std::atomic<bool> last_{false};
  bell* door_ = nullptr;
  work work_ = nullptr;
  void* argument_ = nullptr;
  const signal_source* source_ = nullptr;
};

inline bool signal_lane::start(bell& door, work f, void* argument, const signal_source& source,
                               std::error_code& ec) noexcept {
  door_ = &door;
  work_ = f;
  argument_ = argument;
  source_ = &source;
  return thread_.start(&signal_lane::run, this, ec);
}

inline void signal_lane::serve() noexcept {
  id_.store(this_thread(), std::memory_order_relaxed);
  for (;;) {
    const auto heard = door_->rings();
    source_->adopt();
    const bool last = last_.load(std::memory_order_acquire);
    work_(argument_);
    if (last) return;
    door_->sleep(heard);
  }
}

inline void signal_lane::finish() noexcept {
  if (!started()) return;
  if (id_.load(std::memory_order_relaxed) == this_thread()) {
    fatal(
        "a signal_bridge was destroyed by a callback that it runs itself, which it waits for; "
        "let main make it and destroy it");
  }
  last_.store(true, std::memory_order_release);
  door_->ring();
  thread_.join();
}

}  // namespace detail
CURFEW_END

#endif
