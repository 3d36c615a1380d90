// SPDX-License-Identifier: BSL-1.0
//
// What a run says of its components to people and to the host, on a thread that may wait.
#ifndef CURFEW_SERVICE_DETAIL_COMPONENT_NEWS_HPP
#define CURFEW_SERVICE_DETAIL_COMPONENT_NEWS_HPP

#include <curfew/release/gate.hpp>
#include <curfew/service/detail/release_log.hpp>
#include <curfew/service/detail/run_state.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/service/timeline.hpp>
#include <curfew/stop/stop_token.hpp>

#include <chrono>
#include <string>

CURFEW_BEGIN
namespace detail {

/// Every step that comes to its end is progress, and so is what a component says of itself; time
/// that passes is none. Who is late is named, but on a terminal, where it can be seen.
class component_news final : public event_sink {
 public:
  explicit component_news(run_state& s) noexcept : s_(s) {}

  void write(const lifecycle_event& e) noexcept override {
    const auto in_time = telling_.enter();
    if (in_time) static_cast<void>(attempt([&] { say(e); }));
  }
  /// Says nothing more, and what it is just saying to a halted terminal is waited for.
  void settle() noexcept {
    telling_.close();
    telling_.wait(stop_token{});
  }

 private:
  void say(const lifecycle_event& e) {
    switch (e.kind) {
      case event_kind::step_began:
      case event_kind::step_ended:
      case event_kind::progress: return move_on(e);
      case event_kind::step_late:
        if (e.limit >= worth_a_line && !s_.screen.live()) tell(severity::warning, e, late_text(e));
        return;
      case event_kind::fault: return tell(severity::error, e, "failed");
      case event_kind::restarting:
        return tell(severity::warning, e, "is started again in " + to_text(e.limit));
      case event_kind::abandoned: return tell(severity::error, e, "abandoned");
      case event_kind::resumed: return tell(severity::warning, e, "the stop is not made");
      case event_kind::lost: return tell(severity::warning, e, "");
      case event_kind::control:
        if (!e.allowed) tell(severity::warning, e, denied_text(e));
        return;
      default: return;
    }
  }

  /// "db-pool: stop has used 4.5 s of 5 s"
  [[nodiscard]] static std::string late_text(const lifecycle_event& e) {
    return std::string(to_string(e.step)) + " has used " + to_text(e.elapsed) + " of " +
           to_text(e.limit);
  }
  /// "denied stop to pid 4711 (uid 1000)"
  [[nodiscard]] static std::string denied_text(const lifecycle_event& e) {
    std::string text = "denied " + std::string(e.verb.empty() ? "a request" : e.verb);
    text += " to pid " + std::to_string(e.caller.pid);
    if (e.caller.uid >= 0) text += " (uid " + std::to_string(e.caller.uid) + ")";
    if (!e.caller.sid.empty()) text.append(" (").append(e.caller.sid).append(")");
    return text;
  }
  void tell(severity level, const lifecycle_event& e, const std::string& what) {
    std::string line(e.part);
    if (!e.part.empty()) line += ": ";
    line += what;
    if (e.place.line != 0) line.append(", declared at ").append(place_text(e.place).view());
    if (!e.text.empty()) line.append(what.empty() ? "" : ": ").append(e.text);
    s_.write(level, line);
  }
  void move_on(const lifecycle_event& e) noexcept {
    if (!e.moved) return;
    fixed_text<160> what(e.part);
    if (e.step != component_step::none) what.append(" ").append(to_string(e.step));
    if (!e.text.empty()) what.append(": ").append(e.text);
    const auto wanted = e.kind == event_kind::step_began ? e.limit : least;
    s_.move_on(what.view(), greater(wanted, least));
  }

  static constexpr time_source::duration worth_a_line = std::chrono::seconds(1);
  static constexpr time_source::duration least = std::chrono::seconds(10);

  run_state& s_;
  gate telling_;
};

}  // namespace detail
CURFEW_END

#endif
