// SPDX-License-Identifier: BSL-1.0
//
// A small real HTTP/1.1 server that stops on time, under whoever runs it: a terminal, a container,
// systemd, the service manager of Windows. Asked to stop, it does this, in this order:
//
//   at once    /readyz says 503 while /livez stays 200, and answers say "Connection: close";
//   listener   stays open for the lame duck time, so that load balancers look away, and closes;
//   requests   in flight are finished, or cut when the stop timeout is spent; idle and silent
//              connections are closed at once;
//   the rest   threads are joined, the access log is written out, the database closes last.
//
// A second Ctrl-C cuts all of this short, and one typed at a terminal skips the lame duck time.
// Meanwhile, and while it starts, it says what it has come to, so that nobody takes it for stuck.
//
//   web_server --port 8080                          in the foreground
//   web_server install -- --port 8080               as a service; then: web_server start
//
// Build: g++ -std=c++20 -O2 -pthread -Iinclude examples/web_server.cpp -o web_server
// MinGW: the same with -static and, at the end, -lws2_32.
#include "web/access_log.hpp"
#include "web/connection.hpp"
#include "web/database.hpp"
#include "web/host.hpp"
#include "web/options.hpp"
#include "web/site.hpp"
#include "web/system.hpp"

#include <curfew/release/resource_stack.hpp>
#include <curfew/service/service_main.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_event.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/task_group.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

namespace {

using namespace std::chrono_literals;
using curfew::severity, curfew::service;
using web::access_log, web::database, web::io, web::options, web::steady, web::tcp_socket;

constexpr std::size_t most_connections = 900;  // threads and, of 1024, descriptors; else a 503
constexpr int backlog = 1024;                  // connections that the system keeps for us

// Owns the threads of the connections, and joins them at the end.
class connections {
 public:
  connections(service& self, database& db, access_log& log, const std::string& greeting)
      : self_(self), here_(self.token(), db, log, greeting) {}

  void admit(tcp_socket socket) {
    auto hold = here_.open.enter();
    if (!hold || here_.open.count() > most_connections) return turn_away(socket);
    std::error_code error;
    auto serve = [this, socket = std::move(socket), hold = std::move(hold)]() mutable {
      web::connection(here_, std::move(socket)).serve();
    };
    threads_.spawn(std::move(serve), error);
    if (!error) return;
    self_.log().write(severity::error,
                      "a connection is closed for want of a thread: " + error.message());
  }

  // Until then, and while paused, there is no answer but 503.
  void begin() { here_.started = true; }
  void pause(bool on) { here_.paused = on; }

  std::string status() const {
    const std::string count = std::to_string(here_.open.count());
    return "status: " + to_text(here_.now()) + ", connections: " + count;
  }

  // The drain: idle connections end at once, the others with their request or with `hurry`.
  void finish(const curfew::stop_token& hurry) {
    here_.open.close();
    here_.drain.request_stop();
    if (drained(hurry)) return;
    here_.cut.request_stop(hurry.reason());
    const curfew::inplace_stop_source soon(500ms);  // for idle ones to go, the others to answer
    (void)here_.open.wait(soon.get_token());
    const std::size_t lost = here_.unfinished + here_.open.count();
    if (lost != 0) web::lose("requests were cut: " + std::to_string(lost));
  }

 private:
  // Says how many are left, and again only when some of them have ended: nothing else is progress.
  // The next one ends when its deadline comes at the latest, or is cut.
  bool drained(const curfew::stop_token& hurry) {
    for (std::size_t told = 0;;) {
      const std::size_t left = here_.open.count();
      if (left != std::exchange(told, left)) {
        const auto need = (std::min<steady::duration>)(web::work_time, hurry.remaining());
        self_.progress("connections left: " + std::to_string(left), need);
      }
      const curfew::inplace_stop_source a_while(hurry, 500ms);
      if (here_.open.wait(a_while.get_token())) return true;
      if (hurry.stop_requested()) return false;
    }
  }

  // Not worth a thread: the answer is lost if the request arrives after it.
  void turn_away(const tcp_socket& socket) {
    const std::string busy = web::render(web::plain(503), true, false);
    (void)socket.send(busy, here_.drained, steady::now());
    socket.end_writing();
    std::string request;
    (void)socket.receive(request, here_.drained, steady::now());
  }

  service& self_;
  web::site here_;
  curfew::task_group threads_;
};

// Accepts on a thread of its own until it is destroyed. Whoever the system has queued by then is
// taken in; who comes between the last accept and the close is lost, hence the lame duck time.
class listener {
 public:
  listener(service& self, tcp_socket socket, connections& to)
      : self_(self), door_(std::move(socket)), to_(to) {
    acceptor_.spawn([this] { accept_until(closing_.get_token()); });
  }
  ~listener() { closing_.request_stop(); }

  // Stops with the listener, or when it fails.
  curfew::stop_token ended() const { return acceptor_.token(); }

 private:
  void accept_until(const curfew::stop_token& closing) {
    for (int late = 0; late < backlog; late += closing.stop_requested() ? 1 : 0) {
      self_.heartbeat();
      if (tcp_socket taken = door_.accept()) {
        to_.admit(std::move(taken));
      } else if (const int error = web::last_error(); !web::is_temporary(error)) {
        tell(error);
        if (closing.wait_for(100ms)) return;
      } else if (door_.wait(false, closed_, next_beat()) == io::stopped) {
        return;
      }
    }
  }

