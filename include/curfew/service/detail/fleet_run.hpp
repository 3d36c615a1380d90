// SPDX-License-Identifier: BSL-1.0
//
// One stop of a coordinator: three waves of questions along the dependencies, each question on its
// member's own thread.
#ifndef CURFEW_SERVICE_DETAIL_FLEET_RUN_HPP
#define CURFEW_SERVICE_DETAIL_FLEET_RUN_HPP

#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/coordinator_report.hpp>
#include <curfew/service/detail/component_worker.hpp>
#include <curfew/service/detail/error_text.hpp>
#include <curfew/service/detail/part_graph.hpp>
#include <curfew/service/detail/share.hpp>
#include <curfew/service/fleet_member.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

CURFEW_BEGIN
namespace detail {

struct fleet_seat {
  enum class stage : std::uint8_t { waits, asked, over };

  explicit fleet_seat(std::shared_ptr<fleet_member> m) noexcept : member(std::move(m)) {}

  const std::shared_ptr<fleet_member> member;
  component_worker worker;

  // Of the thread that runs the whole; the worker reads it while it is asked, and then it stays.
  stage at = stage::over;
  bool prepared = false;  // or may be
  std::int64_t pid = 0;   // who said yes
  time_source::time_point give_up_at = {};
  bool lost = false;  // its question has not returned, and it is asked nothing more

  // Under the lock.
  bool heard = false;
  member_answer answer;
};

/// A worker whose question hangs keeps all this alive. Nothing here is the caller's but the clock.
///
/// Thread safety: run() once, by one thread.
class fleet_run final : public step_performer, public std::enable_shared_from_this<fleet_run> {
 public:
  using duration = time_source::duration;
  using time_point = time_source::time_point;

  fleet_run(time_source& clock, const part_graph& graph, coordinator_report report, duration budget)
      : clock_(clock),
        graph_(graph),
        chains_(graph.chains()),
        report_(std::move(report)),
        change_(report_.change),
        began_(clock.now()),
        deadline_(saturating_add(began_, budget)),
        considered_(clock, deadline_),
        lease_(longest_lease(budget)) {}

  void seat(std::shared_ptr<fleet_member> m) { seats_.emplace_back(std::move(m)); }

  [[nodiscard]] coordinator_report run(const stop_token& wish);
  void perform(const step_order& order) noexcept override;

 private:
  class closing;

  [[nodiscard]] duration longest_lease(duration budget) const;
  [[nodiscard]] bool make_threads();
  void decide();
  void wave(fleet_step step);
  void hear(fleet_step step);
  void hear(fleet_step step, std::size_t i);
  void conclude(fleet_step step, std::size_t i, member_answer answer);
  bool ask_in_turn(fleet_step step);
  void ask(fleet_step step, std::size_t i);
  [[nodiscard]] bool takes_part(fleet_step step, const fleet_seat& s) const noexcept;
  [[nodiscard]] bool is_next(fleet_step step, std::size_t i) const noexcept;
  [[nodiscard]] duration limit_of(fleet_step step, std::size_t i) const noexcept;
  [[nodiscard]] static member_fate fate_after(fleet_step step, member_word word) noexcept;
  void refuse(std::string_view member, std::string_view why);
  void obey_stop(fleet_step step) noexcept;

  [[nodiscard]] member_answer answer_to(const fleet_seat& s, const step_order& order) const;
  void wake() noexcept;
  void await() noexcept;

  time_source& clock_;
  const part_graph graph_;
  const std::vector<duration> chains_;
  std::deque<fleet_seat> seats_;  // as numbered in the graph
  coordinator_report report_;
  const std::string change_;
  const time_point began_;
  const time_point deadline_;
  // Stops the prepares: by somebody's refusal, by the caller's wish, or when the time is spent.
  stop_source considered_;
  const duration lease_;
  bool refused_ = false;
  std::string blame_;  // for those who are told to go on

