// SPDX-License-Identifier: BSL-1.0
//
// A thread on Windows.
#ifndef CURFEW_STOP_DETAIL_WINDOWS_THREAD_HPP
#define CURFEW_STOP_DETAIL_WINDOWS_THREAD_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/stop/detail/windows/kernel32.hpp>

#include <new>
#include <system_error>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// There are no signals to mask here.
enum class thread_mask { none_but_faults, as_here };

class thread {
 public:
  using entry = void (*)(void*) noexcept;

  thread() noexcept = default;
  thread(thread&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  thread& operator=(thread&& other) noexcept {
    handle_ = std::exchange(other.handle_, nullptr);
    return *this;
  }
  ~thread() = default;

  bool start(entry run, void* argument, std::error_code& ec,
             thread_mask = thread_mask::none_but_faults) noexcept;
  bool start_on_new_stack(entry f, void* argument, std::error_code& ec) noexcept {
    return start(f, argument, ec);
  }
  [[nodiscard]] bool joinable() const noexcept { return handle_ != nullptr; }
  void join() noexcept {
    WaitForSingleObject(handle_, 0xFFFFFFFFul);
    detach();
  }
  void detach() noexcept {
    CloseHandle(handle_);
    handle_ = nullptr;
  }

 private:
  struct call {
    entry run;
    void* argument;
  };
  static unsigned long __stdcall run(void* opaque) noexcept {
    const call c = *static_cast<call*>(opaque);
    delete static_cast<call*>(opaque);
    c.run(c.argument);
    return 0;
  }

  void* handle_ = nullptr;
};

inline bool thread::start(entry f, void* argument, std::error_code& ec, thread_mask) noexcept {
  call* const c = new (std::nothrow) call{f, argument};
  if (c == nullptr) {
    ec = std::make_error_code(std::errc::not_enough_memory);
    return false;
  }
  handle_ = CreateThread(nullptr, 0, &thread::run, c, 0, nullptr);
  if (handle_ == nullptr) {
    ec.assign(static_cast<int>(GetLastError()), std::system_category());
    delete c;
    return false;
  }
  ec.clear();
  return true;
}

inline void make_punctual() noexcept {}

/// There is no fork here.
inline std::error_code at_fork(void (*)(), void (*)(), void (*)()) noexcept { return {}; }

}  // namespace detail
CURFEW_END

#endif
#endif
