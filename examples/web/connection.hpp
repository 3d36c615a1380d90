// SPDX-License-Identifier: BSL-1.0
//
// One client of the web server.
#ifndef CURFEW_EXAMPLES_WEB_CONNECTION_HPP
#define CURFEW_EXAMPLES_WEB_CONNECTION_HPP

#include "http.hpp"
#include "site.hpp"
#include "system.hpp"

#include <curfew/stop/stop_event.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace web {

// On a thread of its own: requests one after the other until there is no next one.
class connection {
 public:
  connection(site& here, tcp_socket socket) : here_(here), socket_(std::move(socket)) {}

  void serve() {
    std::optional<request> asked;
    do {
      asked = next();
    } while (asked && reply(*asked));
    if (asked) linger();
  }

 private:
  static constexpr std::chrono::seconds head_time{5};          // for a request to arrive whole
  static constexpr std::chrono::seconds idle_time{30};         // between two requests
  static constexpr std::chrono::milliseconds last_words{200};  // when we stop: for one on its way

  std::optional<request> next();
  static std::optional<request> refused(bool silent, io got);
  bool reply(const request& asked);
  void linger();

  site& here_;
  tcp_socket socket_;
  std::string input_;
  std::size_t used_ = 0;  // bytes of input_ that have been answered
  bool answered_ = false;
};

// Empty: the client has gone, or it asks for nothing and it is time to close.
inline std::optional<request> connection::next() {
  input_.erase(0, std::exchange(used_, 0));
  const curfew::stop_event* wake = &here_.clients.drained();
  auto until = steady::now() + (answered_ && input_.empty() ? idle_time : head_time);
  for (;;) {
    if (auto asked = parse(input_)) return used_ = asked->size, asked;
    const bool silent = input_.empty();
    const bool in_time = steady::now() < until;  // to wait is not enough: some never pause
    const io got = in_time ? socket_.receive(input_, *wake, until) : io::timed_out;
    if (got == io::done && !silent) continue;
    if (got == io::closed || got == io::timed_out) return refused(silent, got);
    if (got == io::stopped) {
      if (wake == &here_.clients.was_cut() || (silent && answered_)) return std::nullopt;
      wake = &here_.clients.was_cut();
    }
    const bool drains = wake == &here_.clients.was_cut();
    until = steady::now() + (drains ? last_words : steady::duration(head_time));
  }
}

inline std::optional<request> connection::refused(bool silent, io got) {
  if (silent) return std::nullopt;
  request half;
  half.refusal = got == io::timed_out ? 408 : 400;
  return half;
}

// Whether the connection stays open. While we stop, only for requests that are here already.
inline bool connection::reply(const request& asked) {
  const auto in_flight = here_.clients.begin(asked.method + " " + asked.path);
  const response made = answer(here_, asked);
  const bool last = here_.stop.stop_requested() && !parse(input_.substr(used_));
  const bool more = asked.refusal == 0 && asked.keep_alive && !last;
  const std::string text = render(made, asked.method != "HEAD", more);
  const io sent = socket_.send(text, here_.clients.was_cut(), steady::now() + head_time);
  here_.log.add(asked, made);
  answered_ = true;
  return sent == io::done && more;
}

// To close while the client still sends may destroy our answer: let it read and close first.
inline void connection::linger() {
  socket_.end_writing();
  const auto until = steady::now() + std::chrono::seconds(1);
  const curfew::stop_token cut = here_.clients.cut();
  for (std::string rest; steady::now() < until && !cut.stop_requested(); rest.clear()) {
    if (socket_.receive(rest, here_.clients.drained(), until) != io::done) return;
  }
}

}  // namespace web

#endif
