// SPDX-License-Identifier: BSL-1.0
// Replaces the global operator new of the test program that includes it (in one file of it), so
// that a test can say how many allocations a piece of code makes and what it leaves behind.
#pragma once

#include <curfew/config.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#if CURFEW_WINDOWS
#include <malloc.h>
#endif

namespace test {

struct allocation_counts {
  std::atomic<long> made{0};
  std::atomic<long> freed{0};
  std::atomic<std::size_t> largest{0};
};

inline allocation_counts& allocation_totals() noexcept {
  static allocation_counts totals;
  return totals;
}

// What happened between its construction and the call.
class allocation_tally {
 public:
  allocation_tally() noexcept { allocation_totals().largest.store(0, std::memory_order_relaxed); }
  long made() const noexcept { return allocation_totals().made.load() - made_; }
  long left() const noexcept { return made() - (allocation_totals().freed.load() - freed_); }
  std::size_t largest() const noexcept { return allocation_totals().largest.load(); }

 private:
  long made_ = allocation_totals().made.load();
  long freed_ = allocation_totals().freed.load();
};

namespace detail {

inline void* counted(void* block, std::size_t size) noexcept {
  auto& totals = allocation_totals();
  if (block == nullptr) std::abort();
  totals.made.fetch_add(1, std::memory_order_relaxed);
  std::size_t largest = totals.largest.load(std::memory_order_relaxed);
  while (largest < size && !totals.largest.compare_exchange_weak(largest, size)) {
  }
  return block;
}

inline void* allocate(std::size_t size) noexcept {
  return counted(std::malloc(size != 0 ? size : 1), size);
}

inline void* allocate(std::size_t size, std::align_val_t alignment) noexcept {
  const auto align = static_cast<std::size_t>(alignment);
#if CURFEW_WINDOWS
  return counted(_aligned_malloc(size, align), size);
#else
  return counted(std::aligned_alloc(align, (size + align - 1) / align * align), size);
#endif
}

inline void note_freed(void* block) noexcept {
  if (block != nullptr) allocation_totals().freed.fetch_add(1, std::memory_order_relaxed);
}

inline void release(void* block) noexcept {
  note_freed(block);
  std::free(block);
}

inline void release_aligned(void* block) noexcept {
  note_freed(block);
#if CURFEW_WINDOWS
  _aligned_free(block);
#else
  std::free(block);
#endif
}

}  // namespace detail
}  // namespace test

void* operator new(std::size_t n) { return test::detail::allocate(n); }
void* operator new[](std::size_t n) { return test::detail::allocate(n); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  return test::detail::allocate(n);
}
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept {
  return test::detail::allocate(n);
}
void* operator new(std::size_t n, std::align_val_t a) { return test::detail::allocate(n, a); }
void* operator new[](std::size_t n, std::align_val_t a) { return test::detail::allocate(n, a); }
void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return test::detail::allocate(n, a);
}
void operator delete(void* p) noexcept { test::detail::release(p); }
void operator delete[](void* p) noexcept { test::detail::release(p); }
void operator delete(void* p, std::size_t) noexcept { test::detail::release(p); }
void operator delete[](void* p, std::size_t) noexcept { test::detail::release(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { test::detail::release(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { test::detail::release(p); }
void operator delete(void* p, std::align_val_t) noexcept { test::detail::release_aligned(p); }
void operator delete[](void* p, std::align_val_t) noexcept { test::detail::release_aligned(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  test::detail::release_aligned(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
  test::detail::release_aligned(p);
}
