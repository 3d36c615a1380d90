// SPDX-License-Identifier: BSL-1.0
//
// The policy of the signal bridge: what the system tells comes in here, is counted, and kept until
// a thread of the bridge takes it. Its callers are the backends, and tests with scripted events.
//
// RUNS IN A SIGNAL HANDLER: everything here except open(). Allowed are only lock-free atomics,
// reading the steady clock, and unpark_all, which is one system call that keeps errno, or nothing.
#ifndef CURFEW_HOST_DETAIL_SIGNAL_INBOX_HPP
#define CURFEW_HOST_DETAIL_SIGNAL_INBOX_HPP

#include <curfew/host/signal_options.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/park.hpp>
#include <curfew/stop/reason.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <type_traits>

CURFEW_BEGIN
namespace detail {

static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(std::is_trivially_copyable_v<stop_reason>);

/// Wakes one thread. Read rings(), look for work, then sleep() on what was read, and so on: nothing
/// is lost. sleep() may return for nothing.
class bell {
 public:
  [[nodiscard]] std::uint32_t rings() const noexcept {
    return rings_.load(std::memory_order_acquire);
  }
  void ring() noexcept {
    rings_.fetch_add(1, std::memory_order_release);
    unpark_all(rings_);
  }
  void sleep(std::uint32_t heard) noexcept { park(rings_, heard); }

 private:
  std::atomic<std::uint32_t> rings_{0};
};

/// One reason on its way from a handler to a thread. A second one that comes before the first is
/// taken is merged with it, as the system does with signals that are still pending.
class notice {
 public:
  /// Never waits: when another handler is writing just now, that one's reason stands for both.
  void put(const stop_reason& reason) noexcept {
    std::uint32_t expected = empty;
    if (!state_.compare_exchange_strong(expected, writing, std::memory_order_acquire)) return;
    reason_ = reason;
    state_.store(full, std::memory_order_release);  // pairs with the load in take()
  }
  bool take(stop_reason& reason) noexcept {
    if (state_.load(std::memory_order_acquire) != full) return false;
    reason = reason_;
    state_.store(empty, std::memory_order_release);  // pairs with the exchange in put()
    return true;
  }
  void clear() noexcept { state_.store(empty, std::memory_order_relaxed); }

 private:
  enum : std::uint32_t { empty, writing, full };

  std::atomic<std::uint32_t> state_{empty};
  stop_reason reason_;
};

/// What becomes of a signal. A whole word, since some processors have no atomic bytes.
enum class route : std::uint32_t { none, press, first_press, call };

/// Milliseconds of the steady clock, odd and so never zero. They wrap, where any width would do.
inline std::uint32_t press_time() noexcept {
  using namespace std::chrono;
  const auto now = steady_clock::now().time_since_epoch();
  return static_cast<std::uint32_t>(duration_cast<milliseconds>(now).count()) | 1u;
}

/// Instead of a time: the signal counts, however soon it comes.
inline constexpr std::uint32_t any_time = 0;

/// Lives as long as the process, so that a late handler never touches freed memory. Whoever opens
/// it has made sure that no handler is inside.
class signal_inbox {
 public:
  enum class answer { not_ours, noted, end };

  void open(const signal_options& options) noexcept;

  /// A signal has come; reason.code is its number. `end`: the process must end now.
  answer arrived(const stop_reason& reason, std::uint32_t now = press_time()) noexcept;
  /// A stop that must not be missed, or, when there was one, the hurry. A console event is also a
  /// notice that the system is about to end the process.
  void ending(const stop_reason& reason) noexcept;
  /// The last console event of that kind; cause none: none has come.
  [[nodiscard]] stop_reason ended_by() const noexcept {
    const int event = ended_by_.load(std::memory_order_acquire);
    return event < 0 ? stop_reason{} : stop_reason{stop_cause::console, event};
  }

  /// A stop that no signal asked for is the first press, unless there was one: that may still be on
  /// its way, and be overtaken.
  void stopping() noexcept {
    announced_.store(true, std::memory_order_relaxed);
    std::uint32_t none = 0;
    presses_.compare_exchange_strong(none, 1, std::memory_order_relaxed);
  }
  /// Whoever finds the stop made has also synchronised with who announced it.
  [[nodiscard]] bool announced() const noexcept {
    return announced_.load(std::memory_order_relaxed);
  }

