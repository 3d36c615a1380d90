// SPDX-License-Identifier: BSL-1.0
//
// A gate or a roster, whichever it is, for the presets: closed, waited for, and told of by name.
#ifndef CURFEW_SERVICE_DETAIL_WORK_IN_FLIGHT_HPP
#define CURFEW_SERVICE_DETAIL_WORK_IN_FLIGHT_HPP

#include <curfew/release/detail/roster_text.hpp>
#include <curfew/service/component.hpp>
#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// As a gate's: close() lets nothing new in, wait() is true when all that was inside is done.
template <class W>
concept countable_work = requires(W& w, inplace_stop_token t) {
  w.close();
  { w.wait(t) } -> std::convertible_to<bool>;
  { w.count() } -> std::convertible_to<std::size_t>;
};

/// A roster names who is inside, and so may others; a gate knows how many they are.
template <countable_work W>
[[nodiscard]] std::string_view describe_work(W& w, std::span<char> into) noexcept {
  if constexpr (requires { w.describe(into); }) {
    return w.describe(into);
  } else {
    return roster_line(into, w.count()).finish();
  }
}

/// Refers to it. Empty: there never is any work.
class work_in_flight {
 public:
  work_in_flight() noexcept = default;
  template <countable_work W>
  work_in_flight(W& w) noexcept : what_(&w), calls_(&calls_of<W>) {}

  [[nodiscard]] explicit operator bool() const noexcept { return what_ != nullptr; }
  void close() const noexcept {
    if (what_ != nullptr) calls_->close(what_);
  }
  /// As the gate's: what was done under a hold happened before a wait that returns true.
  [[nodiscard]] bool wait(inplace_stop_token until) const noexcept {
    return what_ == nullptr || calls_->wait(what_, until);
  }
  [[nodiscard]] std::size_t count() const noexcept {
    return what_ == nullptr ? 0 : calls_->count(what_);
  }
  /// "2 in flight: GET /slow 3.2 s, GET / 12 ms"
  [[nodiscard]] fixed_text<120> text() const noexcept {
    std::array<char, 121> room;
    return fixed_text<120>(what_ == nullptr ? std::string_view() : calls_->describe(what_, room));
  }

 private:
  struct calls {
    void (*close)(void*) noexcept;
    bool (*wait)(void*, inplace_stop_token) noexcept;
    std::size_t (*count)(void*) noexcept;
    std::string_view (*describe)(void*, std::span<char>) noexcept;
  };
  template <class W>
  static constexpr calls calls_of = {
      [](void* w) noexcept { static_cast<W*>(w)->close(); },
      [](void* w, inplace_stop_token t) noexcept { return static_cast<W*>(w)->wait(t); },
      [](void* w) noexcept { return static_cast<std::size_t>(static_cast<W*>(w)->count()); },
      [](void* w, std::span<char> into) noexcept {
        return describe_work(*static_cast<W*>(w), into);
      }};

  void* what_ = nullptr;
  const calls* calls_ = nullptr;
};

/// No new work, and waits for what is there. That somebody has left is progress; time that passes
/// is none. False: the step is cut short before the last one has left.
[[nodiscard]] inline bool drain_work(const work_in_flight& work, const step& s) noexcept {
  constexpr std::chrono::milliseconds look_again{500};
  work.close();
  for (std::size_t told = 0;;) {
    const std::size_t left = work.count();
    const bool moved = left != std::exchange(told, left);
    if (left != 0) moved ? s.progress(work.text().view()) : s.note(work.text().view());
    const inplace_stop_source a_while(s.token(), look_again);
    if (work.wait(a_while.get_token())) return true;
    if (s.token().stop_requested()) return false;
  }
}

/// Who is still inside is told to go, by `cancel`, and that is a failure of the step. It returns
/// when nobody is inside, and not before: what they use must not go before them. Who never leaves
/// has the component abandoned.
inline void end_work(const work_in_flight& work, const step_function& cancel, step& s) {
  work.close();
  inplace_stop_source at_once;
  at_once.request_stop();
  if (work.wait(at_once.get_token())) return;
  if (work.count() != 0) {
    s.fail(fixed_text<160>("cut short with ").append(work.text().view()).view());
    s.progress(s.why().view());
  }
  if (cancel) cancel(s);
  static_cast<void>(work.wait({}));
}

}  // namespace detail
CURFEW_END

#endif
