// SPDX-License-Identifier: BSL-1.0
//
// The process's time source: a timing wheel and two threads of ours, one that latches what is due
// and one that runs callbacks, so that a slow callback keeps no flag waiting.
#ifndef CURFEW_STOP_DETAIL_PROCESS_CLOCK_HPP
#define CURFEW_STOP_DETAIL_PROCESS_CLOCK_HPP

#include <curfew/stop/detail/expiring.hpp>
#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/detail/thread.hpp>
#include <curfew/stop/detail/timing_wheel.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// Immortal: initialised at compile time, trivially destructible, its threads detached. There is
/// one in each module whose symbols are hidden; contexts carry the address of theirs.
///
/// Locks, in this order: pass_, a context's, wheel_lock_. pass_ is held while a thread of ours
/// touches a context, and never over a callback. fork() is let through only while pass_,
/// wheel_lock_ and the queue's lock are free, so the child finds everything whole, and starts
/// threads of its own if there is anything left to do for them.
class process_clock final : public time_source {
 public:
  constexpr process_clock() noexcept : time_source(steady_tag{}) {}

  [[nodiscard]] time_point now() const noexcept override { return clock::now(); }

  // fire_context() calls these around the callbacks of the runner.
  void lock() noexcept;
  void unlock() noexcept { pass_.unlock(); }
  void about_to_run(const callback_base& cb) noexcept;

 private:
  using tick = timing_wheel::tick;
  static constexpr std::chrono::seconds slow{1};

  // Declared inline: were the first virtual function not, each object that includes this would hold
  // the table of them all, and whatever they reach.
  inline bool arm(timer_entry& e, std::error_code& ec) noexcept override;
  inline void disarm(timer_entry& e) noexcept override;

  bool start(std::error_code& ec) noexcept;
  bool start_driver(std::error_code& ec) noexcept;
  [[noreturn]] static void drive(void* self) noexcept;
  [[noreturn]] static void run(void* self) noexcept;
  time_point pass() noexcept;
  void plan() noexcept;
  void hand_over() noexcept;
  void fire_pending() noexcept;
  [[nodiscard]] context* take() noexcept;
  void put_away(context& c) noexcept;
  void name_slow_callback() noexcept;
  static void tell_slow(void* name) noexcept;
  bool begin(thread& t, thread::entry body, void* argument, std::error_code& ec) noexcept;

  static void before_fork() noexcept;
  static void after_fork_in_parent() noexcept;
  static void after_fork_in_child() noexcept;
  bool last_after_fork() noexcept;
  void begin_again() noexcept;
  [[nodiscard]] context* give_back_current() noexcept;
  void cut_off_other_threads() noexcept;
  static void reset_locks_around(context& top) noexcept;

  spin_lock pass_;
  std::atomic<bool> driving_{false};  // stored under pass_; the acquire load sees a whole start
  bool running_ = false;              // there is a runner; changed by the driver, under pass_
  bool forked_ = false;               // this process is a fork's child; changed with pass_ held
  // The handlers may come to be registered twice, by two first deadlines: they notice.
  std::atomic<bool> watches_fork_{false};
  std::atomic<thread_id> forker_{0};  // who is between before_fork() and after it
  unsigned fork_depth_ = 0;           // how many times over; the forker's own

  spin_lock wheel_lock_;
  timing_wheel wheel_;
  timer_entry* due_ = nullptr;           // guarded by wheel_lock_
  tick planned_ = timing_wheel::never;   // when the driver wakes by itself; guarded by wheel_lock_
  std::atomic<std::uint32_t> alarm_{0};  // the driver parks here; changed under wheel_lock_

  fire_queue queue_;
  std::atomic<std::uint32_t> work_{
      0};  // the runner parks here; changed by the driver, after a push
  // What the runner is at; guarded by pass_.
  context* current_ = nullptr;
  thread_id runner_ = 0;
  const char* (*callback_)() noexcept = nullptr;
  time_point callback_began_{};
};

inline constinit process_clock the_process_clock;

// --- arming -------------------------------------------------------------------------------------

inline bool process_clock::arm(timer_entry& e, std::error_code& ec) noexcept {
  if (!start(ec)) return false;
  {
    const spin_guard guard(wheel_lock_);
    const tick due = wheel_.insert(e);
    if (due >= planned_) return true;  // the driver wakes before it anyway: no system call
    planned_ = due;
    alarm_.fetch_add(1, std::memory_order_release);
  }
  unpark_one(alarm_);
  return true;
}

