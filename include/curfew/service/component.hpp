// SPDX-License-Identifier: BSL-1.0
//
// A part of a program: what starts and stops it, what must be up before it, and how long it may
// take. Declared as a value, brought up and down by a lifecycle.
#ifndef CURFEW_SERVICE_COMPONENT_HPP
#define CURFEW_SERVICE_COMPONENT_HPP

#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

CURFEW_BEGIN

namespace detail {

/// What stands behind a step and a link; the lifecycle's own.
class component_desk {
 public:
  virtual void say(std::size_t part, std::string_view what, bool moved) noexcept = 0;
  virtual void fail(std::size_t part, std::string_view why) noexcept = 0;

 protected:
  ~component_desk() = default;
};

}  // namespace detail

/// A component as its own threads know it. It may be copied, and outlive the lifecycle: then it
/// does nothing. Thread safety: all members, from any thread.
class component_link {
 public:
  component_link() noexcept = default;
  component_link(std::weak_ptr<detail::component_desk> desk, std::size_t part) noexcept
      : desk_(std::move(desk)), part_(part) {}

  /// The component does not work any more. It is started again, or fails the whole, as declared.
  /// Ignored unless it is up.
  void fail(std::string_view why) const noexcept {
    if (const auto desk = desk_.lock()) desk->fail(part_, why);
  }

 private:
  std::weak_ptr<detail::component_desk> desk_;
  std::size_t part_ = 0;
};

/// What a function of a component is told. It lives as long as the call.
///
/// Thread safety: token(), progress() and note() from any thread, the rest from the function's own.
class step {
 public:
  step(std::weak_ptr<detail::component_desk> desk, std::size_t part, component_step what,
       stop_token token) noexcept
      : desk_(std::move(desk)), part_(part), what_(what), token_(std::move(token)) {}
  step(const step&) = delete;
  step& operator=(const step&) = delete;

  [[nodiscard]] component_step what() const noexcept { return what_; }

  /// Stops when this step is to be cut short: its time is spent, the stop has moved up a rung, or,
  /// of a start, a stop was asked for. remaining() is what is left of the step's own time.
  [[nodiscard]] const stop_token& token() const noexcept { return token_; }
  [[nodiscard]] time_source::duration remaining() const noexcept { return token_.remaining(); }

  /// Work has moved on; shown beside what is still going on, and told to the host.
  void progress(std::string_view what) const noexcept {
    if (const auto desk = desk_.lock()) desk->say(part_, what, true);
  }
  /// The same of what has not moved on: shown, and told to no host, which would wait longer for it.
  void note(std::string_view what) const noexcept {
    if (const auto desk = desk_.lock()) desk->say(part_, what, false);
  }
  [[nodiscard]] component_link self() const noexcept { return {desk_, part_}; }

  /// This step has failed, though it returns: as if it threw, for a stop that has no memory to, and
  /// for builds without exceptions. What is said last counts.
  void fail(std::string_view why) noexcept {
    failed_ = true;
    why_ = detail::fixed_text<400>(why);
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] const detail::fixed_text<400>& why() const noexcept { return why_; }

 private:
  std::weak_ptr<detail::component_desk> desk_;
  std::size_t part_;
  component_step what_;
  stop_token token_;
  bool failed_ = false;
  detail::fixed_text<400> why_ = {};
};

/// What a prepare says to a stop that is being considered.
class prepare_answer {
 public:
  [[nodiscard]] static prepare_answer ready() { return {}; }
  /// It will be, by then; the stop waits for that.
  [[nodiscard]] static prepare_answer ready_in(detail::saturated d) {
    prepare_answer a;
    a.wait_ = d;
    return a;
  }
  [[nodiscard]] static prepare_answer veto(std::string reason) {
    prepare_answer a;
    a.vetoed_ = true;
    a.reason_ = std::move(reason);
    return a;
  }

