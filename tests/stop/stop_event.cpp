// SPDX-License-Identifier: BSL-1.0
#include <curfew/stop/stop_event.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <curfew/testing/manual_clock.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#if CURFEW_POSIX
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>
#if CURFEW_LINUX
#include <sys/epoll.h>
#endif
#else
extern "C" {
__declspec(dllimport) unsigned long __stdcall WaitForMultipleObjects(unsigned long, void* const*,
                                                                     int, unsigned long);
__declspec(dllimport) int __stdcall GetHandleInformation(void*, unsigned long*);
}
#endif

using namespace std::chrono_literals;

namespace {

using handle = curfew::stop_event::native_handle_type;

// The two things that a loop does with the handle: look, and wait among others.
#if CURFEW_POSIX
bool signalled(int fd) {
  pollfd p{fd, POLLIN, 0};
  return ::poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;
}

std::size_t wait_any(const std::vector<int>& fds) {
  std::vector<pollfd> polled;
  for (const int fd : fds) polled.push_back({fd, POLLIN, 0});
  while (::poll(polled.data(), static_cast<nfds_t>(polled.size()), -1) < 0) {
  }
  std::size_t i = 0;
  while (polled[i].revents == 0) ++i;
  return i;
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }
void set_error(int value) { errno = value; }
int error() { return errno; }
#else
bool signalled(void* h) { return WaitForSingleObject(h, 0) == 0; }

std::size_t wait_any(const std::vector<void*>& handles) {
  return WaitForMultipleObjects(static_cast<unsigned long>(handles.size()), handles.data(), 0,
                                0xFFFFFFFFul);
}

bool is_open(void* h) {
  unsigned long flags = 0;
  return GetHandleInformation(h, &flags) != 0;
}
void set_error(int value) { SetLastError(static_cast<unsigned long>(value)); }
int error() { return static_cast<int>(GetLastError()); }
#endif

}  // namespace

TEST_CASE("an event is signalled from the stop on") {
  curfew::stop_source source;
  const curfew::stop_event event(source.get_token());
  CHECK_FALSE(signalled(event.native_handle()));
  source.request_stop();
  CHECK(signalled(event.native_handle()));
  CHECK(signalled(event.native_handle()));
}

TEST_CASE("an event of a stopped token is signalled when it is made") {
  curfew::stop_source source;
  source.request_stop();
  const curfew::stop_event event(source.get_token());
  CHECK(signalled(event.native_handle()));
}

TEST_CASE("an event of a token without a state is never signalled") {
  const curfew::stop_event event{curfew::stop_token()};
  CHECK_FALSE(signalled(event.native_handle()));
}

TEST_CASE("an event may belong to an inplace token") {
  curfew::inplace_stop_source source;
  const curfew::inplace_stop_event event(source.get_token());
  CHECK_FALSE(signalled(event.native_handle()));
  source.request_stop();
  CHECK(signalled(event.native_handle()));
}

TEST_CASE("a deadline signals the event") {
  curfew::manual_clock clock;
  const curfew::stop_source source(clock, 1s);
  const curfew::stop_event event(source.get_token());
  clock.advance(1s - 1ns);
  CHECK_FALSE(signalled(event.native_handle()));
  clock.advance(1ns);
  CHECK(signalled(event.native_handle()));
}

TEST_CASE("a thread that waits for several events wakes for the one that is stopped") {
  curfew::stop_source quiet;
  curfew::stop_source source;
  const curfew::stop_event first(quiet.get_token());
  const curfew::stop_event second(source.get_token());
  std::thread stopper([&] { source.request_stop(); });
  CHECK(wait_any({first.native_handle(), second.native_handle()}) == 1);
  stopper.join();
}

TEST_CASE("many threads may wait for one event") {
  curfew::stop_source source;
  const curfew::stop_event event(source.get_token());
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] { CHECK(wait_any({event.native_handle()}) == 0); });
  }
  source.request_stop();
  for (auto& w : waiters) w.join();
}

TEST_CASE("an event closes its handle and nothing else") {
  curfew::stop_source source;
  handle h{};
  {
    const curfew::stop_event event(source.get_token());
    h = event.native_handle();
    CHECK(is_open(h));
  }
  CHECK_FALSE(is_open(h));
  source.request_stop();
}

TEST_CASE("an event may be destroyed while it is being signalled") {
  for (int i = 0; i < 2'000; ++i) {
    curfew::stop_source source;
    auto event = std::make_unique<curfew::stop_event>(source.get_token());
    test::gate go;
    std::thread stopper([&] {
      go.pass();
      source.request_stop();
    });
    go.open();
    for (std::atomic<int> spin{i % 512}; spin > 0; --spin) {
    }
    event.reset();
    stopper.join();
  }
}

TEST_CASE("an event may be destroyed by a callback of its own token") {
  curfew::stop_source source;
  std::optional<curfew::stop_event> event;
  const curfew::stop_callback older(source.get_token(), [&] {
    CHECK(signalled(event->native_handle()));
    event.reset();
  });
  event.emplace(source.get_token());
  const curfew::stop_callback newer(source.get_token(),
                                    [&] { CHECK_FALSE(signalled(event->native_handle())); });
  source.request_stop();
  CHECK_FALSE(event.has_value());
}

