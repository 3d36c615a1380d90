// SPDX-License-Identifier: BSL-1.0
//
// An entry of a resource stack as it lies in the arena, and the chain that the stack and later the
// report hold it in. The report is the entries themselves: releasing allocates nothing for it.
#ifndef CURFEW_RELEASE_DETAIL_RELEASE_NODE_HPP
#define CURFEW_RELEASE_DETAIL_RELEASE_NODE_HPP

#include <curfew/release/detail/arena.hpp>
#include <curfew/release/release_entry.hpp>
#include <curfew/stop/stop_token.hpp>

#include <cstddef>
#include <exception>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// What a release is told: stop being gentle when this time is over, or when `outer` stops.
struct release_terms {
  time_source& clock;
  time_source::duration given;
  const stop_token& outer;
};

/// The type of the held object is known to `run` alone, which releases and destroys it.
struct release_node {
  using run_function = std::exception_ptr(release_node&, const release_terms&) noexcept;

  explicit release_node(run_function* r) noexcept : run(r) {}

  run_function* run;
  release_node* next = nullptr;  // in a stack: the next older; in a report: the next released
  release_entry entry;           // entry.limit: its own timeout until it is released
};

/// Entries and the memory they lie in. Destroys the entries, not what they hold.
class release_chain {
 public:
  release_chain() noexcept = default;
  release_chain(release_chain&& other) noexcept { swap(other); }
  release_chain& operator=(release_chain&& other) noexcept {
    release_chain(std::move(other)).swap(*this);
    return *this;
  }
  ~release_chain() {
    while (first_ != nullptr) std::exchange(first_, first_->next)->~release_node();
  }

  [[nodiscard]] arena& memory() noexcept { return memory_; }
  [[nodiscard]] release_node* first() const noexcept { return first_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  void push_front(release_node& n) noexcept {
    n.next = first_;
    if (first_ == nullptr) last_ = &n;
    first_ = &n;
    ++size_;
  }
  [[nodiscard]] release_node* pop_front() noexcept {
    if (first_ == nullptr) return nullptr;
    --size_;
    return std::exchange(first_, first_->next);
  }
  void push_back(release_node& n) noexcept {
    n.next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = &n;
    last_ = &n;
    ++size_;
  }
  void swap(release_chain& other) noexcept {
    memory_.swap(other.memory_);
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
    std::swap(size_, other.size_);
  }

 private:
  arena memory_;
  release_node* first_ = nullptr;
  release_node* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace detail
CURFEW_END

#endif
