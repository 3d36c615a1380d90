// SPDX-License-Identifier: BSL-1.0
//
// A thread on POSIX systems: pthread_create with a signal mask.
#ifndef CURFEW_STOP_DETAIL_POSIX_THREAD_HPP
#define CURFEW_STOP_DETAIL_POSIX_THREAD_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <cstddef>
#include <new>
#include <system_error>
#include <utility>

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#if CURFEW_LINUX
#include <sys/prctl.h>
#endif

CURFEW_BEGIN
namespace detail {

/// Of a new thread. `none_but_faults`: only signals that tell of a fault of the thread itself reach
/// it, so that no signal of the program is ever delivered to a thread of ours. `as_here`: those
/// that reach the thread that starts it, as for any std::thread; programs that it starts inherit
/// that.
enum class thread_mask { none_but_faults, as_here };

class thread {
 public:
  using entry = void (*)(void*) noexcept;

  thread() noexcept = default;
  thread(thread&& other) noexcept
      : handle_(other.handle_), joinable_(std::exchange(other.joinable_, false)) {}
  thread& operator=(thread&& other) noexcept {
    handle_ = other.handle_;
    joinable_ = std::exchange(other.joinable_, false);
    return *this;
  }
  ~thread() = default;

  bool start(entry run, void* argument, std::error_code& ec,
             thread_mask mask = thread_mask::none_but_faults) noexcept;
  /// The same on memory of its own, which is never given back: in a forked child the system would
  /// hand out the stacks of the parent's other threads, and what stood on them may still be linked.
  bool start_on_new_stack(entry run, void* argument, std::error_code& ec) noexcept;
  [[nodiscard]] bool joinable() const noexcept { return joinable_; }
  void join() noexcept {
    pthread_join(handle_, nullptr);
    joinable_ = false;
  }
  void detach() noexcept {
    pthread_detach(handle_);
    joinable_ = false;
  }

 private:
  struct call {
    entry run;
    void* argument;
  };
  bool start(const pthread_attr_t* attributes, thread_mask mask, entry run, void* argument,
             std::error_code& ec) noexcept;
  static void* run(void* opaque) noexcept {
    const call c = *static_cast<call*>(opaque);
    delete static_cast<call*>(opaque);
    c.run(c.argument);
    return nullptr;
  }

  pthread_t handle_{};
  bool joinable_ = false;
};

/// Sets the calling thread's signal mask for its own life.
class scoped_thread_mask {
 public:
  explicit scoped_thread_mask(thread_mask mask) noexcept {
    sigset_t blocked;
    sigemptyset(&blocked);
    if (mask == thread_mask::none_but_faults) sigfillset(&blocked);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF})
      sigdelset(&blocked, fault);
    pthread_sigmask(SIG_BLOCK, &blocked, &kept_);
  }
  scoped_thread_mask(const scoped_thread_mask&) = delete;
  scoped_thread_mask& operator=(const scoped_thread_mask&) = delete;
  ~scoped_thread_mask() { pthread_sigmask(SIG_SETMASK, &kept_, nullptr); }

 private:
  sigset_t kept_;
};

inline bool thread::start(entry f, void* argument, std::error_code& ec, thread_mask mask) noexcept {
  return start(nullptr, mask, f, argument, ec);
}

inline bool thread::start_on_new_stack(entry f, void* argument, std::error_code& ec) noexcept {
  constexpr std::size_t guard = std::size_t{1} << 16;
  constexpr std::size_t size = std::size_t{1} << 23;  // only what is touched takes memory
  void* const block = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  pthread_attr_t attributes;
  if (block == MAP_FAILED || pthread_attr_init(&attributes) != 0) return start(f, argument, ec);
  mprotect(block, guard, PROT_NONE);
  pthread_attr_setstack(&attributes, static_cast<char*>(block) + guard, size - guard);
  const bool started = start(&attributes, thread_mask::none_but_faults, f, argument, ec);
  pthread_attr_destroy(&attributes);
  if (!started) munmap(block, size);
  return started;
}

inline bool thread::start(const pthread_attr_t* attributes, thread_mask mask, entry f,
                          void* argument, std::error_code& ec) noexcept {
  call* const c = new (std::nothrow) call{f, argument};
  if (c == nullptr) {
    ec = std::make_error_code(std::errc::not_enough_memory);
    return false;
  }
  const scoped_thread_mask masked(mask);
  const int error = pthread_create(&handle_, attributes, &thread::run, c);
  ec.assign(error, std::system_category());
  joinable_ = error == 0;
  if (!joinable_) delete c;
  return joinable_;
}

/// Timed waits of the calling thread end on time: by default Linux may add 50 us to each.
inline void make_punctual() noexcept {
#if CURFEW_LINUX
  prctl(PR_SET_TIMERSLACK, 1UL);
#endif
}

/// Has the functions called around every fork() of this process.
inline std::error_code at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
  return {pthread_atfork(before, in_parent, in_child), std::system_category()};
}

}  // namespace detail
CURFEW_END

#endif
#endif
