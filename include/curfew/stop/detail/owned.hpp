// SPDX-License-Identifier: BSL-1.0
//
// std::unique_ptr without <memory>, which is a quarter of <chrono> again.
#ifndef CURFEW_STOP_DETAIL_OWNED_HPP
#define CURFEW_STOP_DETAIL_OWNED_HPP

#include <curfew/config.hpp>

#include <utility>

CURFEW_BEGIN
namespace detail {

/// Deletes its object, if it has one.
template <class T>
class owned {
 public:
  owned() noexcept = default;
  explicit owned(T* object) noexcept : object_(object) {}
  owned(owned&& other) noexcept : object_(other.release()) {}
  owned& operator=(owned&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~owned() { delete object_; }

  [[nodiscard]] T* get() const noexcept { return object_; }
  [[nodiscard]] T* release() noexcept { return std::exchange(object_, nullptr); }
  void reset(T* object = nullptr) noexcept { delete std::exchange(object_, object); }

  explicit operator bool() const noexcept { return object_ != nullptr; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }

 private:
  T* object_ = nullptr;
};

}  // namespace detail
CURFEW_END

#endif