// The driver is not told: it wakes at the time it planned and finds nothing.
inline void process_clock::disarm(timer_entry& e) noexcept {
  const spin_guard guard(wheel_lock_);
  if (e.slot != nullptr) unlink_timer(e);
}

// --- the driver ---------------------------------------------------------------------------------

inline bool process_clock::start(std::error_code& ec) noexcept {
  if (driving_.load(std::memory_order_acquire)) return true;
  if (!watches_fork_.load(std::memory_order_relaxed)) {
    ec = at_fork(&before_fork, &after_fork_in_parent, &after_fork_in_child);
    if (ec) return false;
    watches_fork_.store(true, std::memory_order_relaxed);
  }
  const spin_guard guard(pass_);
  return driving_.load(std::memory_order_relaxed) || start_driver(ec);
}

inline bool process_clock::start_driver(std::error_code& ec) noexcept {
  thread driver;
  if (!begin(driver, &drive, this, ec)) return false;
  driver.detach();
  driving_.store(true, std::memory_order_release);
  return true;
}

inline bool process_clock::begin(thread& t, thread::entry body, void* argument,
                                 std::error_code& ec) noexcept {
  return forked_ ? t.start_on_new_stack(body, argument, ec) : t.start(body, argument, ec);
}

inline void process_clock::drive(void* self) noexcept {
  auto& clock = *static_cast<process_clock*>(self);
  make_punctual();
  for (;;) {
    // Read before the pass: whoever arms after it changes the word, and parking returns at once.
    const std::uint32_t seen = clock.alarm_.load(std::memory_order_acquire);
    const std::uint32_t work = clock.work_.load(std::memory_order_relaxed);
    const time_point wake = clock.pass();
    // Only now: a runner that wakes at once finds the lock of the pass free.
    if (clock.work_.load(std::memory_order_relaxed) != work) unpark_one(clock.work_);
    if (!clock.running_) clock.fire_pending();
    park_until(clock.alarm_, seen, wake);
  }
}

/// Latches all that is due, and hands over what is to be run; returns when to look again.
inline time_source::time_point process_clock::pass() noexcept {
  const spin_guard guard(pass_);
  {
    const spin_guard wheel_guard(wheel_lock_);
    wheel_.advance(timing_wheel::passed(now()), due_);
  }
  expire_due(wheel_lock_, due_, queue_);
  const bool busy = current_ != nullptr || !queue_.empty();
  if (busy) hand_over();
  name_slow_callback();
  const spin_guard wheel_guard(wheel_lock_);
  plan();
  const time_point next = timing_wheel::time_of(planned_);
  const time_point look = (callback_ != nullptr ? callback_began_ : now()) + slow;
  return busy && look < next ? look : next;
}

/// A time that it was told stays until it has passed, also if its deadline is gone by then: one
/// idle wake, where looking for the next deadline would have the one after that wake it again.
inline void process_clock::plan() noexcept {
  const tick next = wheel_.next();
  if (next < planned_ || planned_ <= timing_wheel::passed(now())) planned_ = next;
}

// If no second thread can be had, the driver runs the callbacks, once the flags are latched.
inline void process_clock::hand_over() noexcept {
  if (!running_) {
    std::error_code ec;
    thread runner;
    running_ = begin(runner, &run, this, ec);
    if (running_) runner.detach();
  }
  work_.fetch_add(1, std::memory_order_release);
}

// Told by a thread of its own: stderr may be a pipe that nobody reads, and deadlines do not wait.
inline void process_clock::name_slow_callback() noexcept {
  if (callback_ == nullptr || now() - callback_began_ < slow) return;
  std::error_code ec;
  thread teller;
  void* const name = reinterpret_cast<void*>(std::exchange(callback_, nullptr));
  if (begin(teller, &tell_slow, name, ec)) teller.detach();
}

inline void process_clock::tell_slow(void* name) noexcept {
  std::fprintf(stderr,
               "curfew: a stop callback has been running for a second on the thread that runs the "
               "callbacks of deadlines, where those of others wait for it; let it hand its work to "
               "another thread: %s\n",
               reinterpret_cast<const char* (*)() noexcept>(name)());
}

// --- the runner ---------------------------------------------------------------------------------

inline void process_clock::run(void* self) noexcept {
  auto& clock = *static_cast<process_clock*>(self);
  for (;;) {
    const std::uint32_t seen = clock.work_.load(std::memory_order_acquire);
    clock.fire_pending();
    park(clock.work_, seen);
  }
}

inline void process_clock::fire_pending() noexcept {
  while (context* c = take()) {
    fire_context(*c, *this);
    put_away(*c);
  }
}

