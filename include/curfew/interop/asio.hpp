// SPDX-License-Identifier: BSL-1.0
//
// Stops in Asio, Boost's or standalone: they cancel operations, and are awaited like one. The Asio
// is the one that was included before, see detail/asio_choice.hpp. Empty where there is none.
#ifndef CURFEW_INTEROP_ASIO_HPP
#define CURFEW_INTEROP_ASIO_HPP

#include <curfew/interop/detail/asio_choice.hpp>

#if CURFEW_ASIO

#include <curfew/interop/detail/bound_operation.hpp>
#include <curfew/interop/detail/stop_wait.hpp>
#include <curfew/interop/executor_stop_callback.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/reason.hpp>

#include <type_traits>
#include <utility>

CURFEW_BEGIN
inline namespace CURFEW_ASIO_INSIDE {

/// asio::error_code or boost::system::error_code.
using detail::CURFEW_ASIO_INSIDE::asio_error;

/// Completes with void(asio_error, stop_reason) when the token stops:
///
///     curfew::stop_reason why =
///         co_await curfew::async_wait_stop(executor, token, asio::use_awaitable);
///
/// Like any operation it keeps the context running until it is done, ends with the context, and can
/// be cancelled through its slot, where Asio has them: it says operation_aborted then. A token that
/// can never stop, or not any more, lets it wait for that. It waits on the executor, and its
/// handler is called there unless it has another; each runs one function at a time.
template <class Executor, class Token, class CompletionToken>
auto async_wait_stop(const Executor& executor, Token token, CompletionToken&& completion) {
  using namespace detail::CURFEW_ASIO_INSIDE;
  return asio_here::async_compose<CompletionToken, void(asio_error, stop_reason)>(
      stop_wait<Executor, Token>(executor, std::move(token)), completion, executor);
}

#if CURFEW_ASIO_SLOTS

/// Makes an asynchronous operation cancelled when the token stops:
///
///     std::size_t n = co_await socket.async_read_some(
///         buffer, curfew::bind_stop(stop, asio::use_awaitable));  // throws operation_aborted
///     co_spawn(executor, session(), curfew::bind_stop(stop, asio::detached));
///
/// The stop posts the cancellation, a terminal one, to the operation's executor: that of the
/// handler, or else of the I/O object or of the spawned coroutine. The operation still completes
/// through its handler and there says what it did: one that was done when the stop came says
/// success. A token that is stopped already lets it start and cancels it then. The handler's own
/// cancellation slot works as before.
///
/// The executor runs one handler at a time, as Asio asks of all who cancel: a strand, or an
/// io_context that one thread runs. An operation may be started on any thread, and stopped
/// meanwhile. The io_context may be destroyed while operations are pending, but not at the same
/// time as a stop comes. A post that throws ends the program, as an exception of any callback does.
template <stoppable_token Token, class CompletionToken>
[[nodiscard]] stop_bound<Token, std::decay_t<CompletionToken>> bind_stop(
    Token stop, CompletionToken&& completion) {
  return {std::move(stop), std::forward<CompletionToken>(completion)};
}

#endif

}  // namespace CURFEW_ASIO_INSIDE
CURFEW_END

#endif
#endif
