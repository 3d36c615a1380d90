// SPDX-License-Identifier: BSL-1.0
//
// The memory of a resource stack: entries are cut from few large blocks, and all of them are given
// back at once, by the report that took them over.
#ifndef CURFEW_RELEASE_DETAIL_ARENA_HPP
#define CURFEW_RELEASE_DETAIL_ARENA_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/bounds.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// Hands out memory of any alignment and destroys nothing that was built in it.
class arena {
 public:
  arena() noexcept = default;
  arena(arena&& other) noexcept { swap(other); }
  arena& operator=(arena&& other) noexcept {
    arena{std::move(other)}.swap(*this);
    return *this;
  }
  ~arena();

  /// May throw std::bad_alloc, and then has changed nothing.
  [[nodiscard]] void* allocate(std::size_t size, std::size_t alignment);
  /// Takes back what was handed out last; anything else stays in use until the arena ends.
  void give_back(void* spot, std::size_t size) noexcept;
  void swap(arena& other) noexcept;

 private:
  struct block {
    block* older;
  };
  static constexpr std::size_t first_block = 1024;
  static constexpr std::size_t largest_block = 64 * 1024;  // but for an entry that is larger

  [[nodiscard]] std::size_t gap_before(std::size_t alignment) const noexcept;
  void add_block(std::size_t least);

  block* newest_ = nullptr;
  std::byte* free_ = nullptr;  // what is left of the newest block: from here
  std::byte* end_ = nullptr;   // to here
  std::size_t next_size_ = first_block;
};

inline arena::~arena() {
  while (newest_ != nullptr) ::operator delete(std::exchange(newest_, newest_->older));
}

inline void arena::swap(arena& other) noexcept {
  std::swap(newest_, other.newest_);
  std::swap(free_, other.free_);
  std::swap(end_, other.end_);
  std::swap(next_size_, other.next_size_);
}

/// From what is free to the next multiple of a power of two.
inline std::size_t arena::gap_before(std::size_t alignment) const noexcept {
  return (0 - reinterpret_cast<std::uintptr_t>(free_)) & (alignment - 1);
}

inline void* arena::allocate(std::size_t size, std::size_t alignment) {
  std::size_t gap = gap_before(alignment);
  if (gap + size > static_cast<std::size_t>(end_ - free_)) {
    add_block(size + alignment);
    gap = gap_before(alignment);
  }
  std::byte* const spot = free_ + gap;
  free_ = spot + size;
  return spot;
}

inline void arena::give_back(void* spot, std::size_t size) noexcept {
  std::byte* const first = static_cast<std::byte*>(spot);
  if (first + size == free_) free_ = first;
}

/// What is left of the block before is not used again.
CURFEW_SELDOM inline void arena::add_block(std::size_t least) {
  const std::size_t size = greater(next_size_, sizeof(block) + least);
  newest_ = ::new (::operator new(size)) block{newest_};
  free_ = reinterpret_cast<std::byte*>(newest_ + 1);
  end_ = reinterpret_cast<std::byte*>(newest_) + size;
  next_size_ = lesser(next_size_ * 2, largest_block);
}

/// Memory for something that is being built, given back if that does not come to an end.
class building_site {
 public:
  building_site(arena& a, std::size_t size, std::size_t alignment)
      : arena_(a), spot_(a.allocate(size, alignment)), size_(size) {}
  building_site(const building_site&) = delete;
  building_site& operator=(const building_site&) = delete;
  ~building_site() {
    if (!built_) arena_.give_back(spot_, size_);
  }
  [[nodiscard]] void* spot() const noexcept { return spot_; }
  void built() noexcept { built_ = true; }

 private:
  arena& arena_;
  void* spot_;
  std::size_t size_;
  bool built_ = false;
};

}  // namespace detail
CURFEW_END

#endif
