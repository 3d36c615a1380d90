// SPDX-License-Identifier: BSL-1.0
//
// What a release did, entry by entry, in the order in which they were released.
#ifndef CURFEW_RELEASE_RELEASE_REPORT_HPP
#define CURFEW_RELEASE_RELEASE_REPORT_HPP

#include <curfew/release/detail/release_node.hpp>
#include <curfew/release/release_entry.hpp>

#include <cstddef>
#include <iterator>
#include <utility>

CURFEW_BEGIN

/// A range of release_entry. It owns what it shows, names included, and outlives the stack.
///
/// It keeps the memory that the stack had for its entries: keep a report as long as it is read.
///
/// Thread safety: as a container's.
class release_report {
 public:
  class iterator;

  release_report() noexcept = default;  ///< of nothing: empty and ok

  [[nodiscard]] iterator begin() const noexcept;
  [[nodiscard]] iterator end() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return chain_.size(); }
  [[nodiscard]] bool empty() const noexcept { return chain_.size() == 0; }

  /// Everything was released, without an error and in time.
  [[nodiscard]] bool ok() const noexcept;

 private:
  friend class resource_stack;
  explicit release_report(detail::release_chain&& chain) noexcept : chain_(std::move(chain)) {}

  detail::release_chain chain_;
};

/// Goes over the entries in the order in which they were released; the report owns them.
class release_report::iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = release_entry;
  using difference_type = std::ptrdiff_t;
  using pointer = const release_entry*;
  using reference = const release_entry&;

  iterator() noexcept = default;

  reference operator*() const noexcept { return node_->entry; }
  pointer operator->() const noexcept { return &node_->entry; }
  iterator& operator++() noexcept {
    node_ = node_->next;
    return *this;
  }
  iterator operator++(int) noexcept { return std::exchange(*this, iterator(node_->next)); }
  friend bool operator==(const iterator&, const iterator&) = default;

 private:
  friend class release_report;
  explicit iterator(const detail::release_node* n) noexcept : node_(n) {}

  const detail::release_node* node_ = nullptr;
};

inline release_report::iterator release_report::begin() const noexcept {
  return iterator(chain_.first());
}
inline release_report::iterator release_report::end() const noexcept { return iterator(); }

inline bool release_report::ok() const noexcept {
  for (const release_entry& e : *this) {
    if (e.outcome != release_outcome::released) return false;
  }
  return true;
}

CURFEW_END

#endif
