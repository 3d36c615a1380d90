// SPDX-License-Identifier: BSL-1.0
//
// Threads that belong together: they stop together, and end before their group does.
#ifndef CURFEW_STOP_TASK_GROUP_HPP
#define CURFEW_STOP_TASK_GROUP_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/detail/owned.hpp>
#include <curfew/stop/detail/park.hpp>
#include <curfew/stop/detail/thread.hpp>
#include <curfew/stop/reason.hpp>
#include <curfew/stop/stop_token.hpp>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN

class task_group;

namespace detail {

template <class F, class... Args>
concept callable = requires(F&& f, Args&&... args) {
  std::forward<F>(f)(std::forward<Args>(args)...);
};

template <class F>
concept task_function = std::constructible_from<std::decay_t<F>, F> &&
    (callable<std::decay_t<F>, stop_token> || callable<std::decay_t<F>>);

/// A thread's work and its place in the group's lists; the group's lock guards the links.
struct group_task {
  explicit group_task(task_group& g) noexcept : group(g) {}
  group_task(const group_task&) = delete;
  group_task& operator=(const group_task&) = delete;
  virtual ~group_task() = default;
  virtual std::error_code run(stop_token token) = 0;
  virtual void drop_function() noexcept = 0;

  task_group& group;
  group_task* next = nullptr;
  group_task** slot = nullptr;
  thread worker;
  std::atomic<thread_id> id{0};
};

/// How a task failed: by a code, by an exception, or by one that carries a code.
struct group_error {
  std::error_code code;
  std::exception_ptr thrown;
  bool obeyed = false;  // it ended because the group was stopped, and says just that

  explicit operator bool() const noexcept { return code || thrown != nullptr; }
};

}  // namespace detail

/// Runs each task on a thread of its own, with a token that is stopped when the group is: by its
/// parent, by request_stop, or by the first task that fails (cause `fault`, the error's value as
/// the code). A task fails by an exception, or by returning a std::error_code that is an error;
/// what else it returns is ignored. Its thread has the signal mask of the one that spawns it.
///
/// A task that was cut short, and says so by stopped_error (or by that error's code), has failed as
/// well: its work is not done. But the error of a task that failed on its own account goes first.
///
/// Thread safety: all members may be called from any thread, also by the tasks, except that join()
/// refuses a task of the group, and that the destructor must not race other calls. A stop callback
/// that a failing task's stop runs is on that task's thread, and so counts as the task.
class task_group {
 public:
  /// One allocation, for the group's context.
  explicit task_group(const stop_token& parent = {}) : source_(parent) {}
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;

  /// Stops the group and waits for all tasks. A failure that no join() has told is written to
  /// stderr, since a destructor cannot throw it and losing it would look like success; tasks that
  /// obeyed the stop are not failures here.
  ~task_group();

  /// Starts f(stop_token), or f() if it takes none; f is destroyed on its thread when it returns.
  /// A stopped group starts it as well, with a token that is stopped. Throws std::system_error when
  /// no thread or memory is to be had, and leaves the group as it was.
  template <detail::task_function F>
  void spawn(F&& f);
  template <detail::task_function F>
  void spawn(F&& f, std::error_code& ec);

  /// Returns when no task is left, those that tasks have spawned meanwhile included; throws the
  /// first error, a code as std::system_error. So does every further call. Called by a task of the
  /// group it throws std::errc::resource_deadlock_would_occur at once.
  void join();
  /// The same with the first error's code; an exception that carries none is still thrown.
  void join(std::error_code& ec);

  [[nodiscard]] stop_token token() const noexcept { return source_.get_token(); }
  bool request_stop(stop_reason reason = {}) noexcept { return source_.request_stop(reason); }

 private:
  using task = detail::group_task;
  using group_error = detail::group_error;

  void launch(detail::owned<task> t, std::error_code& ec) noexcept;
  static void enter(void* opaque) noexcept;
  void run(task& t) noexcept;
  void fail(std::error_code code, std::exception_ptr thrown) noexcept;
  void finish(task& t) noexcept;

