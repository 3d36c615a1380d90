// SPDX-License-Identifier: BSL-1.0
//
// The thread on which the functions of one component run, one after the other.
#ifndef CURFEW_SERVICE_DETAIL_COMPONENT_WORKER_HPP
#define CURFEW_SERVICE_DETAIL_COMPONENT_WORKER_HPP

#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/park.hpp>
#include <curfew/stop/detail/thread.hpp>
#include <curfew/stop/time_source.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <system_error>
#include <utility>

CURFEW_BEGIN
namespace detail {

struct step_order {
  std::uint32_t part = 0;
  component_step step = component_step::none;  // none: there is nothing more to do, ever
  time_source::time_point cut_at = {};
};

class step_performer {
 public:
  virtual void perform(const step_order& order) noexcept = 0;

 protected:
  ~step_performer() = default;
};

/// Its thread keeps the performer, and with it the worker itself, alive.
///
/// Thread safety: all members are called under the performer's lock.
class component_worker {
 public:
  component_worker() noexcept = default;
  component_worker(const component_worker&) = delete;
  component_worker& operator=(const component_worker&) = delete;

  [[nodiscard]] bool started() const noexcept { return thread_.joinable(); }
  /// On the calling thread. Without the lock.
  [[nodiscard]] bool runs_here() const noexcept {
    return id_.load(std::memory_order_relaxed) == this_thread();
  }
  bool start(std::shared_ptr<step_performer> performer, std::error_code& ec) noexcept;

  /// One at a time: the next when the last has been performed.
  void give(const step_order& order) noexcept {
    order_ = order;
    orders_.fetch_add(1, std::memory_order_release);
    unpark_all(orders_);
  }
  /// Of one that performs nothing.
  void dismiss() noexcept { give({}); }
  /// Of one that may never return; when it does after all, its thread ends.
  void abandon() noexcept {
    abandoned_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) thread_.detach();
  }
  /// Without the lock, when it has been dismissed.
  void join() noexcept {
    if (thread_.joinable()) thread_.join();
  }

 private:
  struct entry_argument {
    std::shared_ptr<step_performer> performer;
    component_worker* self;
  };
  static void entry(void* opaque) noexcept {
    const std::unique_ptr<entry_argument> argument(static_cast<entry_argument*>(opaque));
    argument->self->work(*argument->performer);
  }
  void work(step_performer& performer) noexcept;

  thread thread_;
  step_order order_;
  // Counts orders. give()'s release pairs with the acquire in work(): an order that is counted can
  // be read. It is not written again before it has been performed, which its giver learns under the
  // lock.
  std::atomic<std::uint32_t> orders_{0};
  // The thread's own, as long as it runs: its number goes to another thread later. Of the others,
  // none finds itself in it.
  std::atomic<thread_id> id_{0};
  // Set under the performer's lock, which a thread that is found performing takes before it looks.
  std::atomic<bool> abandoned_{false};
};

inline bool component_worker::start(std::shared_ptr<step_performer> performer,
                                    std::error_code& ec) noexcept {
  auto* const argument = new (std::nothrow) entry_argument{std::move(performer), this};
  if (argument == nullptr) {
    ec = std::make_error_code(std::errc::not_enough_memory);
    return false;
  }
  if (thread_.start(&component_worker::entry, argument, ec, thread_mask::as_here)) return true;
  delete argument;
  return false;
}

inline void component_worker::work(step_performer& performer) noexcept {
  id_.store(this_thread(), std::memory_order_relaxed);
  for (std::uint32_t done = 0;;) {
    std::uint32_t given = orders_.load(std::memory_order_acquire);
    if (given == done) {
      park(orders_, done);
      continue;
    }
    done = given;
    const step_order order = order_;
    if (order.step == component_step::none) break;
    performer.perform(order);
    if (abandoned_.load(std::memory_order_relaxed)) break;
  }
  id_.store(0, std::memory_order_relaxed);
}

}  // namespace detail
CURFEW_END

#endif
