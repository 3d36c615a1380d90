// SPDX-License-Identifier: BSL-1.0
//
// What a host asks beside the stop, on its way to the functions of the user.
#ifndef CURFEW_SERVICE_DETAIL_EVENT_DESK_HPP
#define CURFEW_SERVICE_DETAIL_EVENT_DESK_HPP

#include <curfew/host/detail/signal_inbox.hpp>
#include <curfew/host/host_event.hpp>
#include <curfew/host/message_sink.hpp>
#include <curfew/host/service_host.hpp>
#include <curfew/host/signals.hpp>
#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/detail/error_text.hpp>
#include <curfew/service/detail/event_call.hpp>
#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/stop/detail/owned.hpp>
#include <curfew/stop/detail/spin_lock.hpp>
#include <curfew/stop/detail/thread.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// Events in the order in which they came. When it is full the next one is refused.
class event_queue {
 public:
  struct entry {
    host_event what;
    int code;
  };

  bool push(entry e) noexcept {
    const spin_guard guard(lock_);
    if (size_ == ring_.size()) return false;
    ring_[(first_ + size_++) % ring_.size()] = e;
    return true;
  }
  bool pop(entry& e) noexcept {
    const spin_guard guard(lock_);
    if (size_ == 0) return false;
    e = ring_[first_];
    first_ = (first_ + 1) % ring_.size();
    --size_;
    return true;
  }

 private:
  spin_lock lock_;  // held for a copy's time
  std::array<entry, 64> ring_{};
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

/// The functions have one thread, which starts with the first of them, and so run one at a time. A
/// function that throws has failed; that is told, and the host learns the state that it left.
///
/// Thread safety: on() from any thread; the host's calls from its own; finish() by main's.
class event_desk final : public host_listener {
 public:
  using function = event_call<void, int>;
  using system_function = event_call<std::uint32_t, const system_event&>;

  /// Failures are told to `people`.
  event_desk(service_host& host, message_sink& people) noexcept : host_(host), people_(people) {}
  event_desk(const event_desk&) = delete;
  event_desk& operator=(const event_desk&) = delete;
  /// Also when a run is given up before it began: the host has been told of this desk.
  ~event_desk() {
    finish();
    if (bridge_ != nullptr) close();
  }

  /// From now on stops go there.
  void open(signal_bridge& bridge) noexcept {
    bridge_ = &bridge;
    host_.attach(*this);
  }
  /// The program is ready, or will have told so before a reload that comes now has ended.
  void started() noexcept { started_.store(true, std::memory_order_release); }
  /// No function runs any more, and none will. Stops still come through.
  void finish() noexcept;
  /// Nothing comes any more.
  void close() noexcept { host_.detach(); }

  void on(host_event what, owned<function> f, std::error_code& ec);
  void on_system(owned<system_function> f);
  [[nodiscard]] host_interests interests() const noexcept;

  void stop(const stop_reason& reason) noexcept override { bridge_->request_stop(reason); }
  inline bool event(host_event what, int code) noexcept override;
  inline std::uint32_t answer(const system_event& what) noexcept override;

 private:
  static constexpr std::size_t kinds = 4;
  static constexpr std::size_t index(host_event what) noexcept {
    return static_cast<std::size_t>(what);
  }
  static void entry(void* self) noexcept { static_cast<event_desk*>(self)->serve(); }

  void serve() noexcept;
  void run(const event_queue::entry& e) noexcept;
  bool call(const event_queue::entry& e) noexcept;
  [[nodiscard]] bool has(host_event what) const noexcept {
    return functions_[index(what)].load(std::memory_order_acquire) != nullptr;
  }

  service_host& host_;
  message_sink& people_;
  signal_bridge* bridge_ = nullptr;
  event_queue queue_;
  bell door_;
  std::atomic<bool> started_{false};
  std::atomic<bool> last_{false};  // the thread is to end; pairs with its acquire after the bell

