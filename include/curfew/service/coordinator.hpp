// SPDX-License-Identifier: BSL-1.0
//
// Stops several processes as one: either all agree and are stopped, in the order of their
// dependencies, or all go on.
#ifndef CURFEW_SERVICE_COORDINATOR_HPP
#define CURFEW_SERVICE_COORDINATOR_HPP

#include <curfew/release/label.hpp>
#include <curfew/service/coordinator_report.hpp>
#include <curfew/service/detail/control_member.hpp>
#include <curfew/service/detail/end_process.hpp>
#include <curfew/service/detail/fleet_run.hpp>
#include <curfew/service/fleet_member.hpp>
#include <curfew/service/lifecycle.hpp>
#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// What a member of a fleet depends on, and how long it may take.
struct member_options {
  std::vector<std::string> after = {};  ///< what it depends on, and is stopped before
  detail::saturated prepare_timeout = std::chrono::seconds(10);  ///< of a prepare, and of an abort
  detail::saturated stop_timeout = std::chrono::seconds(30);     ///< until it is gone
  bool optional = false;  ///< it need not run: one that is not there has nothing against a stop
};

/// Processes, declared once, then stopped as a whole:
///
///     curfew::coordinator fleet;
///     fleet.add("database", "/run/database/control");
///     fleet.add("orders", "/run/orders/control", {.after = {"database"}});
///     const curfew::coordinator_report report = fleet.stop(60s);
///     std::fputs(to_text(report).c_str(), stdout);
///
/// First all are asked whether they may be stopped: those first that nobody depends on, others at
/// the same time, each on a thread of its own. When one says no, fails, is silent or has died, all
/// that are prepared, or may be, are told to go on, in the order of their dependencies; nobody is
/// stopped. When all agree, all are told to stop, each when those that depend on it are gone or
/// given up. From the first of these on there is no way back: who fails then is told, and the rest
/// is stopped all the same.
///
/// A member that has died before anybody is told to stop is a reason not to: it may be started
/// again at any moment, and that one has agreed to nothing. One that dies later is as gone as it
/// was to be; the stop goes on, and the report is not ok().
///
/// Should this process die, those that it has prepared go on when their lease ends; those that it
/// has told to stop do so.
///
/// Thread safety: one thread at a time.
class coordinator {
 public:
  using duration = time_source::duration;

  coordinator() : coordinator(time_source::process()) {}
  /// Limits and measured times are those of `clock`, which outlives all members.
  explicit coordinator(time_source& clock)
      : clock_(clock), declared_(std::make_shared<detail::lifecycle_state>(clock)) {}

  coordinator(const coordinator&) = delete;
  coordinator& operator=(const coordinator&) = delete;

  /// A process, by the path of its control endpoint. Its end is waited for, not just its answer.
  ///
  /// What it is after may be declared later. A name that is taken, a member after itself, and one
  /// that closes a loop, which is named, throw std::system_error (invalid_argument).
  void add(label name, std::string path, member_options options = {}) {
    add(name, std::make_shared<detail::control_member>(std::move(path)), std::move(options));
  }
  /// Anything else that can be asked.
  void add(label name, std::shared_ptr<fleet_member> member, member_options options = {});
  /// Throws the same when somebody is after a member that is not declared. stop() does it, too.
  void validate() const { declared_->validate(); }
  /// For a plan.
  [[nodiscard]] std::vector<plan_part> parts() const { return declared_->plan_parts(); }

  /// Returns when all are gone, or given up, or go on. Before the first one is told to stop, `wish`
  /// or the end of the budget calls it off. After that what is left of the budget is divided among
  /// those that stop one after the other; each gets a tenth of its stop_timeout even when nothing
  /// is left, so that all are told. `change` names the stop in the members' own logs; empty: one is
  /// made.
  ///
  /// Throws std::system_error when a member is after one that is not declared, or a timer cannot be
  /// had: before anybody is asked.
  [[nodiscard]] coordinator_report stop(detail::saturated budget = (duration::max)(),
                                        const stop_token& wish = {}, std::string change = {});

 private:
  [[nodiscard]] static std::string new_change();

  time_source& clock_;
  std::shared_ptr<detail::lifecycle_state> declared_;  // never started
  std::vector<std::pair<std::string, std::shared_ptr<fleet_member>>> members_;
};

// ---------------------------------------------------------------------------------------------

inline void coordinator::add(label name, std::shared_ptr<fleet_member> member,
                             member_options options) {
  const auto nothing = [] {};
  declared_->add(name, {.after = std::move(options.after),
                        .stop = nothing,
                        .prepare = prepare_answer::ready,
                        .stop_timeout = options.stop_timeout,
                        .prepare_timeout = options.prepare_timeout,
                        .optional = options.optional});
  members_.emplace_back(name.text, std::move(member));
}

inline coordinator_report coordinator::stop(detail::saturated budget, const stop_token& wish,
                                            std::string change) {
  validate();
  coordinator_report report{.change = change.empty() ? new_change() : std::move(change),
                            .began = std::chrono::system_clock::now()};
  for (const auto& m : members_) report.members.push_back({.name = m.first});
  const auto run =
      std::make_shared<detail::fleet_run>(clock_, declared_->graph(), std::move(report), budget);
  for (const auto& m : members_) run->seat(m.second);
  return run->run(wish);
}

/// This process, and the time in microseconds.
inline std::string coordinator::new_change() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  return std::to_string(detail::process_id()) + "-" + std::to_string(time);
}

CURFEW_END

#endif
