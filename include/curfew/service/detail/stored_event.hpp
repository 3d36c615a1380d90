// SPDX-License-Identifier: BSL-1.0
//
// An event with texts of its own, of bounded size.
#ifndef CURFEW_SERVICE_DETAIL_STORED_EVENT_HPP
#define CURFEW_SERVICE_DETAIL_STORED_EVENT_HPP

#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/service/lifecycle_event.hpp>

CURFEW_BEGIN
namespace detail {

class stored_event {
 public:
  stored_event() noexcept = default;
  explicit stored_event(const lifecycle_event& e) noexcept
      : event_(e),
        part_(e.part),
        text_(e.text),
        sid_(e.caller.sid),
        verb_(e.verb),
        change_(e.change) {}

  /// Its views last as long as this.
  [[nodiscard]] lifecycle_event get() const noexcept {
    lifecycle_event e = event_;
    e.part = part_.view();
    e.text = text_.view();
    e.caller.sid = sid_.view();
    e.verb = verb_.view();
    e.change = change_.view();
    return e;
  }

 private:
  lifecycle_event event_;
  fixed_text<48> part_;
  fixed_text<400> text_;
  fixed_text<80> sid_;
  fixed_text<24> verb_;
  fixed_text<48> change_;
};

}  // namespace detail
CURFEW_END

#endif
