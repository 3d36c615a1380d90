// SPDX-License-Identifier: BSL-1.0
//
// Processes that end when the last handle of their job is closed, however its owner ends.
#ifndef CURFEW_HOST_WINDOWS_JOB_OBJECT_HPP
#define CURFEW_HOST_WINDOWS_JOB_OBJECT_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/kernel32.hpp>
#include <curfew/host/windows/last_error.hpp>

#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>

extern "C" {
__declspec(dllimport) void* __stdcall CreateJobObjectW(_SECURITY_ATTRIBUTES*, const wchar_t*);
__declspec(dllimport) int __stdcall AssignProcessToJobObject(void*, void*);
__declspec(dllimport) int __stdcall IsProcessInJob(void*, void*, int*);
}

CURFEW_BEGIN
namespace detail {

/// JOBOBJECT_EXTENDED_LIMIT_INFORMATION.
struct job_limits {
  std::int64_t user_times[2] = {};
  std::uint32_t flags = 0;
  std::size_t working_set[2] = {};
  std::uint32_t active_processes = 0;
  std::size_t affinity = 0;
  std::uint32_t priority = 0;
  std::uint32_t scheduling = 0;
  alignas(8) std::uint64_t io[6] = {};
  std::size_t memory[4] = {};
};
static_assert(sizeof(job_limits) == (sizeof(void*) == 8 ? 144 : 112));

/// Its handle is not inherited: a child that held one would keep the job alive.
class job_object {
 public:
  job_object() noexcept = default;  ///< none
  explicit job_object(std::error_code& ec) noexcept;
  job_object(job_object&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  job_object& operator=(job_object&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~job_object() {
    if (handle_ != nullptr) CloseHandle(handle_);
  }

  bool assign(void* process, std::error_code& ec) noexcept {
    ec.clear();
    if (AssignProcessToJobObject(handle_, process) == 0) ec = last_error();
    return !ec;
  }
  [[nodiscard]] bool contains(void* process) const noexcept {
    int within = 0;  // a job that is null would stand for any job
    return handle_ != nullptr && IsProcessInJob(process, handle_, &within) != 0 && within != 0;
  }

 private:
  [[nodiscard]] bool end_with_last_handle() const noexcept;

  void* handle_ = nullptr;
};

inline job_object::job_object(std::error_code& ec) noexcept
    : handle_(CreateJobObjectW(nullptr, nullptr)) {
  ec.clear();
  if (handle_ == nullptr || !end_with_last_handle()) ec = last_error();
  if (ec && handle_ != nullptr) CloseHandle(std::exchange(handle_, nullptr));
}

/// Found by name: a parameter of it is an enumeration of <windows.h>, which cannot be declared here
/// as well.
inline bool job_object::end_with_last_handle() const noexcept {
  using set_information = int(__stdcall*)(void*, int, void*, unsigned long);
  constexpr int extended_limits = 9;
  constexpr std::uint32_t kill_on_job_close = 0x2000;
  void* const found = reinterpret_cast<void*>(
      GetProcAddress(GetModuleHandleA("kernel32.dll"), "SetInformationJobObject"));
  job_limits limits;
  limits.flags = kill_on_job_close;
  return found != nullptr && reinterpret_cast<set_information>(found)(handle_, extended_limits,
                                                                      &limits, sizeof limits) != 0;
}

}  // namespace detail
CURFEW_END

#endif
#endif
