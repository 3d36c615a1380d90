// SPDX-License-Identifier: BSL-1.0
//
// What happens next, and to whom: the rules by which components go up and down, without threads,
// clocks or functions. Whoever drives it brings orders, news and the time, and does what the desk
// is told; so the same rules run a service, and every order of events in a test.
#ifndef CURFEW_SERVICE_DETAIL_LIFECYCLE_MACHINE_HPP
#define CURFEW_SERVICE_DETAIL_LIFECYCLE_MACHINE_HPP

#include <curfew/service/detail/part_graph.hpp>
#include <curfew/service/detail/share.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/service/lifecycle_status.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/time_source.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN

namespace detail {

/// For whoever compares machines.
struct machine_probe;

/// What the machine has done for it. Called from inside its members, which are not to be called
/// from there.
class machine_desk {
 public:
  using time_point = time_source::time_point;

  /// Runs a function of a part, whose token stops at `cut_at`; finished() follows, some time. A
  /// part has one at a time, and beside it an abort.
  virtual void begin(std::uint32_t part, component_step step, time_point cut_at) noexcept = 0;
  /// Stops the tokens of all steps of this kind that run now.
  virtual void cut(component_step kind) noexcept = 0;
  /// Stops the token of the step that this part is in, if it has not stopped by itself.
  virtual void hurry(std::uint32_t part) noexcept = 0;
  virtual void tell(std::uint32_t part, const lifecycle_event& e) noexcept = 0;
  virtual void tell(const lifecycle_event& e) noexcept = 0;
  /// A component has failed the whole, which somebody should stop.
  virtual void failed(std::uint32_t part) noexcept = 0;
  /// From 0 to 1.
  virtual double random() noexcept = 0;

 protected:
  machine_desk() = default;
  machine_desk(const machine_desk&) = default;
  machine_desk& operator=(const machine_desk&) = default;
  ~machine_desk() = default;
};

/// Thread safety: none. Nothing allocates but the constructor; copies are independent of each
/// other, and served by the same desk until they are given another.
class lifecycle_machine {
 public:
  using duration = time_source::duration;
  using time_point = time_source::time_point;

  static constexpr time_point never = (time_point::max)();
  static constexpr std::uint32_t nobody = 0xffff'ffffu;

  explicit lifecycle_machine(const part_graph& graph)
      : graph_(&graph),
        chains_(graph.chains()),
        parts_(graph.size()),
        due_(graph.size(), never),
        waits_up_(graph.size()),
        waits_down_(graph.size()),
        work_(graph.size()),
        scratch_(graph.size()) {
    for (std::size_t i = 0; i != graph.size(); ++i)
      waits_up_[i] = static_cast<std::uint32_t>(graph[i].after.size());
  }

  void serve(const part_graph& graph, machine_desk& served) noexcept {
    graph_ = &graph;
    desk_ = &served;
  }

  // ---- orders

  /// From idle or stopped. A part that fails to start has all others stopped within `rollback`.
  void start(time_point now, duration rollback) noexcept;
  /// At any time. All is down or given up at the deadline. A second one can but come nearer.
  void stop(time_point now, time_point deadline, duration lame_duck) noexcept;
  /// One rung up, or to that one.
  void escalate(time_point now, stop_rung least = stop_rung::none) noexcept;
  /// False: it is not up, or changes just now. What is prepared is resumed when the lease ends.
  bool prepare(time_point now, duration lease) noexcept;
  /// What is prepared waits for the stop without a lease. False: it is not prepared any more.
  bool commit(time_point now) noexcept;
  /// Back from preparing or prepared. False: there is nothing to go back from.
  bool resume(time_point now, std::string_view why) noexcept;
  /// Up, with all that it needs; or down, with all that needs it. Takes place with converge().
  void want(std::uint32_t part, bool up) noexcept;
  bool converge(time_point now) noexcept;

  // ---- news

  /// `wait`: of a prepare that will be ready by then.
  void finished(time_point now, std::uint32_t part, component_step step, step_outcome outcome,
                std::string_view text = {}, duration wait = {}) noexcept;
  /// False: it is not up, or it does not matter any more.
  bool fault(time_point now, std::uint32_t part, std::string_view why) noexcept;
  void tick(time_point now) noexcept;
  /// When the next tick is needed at the latest.
  [[nodiscard]] time_point next_due() const noexcept;

  // ---- what is so

