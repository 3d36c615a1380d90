// SPDX-License-Identifier: BSL-1.0
//
// A callback of a stop that runs on an executor of Asio, Boost's or standalone, in any version.
// Which of the two, see detail/asio_choice.hpp. Empty where there is none.
#ifndef CURFEW_INTEROP_EXECUTOR_STOP_CALLBACK_HPP
#define CURFEW_INTEROP_EXECUTOR_STOP_CALLBACK_HPP

#include <curfew/interop/detail/asio_choice.hpp>

#if CURFEW_ASIO

#include <curfew/stop/inplace_stop_token.hpp>

#include <memory>
#include <optional>
#include <utility>

CURFEW_BEGIN
inline namespace CURFEW_ASIO_INSIDE {

/// Runs f on the executor when the token stops, for what may not be touched by the thread that
/// stops, as a socket:
///
///     curfew::executor_stop_callback on_stop(token, acceptor.get_executor(),
///                                            [&] { acceptor.close(); });
///
/// A token that is stopped already posts f at once; it never runs inside of the constructor, nor of
/// request_stop(). It does not keep an io_context running, before it is posted.
///
/// Thread safety: f, and the destructor, belong on the executor, which runs one function at a time
/// (a strand, or an io_context that one thread runs). Then f does not run after the destructor, and
/// may call it. The stop may come from any thread, also during the destructor; the executor's
/// context lives as long as this. A post that throws ends the program, as any callback's exception.
template <class Token, class Executor, class F>
class executor_stop_callback {
 public:
  executor_stop_callback(Token token, Executor executor, F f)
      : task_(std::make_shared<task>(std::move(executor), std::move(f))) {
    on_stop_.emplace(std::move(token), relay{task_});
  }
  executor_stop_callback(const executor_stop_callback&) = delete;
  executor_stop_callback& operator=(const executor_stop_callback&) = delete;
  ~executor_stop_callback() {
    on_stop_.reset();
    task_->over = true;
  }

 private:
  struct task {
    Executor executor;
    F f;
    bool over = false;  // read and written on the executor alone
    task(Executor&& e, F&& g) : executor(std::move(e)), f(std::move(g)) {}
  };
  struct relay {
    std::shared_ptr<task> to;
    void operator()() const noexcept {
      detail::CURFEW_ASIO_INSIDE::asio_here::post(to->executor, [own = to] {
        if (!own->over) own->f();
      });
    }
  };

  const std::shared_ptr<task> task_;
  std::optional<stop_callback_for_t<Token, relay>> on_stop_;
};

template <class Token, class Executor, class F>
executor_stop_callback(Token, Executor, F) -> executor_stop_callback<Token, Executor, F>;

}  // namespace CURFEW_ASIO_INSIDE
CURFEW_END

#endif
#endif
