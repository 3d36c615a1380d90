// SPDX-License-Identifier: BSL-1.0
//
// A small real HTTP/1.1 server that stops on time. Asked to stop by Ctrl-C, SIGTERM or a console
// event, it does this, in this order:
//
//   at once    /readyz says 503 while /livez stays 200, and answers say "Connection: close";
//   listener   stays open for the lame duck time, so that load balancers look away, and closes;
//   requests   in flight are finished, or cut when the stop timeout is spent; idle and silent
//              connections are closed at once;
//   the rest   threads are joined, the access log is written out, the database closes last.
//
// A second Ctrl-C cuts all of this short, and one typed at a terminal skips the lame duck time.
//
// Build: g++ -std=c++20 -O2 -pthread -Iinclude examples/web_server.cpp -o web_server
// MinGW: the same with -static and, at the end, -lws2_32.
#include "web/access_log.hpp"
#include "web/database.hpp"
#include "web/http.hpp"
#include "web/options.hpp"
#include "web/system.hpp"

#include <curfew/release/gate.hpp>
#include <curfew/release/resource_stack.hpp>
#include <curfew/service/run.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_event.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/task_group.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace {

using namespace std::chrono_literals;
using web::access_log, web::database, web::io, web::options, web::request, web::response;
using web::complain, web::say, web::steady, web::tcp_socket;

constexpr std::size_t most_connections = 900;  // threads and, of 1024, descriptors; else a 503
constexpr int backlog = 1024;                  // connections that the system keeps for us
constexpr auto head_time = 5s;                 // for a request to arrive whole
constexpr auto idle_time = 30s;                // between two requests of one connection
constexpr auto work_time = 60s;                // the deadline of a request that has arrived
constexpr auto last_words = 200ms;             // when we stop: for a request still on its way

// ---- answers ----------------------------------------------------------------------------------

// What the connections share.
struct site {
  site(curfew::stop_token asked, database& data, access_log& lines)
      : stop(std::move(asked)), db(data), log(lines) {}

  curfew::stop_token stop;  // we were asked to stop: not ready any more
  database& db;
  access_log& log;
  curfew::gate open;               // a hold for each connection
  curfew::stop_source drain, cut;  // no more requests; no more time for those in flight
  curfew::stop_event drained{drain.get_token()}, was_cut{cut.get_token()};
  std::atomic<std::size_t> unfinished{0};  // requests that were cut
};

response slow(site& here, const request& asked) {
  const std::string text = web::query_value(asked.query, "ms");
  const auto ms = web::number(text.empty() ? "1000" : text, 3'600'000);
  if (!ms) return {400, "ms must be a whole number from 0 to 3600000\n"};
  curfew::inplace_stop_source context(here.cut.get_token(), work_time);
  const curfew::inplace_stop_token token = context.get_token();
  const std::chrono::milliseconds duration(static_cast<int>(*ms));
  if (here.db.query(token, duration)) return {200, "done\n"};
  if (here.cut.stop_requested()) ++here.unfinished;
  return {503, "cut short: " + curfew::to_string(token.reason()) + "\n"};
}

response health(site& here) {
  const bool ready = !here.stop.stop_requested();
  const std::string state = ready ? "ready" : "stopping";
  const std::string count = std::to_string(here.open.count());
  const std::string body = "{\"status\":\"" + state + "\",\"connections\":" + count + "}\n";
  return {ready ? 200 : 503, body, "application/json"};
}

response answer(site& here, const request& asked) {
  if (asked.refusal != 0) return web::plain(asked.refusal);
  if (asked.path == "/") return {200, "Hello. Ask for /slow?ms=5000 and stop me meanwhile.\n"};
  if (asked.path == "/slow") return slow(here, asked);
  if (asked.path == "/livez") return {200, "live\n"};
  if (asked.path == "/healthz") return health(here);
  if (asked.path != "/readyz") return web::plain(404);
  return here.stop.stop_requested() ? response{503, "stopping\n"} : response{200, "ready\n"};
}

