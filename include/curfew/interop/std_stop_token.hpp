// SPDX-License-Identifier: BSL-1.0
//
// A curfew token seen as a std::stop_token, and the reverse. Empty where the library has none.
#ifndef CURFEW_INTEROP_STD_STOP_TOKEN_HPP
#define CURFEW_INTEROP_STD_STOP_TOKEN_HPP

#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <utility>
#include <version>

#if defined(__cpp_lib_jthread)

#include <stop_token>

CURFEW_BEGIN

/// Offers a std::stop_token that is stopped when the curfew token is, whatever the cause:
///
///     curfew::to_std_stop_token bridge(token);
///     std::jthread worker(work, bridge.get_token());
///
/// std's callbacks run on the thread that stops the curfew token. The bridge may be destroyed at
/// any moment, also by one of them; then no stop passes it any more, and the std tokens that it
/// gave out say stop_possible() == false unless they are stopped.
template <stoppable_token Token = stop_token>
class to_std_stop_token {
 public:
  explicit to_std_stop_token(Token token) : on_stop_(std::move(token), relay{source_}) {}
  to_std_stop_token(const to_std_stop_token&) = delete;
  to_std_stop_token& operator=(const to_std_stop_token&) = delete;

  [[nodiscard]] std::stop_token get_token() const noexcept { return source_.get_token(); }

 private:
  struct relay {
    std::stop_source source;
    void operator()() const noexcept {
      std::stop_source kept = source;  // a callback may destroy the bridge, and this object with it
      kept.request_stop();
    }
  };

  std::stop_source source_;
  stop_callback_for_t<Token, relay> on_stop_;
};

/// Offers a curfew token that is stopped, with the cause `requested`, when the std::stop_token is;
/// or, with a parent, when that one is, with its reason, its deadline and its clock:
///
///     void work(std::stop_token stop) {  // as std::jthread calls it
///       curfew::from_std_stop_token bridge(std::move(stop));
///       serve(bridge.get_token());
///
/// Destruction at any moment, as above.
class from_std_stop_token {
 public:
  explicit from_std_stop_token(std::stop_token token, stop_token parent = {})
      : source_(std::move(parent)), on_stop_(std::move(token), relay{source_}) {}
  from_std_stop_token(const from_std_stop_token&) = delete;
  from_std_stop_token& operator=(const from_std_stop_token&) = delete;

  [[nodiscard]] stop_token get_token() const noexcept { return source_.get_token(); }

 private:
  struct relay {
    stop_source source;
    void operator()() const noexcept {
      stop_source kept = source;  // as above
      kept.request_stop();
    }
  };

  stop_source source_;
  std::stop_callback<relay> on_stop_;
};

CURFEW_END

#endif
#endif
