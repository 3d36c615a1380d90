// SPDX-License-Identifier: BSL-1.0
//
// The end of a batch buffer, whatever is in it, as a step of a component: lost items are told.
#ifndef CURFEW_SERVICE_DETAIL_BATCH_CLOSER_HPP
#define CURFEW_SERVICE_DETAIL_BATCH_CLOSER_HPP

#include <curfew/release/batch_buffer.hpp>
#include <curfew/release/batch_report.hpp>
#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/component.hpp>
#include <curfew/service/detail/error_text.hpp>
#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/stop/stop_token.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// "8 of 20 are lost: 2 found no room, 6 could not be written: No space left on device"
[[nodiscard]] inline fixed_text<400> loss_text(const batch_report& r) noexcept {
  const batch_counts& c = r.counts;
  fixed_text<400> text;
  const auto add = [&text](const char* format, std::uint64_t a, std::uint64_t b = 0) {
    char line[80];
    std::snprintf(line, sizeof line, format, static_cast<unsigned long long>(a),
                  static_cast<unsigned long long>(b));
    text.append(line);
  };
  add("%llu of %llu are lost", c.lost(), c.lost() + c.written);
  std::string_view between = ": ";
  const auto part = [&](const char* format, std::uint64_t count) {
    if (count == 0) return;
    text.append(between);
    add(format, count);
    between = ", ";
  };
  part("%llu found no room", c.dropped);
  part("%llu could not be written", c.failed);
  part("%llu there was no time for", c.unwritten);
  part("%llu are with a writer that hangs", c.in_doubt);
  fixed_text<400> why = error_text(r.error);
  if (r.code) static_cast<void>(attempt([&] { why = fixed_text<400>(r.code.message()); }));
  return why.empty() ? text : text.append(": ").append(why.view());
}

/// Refers to the buffer, or to where one will be when it is to be closed. Empty: there is none.
class batch_closer {
 public:
  batch_closer() noexcept = default;
  template <class T>
  batch_closer(batch_buffer<T>& b) noexcept
      : place_(&b), calls_(&calls_of<batch_buffer<T>, batch_buffer<T>>) {}
  template <class T>
  batch_closer(std::optional<batch_buffer<T>>& b) noexcept
      : place_(&b), calls_(&calls_of<batch_buffer<T>, std::optional<batch_buffer<T>>>) {}

  /// The last flush; what has not been written when the step is cut short is lost.
  void close(step& s) const noexcept {
    if (place_ == nullptr) return;
    const batch_report r = calls_->close(place_, s.token());
    if (!r.ok()) s.fail(loss_text(r).view());
  }
  /// Beside a close: it has no time left.
  void give_up() const noexcept {
    if (place_ != nullptr) calls_->give_up(place_);
  }

 private:
  struct calls {
    batch_report (*close)(void*, const stop_token&) noexcept;
    void (*give_up)(void*) noexcept;
  };
  template <class Buffer, class Place>
  static Buffer* buffer_in(void* place) noexcept {
    if constexpr (std::same_as<Buffer, Place>) {
      return static_cast<Buffer*>(place);
    } else {
      Place& p = *static_cast<Place*>(place);
      return p ? &*p : nullptr;
    }
  }
  template <class Buffer, class Place>
  static constexpr calls calls_of = {[](void* place, const stop_token& t) noexcept {
                                       Buffer* const b = buffer_in<Buffer, Place>(place);
                                       return b != nullptr ? b->close(t)
                                                           : batch_report{.finished = true};
                                     },
                                     [](void* place) noexcept {
                                       Buffer* const b = buffer_in<Buffer, Place>(place);
                                       if (b != nullptr)
                                         static_cast<void>(b->close(std::chrono::seconds(0)));
                                     }};

  void* place_ = nullptr;
  const calls* calls_ = nullptr;
};

}  // namespace detail
CURFEW_END

#endif