  std::mutex changing_;  // on() against on() and finish(); never held while a function runs
  bool finished_ = false;
  thread thread_;
  kept_calls<function> kept_;
  kept_calls<system_function> kept_system_;
  std::array<std::atomic<function*>, kinds> functions_{};
  // seq_cst, both: a caller counts itself in before it reads the function; who takes it away reads
  // the count afterwards.
  std::atomic<system_function*> system_{nullptr};
  std::atomic<int> inside_{0};
};

inline void event_desk::on(host_event what, owned<function> f, std::error_code& ec) {
  const std::lock_guard lock(changing_);
  if (finished_) {
    ec = std::make_error_code(std::errc::operation_canceled);
    return;
  }
  const auto as_here = thread_mask::as_here;
  if (!thread_.joinable() && !thread_.start(&event_desk::entry, this, ec, as_here)) return;
  functions_[index(what)].store(f.get(), std::memory_order_release);
  kept_.keep(std::move(f));
}

inline void event_desk::on_system(owned<system_function> f) {
  const std::lock_guard lock(changing_);
  if (finished_) return;
  system_.store(f.get());
  kept_system_.keep(std::move(f));
}

inline host_interests event_desk::interests() const noexcept {
  return {.reload = has(host_event::reload),
          .pause = has(host_event::pause) && has(host_event::resume),
          .user = has(host_event::user),
          .system = system_.load() != nullptr};
}

inline bool event_desk::event(host_event what, int code) noexcept {
  if (last_.load(std::memory_order_acquire) || !has(what)) return false;
  if (!queue_.push({what, code})) return false;
  door_.ring();
  return true;
}

inline std::uint32_t event_desk::answer(const system_event& what) noexcept {
  inside_.fetch_add(1);
  system_function* const f = system_.load();
  const std::uint32_t result = f != nullptr ? f->run(what) : 0;
  inside_.fetch_sub(1);
  return result;
}

inline void event_desk::serve() noexcept {
  for (;;) {
    const auto heard = door_.rings();
    event_queue::entry e;
    while (!last_.load(std::memory_order_acquire) && queue_.pop(e)) run(e);
    if (last_.load(std::memory_order_acquire)) return;
    door_.sleep(heard);
  }
}

/// Whatever becomes of a function, the host is told the state that follows. A reload in the middle
/// of the start leads to none: only main says that the start is over.
inline void event_desk::run(const event_queue::entry& e) noexcept {
  const bool reloads = e.what == host_event::reload && started_.load(std::memory_order_acquire);
  if (reloads) host_.reloading();
  const bool done = call(e);
  switch (e.what) {
    case host_event::reload: return reloads ? host_.ready() : void();
    case host_event::pause: return done ? host_.paused() : host_.resumed();
    case host_event::resume: return done ? host_.resumed() : host_.paused();
    case host_event::user: return;
  }
}

inline bool event_desk::call(const event_queue::entry& e) noexcept {
  function* const f = functions_[index(e.what)].load(std::memory_order_acquire);
  const std::exception_ptr error = attempt([&] { f->run(e.code); });
  if (error == nullptr) return true;
  static constexpr const char* names[kinds] = {"reload", "pause", "continue", "user code"};
  fixed_text<480> line(names[index(e.what)]);
  line.append(" failed: ").append(error_text(error).view());
  people_.write(severity::error, line.view());
  return false;
}

inline void event_desk::finish() noexcept {
  {
    const std::lock_guard lock(changing_);
    finished_ = true;
  }
  last_.store(true, std::memory_order_release);
  door_.ring();
  if (thread_.joinable()) thread_.join();
  system_.store(nullptr);
  for (unsigned spins = 0; inside_.load() != 0; ++spins) relax(spins);
  for (auto& f : functions_) f.store(nullptr, std::memory_order_relaxed);
  kept_.clear();  // here, since what they hold may take its time to go
  kept_system_.clear();
}

}  // namespace detail
CURFEW_END

#endif
