// SPDX-License-Identifier: BSL-1.0
//
// A stop as an event of a libuv loop. Empty where <uv.h> is not to be found.
#ifndef CURFEW_INTEROP_LIBUV_HPP
#define CURFEW_INTEROP_LIBUV_HPP

#if __has_include(<uv.h>)

#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/detail/owned.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <uv.h>

#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN

/// Calls f on the loop's thread when the token stops, once:
///
///     curfew::uv_stop_watch watch(loop, token, [&] { server.close(); });
///
/// Like every active handle it keeps uv_run() going; after unref() it does not. A token that is
/// stopped already is told of in the loop's next turn.
///
/// The destructor closes libuv's handle: f is not called any more, may have been what destroyed the
/// watch, and lives until the loop has called back. So let the loop run once more, as for any
/// handle, before uv_loop_close(), which else says UV_EBUSY.
///
/// Errors: the constructor throws std::bad_alloc, and std::system_error in uv_category(); with an
/// error_code, f is never called then. An exception of f ends the program, as libuv cannot pass it.
///
/// Thread safety: everything on the loop's thread, but for the stop, which may come from any thread
/// at any moment, and only sends to the loop.
template <class Token = stop_token>
class uv_stop_watch {
 public:
  template <class F>
  uv_stop_watch(uv_loop_t* loop, Token token, F&& f);
  template <class F>
  uv_stop_watch(uv_loop_t* loop, Token token, F&& f, std::error_code& ec);
  uv_stop_watch(const uv_stop_watch&) = delete;
  uv_stop_watch& operator=(const uv_stop_watch&) = delete;
  ~uv_stop_watch();

  void unref() noexcept { refer(&uv_unref); }
  void ref() noexcept { refer(&uv_ref); }

 private:
  /// What the loop knows of; it outlives the watch until the handle is closed.
  struct target {
    uv_async_t async;
    explicit target() = default;
    target(const target&) = delete;
    target& operator=(const target&) = delete;
    virtual ~target() = default;
    virtual void call() = 0;
  };
  template <class F>
  struct target_of final : target {
    F f;
    template <class Init>
    explicit target_of(std::in_place_t, Init&& init) : f(std::forward<Init>(init)) {}
    void call() override { f(); }
  };
  struct send {
    target* to;
    void operator()() const noexcept { uv_async_send(&to->async); }
  };

  template <class F>
  static detail::owned<target> make(F&& f) {
    return detail::owned<target>(new target_of<std::decay_t<F>>(std::in_place, std::forward<F>(f)));
  }
  void open(uv_loop_t* loop, Token token, detail::owned<target> made, std::error_code& ec) noexcept;
  static void arrived(uv_async_t* async) noexcept { static_cast<target*>(async->data)->call(); }
  static void closed(uv_handle_t* async) { delete static_cast<target*>(async->data); }
  static uv_handle_t* handle(target* t) noexcept {
    return reinterpret_cast<uv_handle_t*>(&t->async);  // as libuv has it
  }
  void refer(void (*how)(uv_handle_t*)) noexcept {
    if (target_ != nullptr) how(handle(target_));
  }

  target* target_ = nullptr;
  std::optional<stop_callback_for_t<Token, send>> on_stop_;
};

template <class Token, class F>
uv_stop_watch(uv_loop_t*, Token, F) -> uv_stop_watch<Token>;
template <class Token, class F>
uv_stop_watch(uv_loop_t*, Token, F, std::error_code&) -> uv_stop_watch<Token>;

/// Of libuv's own error numbers.
[[nodiscard]] const std::error_category& uv_category() noexcept;

// --- bodies -------------------------------------------------------------------------------------

inline const std::error_category& uv_category() noexcept {
  struct category final : std::error_category {
    const char* name() const noexcept override { return "libuv"; }
    std::string message(int code) const override { return uv_strerror(code); }
  };
  static const category the_one;
  return the_one;
}

template <class Token>
template <class F>
uv_stop_watch<Token>::uv_stop_watch(uv_loop_t* loop, Token token, F&& f) {
  std::error_code ec;
  open(loop, std::move(token), make(std::forward<F>(f)), ec);
  if (ec)
    detail::throw_error_code(
        ec, "no uv_stop_watch: it has a uv_async_t of its own in the loop; see what libuv says");
}

template <class Token>
template <class F>
uv_stop_watch<Token>::uv_stop_watch(uv_loop_t* loop, Token token, F&& f, std::error_code& ec) {
  open(loop, std::move(token), make(std::forward<F>(f)), ec);
}

template <class Token>
void uv_stop_watch<Token>::open(uv_loop_t* loop, Token token, detail::owned<target> made,
                                std::error_code& ec) noexcept {
  ec.clear();
  const int result = uv_async_init(loop, &made->async, &uv_stop_watch::arrived);
  if (result != 0) {
    ec.assign(result, uv_category());
    return;
  }
  target_ = made.release();
  target_->async.data = target_;
  on_stop_.emplace(std::move(token), send{target_});
}

/// Sending to a handle that is being closed is forbidden, so first no stop sends any more.
template <class Token>
uv_stop_watch<Token>::~uv_stop_watch() {
  on_stop_.reset();
  if (target_ != nullptr) uv_close(handle(target_), &uv_stop_watch::closed);
}

CURFEW_END

#endif
#endif