inline context* process_clock::take() noexcept {
  const spin_guard guard(pass_);
  runner_ = this_thread();
  return current_ = queue_.pop();
}

inline void process_clock::put_away(context& c) noexcept {
  const spin_guard guard(pass_);
  current_ = nullptr;
  unpin(c);
}

inline void process_clock::lock() noexcept {
  pass_.lock();
  callback_ = nullptr;
}

inline void process_clock::about_to_run(const callback_base& cb) noexcept {
  callback_ = cb.type->name;
  callback_began_ = now();
}

// --- fork ---------------------------------------------------------------------------------------

inline void process_clock::before_fork() noexcept {
  process_clock& c = the_process_clock;
  if (c.forker_.load(std::memory_order_relaxed) != this_thread()) {
    c.pass_.lock();
    c.wheel_lock_.lock();
    c.queue_.lock();
    c.forker_.store(this_thread(), std::memory_order_relaxed);
  }
  ++c.fork_depth_;
}

inline bool process_clock::last_after_fork() noexcept {
  if (--fork_depth_ != 0) return false;
  forker_.store(0, std::memory_order_relaxed);
  return true;
}

inline void process_clock::after_fork_in_parent() noexcept {
  process_clock& c = the_process_clock;
  if (!c.last_after_fork()) return;
  c.queue_.unlock();
  c.wheel_lock_.unlock();
  c.pass_.unlock();
}

inline void process_clock::after_fork_in_child() noexcept {
  if (the_process_clock.last_after_fork()) the_process_clock.begin_again();
}

/// The threads are the parent's. Unless the child was forked inside a callback: then this thread is
/// one of ours, and goes on being it when the callback returns. A child that only polls has no
/// other way to see its deadlines than a driver of its own; if no thread can be had now, the next
/// deadline that is armed tries again.
inline void process_clock::begin_again() noexcept {
  cut_off_other_threads();
  queue_.reset_context_locks();
  queue_.unlock();
  callback_ = nullptr;
  const bool ours = current_ != nullptr && runner_ == this_thread();
  context* const orphan = ours ? nullptr : give_back_current();
  const bool driving = ours && !running_;
  running_ = ours && running_;
  forked_ = true;
  driving_.store(driving, std::memory_order_relaxed);
  const bool work = wheel_.next() != timing_wheel::never || due_ != nullptr || !queue_.empty();
  wheel_lock_.unlock();
  std::error_code ec;
  if (work && !driving) start_driver(ec);
  pass_.unlock();
  if (orphan != nullptr) unpin(*orphan);
}

/// The callback that the parent's runner was in counts as run; those after it are run here. Returns
/// the context that the runner had pinned.
inline context* process_clock::give_back_current() noexcept {
  context* const c = std::exchange(current_, nullptr);
  if (c == nullptr) return nullptr;
  c->lock.reset();
  const spin_guard guard(c->lock);
  if ((own_bits(*c) & firing_bit) != 0) end_firing(*c);
  if (c->callbacks != nullptr) queue_.push(*c);
  return c;
}

/// Inplace contexts that other threads armed may stand on stacks that will be used again. Around
/// the others that are armed, no lock is held: who held it does not exist here.
inline void process_clock::cut_off_other_threads() noexcept {
  wheel_.for_each([](timer_entry& e) noexcept {
    context& c = static_cast<context&>(e);
    reset_locks_around(c);
    const inplace_context* const scoped = as_inplace(&c);
    if (scoped == nullptr || scoped->armed_by == this_thread()) return;
    unlink_timer(e);
    for_each_link(c, [](link& l) noexcept {
      unlink_child(l);
      l.set_parent(nullptr);  // whose dependant it stays: its owner is gone
    });
  });
}

/// Its own, its ancestors', and those below it, but for what is armed itself.
inline void process_clock::reset_locks_around(context& top) noexcept {
  for (context* c = &top; c != nullptr; c = c->parent()) {
    c->lock.reset();
    for_each_link(*c, [](link& l) noexcept { l.parent()->lock.reset(); });
  }
  context* c = &top;
  for (link* next = c->children;;) {
    while (next != nullptr && (own_bits(next->child()) & timed_bit) != 0) next = next->next;
    if (next != nullptr) {
      c = &next->child();
      arrive(*c, *next);
      c->lock.reset();
      next = c->children;
    } else if (c != &top) {
      const link* const via = arrival(*c);
      c = via->parent();
      next = via->next;
    } else {
      return;
    }
  }
}

}  // namespace detail

inline time_source& time_source::process() noexcept { return detail::the_process_clock; }

CURFEW_END

#endif
