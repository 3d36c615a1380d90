// SPDX-License-Identifier: BSL-1.0
//
// The end of another process on Windows: a handle, which keeps the number from being given again.
#ifndef CURFEW_SERVICE_DETAIL_WINDOWS_PROCESS_WATCH_HPP
#define CURFEW_SERVICE_DETAIL_WINDOWS_PROCESS_WATCH_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/stop/detail/windows/kernel32.hpp>
#include <curfew/stop/stop_event.hpp>
#include <curfew/stop/stop_token.hpp>

#include <chrono>
#include <cstdint>
#include <system_error>

extern "C" {
__declspec(dllimport) void* __stdcall OpenProcess(unsigned long, int, unsigned long);
__declspec(dllimport) unsigned long __stdcall WaitForMultipleObjects(unsigned long, void* const*,
                                                                     int, unsigned long);
}

CURFEW_BEGIN
namespace detail {

class process_watch {
 public:
  process_watch() noexcept = default;
  process_watch(const process_watch&) = delete;
  process_watch& operator=(const process_watch&) = delete;
  ~process_watch() { watch(0); }

  /// One that may not be opened is not known; one that is not there has ended.
  void watch(std::int64_t pid) noexcept {
    constexpr unsigned long synchronize = 0x0010'0000, invalid_parameter = 87;
    if (process_ != nullptr) CloseHandle(process_);
    const auto number = static_cast<unsigned long>(pid);
    process_ = pid > 0 ? OpenProcess(synchronize, 0, number) : nullptr;
    gone_ = pid > 0 && process_ == nullptr && GetLastError() == invalid_parameter;
  }
  [[nodiscard]] bool known() const noexcept { return process_ != nullptr || gone_; }

  [[nodiscard]] bool ended() const noexcept {
    return process_ != nullptr ? WaitForSingleObject(process_, 0) == 0 : gone_;
  }

  bool await_end(const stop_token& limit) const {
    std::error_code ec;
    const stop_event over(limit, ec);
    while (!ended() && !limit.stop_requested()) {
      void* const both[] = {process_, over.native_handle()};
      if (process_ != nullptr && !ec) {
        static_cast<void>(WaitForMultipleObjects(2, both, 0, 0xffff'ffffUL));
      } else {
        static_cast<void>(limit.wait_for(std::chrono::milliseconds(20)));
      }
    }
    return ended();
  }

 private:
  void* process_ = nullptr;
  bool gone_ = false;  // there was none when it was to be watched
};

}  // namespace detail
CURFEW_END

#endif
#endif
