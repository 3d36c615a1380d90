// SPDX-License-Identifier: BSL-1.0
//
// co_await a stop in any coroutine, without a framework. Empty where the compiler has none.
#ifndef CURFEW_INTEROP_COROUTINE_HPP
#define CURFEW_INTEROP_COROUTINE_HPP

#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <version>

#if defined(__cpp_lib_coroutine)

#include <atomic>
#include <concepts>
#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

CURFEW_BEGIN
namespace detail {

template <class Token, class Resumer>
class stop_awaiter;
struct resume_here;
template <class F>
class resume_by;

}  // namespace detail

/// Suspends the coroutine until the token stops, and says why:
///
///     const curfew::stop_reason why = co_await curfew::stopped(token);
///
/// A token that is stopped already, or that can never be, does not suspend; cause `none` says the
/// latter. One that becomes unstoppable meanwhile leaves the coroutine suspended for its owner to
/// destroy.
///
/// The coroutine goes on as a callback of the stop: on the thread that stops, before request_stop()
/// returns, and what it does up to its next suspension delays the other callbacks. It may end there
/// and take its frame with it. An exception that leaves it there ends the program.
///
/// A suspended coroutine may be destroyed on any thread, and then nothing resumes it; but a stop
/// that runs on another thread at that moment may have resumed it already, and a coroutine that
/// runs must not be destroyed. Who cannot rule that out takes the other overload.
template <std::derived_from<detail::token_base> Token>
[[nodiscard]] detail::stop_awaiter<Token, detail::resume_here> stopped(Token token);

/// The same, but resumes where `post` brings it: post(f) runs on the thread that stops, and sees to
/// it that f() is called once on the coroutine's own thread or executor:
///
///     co_await curfew::stopped(token, [&](auto resume) { loop.post(std::move(resume)); });
///
/// The coroutine may be destroyed there at any moment, also between the stop and the call of f,
/// which does nothing then. An f that is dropped without a call leaves the coroutine suspended. An
/// exception of post ends the program.
template <std::derived_from<detail::token_base> Token, class Post>
[[nodiscard]] detail::stop_awaiter<Token, detail::resume_by<std::decay_t<Post>>> stopped(
    Token token, Post&& post);

// --- bodies -------------------------------------------------------------------------------------

namespace detail {

struct resume_here {
  void operator()(std::coroutine_handle<> waiting) const { waiting.resume(); }
};

/// What is posted outlives the awaiter; the two share a handle, which the awaiter's end empties. It
/// is written by the stop before post, and else used on the coroutine's own executor alone.
template <class F>
class resume_by {
 public:
  class resumption {
   public:
    explicit resumption(std::shared_ptr<std::coroutine_handle<>> waiting)
        : waiting_(std::move(waiting)) {}
    void operator()() const {
      if (auto h = std::exchange(*waiting_, {})) h.resume();
    }

   private:
    std::shared_ptr<std::coroutine_handle<>> waiting_;
  };

  explicit resume_by(F post) : post_(std::move(post)) {}
  resume_by(const resume_by&) = delete;
  resume_by& operator=(const resume_by&) = delete;
  ~resume_by() { *waiting_ = {}; }

  /// A post that resumes at once ends this before it returns, hence it is moved out.
  void operator()(std::coroutine_handle<> waiting) {
    *waiting_ = waiting;
    F post(std::move(post_));
    post(resumption(waiting_));
  }

 private:
  F post_;
  const std::shared_ptr<std::coroutine_handle<>> waiting_ =
      std::make_shared<std::coroutine_handle<>>();
};

/// Lives in the frame of the coroutine that waits.
template <class Token, class Resumer>
class stop_awaiter {
 public:
  template <class... Init>
  explicit stop_awaiter(Token token, Init&&... init)
      : token_(std::move(token)), resume_{std::forward<Init>(init)...} {}
  stop_awaiter(const stop_awaiter&) = delete;
  stop_awaiter& operator=(const stop_awaiter&) = delete;
  ~stop_awaiter() { phase_.exchange(phase::over, std::memory_order_acq_rel); }

  [[nodiscard]] bool await_ready() const noexcept {
    return token_.stop_requested() || !token_.stop_possible();
  }
  bool await_suspend(std::coroutine_handle<> waiting) noexcept {
    waiting_ = waiting;
    on_stop_.emplace(token_, relay{this});
    return phase_.exchange(phase::suspended, std::memory_order_acq_rel) == phase::suspending;
  }
  [[nodiscard]] stop_reason await_resume() const noexcept { return token_.reason(); }

 private:
  enum class phase : unsigned char { suspending, suspended, over };
  struct relay {
    stop_awaiter* self;
    void operator()() const noexcept { self->stop(); }
  };

  void stop() {
    if (phase_.exchange(phase::over, std::memory_order_acq_rel) == phase::suspended)
      resume_(waiting_);
  }

  const Token token_;
  Resumer resume_;
  std::coroutine_handle<> waiting_;
  // Of the exchanges by await_suspend and by the stop, the later one sees the other's value and
  // makes the coroutine go on: an early stop leaves that to await_suspend, on its own thread, which
  // touches nothing of the frame after its exchange. The destructor's keeps a stop that comes later
  // from resuming.
  std::atomic<phase> phase_{phase::suspending};
  std::optional<stop_callback_for_t<Token, relay>> on_stop_;  // last: its end waits for a stop
};

}  // namespace detail

template <std::derived_from<detail::token_base> Token>
detail::stop_awaiter<Token, detail::resume_here> stopped(Token token) {
  return detail::stop_awaiter<Token, detail::resume_here>(std::move(token));
}

template <std::derived_from<detail::token_base> Token, class Post>
detail::stop_awaiter<Token, detail::resume_by<std::decay_t<Post>>> stopped(Token token,
                                                                           Post&& post) {
  return detail::stop_awaiter<Token, detail::resume_by<std::decay_t<Post>>>(
      std::move(token), std::forward<Post>(post));
}

CURFEW_END

#endif
#endif
