// SPDX-License-Identifier: BSL-1.0
//
// A thread on POSIX systems: pthread_create with every signal blocked.
#ifndef CURFEW_STOP_DETAIL_POSIX_THREAD_HPP
#define CURFEW_STOP_DETAIL_POSIX_THREAD_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <cstddef>
#include <memory>
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

  bool start(entry run, void* argument, std::error_code& ec) noexcept;
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
  bool start(const pthread_attr_t* attributes, entry run, void* argument,
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

inline bool thread::start(entry f, void* argument, std::error_code& ec) noexcept {
  return start(nullptr, f, argument, ec);
}

inline bool thread::start_on_new_stack(entry f, void* argument, std::error_code& ec) noexcept {
  constexpr std::size_t guard = std::size_t{1} << 16;
  constexpr std::size_t size = std::size_t{1} << 23;  // only what is touched takes memory
  void* const block = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  pthread_attr_t attributes;
  if (block == MAP_FAILED || pthread_attr_init(&attributes) != 0) return start(f, argument, ec);
  mprotect(block, guard, PROT_NONE);
  pthread_attr_setstack(&attributes, static_cast<char*>(block) + guard, size - guard);
  const bool started = start(&attributes, f, argument, ec);
  pthread_attr_destroy(&attributes);
  if (!started) munmap(block, size);
  return started;
}

inline bool thread::start(const pthread_attr_t* attributes, entry f, void* argument,
                          std::error_code& ec) noexcept {
  std::unique_ptr<call> c(new (std::nothrow) call{f, argument});
  if (c == nullptr) {
    ec = std::make_error_code(std::errc::not_enough_memory);
    return false;
  }
  sigset_t all;
  sigset_t kept;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &kept);
  const int error = pthread_create(&handle_, attributes, &thread::run, c.get());
  pthread_sigmask(SIG_SETMASK, &kept, nullptr);
  ec.assign(error, std::system_category());
  if (error != 0) return false;
  static_cast<void>(c.release());
  return joinable_ = true;
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