// One client, on a thread of its own: requests one after the other until there is no next one.
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
  // Empty: the client has gone, or it asks for nothing and it is time to close.
  std::optional<request> next() {
    input_.erase(0, std::exchange(used_, 0));
    const curfew::stop_event* wake = &here_.drained;
    auto until = steady::now() + (answered_ && input_.empty() ? idle_time : head_time);
    for (;;) {
      if (auto asked = web::parse(input_)) return used_ = asked->size, asked;
      const bool silent = input_.empty();
      const bool in_time = steady::now() < until;  // to wait is not enough: some never pause
      const io got = in_time ? socket_.receive(input_, *wake, until) : io::timed_out;
      if (got == io::done && !silent) continue;
      if (got == io::closed || got == io::timed_out) return refused(silent, got);
      if (got == io::stopped) {
        if (wake == &here_.was_cut || (silent && answered_)) return std::nullopt;
        wake = &here_.was_cut;
      }
      until = steady::now() + (wake == &here_.drained ? steady::duration(head_time) : last_words);
    }
  }

  static std::optional<request> refused(bool silent, io got) {
    if (silent) return std::nullopt;
    request half;
    half.refusal = got == io::timed_out ? 408 : 400;
    return half;
  }

  // Whether the connection stays open. While we stop, only for requests that are here already.
  bool reply(const request& asked) {
    const response made = answer(here_, asked);
    const bool last = here_.stop.stop_requested() && !web::parse(input_.substr(used_));
    const bool more = asked.refusal == 0 && asked.keep_alive && !last;
    const std::string text = web::render(made, asked.method != "HEAD", more);
    const io sent = socket_.send(text, here_.was_cut, steady::now() + head_time);
    if (sent == io::stopped) ++here_.unfinished;
    here_.log.add(asked, made);
    answered_ = true;
    return sent == io::done && more;
  }

  // To close while the client still sends may destroy our answer: let it read and close first.
  void linger() {
    socket_.end_writing();
    const auto until = steady::now() + 1s;
    for (std::string rest; steady::now() < until && !here_.cut.stop_requested(); rest.clear()) {
      if (socket_.receive(rest, here_.drained, until) != io::done) return;
    }
  }

  site& here_;
  tcp_socket socket_;
  std::string input_;
  std::size_t used_ = 0;  // bytes of input_ that have been answered
  bool answered_ = false;
};

// ---- the server -------------------------------------------------------------------------------

// Owns the threads of the connections, and joins them at the end.
class connections {
 public:
  connections(curfew::stop_token stop, database& db, access_log& log) : here_(stop, db, log) {}

  void admit(tcp_socket socket) {
    auto hold = here_.open.enter();
    if (!hold || here_.open.count() > most_connections) return turn_away(socket);
    std::error_code error;
    auto serve = [this, socket = std::move(socket), hold = std::move(hold)]() mutable {
      connection(here_, std::move(socket)).serve();
    };
    threads_.spawn(std::move(serve), error);
    if (error) complain("a connection is closed for want of a thread: " + error.message());
  }

  // The drain: idle connections end at once, the others with their request or with `hurry`.
  void finish(const curfew::stop_token& hurry) {
    here_.open.close();
    here_.drain.request_stop();
    if (here_.open.wait(hurry)) return;
    here_.cut.request_stop(hurry.reason());
    const curfew::inplace_stop_source soon(500ms);  // for idle ones to go, the others to answer
    (void)here_.open.wait(soon.get_token());
    const std::size_t lost = here_.unfinished + here_.open.count();
    if (lost != 0) web::lose("requests were cut: " + std::to_string(lost));
  }

 private:
  // Not worth a thread: the answer is lost if the request arrives after it.
  void turn_away(const tcp_socket& socket) {
    const std::string busy = web::render(web::plain(503), true, false);
    (void)socket.send(busy, here_.drained, steady::now());
    socket.end_writing();
    std::string request;
    (void)socket.receive(request, here_.drained, steady::now());
  }

