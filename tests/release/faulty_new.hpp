// SPDX-License-Identifier: BSL-1.0
// Replaces the global operator new of the test program that includes it (in one file of it): it
// counts allocations, and makes one of them fail when it is told to.
#pragma once

#include <curfew/config.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace test {

inline std::atomic<long> allocations{0};
inline std::atomic<long> fails_after{
    -1};  // so many more succeed, then one fails; negative: all succeed

/// How many allocations f makes.
template <class F>
long allocations_of(F f) {
  const long before = allocations.load();
  f();
  return allocations.load() - before;
}

/// f runs with its n-th allocation, counted from 0, failing.
template <class F>
void failing_allocation(long n, F f) {
  fails_after.store(n);
  f();
  fails_after.store(-1);
}

inline void* allocate(std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (fails_after.load() >= 0 && fails_after.fetch_sub(1) == 0) return nullptr;
  return std::malloc(size != 0 ? size : 1);
}

}  // namespace test

void* operator new(std::size_t size) {
  if (void* p = test::allocate(size)) return p;
#if CURFEW_EXCEPTIONS
  throw std::bad_alloc();
#else
  std::abort();
#endif
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return test::allocate(size);
}
// Not inlined: g++ then takes the pair apart and warns of malloc's counterpart.
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { operator delete(p); }
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }
void operator delete[](void* p, std::size_t) noexcept { operator delete(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { operator delete(p); }
