// SPDX-License-Identifier: BSL-1.0
//
// How a stop cancels one operation of Asio, for bind_stop().
#ifndef CURFEW_INTEROP_DETAIL_BOUND_OPERATION_HPP
#define CURFEW_INTEROP_DETAIL_BOUND_OPERATION_HPP

#include <curfew/interop/detail/asio_choice.hpp>

#if CURFEW_ASIO_SLOTS

#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/inplace_stop_token.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN
inline namespace CURFEW_ASIO_INSIDE {

/// What bind_stop() makes.
template <class Token, class CompletionToken>
struct stop_bound {
  Token stop;
  CompletionToken token;
};

}  // namespace CURFEW_ASIO_INSIDE

namespace detail::CURFEW_ASIO_INSIDE {

/// What an operation and its stop share. It outlives both, and whatever has been posted.
template <class Outer, class Executor, class Token>
class bound_operation
    : public std::enable_shared_from_this<bound_operation<Outer, Executor, Token>> {
 public:
  bound_operation(Outer outer, Executor executor)
      : outer_(std::move(outer)), executor_(std::move(executor)) {}

  [[nodiscard]] Executor executor() const noexcept { return executor_; }
  [[nodiscard]] asio_here::cancellation_slot slot() noexcept { return signal_.slot(); }

  /// Before the operation is started: a stop is noted from now on.
  void prepare(const Token& stop) { on_stop_.emplace(stop, relay{this}); }
  /// It has been started, and may be over by now.
  void started() {
    if (phase_.exchange(phase::started, std::memory_order_acq_rel) == phase::stopped) post_cancel();
  }
  /// On the executor, or when the operation is thrown away with its context.
  void over() noexcept {
    on_stop_.reset();
    over_ = true;
  }
  /// On the executor.
  void cancel(asio_here::cancellation_type_t type) {
    if (!over_) signal_.emit(type);
  }

 private:
  enum class phase : unsigned char { starting, started, stopped };
  struct relay {
    bound_operation* self;
    void operator()() const noexcept { self->stop(); }
  };

  void stop() {
    if (phase_.exchange(phase::stopped, std::memory_order_acq_rel) == phase::started) post_cancel();
  }
  void post_cancel() {
    asio_here::post(outer_, [own = this->shared_from_this()] {
      asio_here::dispatch(own->executor_,
                          [own] { own->cancel(asio_here::cancellation_type::terminal); });
    });
  }

  // The operation's executor, and the handler's, which may be one that runs what it gets on the
  // thread that it is on, as that of use_future: hence one after the other.
  const Outer outer_;
  const Executor executor_;
  asio_here::cancellation_signal signal_;  // prepared by the start, then used on the executor alone
  bool over_ = false;                      // on the executor alone
  // Of the exchanges by started() and by stop(), the later one sees the other's value and posts: so
  // nothing is cancelled while it is being started, and what the start did to signal_ is seen.
  std::atomic<phase> phase_{phase::starting};
  std::optional<stop_callback_for_t<Token, relay>> on_stop_;
};

/// The handler that the operation gets: the user's, with another cancellation slot. Moved, never
/// copied, so that one of them has the operation.
template <class Operation, class Executor, class Handler>
class bound_handler {
 public:
  using executor_type = Executor;
  using allocator_type = typename asio_here::associated_allocator<Handler>::type;
  using cancellation_slot_type = asio_here::cancellation_slot;

  template <class Init>
  bound_handler(std::shared_ptr<Operation> operation, Init&& handler)
      : operation_(std::move(operation)),
        executor_(operation_->executor()),
        slot_(operation_->slot()),
        handler_(std::forward<Init>(handler)) {}
  bound_handler(bound_handler&&) = default;
  bound_handler& operator=(bound_handler&&) = delete;
  ~bound_handler() {
    if (operation_) operation_->over();
  }

