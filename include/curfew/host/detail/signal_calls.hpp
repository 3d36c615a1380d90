// SPDX-License-Identifier: BSL-1.0
//
// The functions given to signal_bridge::on, one a signal. Set by any thread, run by one.
#ifndef CURFEW_HOST_DETAIL_SIGNAL_CALLS_HPP
#define CURFEW_HOST_DETAIL_SIGNAL_CALLS_HPP

#include <curfew/host/signal_options.hpp>
#include <curfew/stop/detail/park.hpp>
#include <curfew/stop/reason.hpp>

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

CURFEW_BEGIN
namespace detail {

class signal_call {
 public:
  signal_call() = default;
  signal_call(const signal_call&) = delete;
  signal_call& operator=(const signal_call&) = delete;
  virtual ~signal_call() = default;
  virtual void run(const stop_reason& reason) noexcept = 0;

  signal_call* next = nullptr;
};

template <class F>
class signal_call_of final : public signal_call {
 public:
  explicit signal_call_of(F f) : f_(std::move(f)) {}
  void run(const stop_reason& reason) noexcept override {
    if constexpr (std::is_invocable_v<F&, const stop_reason&>) {
      f_(reason);
    } else {
      f_();
    }
  }

 private:
  F f_;
};

/// The runner says which signal it runs before it reads that signal's function; who replaces the
/// function does so before it reads what is run. Both are seq_cst, so one of them sees the other.
class signal_calls {
 public:
  signal_calls() = default;
  signal_calls(const signal_calls&) = delete;
  signal_calls& operator=(const signal_calls&) = delete;
  ~signal_calls() { clear(); }

  /// When the runner has ended.
  void clear() noexcept {
    for (auto& call : calls_) delete call.exchange(nullptr);
  }

  /// The function that was there before, which may be running; for retire().
  [[nodiscard]] signal_call* exchange(int signal, signal_call* fresh) noexcept {
    return calls_[signal].exchange(fresh);
  }
  /// On return the function has finished and is gone; when it is itself the caller, it goes when it
  /// returns.
  void retire(int signal, signal_call* old) noexcept;

  void run(const stop_reason& reason) noexcept;

 private:
  std::atomic<signal_call*> calls_[signal_set::limit]{};
  std::atomic<std::uint32_t> running_{0};  // the signal; 0: none
  std::atomic<thread_id> runner_{0};       // the thread, while one is running
  signal_call* retired_ = nullptr;         // the runner's own
};

inline void signal_calls::run(const stop_reason& reason) noexcept {
  runner_.store(this_thread(), std::memory_order_relaxed);
  running_.store(static_cast<std::uint32_t>(reason.code));
  if (signal_call* const call = calls_[reason.code].load()) call->run(reason);
  running_.store(0);
  unpark_all(running_);
  runner_.store(0, std::memory_order_relaxed);
  while (retired_ != nullptr) delete std::exchange(retired_, retired_->next);
}

inline void signal_calls::retire(int signal, signal_call* old) noexcept {
  if (old == nullptr) return;
  const auto number = static_cast<std::uint32_t>(signal);
  if (runner_.load(std::memory_order_relaxed) == this_thread()) {
    if (running_.load() != number) return delete old;
    old->next = std::exchange(retired_, old);
    return;
  }
  while (running_.load() == number) park(running_, number);
  delete old;
}

}  // namespace detail
CURFEW_END

#endif
