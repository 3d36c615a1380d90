// SPDX-License-Identifier: BSL-1.0
//
// What a run shows of its components while it stops: each step is a part of the journal.
#ifndef CURFEW_SERVICE_DETAIL_COMPONENT_JOURNAL_HPP
#define CURFEW_SERVICE_DETAIL_COMPONENT_JOURNAL_HPP

#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/service/detail/journal.hpp>
#include <curfew/service/detail/release_log.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/service/lifecycle_status.hpp>

CURFEW_BEGIN
namespace detail {

class component_journal final : public event_sink {
 public:
  explicit component_journal(journal& log) noexcept : log_(log) {}

  void write(const lifecycle_event& e) noexcept override {
    switch (e.kind) {
      case event_kind::step_began:
        if (closes(e.step)) log_.begin_side(part_of(e, part_state::closing));
        break;
      case event_kind::step_ended:
        if (closes(e.step)) log_.end_side(part_of(e, state_of(e.outcome)));
        break;
      case event_kind::progress:
        for (const component_step s : {component_step::drain, component_step::stop})
          log_.note_side(name_of(e.part, s).view(), e.text);
        break;
      case event_kind::escalated:
        if (e.text == to_string(stop_rung::drain)) log_.note({});  // no lame duck any more
        break;
      default: break;
    }
  }

 private:
  [[nodiscard]] static constexpr bool closes(component_step s) noexcept {
    return s == component_step::drain || s == component_step::stop || s == component_step::abort;
  }
  [[nodiscard]] static constexpr part_state state_of(step_outcome o) noexcept {
    return o == step_outcome::done   ? part_state::closed
           : o == step_outcome::late ? part_state::late
                                     : part_state::failed;
  }
  /// "db-pool", "requests (drain)"
  [[nodiscard]] static fixed_text<48> name_of(std::string_view part, component_step s) noexcept {
    fixed_text<48> name(part);
    if (s != component_step::stop) name.append(" (").append(to_string(s)).append(")");
    return name;
  }
  [[nodiscard]] static journal_part part_of(const lifecycle_event& e, part_state state) noexcept {
    return {.name = name_of(e.part, e.step),
            .place = place_text(e.place),
            .note = fixed_text<400>(e.text),
            .began = e.at - e.elapsed,
            .elapsed = e.elapsed,
            .limit = e.limit,
            .state = state};
  }

  journal& log_;
};

}  // namespace detail
CURFEW_END

#endif
