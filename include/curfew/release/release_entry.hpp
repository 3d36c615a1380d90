// SPDX-License-Identifier: BSL-1.0
//
// What became of one thing that had to be given back.
#ifndef CURFEW_RELEASE_RELEASE_ENTRY_HPP
#define CURFEW_RELEASE_RELEASE_ENTRY_HPP

#include <curfew/release/detail/time_limit.hpp>
#include <curfew/release/label.hpp>
#include <curfew/stop/time_source.hpp>

#include <exception>
#include <string_view>

CURFEW_BEGIN

/// `failed`: it threw, which without exceptions cannot happen. `late`: it returned, but not before
/// its limit.
enum class release_outcome { released, failed, late };

/// One line of a release report. An entry that both threw and overran its limit is `failed`; its
/// `elapsed` is then not less than its `limit`.
struct release_entry {
  std::string_view name;
  source_place place;                      ///< where it was registered
  time_source::duration limit = no_limit;  ///< what it was given; zero: it began after the budget
  time_source::duration elapsed{};         ///< what it took
  release_outcome outcome = release_outcome::released;
  std::exception_ptr error;  ///< null unless `failed`
};

CURFEW_END

#endif
