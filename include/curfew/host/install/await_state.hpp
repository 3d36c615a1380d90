// SPDX-License-Identifier: BSL-1.0
//
// Waits until a service is in the state that somebody has asked its manager for.
#ifndef CURFEW_HOST_INSTALL_AWAIT_STATE_HPP
#define CURFEW_HOST_INSTALL_AWAIT_STATE_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/service_manager.hpp>
#include <curfew/stop/stop_token.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>

CURFEW_BEGIN

/// States that are waited for; any one of them will do.
class state_set {
 public:
  constexpr state_set(std::initializer_list<service_state> states) noexcept {
    for (const service_state s : states) bits_ |= bit(s);
  }
  [[nodiscard]] constexpr bool contains(service_state s) const noexcept {
    return (bits_ & bit(s)) != 0;
  }
  [[nodiscard]] constexpr bool operator()(const service_status& s) const noexcept {
    return contains(s.state);
  }

 private:
  static constexpr std::uint32_t bit(service_state s) noexcept {
    return std::uint32_t{1} << static_cast<unsigned>(s);
  }
  std::uint32_t bits_ = 0;
};

/// The states of a service that has a process, or will have one soon, and of one that has none.
inline constexpr state_set ended_states = {service_state::stopped, service_state::failed,
                                           service_state::not_installed};
/// On the way to another one.
inline constexpr state_set pending_states = {service_state::starting, service_state::stopping,
                                             service_state::pausing, service_state::resuming,
                                             service_state::reloading};

/// What is waited for: one of a set of states, or whatever else can be told from a status.
using state_goal = std::function<bool(const service_status&)>;

/// How waiting for a state came to its end.
enum class await_end {
  reached,
  ended,        ///< it does not run, and something else was wanted
  stuck,        ///< it is on its way, but has stopped to move
  not_in_time,  ///< the limit has passed
  interrupted,  ///< the token was stopped, also in the middle of a look; the service goes on
  failed,       ///< the manager could not be asked
};

/// How waiting came to its end, and what was seen last.
struct await_result {
  await_end end = await_end::failed;
  service_status status = {};  ///< as it was last seen
  failure why = {};            ///< of a manager that could not be asked
  time_source::duration elapsed = {};
};

/// Is given each look that was not the last one.
using state_observer = std::function<void(const service_status&, time_source::duration elapsed)>;

/// Looks until the service is as the goal wants it. All times are those of the token, or of the
/// process when it is empty.
///
/// The first second belongs to services that are quick: it looks every 50 to 250 ms. After that at
/// a tenth of the hint that the service gave, not under 1 s nor over 10 s.
///
/// A service that does not run, where another state is wanted, has ended: at once when it was seen
/// on its way before, else when the first second is over, since a manager may be slow to begin. One
/// that is on its way and has told how it moves, by a hint or a checkpoint, is stuck when it has
/// not moved for 80 s longer than its hint. Of one that tells nothing only the limit can tell.
[[nodiscard]] await_result await_state(service_manager& manager, const std::string& name,
                                       const state_goal& goal, time_source::duration limit,
                                       const stop_token& stop = {},
                                       const state_observer& observer = {});

// ---------------------------------------------------------------------------------------------

namespace detail {

class state_watch {
 public:
  using duration = time_source::duration;

  state_watch(const state_goal& goal, duration limit) noexcept : goal_(goal), limit_(limit) {}

  /// False: it is decided, see result().end.
  [[nodiscard]] bool goes_on(const service_status& seen, duration elapsed);
  [[nodiscard]] duration pause() const noexcept;
  [[nodiscard]] await_result& result() noexcept { return result_; }

 private:
  void note(const service_status& seen, duration elapsed);
  bool decide(await_end end) noexcept {
    result_.end = end;
    return false;
  }
  [[nodiscard]] bool on_its_way() const noexcept {
    return pending_states.contains(result_.status.state);
  }
  [[nodiscard]] bool ended() const noexcept;
  [[nodiscard]] bool stuck() const noexcept;

  static constexpr duration first = std::chrono::seconds(1);
  static constexpr duration patience = std::chrono::seconds(80);

  const state_goal& goal_;
  const duration limit_;
  bool moved_ = false;    // it has been on its way
  duration last_move_{};  // when it moved
  await_result result_;
};

inline bool state_watch::goes_on(const service_status& seen, duration elapsed) {
  note(seen, elapsed);
  if (goal_(seen)) return decide(await_end::reached);
  if (ended()) return decide(await_end::ended);
  if (stuck()) return decide(await_end::stuck);
  return elapsed < limit_ || decide(await_end::not_in_time);
}

inline void state_watch::note(const service_status& seen, duration elapsed) {
  const service_status& before = result_.status;
  if (seen.state != before.state || seen.moves != before.moves) last_move_ = elapsed;
  result_.status = seen;
  result_.elapsed = elapsed;
  moved_ = moved_ || on_its_way();
}

inline bool state_watch::ended() const noexcept {
  return ended_states.contains(result_.status.state) && (moved_ || result_.elapsed >= first);
}

inline bool state_watch::stuck() const noexcept {
  const service_status& s = result_.status;
  const bool tells = s.moves != 0 || s.hint > duration::zero();
  return on_its_way() && tells && result_.elapsed - last_move_ - patience > s.hint;
}

inline state_watch::duration state_watch::pause() const noexcept {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  const duration elapsed = result_.elapsed;
  const duration next =
      elapsed < first ? std::clamp<duration>(elapsed / 2, milliseconds(50), milliseconds(250))
                      : std::clamp<duration>(result_.status.hint / 10, seconds(1), seconds(10));
  return (std::min)(next, limit_ - elapsed);
}

}  // namespace detail

inline await_result await_state(service_manager& manager, const std::string& name,
                                const state_goal& goal, time_source::duration limit,
                                const stop_token& stop, const state_observer& observer) {
  const stop_source self(stop);  // a token without a source would not wait
  const stop_token token = self.get_token();
  const auto began = token.clock().now();
  detail::state_watch watch(goal, limit);
  for (;;) {
    service_status seen;
    watch.result().why = manager.query(name, seen);
    if (watch.result().why || !watch.goes_on(seen, token.clock().now() - began)) break;
    if (observer) observer(seen, watch.result().elapsed);
    if (token.wait_for(watch.pause())) break;
  }
  await_result& result = watch.result();
  if (result.end == await_end::failed && token.stop_requested()) {
    result.end = await_end::interrupted;
    result.why = {};
  }
  return std::move(result);
}

CURFEW_END

#endif