  void set_route(int signal, route way) noexcept {
    routes_[signal].store(way, std::memory_order_release);
  }
  [[nodiscard]] route route_of(int signal) const noexcept {
    return routes_[signal].load(std::memory_order_acquire);
  }

  struct box {
    notice note;
    bell door;
    void put(const stop_reason& reason) noexcept {
      note.put(reason);
      door.ring();
    }
  };
  box stop;                         ///< for the thread that stops the bridge's source
  box hurry;                        ///< for the thread that stops the hurry token
  notice calls[signal_set::limit];  ///< for the thread that runs what on() was given
  bell calls_door;

 private:
  [[nodiscard]] bool is_new_press(std::uint32_t now) noexcept;
  answer pressed(const stop_reason& reason) noexcept;
  answer act(press what, const stop_reason& reason) noexcept;

  std::atomic<route> routes_[signal_set::limit]{};
  std::atomic<press> actions_[3]{};
  std::atomic<std::uint32_t> presses_{0};
  std::atomic<bool> announced_{false};
  std::atomic<int> ended_by_{-1};          // pairs with its acquire: who sees the stop sees this
  std::atomic<std::uint32_t> window_{0};   // in milliseconds
  std::atomic<std::uint32_t> counted_{0};  // when the last press was; 0: there was none
};

static_assert(std::is_trivially_destructible_v<signal_inbox>);
static_assert(std::atomic<route>::is_always_lock_free && std::atomic<press>::is_always_lock_free);

inline void signal_inbox::open(const signal_options& options) noexcept {
  for (auto& way : routes_) way.store(route::none, std::memory_order_relaxed);
  for (auto& note : calls) note.clear();
  stop.note.clear();
  hurry.note.clear();
  actions_[0].store(options.first, std::memory_order_relaxed);
  actions_[1].store(options.second, std::memory_order_relaxed);
  actions_[2].store(options.third, std::memory_order_relaxed);
  presses_.store(0, std::memory_order_relaxed);
  announced_.store(false, std::memory_order_relaxed);
  ended_by_.store(-1, std::memory_order_relaxed);
  const auto window = within<std::int64_t>(options.same_press.count(), 0, 3'600'000);
  window_.store(static_cast<std::uint32_t>(window), std::memory_order_relaxed);
  counted_.store(0, std::memory_order_relaxed);
}

inline signal_inbox::answer signal_inbox::arrived(const stop_reason& reason,
                                                  std::uint32_t now) noexcept {
  if (!signal_set::valid(reason.code)) return answer::not_ours;
  switch (route_of(reason.code)) {
    case route::none: return answer::not_ours;
    case route::first_press:
      if (presses_.load(std::memory_order_relaxed) != 0) return answer::noted;
      [[fallthrough]];
    case route::press: return is_new_press(now) ? pressed(reason) : answer::noted;
    case route::call: break;
  }
  calls[reason.code].put(reason);
  calls_door.ring();
  return answer::noted;
}

/// Of handlers that run at the same time one wins, and the others' signals are the same press.
inline bool signal_inbox::is_new_press(std::uint32_t now) noexcept {
  const auto window = window_.load(std::memory_order_relaxed);
  auto last = counted_.load(std::memory_order_relaxed);
  if (window == 0 || now == any_time) return true;
  if (last != 0 && now - last < window) return false;
  return counted_.compare_exchange_strong(last, now, std::memory_order_relaxed);
}

inline signal_inbox::answer signal_inbox::pressed(const stop_reason& reason) noexcept {
  const auto before = presses_.fetch_add(1, std::memory_order_relaxed);
  return act(actions_[before < 2 ? before : 2].load(std::memory_order_relaxed), reason);
}

inline signal_inbox::answer signal_inbox::act(press what, const stop_reason& reason) noexcept {
  if (what == press::end) return answer::end;
  if (what != press::nothing) stop.put(reason);
  if (what == press::hurry) hurry.put(reason);
  return answer::noted;
}

inline void signal_inbox::ending(const stop_reason& reason) noexcept {
  if (reason.cause == stop_cause::console) ended_by_.store(reason.code, std::memory_order_release);
  const auto before = presses_.fetch_add(1, std::memory_order_relaxed);
  act(before == 0 ? press::stop : press::hurry, reason);
}

}  // namespace detail
CURFEW_END

#endif
