// SPDX-License-Identifier: BSL-1.0
//
// The machine with threads: what a lifecycle and the threads of its components share.
#ifndef CURFEW_SERVICE_DETAIL_LIFECYCLE_STATE_HPP
#define CURFEW_SERVICE_DETAIL_LIFECYCLE_STATE_HPP

#include <curfew/release/label.hpp>
#include <curfew/service/component.hpp>
#include <curfew/service/detail/component_worker.hpp>
#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/service/detail/lifecycle_machine.hpp>
#include <curfew/service/detail/part_graph.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/service/lifecycle_status.hpp>
#include <curfew/service/plan_part.hpp>
#include <curfew/stop/detail/jitter.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

CURFEW_BEGIN
namespace detail {

struct component_record {
  component_record(const label& l, component c)
      : name(l.text), place(l.place), what(std::move(c)) {}

  std::string name;
  source_place place;
  component what;
  fixed_text<120> note = {};
  fixed_text<400> error = {};
  component_worker worker = {};
  component_worker aborter = {};  // beside a worker that hangs
  stop_source own{nostopstate};   // the context of the step that the worker performs
  bool hurried = false;           // which is to stop, made already or not
  bool works = false;             // the worker performs something; of the aborter:
  bool aborts = false;
};

/// Thread safety: lock_ guards everything but what is atomic and what does not change after the
/// start: the records' names, functions and places, and the graph. No function of the user's runs
/// under it but the sinks', which only store.
class lifecycle_state final : public component_desk,
                              public machine_desk,
                              public step_performer,
                              public std::enable_shared_from_this<lifecycle_state> {
 public:
  using duration = time_source::duration;
  using time_point = time_source::time_point;

  explicit lifecycle_state(time_source& clock) : clock_(clock) {}

  // ---- declaring
  component_link add(const label& name, component what);
  void validate();
  [[nodiscard]] std::vector<plan_part> plan_parts() const;
  void observe(event_sink& sink) { sinks_.push_back(&sink); }
  void set_rollback(duration t) noexcept { rollback_ = t; }
  [[nodiscard]] bool can_pause() const noexcept {
    for (std::size_t i = 0; i != graph_.size(); ++i)
      if (graph_[i].pausable) return true;
    return false;
  }
  [[nodiscard]] const part_graph& graph() const noexcept { return graph_; }

  // ---- orders
  [[nodiscard]] start_report start(const stop_token& token);
  stop_report stop(duration budget, const stop_token& hurry, duration lame_duck) noexcept;
  void shorten(duration left) noexcept;
  void escalate(stop_rung least) noexcept;
  [[nodiscard]] prepare_report prepare(duration lease);
  bool commit() noexcept;
  bool resume(std::string_view why) noexcept;
  [[nodiscard]] lifecycle_snapshot snapshot() const;
  bool restore(const lifecycle_snapshot& wanted);
  lifecycle_snapshot pause();
  void close() noexcept;

  [[nodiscard]] stop_token failed_token() const noexcept { return failed_.get_token(); }
  [[nodiscard]] whole_phase phase() const noexcept;
  [[nodiscard]] std::vector<component_status> status() const;

  // ---- from the components' threads
  void say(std::size_t part, std::string_view what, bool moved) noexcept override;
  void fail(std::size_t part, std::string_view why) noexcept override;
  void perform(const step_order& order) noexcept override;

 private:
  class turn;
  struct step_end {
    step_outcome outcome = step_outcome::done;
    fixed_text<400> text = {};
    duration wait = {};
  };

  // ---- for the machine, under the lock
  void begin(std::uint32_t part, component_step step, time_point cut_at) noexcept override;
  void cut(component_step kind) noexcept override { cuts_ |= 1u << index_of(kind); }
  void tell(std::uint32_t part, const lifecycle_event& e) noexcept override;
  void tell(const lifecycle_event& e) noexcept override;
  void hurry(std::uint32_t part) noexcept override { records_[part].hurried = hurries_ = true; }
  void failed(std::uint32_t) noexcept override { has_failed_ = true; }
  double random() noexcept override {
    return static_cast<double>(generator_.next() >> 11) * 0x1p-53;
  }

  [[nodiscard]] std::uint32_t find(std::string_view name) const noexcept;
  void connect(std::uint32_t part, std::uint32_t dependency);
  [[nodiscard]] std::string text_of_loop(const std::vector<std::uint32_t>& way) const;
  void make_threads(std::error_code& ec) noexcept;
  void begin_start(const stop_token& token);
  void take_back(turn& t) noexcept;
  [[nodiscard]] start_report report_of_start() const;
  [[nodiscard]] bool ready_for_start() const noexcept;

  static void leave(component_record& r) noexcept;
  [[nodiscard]] stop_source& source_of(component_step s) noexcept;
  [[nodiscard]] stop_token token_until(const step_order& order) noexcept;
  [[nodiscard]] step_end run(const step_order& order, const stop_token& token) noexcept;
  void call(component_record& r, step& s, step_end& end);
  [[nodiscard]] static bool await_condition(const condition& c, step& s);
  void news(const step_order& order, const step_end& end) noexcept;

  static void hand_entry(void* self) noexcept;
  void keep_time() noexcept;

  template <class Pred>
  void await(Pred pred) const noexcept;
  [[nodiscard]] bool runs_here() const noexcept;
  void set_wanted(const std::vector<bool>& up) noexcept;
  [[nodiscard]] bool is_as(const std::vector<bool>& up) const noexcept;

  time_source& clock_;
  mutable std::mutex lock_;
  part_graph graph_;
  std::deque<component_record> records_;
  std::map<std::string, std::uint32_t, std::less<>> names_;
  std::multimap<std::string, std::uint32_t, std::less<>> missing_;  // names, and who is after them
  std::string loop_;                                                // the first that was declared
  std::vector<event_sink*> sinks_;
  std::optional<lifecycle_machine> machine_;
  small_random generator_{fresh_seed()};
  duration rollback_ = std::chrono::seconds(15);

  // What the tokens of steps descend from. A step that is cut short is so by its kind.
  stop_source start_;
  stop_source prepare_;
  stop_source drain_;
  stop_source stop_;
  stop_source failed_;
  stop_source hurried_;  // stopped, for a step whose own context cannot be had
  std::uint32_t cuts_ = 0;
  bool hurries_ = false;  // a record is to be hurried
  bool has_failed_ = false;
  std::string veto_part_;
  std::string veto_text_;

  // The hand: the thread that notices that time has passed.
  thread hand_;
  // The hand's own; of the others, none finds itself in it. The hand ends when the lifecycle does.
  std::atomic<thread_id> hand_id_{0};
  inplace_stop_source* nap_ = nullptr;  // what it sleeps on
  time_point nap_until_ = (time_point::max)();
  bool over_ = false;

  // Counts changes of what callers wait for. Whoever makes one does so under the lock, and adds
  // here before it lets go; a waiter reads the count, looks under the lock, and parks on what it
  // read: so it either sees the change or does not fall asleep.
  mutable std::atomic<std::uint32_t> news_{0};
  whole_phase told_phase_ = whole_phase::idle;
  bool told_settled_ = true;
};

/// Holds the lock for one order or one piece of news to the machine. What follows from it outside
/// the machine is done at the end: tokens are stopped without the lock, for their callbacks are the
/// user's.
class lifecycle_state::turn {
 public:
  explicit turn(lifecycle_state& s) noexcept : s_(s) { s_.lock_.lock(); }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn();

  [[nodiscard]] lifecycle_machine& machine() noexcept { return *s_.machine_; }
  [[nodiscard]] time_point now() const noexcept { return s_.clock_.now(); }

 private:
  void hurry_steps() noexcept;
  void wake_hand() noexcept;
  void wake_waiters() noexcept;

  lifecycle_state& s_;
};

}  // namespace detail
CURFEW_END

#include <curfew/service/detail/lifecycle_declaring.hpp>
#include <curfew/service/detail/lifecycle_running.hpp>

#endif
