// SPDX-License-Identifier: BSL-1.0
//
// Collects items from many threads and has them written together: at a size, at an interval, and at
// the end. What that may cost, in memory and in items, is agreed beforehand and counted.
#ifndef CURFEW_RELEASE_BATCH_BUFFER_HPP
#define CURFEW_RELEASE_BATCH_BUFFER_HPP

#include <curfew/release/batch_options.hpp>
#include <curfew/release/batch_report.hpp>
#include <curfew/release/detail/batch_closing.hpp>
#include <curfew/release/detail/batch_thread.hpp>
#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/detail/thread.hpp>
#include <curfew/stop/inplace_stop_token.hpp>

#include <chrono>
#include <concepts>
#include <new>
#include <span>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN

/// What writes a batch: f(span) or f(span, stop_token), which returns nothing or a std::error_code.
/// It has failed when it throws, or returns an error; then it is offered the same items again, as
/// it left them. Anything else that it returned, false or a number of items, would get lost.
template <class F, class T>
concept batch_sink = detail::writes_batch<F, std::span<T>, stop_token> ||
    (!std::invocable<F&, std::span<T>, stop_token> && detail::writes_batch<F, std::span<T>>);

/// The sink is called on a thread of the buffer's own, one call at a time:
///
///     batch_buffer<std::string> lines([&](std::span<std::string> batch) { file.write(batch); });
///     lines.push("hello");                     // any thread: neither blocks nor allocates
///     ...
///     batch_report end = lines.close(2s);      // the last flush; what was lost is counted
///
/// Memory: capacity + batch items, all of it allocated by the constructor.
///
/// A sink that hangs costs the items that find no room meanwhile. When the time of a close is
/// nearly up its token stops; when it has still not returned at the end it is abandoned, together
/// with its thread: it, and the items it was given, live until it returns. What it refers to must
/// outlive it, so also the buffer, if it uses that.
///
/// T is moved with a lock held: its move constructor must not throw, and not call the buffer.
///
/// Thread safety: all members may be called from any thread, also by the sink; but the destructor
/// by nobody else at the same time.
template <class T>
class batch_buffer {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>);

 public:
  /// Starts the thread, with the caller's signal mask. Throws std::system_error when there is no
  /// thread or memory; the overload with an error_code makes a buffer that is closed and empty.
  template <batch_sink<T> Sink>
  explicit batch_buffer(Sink sink, const batch_options& options = {}) {
    std::error_code ec;
    start(made(std::move(sink), options, ec), ec);
    if (ec) {
      detail::throw_error_code(ec,
                               "no batch_buffer: it writes on a thread of its own; raise the limit "
                               "of threads, or free memory");
    }
  }
  template <batch_sink<T> Sink>
  batch_buffer(Sink sink, const batch_options& options, std::error_code& ec) {
    ec.clear();
    start(made(std::move(sink), options, ec), ec);
  }
  batch_buffer(const batch_buffer&) = delete;
  batch_buffer& operator=(const batch_buffer&) = delete;

  /// close(), which nobody learns the result of: call it first. Inside the sink it does not wait,
  /// and the thread writes the rest and ends by itself.
  ~batch_buffer();

  /// Never blocks. False: this item was not taken, because the buffer is closed or has no room.
  bool push(T item) noexcept { return state_ != nullptr && state_->push(std::move(item)); }

  /// Waits for room until the token stops; then the item is dropped. Inside the sink nobody would
  /// make room: there it is push(item).
  template <class Token>
  bool push(T item, Token token) noexcept {
    return state_ != nullptr && state_->push(std::move(item), token);
  }

  /// Has what waits now written at once. True when each of these items has been written, or has
  /// been lost and counted; false when the token stops first, and at once inside the sink.
  template <class Token = stop_token>
  bool flush(Token token = {}) noexcept {
    return state_ == nullptr || state_->flush(token);
  }

  /// No new items, for good; a last flush; and the report, the same for all who close. A batch that
  /// waits for its next attempt gets it at once; what fails after that is retried as ever. It takes
  /// at most the limit; with a token, the grace beyond its stop. Of several that close, the first
  /// whose time is up decides. Callbacks that the sink has on its token run on the closing thread.
  ///
  /// Inside the sink it returns at once, with a report that is not finished: the last flush begins
  /// when the sink returns.
  batch_report close() noexcept {
    return state_ != nullptr ? close(state_->close_timeout()) : unmade();
  }
  template <class Rep, class Period>
  batch_report close(std::chrono::duration<Rep, Period> limit) noexcept {
    return state_ != nullptr ? state_->close_within(detail::saturate(limit)) : unmade();
  }
  template <class Token>
  requires(!std::convertible_to<Token, time_source::duration>) batch_report close(Token token)
  noexcept { return state_ != nullptr ? state_->close_until(token) : unmade(); }
  [[nodiscard]] bool closed() const noexcept { return state_ == nullptr || state_->closed(); }

  /// As of now, all at one moment; made for metrics.
  [[nodiscard]] batch_counts counts() const noexcept {
    return state_ != nullptr ? state_->counts() : batch_counts();
  }

 private:
  using state = detail::batch_state<T>;

  [[nodiscard]] static batch_report unmade() noexcept {
    batch_report r;
    r.finished = true;
    return r;
  }
  static void enter(void* opaque) noexcept {
    state* const s = static_cast<state*>(opaque);
    s->run();
    s->leave();
  }
  template <class Sink>
  [[nodiscard]] static state* made(Sink&& sink, const batch_options& options, std::error_code& ec) {
    return new (std::nothrow)
        detail::batch_state_of<T, Sink>(std::forward<Sink>(sink), options, ec);
  }
  void start(state* s, std::error_code& ec) noexcept;

  state* state_ = nullptr;  // shared with the thread: whoever leaves last destroys it
  detail::thread thread_;
};

// --- bodies -------------------------------------------------------------------------------------

template <class T>
void batch_buffer<T>::start(state* s, std::error_code& ec) noexcept {
  if (s == nullptr) ec = std::make_error_code(std::errc::not_enough_memory);
  if (!ec && thread_.start(&enter, s, ec, detail::thread_mask::as_here)) {
    state_ = s;
  } else {
    delete s;
  }
}

template <class T>
batch_buffer<T>::~batch_buffer() {
  if (state_ == nullptr) return;
  close();
  if (state_->abandoned() || state_->on_own_thread()) {
    thread_.detach();
  } else {
    thread_.join();
  }
  state_->leave();
}

CURFEW_END

#endif