TEST_CASE("signalling and closing leave the error of the thread alone") {
  curfew::stop_source source;
  std::optional<curfew::stop_event> event;
  event.emplace(source.get_token());
  set_error(4711);
  source.request_stop();
  CHECK(error() == 4711);
  set_error(4711);
  event.reset();
  CHECK(error() == 4711);
}

TEST_CASE("the overload with an error code reports success") {
  curfew::stop_source source;
  auto ec = std::make_error_code(std::errc::io_error);
  const curfew::stop_event event(source.get_token(), ec);
  CHECK_FALSE(ec);
  source.request_stop();
  CHECK(signalled(event.native_handle()));
}

#if CURFEW_POSIX

TEST_CASE("the descriptor is not inherited by other programs and does not block") {
  const curfew::stop_event event{curfew::stop_token()};
  CHECK((::fcntl(event.native_handle(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(event.native_handle(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("select sees the descriptor too") {
  curfew::stop_source source;
  const curfew::stop_event event(source.get_token());
  source.request_stop();
  fd_set set;
  FD_ZERO(&set);
  FD_SET(event.native_handle(), &set);
  CHECK(::select(event.native_handle() + 1, &set, nullptr, nullptr, nullptr) == 1);
}

namespace {

// No further descriptor is to be had while it lives.
class no_descriptors {
 public:
  no_descriptors() {
    ::getrlimit(RLIMIT_NOFILE, &kept_);
    const rlimit none{0, kept_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  no_descriptors(const no_descriptors&) = delete;
  no_descriptors& operator=(const no_descriptors&) = delete;
  ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &kept_); }

 private:
  rlimit kept_{};
};

}  // namespace

TEST_CASE("without a descriptor the event is an error and nothing is signalled") {
  curfew::stop_source source;
  std::error_code ec;
  std::optional<curfew::stop_event> event;
  {
    const no_descriptors shortage;
    event.emplace(source.get_token(), ec);
  }
  CHECK(ec == std::errc::too_many_files_open);
  CHECK(event->native_handle() == -1);
  CHECK(source.request_stop());
}

#if CURFEW_EXCEPTIONS
TEST_CASE("without a descriptor the constructor throws what the system said") {
  curfew::stop_source source;
  std::error_code ec;
  {
    const no_descriptors shortage;
    try {
      const curfew::stop_event event(source.get_token());
    } catch (const std::system_error& e) {
      ec = e.code();
    }
  }
  CHECK(ec == std::errc::too_many_files_open);
  CHECK(source.request_stop());
}
#endif

TEST_CASE("a descriptor that somebody else has closed is no error of the thread") {
  curfew::stop_source source;
  std::optional<curfew::stop_event> event;
  event.emplace(source.get_token());
  ::close(event->native_handle());
  errno = 4711;
  source.request_stop();
  event.reset();
  CHECK(errno == 4711);
}

TEST_CASE("a stop in a forked child leaves the event of the parent alone") {
  curfew::stop_source source;
  const curfew::stop_event event(source.get_token());
  const pid_t child = ::fork();
  if (child == 0) {
    source.request_stop();
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  pollfd inherited{event.native_handle(), POLLIN, 0};
  CHECK(::poll(&inherited, 1, 0) == 0);
  source.request_stop();
  CHECK(::poll(&inherited, 1, 0) == 1);
}

TEST_CASE("a pipe serves where the system has no better descriptor") {
  std::error_code ec;
  int fd = -1;
  {
    const curfew::detail::pipe_event event(ec);
    REQUIRE_FALSE(ec);
    fd = event.native_handle();
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_FALSE(signalled(fd));
    errno = 4711;
    for (int i = 0; i < 100'000; ++i) event.signal();  // more than a pipe holds
    CHECK(errno == 4711);
    CHECK(signalled(fd));
  }
  CHECK_FALSE(is_open(fd));
  const no_descriptors shortage;
  const curfew::detail::pipe_event none(ec);
  CHECK(ec == std::errc::too_many_files_open);
  CHECK(none.native_handle() == -1);
}

#endif

#if CURFEW_LINUX
TEST_CASE("epoll reports the stop as an edge and as a level") {
  curfew::stop_source source;
  const curfew::stop_event event(source.get_token());
  const int poller = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event want{};
  want.events = EPOLLIN | EPOLLET;
  REQUIRE(::epoll_ctl(poller, EPOLL_CTL_ADD, event.native_handle(), &want) == 0);
  epoll_event got{};
  CHECK(::epoll_wait(poller, &got, 1, 0) == 0);
  std::thread stopper([&] { source.request_stop(); });
  CHECK(::epoll_wait(poller, &got, 1, -1) == 1);
  stopper.join();
  CHECK(::epoll_wait(poller, &got, 1, 0) == 0);
  want.events = EPOLLIN;
  REQUIRE(::epoll_ctl(poller, EPOLL_CTL_MOD, event.native_handle(), &want) == 0);
  CHECK(::epoll_wait(poller, &got, 1, 0) == 1);
  CHECK(::epoll_wait(poller, &got, 1, 0) == 1);
  ::close(poller);
}
#endif
