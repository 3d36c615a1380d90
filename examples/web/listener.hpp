// SPDX-License-Identifier: BSL-1.0
//
// Takes clients of the web server in, and serves each on a thread of its own.
#ifndef CURFEW_EXAMPLES_WEB_LISTENER_HPP
#define CURFEW_EXAMPLES_WEB_LISTENER_HPP

#include "connection.hpp"
#include "http.hpp"
#include "site.hpp"
#include "system.hpp"

#include <curfew/service/run.hpp>
#include <curfew/stop/stop_event.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/task_group.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>

namespace web {

constexpr std::size_t most_connections = 900;  // threads and, of 1024, descriptors; else a 503
constexpr int backlog = 1024;                  // connections that the system keeps for us

// Accepts on a thread of its own until it is closed. Whoever the system has queued by then is taken
// in; who comes between the last accept and the close is lost, hence the lame duck time.
class listener {
 public:
  listener(curfew::service& self, site here, tcp_socket door)
      : self_(self), here_(std::move(here)), door_(std::move(door)) {
    acceptor_.spawn([this] { accept_until(closing_.get_token()); });
  }
  ~listener() { close(); }

  unsigned port() const { return door_.port(); }

  // By one thread; a second time it does nothing.
  void close() {
    closing_.request_stop();
    std::error_code told_already;
    acceptor_.join(told_already);
    door_.close();
  }

  // Stops with the listener, or when it fails.
  curfew::stop_token ended() const { return acceptor_.token(); }

 private:
  void accept_until(const curfew::stop_token& closing) {
    for (int late = 0; late < backlog; late += closing.stop_requested() ? 1 : 0) {
      self_.heartbeat();
      if (tcp_socket taken = door_.accept()) {
        admit(std::move(taken));
      } else if (const int error = last_error(); !is_temporary(error)) {
        tell(error);
        if (closing.wait_for(std::chrono::milliseconds(100))) return;
      } else if (door_.wait(false, closed_, next_beat()) == io::stopped) {
        return;
      }
    }
  }

  void admit(tcp_socket socket) {
    auto hold = here_.clients.connect();
    if (!hold || here_.clients.connections() > most_connections) return turn_away(socket);
    std::error_code error;
    auto serve = [this, socket = std::move(socket), hold = std::move(hold)]() mutable {
      connection(here_, std::move(socket)).serve();
    };
    threads_.spawn(std::move(serve), error);
    if (!error) return;
    self_.log().write(curfew::severity::error,
                      "a connection is closed for want of a thread: " + error.message());
  }

  // Not worth a thread: the answer is lost if the request arrives after it.
  void turn_away(const tcp_socket& socket) {
    const std::string busy = render(plain(503), true, false);
    (void)socket.send(busy, here_.clients.drained(), steady::now());
    socket.end_writing();
    std::string request;
    (void)socket.receive(request, here_.clients.drained(), steady::now());
  }

  // Twice as often as it must be, when anybody watches.
  steady::time_point next_beat() const {
    const steady::duration watched = self_.spec().watchdog;
    return watched.count() > 0 ? steady::now() + watched / 4 : steady::time_point::max();
  }

  // Such as: too many open files. It does not go away at once.
  void tell(int error) {
    if (steady::now() < quiet_) return;
    self_.log().write(curfew::severity::error, "accept: " + std::system_category().message(error));
    quiet_ = steady::now() + std::chrono::minutes(1);
  }

  curfew::service& self_;
  site here_;
  tcp_socket door_;
  steady::time_point quiet_;
  curfew::task_group threads_;
  curfew::stop_source closing_;
  curfew::stop_event closed_{closing_.get_token()};
  curfew::task_group acceptor_{closing_.get_token()};
};

}  // namespace web

#endif
