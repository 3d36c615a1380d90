// SPDX-License-Identifier: BSL-1.0
//
// Writes what a resource stack releases into the journal.
#ifndef CURFEW_SERVICE_DETAIL_RELEASE_LOG_HPP
#define CURFEW_SERVICE_DETAIL_RELEASE_LOG_HPP

#include <curfew/release/release_observer.hpp>
#include <curfew/release/resource_stack.hpp>
#include <curfew/service/detail/error_text.hpp>
#include <curfew/service/detail/journal.hpp>
#include <curfew/stop/time_source.hpp>

#include <cstdio>

CURFEW_BEGIN
namespace detail {

/// "file:line". Of a long path the end is kept, which tells more than its beginning.
[[nodiscard]] inline fixed_text<120> place_text(const source_place& p) noexcept {
  char line[16];
  std::snprintf(line, sizeof line, ":%lu", static_cast<unsigned long>(p.line));
  const std::string_view file = p.file;
  constexpr std::size_t room = 120 - sizeof line;
  return fixed_text<120>(file.substr(file.size() < room ? 0 : file.size() - room)).append(line);
}

[[nodiscard]] constexpr part_state state_of(release_outcome o) noexcept {
  switch (o) {
    case release_outcome::released: return part_state::closed;
    case release_outcome::failed: return part_state::failed;
    case release_outcome::late: return part_state::late;
  }
  return part_state::failed;
}

class release_log final : public release_observer {
 public:
  release_log(journal& log, const resource_stack& stack, const time_source& time) noexcept
      : log_(log), stack_(stack), time_(time) {}

  void on_start(const release_entry& e) noexcept override {
    log_.begin({.name = fixed_text<48>(e.name),
                .place = place_text(e.place),
                .began = time_.now(),
                .limit = e.limit},
               stack_.size());
  }
  void on_done(const release_entry& e) noexcept override {
    log_.end(state_of(e.outcome), error_text(e.error).view(), time_.now());
  }

 private:
  journal& log_;
  const resource_stack& stack_;
  const time_source& time_;
};

}  // namespace detail
CURFEW_END

#endif
