// SPDX-License-Identifier: BSL-1.0
//
// Hears of a release while it goes on: what the report says afterwards, a live display says now.
#ifndef CURFEW_RELEASE_RELEASE_OBSERVER_HPP
#define CURFEW_RELEASE_RELEASE_OBSERVER_HPP

#include <curfew/release/release_entry.hpp>

CURFEW_BEGIN

/// Derive from it, override what is of interest, and give it to resource_stack::observe.
///
/// For each entry: on_start, then on_late at most once, then on_done; never two at a time for one
/// stack. An entry keeps its address from on_start until the report is destroyed; its `name`,
/// `place` and `limit` are set from on_start on, the rest from on_done on.
///
/// Thread rule: on_start and on_done come on the thread that releases, between the entries, and
/// their time is nobody's. on_late comes while the entry still runs, on the thread that notices:
/// the timer's own, or the one that advances a manual clock. The release waits for it, so it must
/// not wait for the release, must not touch the stack, and returns soon.
class release_observer {
 public:
  virtual void on_start(const release_entry&) noexcept {}
  virtual void on_late(const release_entry&) noexcept {}
  virtual void on_done(const release_entry&) noexcept {}

 protected:
  release_observer() noexcept = default;
  release_observer(const release_observer&) noexcept = default;
  release_observer& operator=(const release_observer&) noexcept = default;
  ~release_observer() = default;
};

CURFEW_END

#endif