  std::mutex lock_;
  bool news_ = false;
  inplace_stop_source* nap_ = nullptr;  // what the running thread sleeps on
};

// ---- times

/// The longest time that a prepare lasts in the worst case, and is then waited with.
inline fleet_run::duration fleet_run::longest_lease(duration budget) const {
  std::vector<duration> asked(graph_.size());
  duration prepares{}, commits{};
  const auto order = graph_.order();
  for (auto i = order.rbegin(); i != order.rend(); ++i) {
    for (const std::uint32_t b : graph_[*i].before) asked[*i] = greater(asked[*i], asked[b]);
    asked[*i] = saturating_sum(asked[*i], graph_[*i].wants(component_step::prepare));
    prepares = greater(prepares, asked[*i]);
    commits = greater(commits, chains_[*i]);
  }
  return saturating_sum(lesser(saturating_sum(prepares, commits), budget), commits / 10);
}

/// The token of a question stops when nine tenths of its time are spent, so that who obeys it is
/// not given up.
[[nodiscard]] constexpr time_source::duration tenth_of(time_source::duration limit) noexcept {
  return limit / 10;
}

/// Who has prepared is told to stop, also when the time is spent: a tenth of its own is there.
inline fleet_run::duration fleet_run::limit_of(fleet_step step, std::size_t i) const noexcept {
  if (step != fleet_step::commit) return graph_[i].wants(component_step::prepare);
  const duration wanted = graph_[i].wants(component_step::stop);
  const duration left = deadline_ == (time_point::max)()
                            ? (duration::max)()
                            : saturating_subtract(deadline_, clock_.now());
  return greater(share_of(left, wanted, chains_[i]), tenth_of(wanted));
}

// ---- the members' threads

[[nodiscard]] constexpr component_step order_for(fleet_step s) noexcept {
  switch (s) {
    case fleet_step::prepare: return component_step::prepare;
    case fleet_step::abort: return component_step::resume;
    case fleet_step::commit: break;
  }
  return component_step::stop;
}

inline void fleet_run::perform(const step_order& order) noexcept {
  fleet_seat& s = seats_[order.part];
  member_answer answer;
  const std::exception_ptr error = attempt([&] { answer = answer_to(s, order); });
  if (error != nullptr) {
    answer.word = member_word::failed;
    static_cast<void>(attempt([&] { answer.text = error_text(error).str(); }));
  }
  const std::lock_guard guard(lock_);
  s.answer = std::move(answer);
  s.heard = true;
  wake();
}

inline member_answer fleet_run::answer_to(const fleet_seat& s, const step_order& order) const {
  const bool prepares = order.step == component_step::prepare;
  std::error_code ec;
  const stop_source limit = prepares ? stop_source(considered_.get_token(), order.cut_at, ec)
                                     : stop_source(clock_, order.cut_at, ec);
  if (ec) return {.word = member_word::failed, .text = ec.message()};
  const stop_token token = limit.get_token();
  member_call call{.change = change_, .lease = lease_, .pid = s.pid, .limit = token};
  if (prepares) return s.member->prepare(call);
  if (order.step == component_step::stop) return s.member->commit(call);
  call.why = blame_;
  return s.member->abort(call);
}

/// Under the lock.
inline void fleet_run::wake() noexcept {
  news_ = true;
  if (nap_ != nullptr) nap_->request_stop();
}

inline void fleet_run::await() noexcept {
  time_point due = (time_point::max)();
  for (const fleet_seat& s : seats_) {
    if (s.at == fleet_seat::stage::asked) due = lesser(due, s.give_up_at);
  }
  inplace_stop_source nap(clock_);
  {
    const std::lock_guard guard(lock_);
    if (std::exchange(news_, false)) return;
    nap_ = &nap;
  }
  static_cast<void>(attempt([&] { nap.get_token().wait_until(due); }));
  const std::lock_guard guard(lock_);
  nap_ = nullptr;
  news_ = false;
}

// ---- the whole

/// However run() is left, its threads end; what hangs is left behind.
class fleet_run::closing {
 public:
  explicit closing(fleet_run& r) noexcept : r_(r) {}
  closing(const closing&) = delete;
  closing& operator=(const closing&) = delete;
  ~closing() {
    {
      const std::lock_guard guard(r_.lock_);
      for (fleet_seat& s : r_.seats_) {
        const bool hangs = s.at == fleet_seat::stage::asked && !s.heard;
        hangs ? s.worker.abandon() : s.worker.dismiss();
      }
    }
    for (fleet_seat& s : r_.seats_) s.worker.join();
  }

 private:
  fleet_run& r_;
};

inline coordinator_report fleet_run::run(const stop_token& wish) {
  {
    const closing end(*this);
    const stop_callback on_wish(wish, [&] { considered_.request_stop(wish.reason()); });
    const stop_callback on_stop(considered_.get_token(), [this] {
      const std::lock_guard guard(lock_);
      wake();
    });
    if (make_threads()) {
      wave(fleet_step::prepare);
      decide();
      wave(refused_ ? fleet_step::abort : fleet_step::commit);
    }
  }
  const auto is_left = [](const member_report& m) { return m.fate == member_fate::left; };
  const bool left = std::any_of(report_.members.begin(), report_.members.end(), is_left);
  report_.outcome = refused_ ? fleet_outcome::aborted
                    : left   ? fleet_outcome::partly
                             : fleet_outcome::stopped;
  report_.elapsed = clock_.now() - began_;
  return report_;
}

/// Before anybody is asked, since a stop in its middle cannot do without.
inline bool fleet_run::make_threads() {
  std::error_code ec;
  for (fleet_seat& s : seats_) {
    if (s.worker.start(shared_from_this(), ec)) continue;
    refuse({}, "there is no thread: " + ec.message());
    return false;
  }
  return true;
}

/// The last moment in which it can be taken back.
inline void fleet_run::decide() {
  for (std::size_t i = 0; i != seats_.size() && !refused_; ++i) {
    if (!seats_[i].prepared || seats_[i].member->is_there()) continue;
    seats_[i].prepared = false;
    report_.members[i].fate = member_fate::died;
    refuse(report_.members[i].name, "it has ended by itself");
  }
  if (considered_.stop_requested() && !refused_) refuse({}, {});
}

inline void fleet_run::refuse(std::string_view member, std::string_view why) {
  if (refused_) return;
  refused_ = true;
  const stop_reason reason = considered_.get_token().reason();
  const bool late = reason.cause == stop_cause::deadline;
  if (reason.cause == stop_cause::none) {
    report_.member = member;
    report_.why = why.empty() ? "it gives no reason" : why;
  } else {
    report_.why = late ? "the time for it is spent" : "it is called off: " + to_string(reason);
  }
  blame_ = report_.member.empty() ? report_.why : report_.member + ": " + report_.why;
  considered_.request_stop();
}

}  // namespace detail
CURFEW_END

#include <curfew/service/detail/fleet_waves.hpp>

#endif
