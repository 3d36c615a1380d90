// SPDX-License-Identifier: BSL-1.0
//
// What holds with either Asio; whoever includes this has included one and named it `net`.
#ifndef CURFEW_TESTS_INTEROP_ASIO_CASES_HPP
#define CURFEW_TESTS_INTEROP_ASIO_CASES_HPP

#include <curfew/host/signals.hpp>
#include <curfew/interop/asio.hpp>
#include <curfew/interop/executor_stop_callback.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"

#include <array>
#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;
using error_code = curfew::detail::CURFEW_ASIO_INSIDE::asio_error;
using tcp = net::ip::tcp;

// What a handler was told, and where.
struct answer {
  int calls = 0;
  error_code ec = {};
  curfew::stop_reason why = {};
  std::thread::id where = {};

  auto handler() {
    return [this](error_code e, curfew::stop_reason r = {}) {
      ++calls;
      ec = e;
      why = r;
      where = std::this_thread::get_id();
    };
  }
};

// Two ends of a connection to this machine.
struct connection {
  explicit connection(net::io_context& io) : near_end(io), far_end(io) {
    tcp::acceptor acceptor(io, tcp::endpoint(net::ip::address_v4::loopback(), 0));
    near_end.connect(acceptor.local_endpoint());
    acceptor.accept(far_end);
  }
  tcp::socket near_end;
  tcp::socket far_end;
};

// Handlers run on a thread of their own for as long as it lives.
class running {
 public:
  explicit running(net::io_context& io) : work_(io.get_executor()), thread_([&io] { io.run(); }) {}
  running(const running&) = delete;
  running& operator=(const running&) = delete;
  ~running() {
    work_.reset();
    thread_.join();
  }
  [[nodiscard]] std::thread::id id() const { return thread_.get_id(); }

 private:
  net::executor_work_guard<net::io_context::executor_type> work_;
  std::thread thread_;
};