  void link(task& t) noexcept;
  bool unlink(task& t) noexcept;
  [[nodiscard]] bool called_by_task() noexcept;
  void await_tasks() noexcept;
  static void bury(detail::owned<task> finished) noexcept;
  [[nodiscard]] group_error first_error() noexcept;
  static void complain(const group_error& e) noexcept;

  stop_source source_;
  std::mutex mutex_;
  task* running_ = nullptr;
  detail::owned<task> finished_;  // the last one; each joins the one before it
  group_error error_;
  bool told_ = false;
  std::atomic<std::uint32_t> unfinished_{0};  // the length of running_, to park on
};

namespace detail {

template <class F>
struct group_task_of final : group_task {
  template <class G>
  group_task_of(task_group& g, G&& f)
      : group_task(g), function(std::in_place, std::forward<G>(f)) {}

  std::error_code run(stop_token token) override {
    if constexpr (callable<F, stop_token>) {
      return call(std::move(token));
    } else {
      return call();
    }
  }
  void drop_function() noexcept override { function.reset(); }

  template <class... Args>
  std::error_code call(Args&&... args) {
    using result = decltype((*std::move(function))(std::forward<Args>(args)...));
    if constexpr (std::same_as<std::remove_cvref_t<result>, std::error_code>) {
      return (*std::move(function))(std::forward<Args>(args)...);
    } else {
      static_cast<void>((*std::move(function))(std::forward<Args>(args)...));
      return {};
    }
  }

  std::optional<F> function;
};

/// Whether the code is the one that stopped_error has after a stop of this kind.
inline bool tells_of_stop(std::error_code code, stop_cause cause) noexcept {
  if (cause == stop_cause::none) return false;
  return code ==
         (cause == stop_cause::deadline ? std::errc::timed_out : std::errc::operation_canceled);
}

}  // namespace detail

inline task_group::~task_group() {
  if (called_by_task()) {
    detail::fatal(
        "a task_group is destroyed by one of its own tasks, which it has to wait for; let whoever "
        "made it destroy it");
  }
  request_stop();
  await_tasks();
  if (error_ && !error_.obeyed && !told_) complain(error_);
}

template <detail::task_function F>
void task_group::spawn(F&& f) {
  std::error_code ec;
  spawn(std::forward<F>(f), ec);
  if (ec) {
    detail::throw_error_code(ec,
                             "task_group::spawn: no thread: each task has one of its own; spawn "
                             "fewer, or raise the limit of threads");
  }
}

template <detail::task_function F>
void task_group::spawn(F&& f, std::error_code& ec) {
  using node = detail::group_task_of<std::decay_t<F>>;
  detail::owned<task> t(new (std::nothrow) node(*this, std::forward<F>(f)));
  if (t) {
    launch(std::move(t), ec);
  } else {
    ec = std::make_error_code(std::errc::not_enough_memory);
  }
}

/// Under the lock, so that a task cannot finish before it is known and its thread's handle stored.
inline void task_group::launch(detail::owned<task> t, std::error_code& ec) noexcept {
  const std::lock_guard guard(mutex_);
  link(*t);
  if (t->worker.start(&enter, t.get(), ec, detail::thread_mask::as_here)) {
    static_cast<void>(t.release());
  } else if (unlink(*t)) {
    detail::unpark_all(unfinished_);
  }
}

inline void task_group::enter(void* opaque) noexcept {
  task& t = *static_cast<task*>(opaque);
  task_group& group = t.group;
  t.id.store(detail::this_thread(), std::memory_order_relaxed);
  group.run(t);
  t.drop_function();
  group.finish(t);
}

inline void task_group::run(task& t) noexcept {
#if CURFEW_EXCEPTIONS
  try {
    if (const std::error_code ec = t.run(token())) fail(ec, nullptr);
  } catch (const std::system_error& e) {
    fail(e.code(), std::current_exception());
  } catch (...) {
    fail({}, std::current_exception());
  }
#else
  if (const std::error_code ec = t.run(token())) fail(ec, nullptr);
#endif
}

