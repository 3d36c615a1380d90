// SPDX-License-Identifier: BSL-1.0
//
// A queue in a fixed piece of memory.
#ifndef CURFEW_RELEASE_DETAIL_ITEM_ROW_HPP
#define CURFEW_RELEASE_DETAIL_ITEM_ROW_HPP

#include <curfew/config.hpp>

#include <cstddef>
#include <new>
#include <span>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// One thread at a time. What it holds is destroyed with it.
template <class T>
class item_row {
 public:
  item_row() noexcept = default;
  item_row(item_row&& other) noexcept
      : cells_(std::exchange(other.cells_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)),
        first_(std::exchange(other.first_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  item_row& operator=(item_row&&) = delete;
  ~item_row() {
    clear();
    give_back(cells_);
  }

  /// Once. False: there is no memory.
  [[nodiscard]] bool allocate(std::size_t capacity) noexcept {
    if (capacity <= static_cast<std::size_t>(-1) / sizeof(cell))
      cells_ = static_cast<cell*>(obtain(capacity * sizeof(cell)));
    capacity_ = cells_ != nullptr ? capacity : 0;
    return cells_ != nullptr;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool full() const noexcept { return size_ == capacity_; }

  void push_back(T&& item) noexcept {
    ::new (static_cast<void*>(cells_[place(size_)].bytes)) T(std::move(item));
    ++size_;
  }
  [[nodiscard]] T take_front() noexcept {
    T& front = at(0);
    T item(std::move(front));
    front.~T();
    first_ = place(1);
    --size_;
    return item;
  }
  void clear() noexcept {
    for (std::size_t i = 0; i != size_; ++i) at(i).~T();
    first_ = size_ = 0;
  }

  /// Of a row from which nothing was taken since it was cleared.
  [[nodiscard]] std::span<T> all() noexcept {
    return size_ == 0 ? std::span<T>() : std::span<T>(&at(0), size_);
  }

 private:
  struct cell {
    alignas(T) std::byte bytes[sizeof(T)];
  };
  static constexpr bool wide = alignof(cell) > __STDCPP_DEFAULT_NEW_ALIGNMENT__;

  [[nodiscard]] static void* obtain(std::size_t bytes) noexcept {
    if constexpr (wide)
      return ::operator new (bytes, std::align_val_t{alignof(cell)}, std::nothrow);
    return ::operator new(bytes, std::nothrow);
  }
  static void give_back(void* p) noexcept {
    if constexpr (wide) return ::operator delete (p, std::align_val_t{alignof(cell)});
    ::operator delete(p);
  }

  [[nodiscard]] std::size_t place(std::size_t i) const noexcept {
    const std::size_t to_end = capacity_ - first_;
    return i < to_end ? first_ + i : i - to_end;
  }
  [[nodiscard]] T& at(std::size_t i) noexcept {
    return *std::launder(reinterpret_cast<T*>(cells_[place(i)].bytes));
  }

  cell* cells_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace detail
CURFEW_END

#endif
