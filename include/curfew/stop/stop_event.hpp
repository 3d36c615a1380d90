// SPDX-License-Identifier: BSL-1.0
//
// A stop as an object of the system's, for loops that wait for descriptors or handles.
#ifndef CURFEW_STOP_STOP_EVENT_HPP
#define CURFEW_STOP_STOP_EVENT_HPP

#include <curfew/config.hpp>
#include <curfew/stop/detail/event.hpp>
#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <system_error>
#include <utility>

CURFEW_BEGIN

/// Signalled from the stop on, and for good: on POSIX systems a descriptor that is readable, for
/// poll, select, epoll and kqueue; on Windows a manual-reset event, for WaitForMultipleObjects and
/// its kin. A token that is stopped already makes an event that is signalled already.
///
/// Only wait for the handle: reading the descriptor, resetting the event or closing either breaks
/// the promise for everybody else. The descriptor is not inherited by programs that this one
/// starts, the HANDLE not by children. A child made by fork makes events of its own: one that it
/// has inherited is signalled by its parent's stops alone.
///
/// Thread safety: native_handle() from any thread, until the destructor, which may race a stop. It
/// waits for a signalling in progress, which never blocks; after it the handle is closed, so no
/// thread may still wait for it. Signalling and closing leave errno (the last error) alone.
template <stoppable_token Token>
class basic_stop_event {
 public:
  using native_handle_type = detail::native_event::native_handle_type;  // int, or void* (HANDLE)

  /// Throws std::system_error when the system has no descriptor or handle left.
  explicit basic_stop_event(Token token);
  /// With an error, native_handle() is -1 (null on Windows) and nothing will be signalled.
  basic_stop_event(Token token, std::error_code& ec) noexcept;
  basic_stop_event(const basic_stop_event&) = delete;
  basic_stop_event& operator=(const basic_stop_event&) = delete;

  [[nodiscard]] native_handle_type native_handle() const noexcept { return event_.native_handle(); }

 private:
  struct signal {
    const detail::native_event& target;
    void operator()() const noexcept { target.signal(); }
  };
  struct outcome {
    std::error_code ec;
  };
  basic_stop_event(Token token, outcome&& result);

  const detail::native_event event_;
  const stop_callback_for_t<Token, signal> on_stop_;  // last: removed before the handle is closed
};

/// For the tokens of a stop_source.
using stop_event = basic_stop_event<stop_token>;
/// For those of an inplace_stop_source.
using inplace_stop_event = basic_stop_event<inplace_stop_token>;

template <stoppable_token Token>
basic_stop_event<Token>::basic_stop_event(Token token)
    : basic_stop_event(std::move(token), outcome{}) {}

template <stoppable_token Token>
basic_stop_event<Token>::basic_stop_event(Token token, outcome&& result)
    : basic_stop_event(std::move(token), result.ec) {
  if (result.ec)
    detail::throw_error_code(result.ec,
                             "no stop_event: it has a descriptor or handle of its own; close some, "
                             "or raise the limit of open files");
}

template <stoppable_token Token>
basic_stop_event<Token>::basic_stop_event(Token token, std::error_code& ec) noexcept
    : event_(ec), on_stop_(ec ? Token() : std::move(token), signal{event_}) {}

CURFEW_END

#endif