template <class F>
void on_executor_and_wait(net::io_context& io, F f) {
  std::promise<void> done;
  net::post(io, [&] {
    f();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace

// ---- a callback on an executor

TEST_CASE("the callback runs on the executor and not inside of the stop") {
  net::io_context io;
  curfew::stop_source source;
  int calls = 0;
  const curfew::executor_stop_callback on_stop(source.get_token(), io.get_executor(),
                                               [&] { ++calls; });
  source.request_stop();
  CHECK(calls == 0);
  io.run();
  CHECK(calls == 1);
}

TEST_CASE("it does not keep the context running") {
  net::io_context io;
  curfew::stop_source source;
  const curfew::executor_stop_callback on_stop(source.get_token(), io.get_executor(), [] {});
  CHECK(io.run() == 0);
}

TEST_CASE("a token that is stopped already posts the callback at once") {
  net::io_context io;
  curfew::stop_source source;
  source.request_stop();
  int calls = 0;
  const curfew::executor_stop_callback on_stop(source.get_token(), io.get_executor(),
                                               [&] { ++calls; });
  CHECK(calls == 0);
  io.run();
  CHECK(calls == 1);
}

TEST_CASE("after its end the callback does not run though it was posted") {
  net::io_context io;
  curfew::stop_source source;
  int calls = 0;
  {
    const curfew::executor_stop_callback on_stop(source.get_token(), io.get_executor(),
                                                 [&] { ++calls; });
    source.request_stop();
  }
  CHECK(io.run() == 1);
  CHECK(calls == 0);
}

TEST_CASE("the callback may end its own registration") {
  net::io_context io;
  curfew::stop_source source;
  std::shared_ptr<void> registration;
  const auto kept = std::make_shared<int>(0);
  const auto end = [&registration, kept] {
    registration.reset();
    CHECK(kept.use_count() > 1);  // what it holds is still there
  };
  using type = curfew::executor_stop_callback<curfew::stop_token, net::io_context::executor_type,
                                              decltype(end)>;
  registration = std::make_shared<type>(source.get_token(), io.get_executor(), end);
  source.request_stop();
  io.run();
  CHECK_FALSE(registration);
}

TEST_CASE("any executor and a strand will do and inplace tokens") {
  net::io_context io;
  curfew::inplace_stop_source source;
  int calls = 0;
  const curfew::executor_stop_callback first(
      source.get_token(), net::any_io_executor(io.get_executor()), [&] { ++calls; });
  const curfew::executor_stop_callback second(source.get_token(), net::make_strand(io),
                                              [&] { ++calls; });
  source.request_stop();
  io.run();
  CHECK(calls == 2);
}

TEST_CASE("the end of a callback on the executor races the stop") {
  net::io_context io;
  const running thread(io);
  for (int i = 0; i < 1'000; ++i) {
    curfew::stop_source source;
    bool over = false;
    auto work = [&] { CHECK_FALSE(over); };
    using type = curfew::executor_stop_callback<curfew::stop_token, net::io_context::executor_type,
                                                decltype(work)>;
    auto on_stop = std::make_unique<type>(source.get_token(), io.get_executor(), work);
    std::thread stopper([&] { source.request_stop(); });
    on_executor_and_wait(io, [&] {
      on_stop.reset();
      over = true;
    });
    stopper.join();
    on_executor_and_wait(io, [] {});
  }
}

TEST_CASE("a stop cancels what waits on a socket in every version") {
  net::io_context io;
  connection c(io);
  curfew::stop_source source;
  char byte = 0;
  answer read;
  c.near_end.async_read_some(net::buffer(&byte, 1),
                             [h = read.handler()](error_code ec, std::size_t) mutable { h(ec); });
  const curfew::executor_stop_callback on_stop(source.get_token(), c.near_end.get_executor(),
                                               [&] { c.near_end.cancel(); });
  source.request_stop();
  io.run();
  CHECK(read.ec == net::error::operation_aborted);
}

// ---- a stop that is awaited

TEST_CASE("the wait for a stop completes with the reason on the executor") {
  net::io_context io;
  curfew::stop_source source;
  answer a;
  curfew::async_wait_stop(io.get_executor(), source.get_token(), a.handler());
  io.poll();
  CHECK(a.calls == 0);
  std::thread stopper([&] { source.request_stop({curfew::stop_cause::signal, 15, 4711}); });
  io.run();
  stopper.join();
  CHECK(a.calls == 1);
  CHECK_FALSE(a.ec);
  CHECK(to_string(a.why) == "signal SIGTERM from pid 4711");
  CHECK(a.where == std::this_thread::get_id());
}

TEST_CASE("a wait for what has stopped already completes through the executor too") {
  net::io_context io;
  curfew::stop_source source;
  source.request_stop();
  answer a;
  curfew::async_wait_stop(io.get_executor(), source.get_token(), a.handler());
  CHECK(a.calls == 0);
  io.run();
  CHECK(a.calls == 1);
  CHECK(a.why.cause == curfew::stop_cause::requested);
}

TEST_CASE("a stop before the context runs is not lost") {
  net::io_context io;
  curfew::stop_source source;
  answer a;
  curfew::async_wait_stop(io.get_executor(), source.get_token(), a.handler());
  source.request_stop();
  io.run();
  CHECK(a.why.cause == curfew::stop_cause::requested);
}

TEST_CASE("a deadline completes the wait") {
  net::io_context io;
  curfew::manual_clock clock;
  const curfew::inplace_stop_source source(clock, 5s);
  answer a;
  curfew::async_wait_stop(io.get_executor(), source.get_token(), a.handler());
  io.poll();
  clock.advance(5s);
  io.run();
  CHECK(a.why.cause == curfew::stop_cause::deadline);
}

TEST_CASE("a wait ends with its context and a later stop finds nothing") {
  curfew::stop_source source;
  const auto kept = std::make_shared<int>(0);
  {
    net::io_context io;
    const auto handler = [kept](error_code, curfew::stop_reason) { FAIL("called"); };
    curfew::async_wait_stop(io.get_executor(), source.get_token(), handler);
    curfew::async_wait_stop(io.get_executor(), curfew::stop_token(), handler);
    io.poll();
    curfew::async_wait_stop(io.get_executor(), source.get_token(), handler);  // never begun
    CHECK(kept.use_count() > 1);
  }
  CHECK(kept.use_count() == 1);
  source.request_stop();
}

TEST_CASE("the handler is called on its own executor") {
  net::io_context io;
  net::io_context other;
  curfew::stop_source source;
  answer a;
  curfew::async_wait_stop(io.get_executor(), source.get_token(),
                          net::bind_executor(other.get_executor(), a.handler()));
  source.request_stop();
  const running first(io);
  const running second(other);
  while (a.calls == 0) on_executor_and_wait(other, [] {});
  CHECK(a.where == second.id());
}

TEST_CASE("a future waits for the stop") {
  net::io_context io;
  const running thread(io);
  curfew::stop_source source;
  auto why = curfew::async_wait_stop(io.get_executor(), source.get_token(), net::use_future);
  source.request_stop({curfew::stop_cause::fault, 3});
  CHECK(why.get().code == 3);
}

TEST_CASE("the stop races the start of the wait") {
  net::io_context io;
  const running thread(io);
  for (int i = 0; i < 1'000; ++i) {
    curfew::stop_source source;
    std::thread stopper([&] { source.request_stop(); });
    auto why = curfew::async_wait_stop(io.get_executor(), source.get_token(), net::use_future);
    stopper.join();
    CHECK(why.get().cause == curfew::stop_cause::requested);
  }
}

#if defined(ASIO_HAS_CO_AWAIT) || defined(BOOST_ASIO_HAS_CO_AWAIT)

TEST_CASE("a coroutine awaits the stop") {
  net::io_context io;
  curfew::stop_source source;
  std::optional<curfew::stop_reason> why;
  const auto wait = [&]() -> net::awaitable<void> {
    const auto executor = co_await net::this_coro::executor;
    why = co_await curfew::async_wait_stop(executor, source.get_token(), net::use_awaitable);
  };
  net::co_spawn(io, wait, net::detached);
  io.poll();
  source.request_stop();
  io.run();
  REQUIRE(why);
  CHECK(why->cause == curfew::stop_cause::requested);
}

namespace {

net::awaitable<void> answer_slowly(tcp::socket socket, net::steady_timer& slow) {
  char byte = 0;
  co_await net::async_read(socket, net::buffer(&byte, 1), net::use_awaitable);
  co_await slow.async_wait(net::use_awaitable);  // the stop comes now
  co_await net::async_write(socket, net::buffer(&byte, 1), net::use_awaitable);
}

net::awaitable<void> accept_all(tcp::acceptor& acceptor, net::steady_timer& slow) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(net::use_awaitable);
    net::co_spawn(acceptor.get_executor(), answer_slowly(std::move(socket), slow), net::detached);
  }
}

}  // namespace

TEST_CASE("a signal of the bridge drains a context that needs no signal set") {
  net::io_context io;
  curfew::stop_source source;
  const curfew::signal_bridge bridge(source);
  tcp::acceptor acceptor(io, tcp::endpoint(net::ip::address_v4::loopback(), 0));
  net::steady_timer slow(io, std::chrono::hours(1));
  net::co_spawn(io, accept_all(acceptor, slow),
                [](std::exception_ptr e) { CHECK_MESSAGE(e, "aborted by the stop"); });
  answer stop;
  curfew::async_wait_stop(io.get_executor(), source.get_token(),
                          [&, told = stop.handler()](error_code ec, curfew::stop_reason r) mutable {
                            told(ec, r);
                            acceptor.close();
                            slow.cancel();  // the request goes on, and fails to be slow
                          });
  tcp::socket client(io);
  client.connect(acceptor.local_endpoint());
  std::array<char, 1> byte{'x'};
  net::write(client, net::buffer(byte));
  answer read;
  net::async_read(client, net::buffer(byte),
                  [h = read.handler()](error_code ec, std::size_t) mutable { h(ec); });
  for (int turns = 0; turns < 20; ++turns) io.poll();
  std::raise(SIGTERM);
  io.run();  // returns, because nothing is left
  CHECK(stop.why.code == SIGTERM);
  CHECK(read.calls == 1);
  CHECK_FALSE(acceptor.is_open());
}

#endif

// ---- a stop that cancels one operation

#if CURFEW_ASIO_SLOTS

TEST_CASE("a stop cancels the operation that it is bound to and no other") {
  net::io_context io;
  curfew::stop_source source;
  net::steady_timer timer(io, std::chrono::hours(1));
  answer bound;
  answer other;
  timer.async_wait(curfew::bind_stop(source.get_token(), bound.handler()));
  timer.async_wait(other.handler());
  source.request_stop();
  CHECK(io.poll() > 0);
  CHECK(bound.ec == net::error::operation_aborted);
  CHECK(other.calls == 0);
}

TEST_CASE("an operation that was done first says so and the stop finds nothing") {
  net::io_context io;
  curfew::stop_source source;
  net::steady_timer timer(io, 0ms);
  answer a;
  timer.async_wait(curfew::bind_stop(source.get_token(), a.handler()));
  io.run();
  CHECK_FALSE(a.ec);
  source.request_stop();
  io.restart();
  CHECK(io.run() == 0);
  CHECK(a.calls == 1);
}

TEST_CASE("an operation that is done when the cancellation comes to it is not harmed") {
  net::io_context io;
  curfew::stop_source source;
  net::steady_timer timer(io, 0ms);
  answer a;
  timer.async_wait(curfew::bind_stop(source.get_token(), [&](error_code ec) {
    a.handler()(ec);
    timer.expires_after(1h);
    timer.async_wait([](error_code) {});
  }));
  net::post(io, [&] { source.request_stop(); });
  io.run_for(10ms);
  CHECK_FALSE(a.ec);
}

TEST_CASE("a stopped token lets the operation start and cancels it") {
  net::io_context io;
  curfew::stop_source source;
  source.request_stop();
  net::steady_timer timer(io, std::chrono::hours(1));
  answer a;
  timer.async_wait(curfew::bind_stop(source.get_token(), a.handler()));
  CHECK(a.calls == 0);
  io.run();
  CHECK(a.ec == net::error::operation_aborted);
}

TEST_CASE("a token that never stops changes nothing") {
  net::io_context io;
  net::steady_timer timer(io, 0ms);
  answer a;
  answer b;
  timer.async_wait(curfew::bind_stop(curfew::stop_token(), a.handler()));
  timer.async_wait(curfew::bind_stop(curfew::never_stop_token(), b.handler()));
  io.run();
  CHECK(a.calls == 1);
  CHECK(b.calls == 1);
}

TEST_CASE("a composed read is cancelled with the bytes that it has") {
  net::io_context io;
  connection c(io);
  curfew::stop_source source;
  std::array<char, 10> bytes{};
  std::size_t got = 0;
  answer a;
  net::async_read(c.near_end, net::buffer(bytes),
                  curfew::bind_stop(source.get_token(), [&](error_code ec, std::size_t n) {
                    got = n;
                    a.handler()(ec);
                  }));
  net::write(c.far_end, net::buffer("abc", 3));
  while (c.near_end.available() != 0) io.poll_one();
  source.request_stop();
  io.run();
  CHECK(a.ec == net::error::operation_aborted);
  CHECK(got == 3);
}

TEST_CASE("whoever cancels through the slot of the handler still does") {
  net::io_context io;
  curfew::stop_source source;
  net::cancellation_signal own;
  net::steady_timer timer(io, std::chrono::hours(1));
  answer a;
  timer.async_wait(
      curfew::bind_stop(source.get_token(), net::bind_cancellation_slot(own.slot(), a.handler())));
  own.emit(net::cancellation_type::terminal);
  io.run();
  CHECK(a.ec == net::error::operation_aborted);
  own.emit(net::cancellation_type::terminal);  // finds nothing any more
  source.request_stop();
}

TEST_CASE("the signal of a handler may outlive the context and does not keep what was bound") {
  curfew::stop_source source;
  net::cancellation_signal own;
  std::future<void> done;
  {
    net::io_context io;
    net::steady_timer timer(net::make_strand(io), std::chrono::hours(1));
    done = timer.async_wait(curfew::bind_stop(
        source.get_token(), net::bind_cancellation_slot(own.slot(), net::use_future)));
  }
  CHECK(done.wait_for(0s) == std::future_status::ready);  // its promise is broken
  own.emit(net::cancellation_type::terminal);
}

TEST_CASE("two stops on one operation and the first one cancels") {
  net::io_context io;
  curfew::stop_source first;
  curfew::inplace_stop_source second;
  net::steady_timer timer(io, std::chrono::hours(1));
  answer a;
  answer b;
  timer.async_wait(
      curfew::bind_stop(first.get_token(), curfew::bind_stop(second.get_token(), a.handler())));
  second.request_stop();
  io.run();
  CHECK(a.ec == net::error::operation_aborted);
  first.request_stop();
  timer.async_wait(
      curfew::bind_stop(first.get_token(), curfew::bind_stop(second.get_token(), b.handler())));
  io.restart();
  io.run();
  CHECK(b.ec == net::error::operation_aborted);
}

TEST_CASE("a handler that can only be moved and a future") {
  net::io_context io;
  curfew::stop_source source;
  net::steady_timer timer(io, std::chrono::hours(1));
  bool called = false;
  timer.async_wait(curfew::bind_stop(source.get_token(), [&, only = std::make_unique<int>(1)](
                                                             error_code) { called = *only == 1; }));
  auto done = timer.async_wait(curfew::bind_stop(source.get_token(), net::use_future));
  source.request_stop();
  io.run();
  CHECK(called);
  CHECK_THROWS(done.get());
}

TEST_CASE("an operation without an executor is refused with what to do") {
  net::io_context io;
  const auto start = [](auto handler) { handler(); };
  const auto token = curfew::bind_stop(curfew::stop_token(), [] {});
  CHECK_THROWS_WITH_AS((net::async_initiate<decltype(token), void()>(start, token)),
                       doctest::Contains("bind_stop(token, bind_executor(executor, handler))"),
                       std::system_error);
  int calls = 0;
  auto own = curfew::bind_stop(curfew::stop_token(),
                               net::bind_executor(io.get_executor(), [&] { ++calls; }));
  net::async_initiate<decltype(own), void()>(start, own);
  CHECK(calls == 1);
}

TEST_CASE("a bound operation ends with its context and a later stop finds nothing") {
  curfew::stop_source source;
  const auto kept = std::make_shared<int>(0);
  {
    net::io_context io;
    net::steady_timer timer(io, std::chrono::hours(1));
    timer.async_wait(
        curfew::bind_stop(source.get_token(), [kept](error_code) { FAIL_CHECK("called"); }));
  }
  CHECK(kept.use_count() == 1);
  source.request_stop();
}

TEST_CASE("the stop races the start of an operation") {
  net::io_context io;
  const running thread(io);
  for (int i = 0; i < 1'000; ++i) {
    curfew::stop_source source;
    net::steady_timer timer(io, std::chrono::hours(1));
    std::thread stopper([&] { source.request_stop(); });
    std::promise<error_code> done;
    timer.async_wait(
        curfew::bind_stop(source.get_token(), [&](error_code ec) { done.set_value(ec); }));
    CHECK(done.get_future().get() == net::error::operation_aborted);
    stopper.join();
  }
}

// Seldom an exception: the library counts references to one where the thread sanitizer is blind.
TEST_CASE("the stop races the start of an operation whose future somebody waits for") {
  net::io_context io;
  const running thread(io);
  for (int i = 0; i < 200; ++i) {
    connection c(io);
    curfew::stop_source source;
    std::thread stopper([&] { source.request_stop(); });
    auto done = c.near_end.async_wait(tcp::socket::wait_write,
                                      curfew::bind_stop(source.get_token(), net::use_future));
    stopper.join();
    done.wait();
  }
}

TEST_CASE("the stop races the end of an operation") {
  net::io_context io;
  const running thread(io);
  int aborted = 0;
  for (int i = 0; i < 1'000; ++i) {
    curfew::stop_source source;
    net::steady_timer timer(io, std::chrono::microseconds(i % 50));
    std::promise<error_code> done;
    timer.async_wait(
        curfew::bind_stop(source.get_token(), [&](error_code ec) { done.set_value(ec); }));
    source.request_stop();
    const error_code ec = done.get_future().get();
    CHECK((!ec || ec == net::error::operation_aborted));
    aborted += ec ? 1 : 0;
  }
  MESSAGE(aborted << " of 1000 were cancelled first");
}

TEST_CASE("operations on strands of a pool are cancelled") {
  net::thread_pool pool(2);
  for (int i = 0; i < 200; ++i) {
    curfew::stop_source source;
    net::steady_timer timer(net::make_strand(pool), std::chrono::hours(1));
    std::thread stopper([&] { source.request_stop(); });
    std::promise<error_code> done;
    timer.async_wait(
        curfew::bind_stop(source.get_token(), [&](error_code ec) { done.set_value(ec); }));
    CHECK(done.get_future().get() == net::error::operation_aborted);
    stopper.join();
  }
  pool.join();
}

TEST_CASE("a wait for a stop is cancelled through its slot and says so") {
  net::io_context io;
  curfew::stop_source first;
  curfew::stop_source second;
  answer a;
  curfew::async_wait_stop(io.get_executor(), first.get_token(),
                          curfew::bind_stop(second.get_token(), a.handler()));
  second.request_stop();  // before it has begun
  io.run();
  CHECK(a.ec == net::error::operation_aborted);
  CHECK(a.why.cause == curfew::stop_cause::none);

  answer b;
  const curfew::stop_source third;
  curfew::stop_source fourth;
  curfew::async_wait_stop(io.get_executor(), third.get_token(),
                          curfew::bind_stop(fourth.get_token(), b.handler()));
  io.restart();
  io.poll();
  fourth.request_stop();
  io.run();
  CHECK(b.ec == net::error::operation_aborted);
}

TEST_CASE("every kind of cancellation ends a wait for a stop as it changes nothing") {
  for (const auto type : {net::cancellation_type::terminal, net::cancellation_type::partial,
                          net::cancellation_type::total}) {
    net::io_context io;
    const curfew::stop_source source;
    net::cancellation_signal own;
    answer a;
    curfew::async_wait_stop(io.get_executor(), source.get_token(),
                            net::bind_cancellation_slot(own.slot(), a.handler()));
    io.poll();
    own.emit(type);
    io.poll();
    CHECK(a.ec == net::error::operation_aborted);
  }
}

TEST_CASE("a wait is cancelled where its handler belongs while it goes on elsewhere") {
  net::io_context io;
  net::io_context other;
  const running first(io);
  const running second(other);
  for (int i = 0; i < 500; ++i) {
    const curfew::stop_source source;
    net::cancellation_signal own;
    std::promise<error_code> done;
    const auto handler = [&](error_code ec, curfew::stop_reason) { done.set_value(ec); };
    on_executor_and_wait(other, [&] {
      curfew::async_wait_stop(io.get_executor(), source.get_token(),
                              net::bind_cancellation_slot(
                                  own.slot(), net::bind_executor(other.get_executor(), handler)));
      net::post(other, [&] { own.emit(net::cancellation_type::terminal); });
    });
    CHECK(done.get_future().get() == net::error::operation_aborted);
    on_executor_and_wait(other, [] {});
  }
}

#if defined(ASIO_HAS_CO_AWAIT) || defined(BOOST_ASIO_HAS_CO_AWAIT)

TEST_CASE("a stop ends a spawned coroutine wherever it waits") {
  net::io_context io;
  connection c(io);
  curfew::stop_source source;
  bool unwound = false;
  const auto session = [&]() -> net::awaitable<void> {
    const std::shared_ptr<void> at_end(nullptr, [&](void*) { unwound = true; });
    char byte = 0;
    for (;;) co_await c.near_end.async_read_some(net::buffer(&byte, 1), net::use_awaitable);
  };
  std::exception_ptr error;
  net::co_spawn(io, session,
                curfew::bind_stop(source.get_token(), [&](std::exception_ptr e) { error = e; }));
  io.poll();
  source.request_stop();
  io.run();
  CHECK(unwound);
  REQUIRE(error);
  CHECK_THROWS_AS(std::rethrow_exception(error), std::system_error);
}

TEST_CASE("an operation in a coroutine throws when the stop cancels it") {
  net::io_context io;
  curfew::stop_source source;
  bool aborted = false;
  const auto sleep = [&]() -> net::awaitable<void> {
    net::steady_timer timer(co_await net::this_coro::executor, std::chrono::hours(1));
    try {
      co_await timer.async_wait(curfew::bind_stop(source.get_token(), net::use_awaitable));
    } catch (const std::system_error& e) {
      aborted = e.code() == net::error::operation_aborted;
    }
  };
  net::co_spawn(io, sleep, net::detached);
  io.poll();
  source.request_stop();
  io.run();
  CHECK(aborted);
}

#endif
#endif

#endif