  site here_;
  curfew::task_group threads_;
};

// Accepts on a thread of its own until it is destroyed. Whoever the system has queued by then is
// taken in; who comes between the last accept and the close is lost, hence the lame duck time.
class listener {
 public:
  listener(tcp_socket socket, connections& to) : door_(std::move(socket)), to_(to) {
    acceptor_.spawn([this] { accept_until(closing_.get_token()); });
  }
  ~listener() { closing_.request_stop(); }

  // Stops with the listener, or when it fails.
  curfew::stop_token ended() const { return acceptor_.token(); }

 private:
  void accept_until(const curfew::stop_token& closing) {
    for (int late = 0; late < backlog; late += closing.stop_requested() ? 1 : 0) {
      if (tcp_socket taken = door_.accept()) {
        to_.admit(std::move(taken));
      } else if (const int error = web::last_error(); !web::is_temporary(error)) {
        tell(error);
        if (closing.wait_for(100ms)) return;
      } else if (door_.wait(false, closed_, steady::time_point::max()) == io::stopped) {
        return;
      }
    }
  }

  // Such as: too many open files. It does not go away at once.
  void tell(int error) {
    if (steady::now() < quiet_) return;
    complain("accept: " + std::system_category().message(error));
    quiet_ = steady::now() + 1min;
  }

  tcp_socket door_;
  connections& to_;
  steady::time_point quiet_;
  curfew::stop_source closing_;
  curfew::stop_event closed_{closing_.get_token()};
  curfew::task_group acceptor_{closing_.get_token()};
};

// ---- the program ------------------------------------------------------------------------------

int serve(curfew::service& service, const options& chosen) {
  std::error_code error;
  tcp_socket socket = web::listen_on(static_cast<std::uint16_t>(chosen.port), backlog, error);
  if (error) {
    return complain("cannot listen on port " + std::to_string(chosen.port) + ": " +
                    error.message() + "; stop its user, or take another with --port (0: any)");
  }
  const std::string& path = chosen.access_log;
  std::FILE* file = path.empty() ? stdout : std::fopen(path.c_str(), "ab");
  if (file == nullptr) return complain("cannot write to " + path);
  const curfew::stop_token stop = service.token();
  auto& held = service.resources();  // given back from the last to the first
  auto& db = held.emplace<database>("database");
  auto& log = held.emplace<access_log>("access log file", file);
  held.defer("access log", [&log] { log.finish(); });
  auto& clients = held.emplace<connections>("connections", stop, db, log);
  const auto finish = [&clients](const curfew::stop_token& hurry) { clients.finish(hurry); };
  held.defer("requests", finish, {chosen.stop_timeout * 0.9});  // a tenth for what comes after
  const std::string port = std::to_string(socket.port());
  auto& door = held.emplace<listener>("listener", std::move(socket), clients);
  held.defer("lame duck", [stop, wait = chosen.lame_duck](const curfew::stop_token& hurry) {
    if (!web::is_typed(stop.reason())) (void)hurry.wait_for(wait);
  });
  say("listening on http://127.0.0.1:" + port);
  service.ready();
  const curfew::stop_callback end(
      door.ended(), [&service] { service.request_stop({.cause = curfew::stop_cause::fault}); });
  (void)stop.wait();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  options chosen;
  if (const std::string wrong = web::read_options(argc, argv, chosen); !wrong.empty()) {
    complain(wrong + "\n" + web::usage);
    return 2;
  }
  if (chosen.help) return say(web::usage), 0;
  web::prepare_sockets();
  const curfew::service_spec spec{.name = "web_server", .stop_timeout = chosen.stop_timeout};
  const auto body = [&chosen](curfew::service& self) { return serve(self, chosen); };
  const int code = curfew::run(spec, argc, argv, body);
  return code == 0 && web::lost ? 1 : code;
}
