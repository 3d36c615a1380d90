// SPDX-License-Identifier: BSL-1.0
//
// A server with Asio, Boost's or standalone, that drains: it answers each line with the line in
// capitals, after half a second of work. A signal ends the listening and the reading, and what was
// asked before is answered; a second signal cuts that short. No signal_set is needed.
//
//   g++ -std=c++20 -O2 -pthread -Iinclude examples/asio_server.cpp -o asio_server
//   ./asio_server 8080      in another terminal: nc 127.0.0.1 8080
#include <curfew/host/signals.hpp>
#include <curfew/interop/asio.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#if CURFEW_ASIO == 1
namespace net = asio;
#else
namespace net = boost::asio;
#endif

namespace {

using net::ip::tcp;
using namespace std::chrono_literals;

int answered = 0;

char capital(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Ends when the client has gone, or when the stop lets nothing more be read.
net::awaitable<void> serve(tcp::socket socket, curfew::stop_token stop) {
  const curfew::executor_stop_callback read_no_more(stop, socket.get_executor(), [&] {
    curfew::asio_error gone;
    socket.shutdown(tcp::socket::shutdown_receive, gone);
  });
  std::string text;
  for (net::steady_timer work(socket.get_executor());; ++answered) {
    const auto size =
        co_await net::async_read_until(socket, net::dynamic_buffer(text), '\n', net::use_awaitable);
    std::string answer = text.substr(0, size);
    text.erase(0, size);
    work.expires_after(500ms);
    co_await work.async_wait(net::use_awaitable);
    std::transform(answer.begin(), answer.end(), answer.begin(), capital);
    co_await net::async_write(socket, net::buffer(answer), net::use_awaitable);
  }
}

net::awaitable<void> listen(tcp::acceptor& acceptor, curfew::stop_token stop) {
  const curfew::executor_stop_callback accept_no_more(stop, acceptor.get_executor(),
                                                      [&] { acceptor.close(); });
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(net::use_awaitable);
    net::co_spawn(acceptor.get_executor(), serve(std::move(socket), stop), net::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop);

  net::io_context io(1);
  tcp::acceptor acceptor(io, {net::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
  std::printf("listening on 127.0.0.1:%d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  net::co_spawn(io, listen(acceptor, stop.get_token()), net::detached);
  const curfew::executor_stop_callback cut_short(bridge.hurry(), io.get_executor(),
                                                 [&] { io.stop(); });
  io.run();  // until the last connection is done
  std::printf("stopped: %s, %d answered\n", to_string(stop.get_token().reason()).c_str(), answered);
}