inline void task_group::fail(std::error_code code, std::exception_ptr thrown) noexcept {
  const bool obeyed = detail::tells_of_stop(code, token().reason().cause);
  {
    const std::lock_guard guard(mutex_);
    if (!error_ || (error_.obeyed && !obeyed)) error_ = {code, std::move(thrown), obeyed};
  }
  request_stop({.cause = stop_cause::fault, .code = code.value()});
}

/// Each finished thread waits for the end of the one that finished before it, so that one at most
/// is left over, and whoever waits for the last has waited for all. After the lock is released, the
/// group is there only because its owner waits for this very thread.
inline void task_group::finish(task& t) noexcept {
  detail::owned<task> before;
  {
    const std::lock_guard guard(mutex_);
    before = std::exchange(finished_, detail::owned<task>(&t));
    if (unlink(t)) detail::unpark_all(unfinished_);
  }
  bury(std::move(before));
}

inline void task_group::link(task& t) noexcept {
  t.next = running_;
  t.slot = &running_;
  if (running_ != nullptr) running_->slot = &t.next;
  running_ = &t;
  unfinished_.fetch_add(1, std::memory_order_relaxed);
}

/// True: that was the last one.
inline bool task_group::unlink(task& t) noexcept {
  *t.slot = t.next;
  if (t.next != nullptr) t.next->slot = t.slot;
  return unfinished_.fetch_sub(1, std::memory_order_release) == 1;
}

inline bool task_group::called_by_task() noexcept {
  const detail::thread_id me = detail::this_thread();
  const std::lock_guard guard(mutex_);
  for (const task* t = running_; t != nullptr; t = t->next) {
    if (t->id.load(std::memory_order_relaxed) == me) return true;
  }
  return false;
}

inline void task_group::await_tasks() noexcept {
  while (const std::uint32_t left = unfinished_.load(std::memory_order_acquire)) {
    detail::park(unfinished_, left);
  }
  detail::owned<task> last;
  {
    const std::lock_guard guard(mutex_);
    last = std::move(finished_);
  }
  bury(std::move(last));
}

inline void task_group::bury(detail::owned<task> finished) noexcept {
  if (finished) finished->worker.join();
}

inline detail::group_error task_group::first_error() noexcept {
  const std::lock_guard guard(mutex_);
  told_ = true;
  return error_;
}

inline void task_group::join() {
  if (called_by_task()) {
    detail::throw_errc(std::errc::resource_deadlock_would_occur,
                       "task_group::join was called by one of the group's own tasks, which it "
                       "would wait for; call it from outside");
  }
  await_tasks();
  const group_error e = first_error();
#if CURFEW_EXCEPTIONS
  if (e.thrown != nullptr) std::rethrow_exception(e.thrown);
#endif
  if (e.code) {
    detail::throw_error_code(e.code,
                             "a task of a task_group failed: the first that does stops the "
                             "others; see what it says");
  }
}

inline void task_group::join(std::error_code& ec) {
  if (called_by_task()) {
    ec = std::make_error_code(std::errc::resource_deadlock_would_occur);
    return;
  }
  await_tasks();
  const group_error e = first_error();
  ec = e.code;
#if CURFEW_EXCEPTIONS
  if (e.thrown != nullptr && !e.code) std::rethrow_exception(e.thrown);
#endif
}

inline void task_group::complain(const group_error& e) noexcept {
  const auto say = [](const char* what) {
    std::fprintf(stderr,
                 "curfew: a task failed and its task_group was never joined, by which its error is "
                 "told; call join(): %s\n",
                 what != nullptr ? what : "an exception that says nothing");
  };
#if CURFEW_EXCEPTIONS
  try {
    if (e.thrown != nullptr) std::rethrow_exception(e.thrown);
    say(e.code.message().c_str());
  } catch (const std::exception& thrown) {
    say(thrown.what());
  } catch (...) {
    say("an exception of unknown type");
  }
#else
  say(e.code.message().c_str());
#endif
}

CURFEW_END

#endif
