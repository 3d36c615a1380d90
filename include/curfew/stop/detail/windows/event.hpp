// SPDX-License-Identifier: BSL-1.0
//
// An event on Windows: a manual-reset event object.
#ifndef CURFEW_STOP_DETAIL_WINDOWS_EVENT_HPP
#define CURFEW_STOP_DETAIL_WINDOWS_EVENT_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/stop/detail/windows/kernel32.hpp>

#include <system_error>

extern "C" {
__declspec(dllimport) void* __stdcall CreateEventW(_SECURITY_ATTRIBUTES*, int, int, const wchar_t*);
__declspec(dllimport) int __stdcall SetEvent(void*);
__declspec(dllimport) void __stdcall SetLastError(unsigned long);
}

CURFEW_BEGIN
namespace detail {

class native_event {
 public:
  using native_handle_type = void*;  // HANDLE
  static constexpr native_handle_type none = nullptr;

  explicit native_event(std::error_code& ec) noexcept
      : handle_(CreateEventW(nullptr, 1, 0, nullptr)) {
    ec.assign(handle_ == none ? static_cast<int>(GetLastError()) : 0, std::system_category());
  }
  native_event(const native_event&) = delete;
  native_event& operator=(const native_event&) = delete;
  ~native_event() {
    const unsigned long kept = GetLastError();
    if (handle_ != none) CloseHandle(handle_);
    SetLastError(kept);
  }

  void signal() const noexcept {
    const unsigned long kept = GetLastError();
    SetEvent(handle_);
    SetLastError(kept);
  }
  [[nodiscard]] native_handle_type native_handle() const noexcept { return handle_; }

 private:
  native_handle_type handle_;
};

}  // namespace detail
CURFEW_END

#endif
#endif