  // Twice as often as it must be, when anybody watches.
  steady::time_point next_beat() const {
    const steady::duration watched = self_.spec().watchdog;
    return watched > 0s ? steady::now() + watched / 4 : steady::time_point::max();
  }

  // Such as: too many open files. It does not go away at once.
  void tell(int error) {
    if (steady::now() < quiet_) return;
    self_.log().write(severity::error, "accept: " + std::system_category().message(error));
    quiet_ = steady::now() + 1min;
  }

  service& self_;
  tcp_socket door_;
  connections& to_;
  steady::time_point quiet_;
  curfew::stop_source closing_;
  curfew::stop_event closed_{closing_.get_token()};
  curfew::task_group acceptor_{closing_.get_token()};
};

// ---- the program ------------------------------------------------------------------------------

// Told to whoever runs us: in the terminal, the journal, the event log.
int refuse(service& self, const std::string& why, int code = 1) {
  self.log().write(severity::error, why);
  return code;
}

tcp_socket open_door(service& self, int port, std::error_code& error) {
  if (tcp_socket passed = web::passed_socket(self)) return passed;
  return web::listen_on(static_cast<std::uint16_t>(port), backlog, error);
}

// What whoever runs us may ask beside a stop.
void answer_host(service& self, connections& clients, access_log& log) {
  self.on_reload([&self, &log] {
    if (log.reopen()) return;
    self.log().write(severity::warning, "the access log cannot be opened anew: the old one stays");
  });
  self.on_pause([&clients] { clients.pause(true); }, [&clients] { clients.pause(false); });
  self.on_user_code([&self, &clients](int code) {
    if (code == 128) self.log().write(severity::info, clients.status());
  });
}

int serve(service& self, const options& chosen) {
  std::error_code error;
  tcp_socket socket = open_door(self, chosen.port, error);
  if (error) {
    return refuse(self, "cannot listen on port " + std::to_string(chosen.port) + ": " +
                            error.message() +
                            "; stop its user, or take another with --port (0: any)");
  }
  auto& held = self.resources();  // given back from the last to the first
  auto& db = held.emplace<database>("database");
  auto& log = held.emplace<access_log>("access log file", chosen.access_log);
  if (!log.is_open()) return refuse(self, "cannot write to " + chosen.access_log);
  held.defer("access log", [&log] { log.finish(); });
  auto& clients = held.emplace<connections>("connections", self, db, log, chosen.greeting);
  const auto finish = [&clients](const curfew::stop_token& hurry) { clients.finish(hurry); };
  held.defer("requests", finish, {chosen.stop_timeout * 0.9});  // a tenth for what comes after
  answer_host(self, clients, log);
  if (chosen.warm_up.count() == 0) clients.begin();  // who is in the queue already may come in
  const std::string port = std::to_string(socket.port());
  auto& door = held.emplace<listener>("listener", self, std::move(socket), clients);
  const curfew::stop_callback end(
      door.ended(), [&self] { self.request_stop({.cause = curfew::stop_cause::fault}); });
  if (!web::count_down(self, "warming up", chosen.warm_up, self.token())) return 0;

  held.defer("lame duck", [&self, wait = chosen.lame_duck](const curfew::stop_token& hurry) {
    if (!web::is_typed(self.token().reason())) web::count_down(self, "lame duck", wait, hurry);
  });
  clients.begin();
  web::say("listening on http://127.0.0.1:" + port);
  self.ready();
  (void)self.token().wait();
  return 0;
}

curfew::service_spec declare(const options& chosen) {
  curfew::service_spec spec;
  spec.name = "web_server";
  spec.description = "Answers on 127.0.0.1, and finishes its requests when it is stopped.";
  spec.start_timeout = 30s + chosen.warm_up;
  spec.stop_timeout = chosen.stop_timeout;
  spec.watchdog = chosen.watchdog;
  spec.reloads = true;
  spec.probe_port = chosen.port;
  if (chosen.port > 0 && chosen.port < 1024) spec.capabilities = {"CAP_NET_BIND_SERVICE"};
  const std::string& log = chosen.access_log;
  const bool in_state_directory = log.starts_with("/var/lib/");  // made and opened by systemd
  if (log.starts_with('/') && !in_state_directory) {
    spec.writable_paths = {log.substr(0, log.rfind('/') + 1)};
  }
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  options chosen;
  const auto own = curfew::own_arguments(argc, argv);
  std::string wrong = web::read_options(own, chosen);
  if (chosen.help) return web::say(web::usage), 0;
  if (!wrong.empty() && curfew::names_verb(argc, argv)) return web::complain(wrong), 2;
  web::prepare_sockets();
  const auto body = [&](service& self) {
    // Who starts a Windows service may add options for this start.
    if (wrong.empty()) wrong = web::read_options(self.args().subspan(1 + own.size()), chosen);
    if (wrong.empty()) return serve(self, chosen);
    if (self.host() == curfew::host_kind::console) web::complain(web::usage);
    return refuse(self, wrong, 2);
  };
  const int code =
      curfew::service_main(declare(wrong.empty() ? chosen : options{}), argc, argv, body);
  return code == 0 && web::lost ? 1 : code;
}
