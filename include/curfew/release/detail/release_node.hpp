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
#include <string_view>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// What a release is told: stop being gentle at `until`, or when `outer` stops.
struct release_terms {
  time_source& clock;
  time_limit until;
  const stop_token& outer;
};

/// What stop's limit() says of a timeout, but from a time that is known already.
[[nodiscard]] constexpr time_limit limit_from(time_source::time_point begin,
                                              time_source::duration given) noexcept {
  if (given == no_limit) return {};
  return {saturating_add(begin, given), given <= time_source::duration::zero()};
}

/// The type of the held object is known to `run` alone, which releases and destroys it, and returns
/// what that threw.
struct release_node {
  using run_function = std::exception_ptr(release_node&, const release_terms&) noexcept;

  // The place is copied by its members: g++ 12 takes a whole one through memory, in halves, and
  // that costs more than all the rest.
  release_node(run_function* r, std::string_view name, const source_place& place,
               time_source::duration limit) noexcept
      : run(r) {
    entry.name = name;
    entry.place.file = place.file;
    entry.place.line = place.line;
    entry.limit = limit;
  }

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
    release_chain{std::move(other)}.swap(*this);
    return *this;
  }
  ~release_chain() {
    while (first_ != nullptr) std::exchange(first_, first_->next)->~release_node();
  }

  [[nodiscard]] arena& memory() noexcept { return memory_; }
  [[nodiscard]] release_node* first() const noexcept { return first_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  void push_front(release_node& n) noexcept {
    n.next = std::exchange(first_, &n);
    ++size_;
  }
  [[nodiscard]] release_node* pop_front() noexcept {
    if (first_ == nullptr) return nullptr;
    --size_;
    return std::exchange(first_, first_->next);
  }
  /// At the end, which is behind `last`; null when there is none yet.
  void push_back(release_node* last, release_node& n) noexcept {
    n.next = nullptr;
    (last == nullptr ? first_ : last->next) = &n;
    ++size_;
  }
  void swap(release_chain& other) noexcept {
    memory_.swap(other.memory_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
  }

 private:
  arena memory_;
  release_node* first_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace detail
CURFEW_END

#endif
