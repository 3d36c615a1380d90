// SPDX-License-Identifier: BSL-1.0
//
// Asks a running program over its control endpoint.
#ifndef CURFEW_SERVICE_CONTROL_CLIENT_HPP
#define CURFEW_SERVICE_CONTROL_CLIENT_HPP

#include <curfew/service/control_answer.hpp>
#include <curfew/service/detail/control_frame.hpp>
#include <curfew/service/detail/control_port.hpp>
#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/stop_token.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

CURFEW_BEGIN

/// What a question may say beside its verb.
struct control_details {
  std::string change = {};     ///< the name of the matter, which the audit keeps
  std::string arguments = {};  ///< a JSON object
};

/// A connection, on which several things may be asked one after the other:
///
///     const curfew::stop_source limit(5s);
///     curfew::control_client orders("/run/orders/control", limit.get_token());
///     if (const auto a = orders.ask("status", limit.get_token())) show(a.body);
///
/// Every wait ends when its token stops, and the connection with it: an answer that was not waited
/// for would be taken for the next one.
///
/// Thread safety: one thread at a time.
class control_client {
 public:
  /// Throws std::system_error: errc::no_such_file_or_directory or connection_refused when no
  /// program is there, permission_denied, timed_out when `limit` stops first.
  control_client(const std::string& path, const stop_token& limit);
  control_client(const std::string& path, const stop_token& limit, std::error_code& ec)
      : link_(ec) {
    if (!ec) connect(path, limit, ec);
  }
  control_client(const control_client&) = delete;
  control_client& operator=(const control_client&) = delete;

  /// Of the process on the other side, as the system tells; 0: it does not.
  [[nodiscard]] std::int64_t pid() const noexcept { return link_.server_pid(); }

  /// What the endpoint says. Not `answered`: it is not known whether it was done.
  [[nodiscard]] control_answer ask(std::string_view verb, const stop_token& limit = {},
                                   const control_details& details = {});

  /// f(std::string_view json) for every event from now on, until the program ends, `limit` stops,
  /// or f returns false or throws. The answer is that to the question; refused, f is not called.
  template <class F>
  control_answer watch(F f, const stop_token& limit = {});

 private:
  struct made {
    std::error_code ec;
  };
  control_client(const std::string& path, const stop_token& limit, made&& result)
      : control_client(path, limit, result.ec) {
    if (!result.ec) return;
    const std::string text = "nobody answers at " + path +
                             ": a program that runs answers its own user and administrators; start "
                             "it, or ask as one of these";
    detail::throw_error_code(result.ec, text.c_str());
  }

  void connect(const std::string& path, const stop_token& limit, std::error_code& ec);
  [[nodiscard]] bool send(std::string_view text) noexcept;
  [[nodiscard]] bool receive(std::string& text);
  [[nodiscard]] control_answer exchange(const detail::control_order& order,
                                        const stop_token& limit);

  detail::control_connection link_;
};

// ---------------------------------------------------------------------------------------------

inline control_client::control_client(const std::string& path, const stop_token& limit)
    : control_client(path, limit, made{}) {}

inline void control_client::connect(const std::string& path, const stop_token& limit,
                                    std::error_code& ec) {
  const stop_callback on_stop(limit, [this]() noexcept { link_.cut(); });
  link_.connect(path, (detail::control_time::max)(), ec);
  if (limit.stop_requested()) ec = std::make_error_code(std::errc::timed_out);
}

inline bool control_client::send(std::string_view text) noexcept {
  constexpr auto never = (detail::control_time::max)();
  return link_.write(text.data(), text.size(), never) == detail::control_io::done;
}

inline bool control_client::receive(std::string& text) {
  constexpr auto never = (detail::control_time::max)();
  detail::frame_head head{};
  if (link_.read(head.data(), head.size(), never) != detail::control_io::done) return false;
  const std::size_t size = detail::size_of_frame(head);
  if (size > detail::most_of_an_answer) return false;
  text.resize(size);
  return link_.read(text.data(), size, never) == detail::control_io::done;
}

/// Who is turned away is told so before he has asked, and finds that when he cannot ask any more.
inline control_answer control_client::exchange(const detail::control_order& order,
                                               const stop_token& limit) {
  std::string text;
  static_cast<void>(send(detail::framed(detail::order_text(order))));
  if (receive(text)) return detail::read_answer(text);
  link_.cut();
  return {.error = limit.stop_requested() ? "there was no answer in time"
                                          : "the connection was closed without an answer"};
}

inline control_answer control_client::ask(std::string_view verb, const stop_token& limit,
                                          const control_details& details) {
  const stop_callback on_stop(limit, [this]() noexcept { link_.cut(); });
  return exchange({std::string(verb), details.change, details.arguments}, limit);
}

template <class F>
control_answer control_client::watch(F f, const stop_token& limit) {
  const stop_callback on_stop(limit, [this]() noexcept { link_.cut(); });
  control_answer answer = exchange({.verb = "watch"}, limit);
  if (!answer) return answer;
  const struct cut_at_the_end {
    detail::control_connection& link;
    ~cut_at_the_end() { link.cut(); }  // whatever f throws: what follows is no answer
  } over{link_};
  for (std::string text; receive(text);) {
    if constexpr (std::is_void_v<decltype(f(std::string_view(text)))>) {
      f(std::string_view(text));
    } else if (!f(std::string_view(text))) {
      break;
    }
  }
  return answer;
}

CURFEW_END

#endif