  [[nodiscard]] whole_phase whole() const noexcept { return whole_; }
  [[nodiscard]] stop_rung rung() const noexcept { return rung_; }
  [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
  /// Nothing changes any more, until somebody wants or breaks something.
  [[nodiscard]] bool settled() const noexcept { return unsettled_ == 0; }
  [[nodiscard]] part_phase phase(std::size_t part) const noexcept { return parts_[part].phase; }
  [[nodiscard]] bool wanted(std::size_t part) const noexcept { return parts_[part].wanted; }
  [[nodiscard]] time_point since(std::size_t part) const noexcept { return parts_[part].began; }
  [[nodiscard]] duration limit(std::size_t part) const noexcept { return parts_[part].limit; }
  [[nodiscard]] double failures(std::size_t part) const noexcept { return parts_[part].failures; }
  /// The first whose start has failed, of the last start; or whose failure was that of the whole.
  [[nodiscard]] std::uint32_t culprit() const noexcept { return culprit_; }
  [[nodiscard]] bool rolled_back() const noexcept { return rolled_back_; }
  /// Steps of the last stop that failed or were late, and parts that were given up.
  [[nodiscard]] std::uint32_t failed_stops() const noexcept { return failed_stops_; }
  [[nodiscard]] std::uint32_t late_stops() const noexcept { return late_stops_; }
  [[nodiscard]] std::uint32_t lost() const noexcept { return lost_; }

 private:
  friend struct machine_probe;

  struct part_life {
    part_phase phase = part_phase::down;
    component_step step = component_step::none;
    bool wanted = false;     // somebody wants it up
    bool falling = false;    // and yet it has to go down first
    bool satisfied = false;  // who stands after it may start
    bool busy = false;       // a function of it runs, other than an abort
    bool cut = false;        // and should have ended by now
    bool aborting = false;
    bool abort_runs = false;
    bool drained = false;
    bool start_failed = false;
    bool queued = false;   // in work_
    bool counted = false;  // in unsettled_
    step_outcome ended = step_outcome::done;
    std::uint8_t mark = 0;  // how often it has been named as late
    time_point began = {};
    duration limit = {};
    time_point not_before = {};  // the next start
    double failures = 0;
    time_point failed_at = {};
  };

  [[nodiscard]] const graph_part& declared(std::uint32_t i) const noexcept { return (*graph_)[i]; }
  [[nodiscard]] bool starts_are_allowed() const noexcept {
    return whole_ == whole_phase::starting || whole_ == whole_phase::up;
  }
  [[nodiscard]] bool is_gone(const part_life& p) const noexcept {
    return p.phase == part_phase::down || p.phase == part_phase::lost;
  }
  /// It has started, and is not going down.
  [[nodiscard]] static constexpr bool serves(part_phase p) noexcept {
    return p == part_phase::up || p == part_phase::preparing || p == part_phase::prepared ||
           p == part_phase::resuming;
  }
  /// Its prepare has asked for time.
  [[nodiscard]] static bool ready_soon(const part_life& p) noexcept {
    return p.phase == part_phase::preparing && !p.busy && !p.abort_runs;
  }
  [[nodiscard]] bool unsettled(const part_life& p) const noexcept;

  void touch(std::uint32_t i) noexcept;
  void touch_all() noexcept;
  void settle() noexcept;
  bool turn() noexcept;
  void enter(whole_phase next) noexcept;
  void advance(std::uint32_t i) noexcept;
  void rise(std::uint32_t i) noexcept;
  void fall(std::uint32_t i) noexcept;
  void prepare_in_turn(std::uint32_t i) noexcept;
  void resume_in_turn(std::uint32_t i) noexcept;

  void begin(std::uint32_t i, component_step s) noexcept;
  void conclude(std::uint32_t i, component_step s, step_outcome o, std::string_view text,
                duration wait) noexcept;
  void run_abort(std::uint32_t i) noexcept;
  void await_mark(std::uint32_t i) noexcept;
  [[nodiscard]] duration time_left() const noexcept;
  [[nodiscard]] duration rest(std::uint32_t i, component_step s) const noexcept;
  [[nodiscard]] duration share(std::uint32_t i, component_step s) const noexcept;
  [[nodiscard]] duration grace(std::uint32_t i) const noexcept;

  void fit(std::uint32_t i) noexcept;
  void due(std::uint32_t i) noexcept;
  void overdue(std::uint32_t i) noexcept;
  void abort_or_lose(std::uint32_t i) noexcept;

  void started(std::uint32_t i, step_outcome o, std::string_view text) noexcept;
  void start_failed(std::uint32_t i, std::string_view text) noexcept;
  void prepared(std::uint32_t i, step_outcome o, std::string_view text, duration wait) noexcept;
  void resumed(std::uint32_t i, step_outcome o, std::string_view text) noexcept;
  void drained(std::uint32_t i, step_outcome o) noexcept;
  void went_down(std::uint32_t i, step_outcome o) noexcept;
  void lose(std::uint32_t i, std::string_view why) noexcept;
  void left(std::uint32_t i) noexcept;
  void satisfy(std::uint32_t i, bool yes) noexcept;

  void count_failure(std::uint32_t i, std::string_view why) noexcept;
  void restart(std::uint32_t i) noexcept;
  void give_up(std::uint32_t i) noexcept;
  void fail_all(std::uint32_t i) noexcept;
  void bring_down(std::uint32_t i, bool still_wanted) noexcept;
  void all_fall() noexcept;
  void hasten(std::uint32_t i) noexcept;
  void lose_the_rest() noexcept;
  void enter_rung(stop_rung r) noexcept;
  [[nodiscard]] bool drains() const noexcept;

  void tell_step(event_kind kind, std::uint32_t i, step_outcome o, std::string_view text) noexcept;
  void tell_part(event_kind kind, std::uint32_t i, std::string_view text,
                 duration limit = {}) noexcept;

  const part_graph* graph_;
  machine_desk* desk_ = nullptr;
  std::vector<duration> chains_;
  std::vector<part_life> parts_;
  std::vector<time_point> due_;            // of each part; beside each other, to be searched
  std::vector<std::uint32_t> waits_up_;    // dependencies that are not satisfied
  std::vector<std::uint32_t> waits_down_;  // dependants that are not gone
  std::vector<std::uint32_t> work_;        // parts to be looked at, each once: a ring
  std::size_t work_begin_ = 0;
  std::size_t work_size_ = 0;
  std::vector<std::uint32_t> scratch_;
  std::size_t unsettled_ = 0;

  time_point now_ = {};
  whole_phase whole_ = whole_phase::idle;
  stop_rung rung_ = stop_rung::none;
  time_point deadline_ = never;    // of the stop
  time_point lame_until_ = never;  // or, of what is prepared, the end of the lease
  duration rollback_ = {};
  duration lease_ = {};
  std::uint32_t culprit_ = nobody;
  bool rolled_back_ = false;
  std::uint32_t failed_stops_ = 0;
  std::uint32_t late_stops_ = 0;
  std::uint32_t lost_ = 0;
};

}  // namespace detail
CURFEW_END

#include <curfew/service/detail/lifecycle_moves.hpp>

#endif