  [[nodiscard]] bool vetoed() const noexcept { return vetoed_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
  [[nodiscard]] time_source::duration wait() const noexcept { return wait_; }

 private:
  bool vetoed_ = false;
  time_source::duration wait_{};
  std::string reason_;
};

/// A function of a component: f(), f(step&) or f(stop_token). Whatever it throws is its failure.
/// Empty: there is nothing to do.
template <class Result>
class basic_step_function {
 public:
  basic_step_function() noexcept = default;
  basic_step_function(std::nullptr_t) noexcept {}

  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, basic_step_function> &&
           (std::is_invocable_r_v<Result, F&> || std::is_invocable_r_v<Result, F&, step&> ||
            std::is_invocable_r_v<Result, F&, stop_token>)) basic_step_function(F f)
      : call_(std::make_shared<held<F>>(std::move(f))) {}

  [[nodiscard]] explicit operator bool() const noexcept { return call_ != nullptr; }
  Result operator()(step& s) const { return call_->run(s); }

 private:
  struct any {
    any() = default;
    any(const any&) = delete;
    any& operator=(const any&) = delete;
    virtual ~any() = default;
    virtual Result run(step&) = 0;
  };
  template <class F>
  struct held final : any {
    explicit held(F g) : f(std::move(g)) {}
    Result run(step& s) override {
      if constexpr (std::is_invocable_r_v<Result, F&, step&>) {
        return static_cast<Result>(f(s));
      } else if constexpr (std::is_invocable_r_v<Result, F&, stop_token>) {
        return static_cast<Result>(f(s.token()));
      } else {
        return static_cast<Result>(f());
      }
    }
    F f;
  };

  std::shared_ptr<any> call_;
};

/// A start, a drain, a stop: what a component does in a step.
using step_function = basic_step_function<void>;
/// Asked before a stop whether it may be.
using prepare_function = basic_step_function<prepare_answer>;
/// A question of a condition: true when the step may begin.
using step_predicate = basic_step_function<bool>;

/// Something that must be so before a step begins: looked at again and again, within the time of
/// the step, on the component's own thread. While it does not hold, `text` says what is waited for.
struct condition {
  std::string text = {};
  step_predicate holds = {};  ///< empty: always
};

/// What becomes of a component that fails while it is up. Every failure counts one, and what was
/// counted halves with every `decay`. While the count is not above `most`, the component and what
/// depends on it are stopped and started again, after a delay that doubles with each failure in a
/// row up to the longest, and of which a random half is left out. Above it the component fails the
/// whole; one that is optional stays down instead.
struct supervision {
  unsigned most = 0;  ///< 0: the first failure is final
  detail::saturated decay = std::chrono::minutes(1);
  detail::saturated delay = std::chrono::milliseconds(100);
  detail::saturated longest_delay = std::chrono::seconds(30);
};

/// A component lives in functions, each of which runs on a thread of the component's own, one after
/// the other; `abort` runs beside a stop that hangs. What they use belongs to the component: one
/// that hangs is abandoned, and its function may still run when everything else is gone.
///
/// Started:  `start` returns when the component is ready. One that throws or takes too long has not
///           started; what had started before it is stopped again.
/// Stopped:  `drain` waits for work in flight, `stop` ends the component, `abort` ends what hangs
///           in them, and what hangs even then is abandoned. Each begins when all components after
///           it are down. A drain that fails or is cut short is followed by `stop` all the same.
/// A stop that is only considered: `prepare` says whether it may be, and stops taking new work;
///           `resume` takes that back.
struct component {
  std::vector<std::string> after = {};  ///< what must be up before it, and is stopped after it

  step_function start = {};
  step_function stop = {};
  step_function drain = {};
  step_function abort = {};
  prepare_function prepare = {};
  step_function resume = {};

  detail::saturated start_timeout = std::chrono::seconds(30);
  detail::saturated stop_timeout = std::chrono::seconds(10);
  detail::saturated drain_timeout = std::chrono::seconds(10);    ///< if there is a drain
  detail::saturated abort_timeout = std::chrono::seconds(1);     ///< if there is an abort
  detail::saturated prepare_timeout = std::chrono::seconds(10);  ///< of a prepare, and of a resume

  condition start_when = {};
  condition drain_when = {};
  condition stop_when = {};

  bool base = false;  ///< all others are after it, but what it is after itself and other such

  bool optional = false;  ///< the whole does without it: a failure is told, and that is all
  bool pausable = false;  ///< a service that is paused does without it
  supervision restart = {};
};

CURFEW_END

#endif