  [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }
  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }
  [[nodiscard]] allocator_type get_allocator() const noexcept {
    return asio_here::get_associated_allocator(handler_);
  }

  template <class... Args>
  void operator()(Args&&... args) {
    std::exchange(operation_, nullptr)->over();
    std::move(handler_)(std::forward<Args>(args)...);
  }

 private:
  std::shared_ptr<Operation> operation_;
  Executor executor_;
  cancellation_slot_type slot_;
  Handler handler_;
};

struct no_executor {};

/// Not an error of the compiler's: Asio tries its completion tokens on an operation without one.
[[noreturn]] inline void throw_no_executor() {
  throw_errc(std::errc::invalid_argument,
             "bind_stop(): neither the operation nor its handler says on which executor to cancel; "
             "write bind_stop(token, bind_executor(executor, handler))");
}

/// Starts the operation with that handler.
template <class Initiation, class Token>
struct bound_initiation {
  Initiation start;
  Token stop;

  [[nodiscard]] auto get_executor() const noexcept requires requires(const Initiation& i) {
    i.get_executor();
  }
  { return start.get_executor(); }

  template <class Handler, class... Args>
  void operator()(Handler&& handler, Args&&... args) {
    if constexpr (requires { start.get_executor(); }) {
      const auto outer = start.get_executor();
      begin(outer, asio_here::get_associated_executor(handler, outer),
            std::forward<Handler>(handler), std::forward<Args>(args)...);
    } else {
      using type = std::decay_t<Handler>;
      using found = typename asio_here::associated_executor<type, no_executor>::type;
      if constexpr (std::is_same_v<found, no_executor>) {
        throw_no_executor();
      } else {
        const auto own = asio_here::get_associated_executor(handler);
        begin(own, own, std::forward<Handler>(handler), std::forward<Args>(args)...);
      }
    }
  }

 private:
  template <class Outer, class Executor, class Handler, class... Args>
  void begin(const Outer& outer, const Executor& executor, Handler&& handler, Args&&... args) {
    using operation = bound_operation<Outer, Executor, Token>;
    using bound = bound_handler<operation, Executor, std::decay_t<Handler>>;
    const auto op = std::make_shared<operation>(outer, executor);
    pass_on(asio_here::get_associated_cancellation_slot(handler), op);
    op->prepare(stop);
    std::move(start)(bound(op, std::forward<Handler>(handler)), std::forward<Args>(args)...);
    op->started();
  }

  /// Whoever cancels through the handler's own slot cancels the operation. Its signal does not keep
  /// the operation, whose executors may not outlive their context.
  template <class Slot, class Operation>
  static void pass_on(Slot slot, const std::shared_ptr<Operation>& op) {
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr(op)](asio_here::cancellation_type_t type) {
        if (const auto own = weak.lock()) own->cancel(type);
      });
    }
  }
};

/// What async_result is for a token that carries a stop.
template <class Token, class CompletionToken, class... Signatures>
struct bound_result {
  template <class Initiation, class Bound, class... Args>
  static decltype(auto) initiate(Initiation&& initiation, Bound&& bound, Args&&... args) {
    using start = bound_initiation<std::decay_t<Initiation>, Token>;
    start with{std::forward<Initiation>(initiation), bound.stop};
    CompletionToken token(std::forward<Bound>(bound).token);
    return asio_here::async_initiate<CompletionToken, Signatures...>(std::move(with), token,
                                                                     std::forward<Args>(args)...);
  }
};

}  // namespace detail::CURFEW_ASIO_INSIDE
CURFEW_END

/// How Asio starts an operation with it.
template <class Token, class CompletionToken, class... Signatures>
class curfew::detail::CURFEW_ASIO_INSIDE::asio_here::async_result<
    curfew::stop_bound<Token, CompletionToken>, Signatures...>
    : public curfew::detail::CURFEW_ASIO_INSIDE::bound_result<Token, CompletionToken,
                                                              Signatures...> {};

#endif
#endif
