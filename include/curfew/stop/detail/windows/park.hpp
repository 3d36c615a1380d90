// SPDX-License-Identifier: BSL-1.0
//
// Parking on Windows: WaitOnAddress, which every module of the process shares. It is looked up at
// run time, since linking it would ask every user for a library; where the system lacks it, short
// naps take its place.
#ifndef CURFEW_STOP_DETAIL_WINDOWS_PARK_HPP
#define CURFEW_STOP_DETAIL_WINDOWS_PARK_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/stop/detail/windows/kernel32.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

CURFEW_BEGIN
namespace detail {

using thread_id = std::uintptr_t;

[[nodiscard]] inline thread_id this_thread() noexcept { return GetCurrentThreadId(); }

/// Sleep(0) offers the processor to threads that are ready; a longer nap lets a holder of lower
/// priority run.
inline void relax(unsigned spins) noexcept { Sleep(spins < 64 ? 0 : 1); }

struct address_wait {
  int(__stdcall* wait)(volatile void*, void*, decltype(sizeof(0)), unsigned long) = nullptr;
  void(__stdcall* wake_all)(void*) = nullptr;
  void(__stdcall* wake_one)(void*) = nullptr;
};

template <class F>
void look_up(F& target, HINSTANCE__* module, const char* name) noexcept {
  target = reinterpret_cast<F>(reinterpret_cast<void*>(GetProcAddress(module, name)));
}

inline address_wait look_up_address_functions() noexcept {
  address_wait f;
  HINSTANCE__* const module = GetModuleHandleA("kernelbase.dll");
  if (module == nullptr) return f;
  look_up(f.wait, module, "WaitOnAddress");
  look_up(f.wake_all, module, "WakeByAddressAll");
  look_up(f.wake_one, module, "WakeByAddressSingle");
  return f;
}

inline constinit address_wait the_address_wait;
inline constinit std::atomic<unsigned> address_wait_state{
    0};  // 0: unknown, 1: being stored, 2: known

/// Looked up once in a module. Two threads may both look; the release store of 2 publishes the
/// result of the one that stores.
inline address_wait address_functions() noexcept {
  if (address_wait_state.load(std::memory_order_acquire) == 2) return the_address_wait;
  const address_wait found = look_up_address_functions();
  unsigned unknown = 0;
  if (address_wait_state.compare_exchange_strong(unknown, 1, std::memory_order_relaxed)) {
    the_address_wait = found;
    address_wait_state.store(2, std::memory_order_release);
  }
  return found;
}

inline void park_for(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                     unsigned long milliseconds) noexcept {
  const address_wait f = address_functions();
  if (f.wait != nullptr) {
    f.wait(&word, &expected, sizeof expected, milliseconds);
  } else if (word.load(std::memory_order_acquire) == expected) {
    Sleep(1);
  }
}

inline void park(std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
  park_for(word, expected, 0xFFFFFFFFul);
}

inline bool park_until(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::chrono::steady_clock::time_point limit) noexcept {
  const auto now = std::chrono::steady_clock::now();
  if (limit <= now) return false;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(limit - now).count();
  park_for(word, expected, ms > 3'600'000 ? 3'600'000ul : static_cast<unsigned long>(ms));
  return true;
}

inline void unpark_all(std::atomic<std::uint32_t>& word) noexcept {
  const address_wait f = address_functions();
  if (f.wake_all != nullptr) f.wake_all(&word);
}

inline void unpark_one(std::atomic<std::uint32_t>& word) noexcept {
  const address_wait f = address_functions();
  if (f.wake_one != nullptr) f.wake_one(&word);
}

}  // namespace detail
CURFEW_END

#endif
#endif
