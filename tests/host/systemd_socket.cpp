// SPDX-License-Identifier: BSL-1.0
//
// The socket for notifications, with a listener of the test's in place of systemd.
#include <curfew/config.hpp>

#include "doctest/doctest.h"

#if CURFEW_LINUX

#include <curfew/host/detail/systemd_host.hpp>
#include <curfew/host/systemd/notify_socket.hpp>

#include "posix_support.hpp"
#include "support.hpp"
#include "systemd_support.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace std::chrono_literals;
using curfew::notify_socket;

namespace {

std::string abstract_name() {
  static std::atomic<int> next{0};
  return "@curfew-test-" + std::to_string(getpid()) + "-" + std::to_string(++next);
}

std::error_code error_of(std::string_view address) {
  std::error_code ec;
  const notify_socket refused(address, ec);
  return ec;
}

std::set<int> open_descriptors() {
  std::set<int> open;
  DIR* const all = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(all)) open.insert(std::atoi(entry->d_name));
  open.erase(dirfd(all));
  closedir(all);
  return open;
}

/// A listener and a socket that speaks to it.
struct connection {
  const std::string address = abstract_name();
  std::unique_ptr<test::listener> there = std::make_unique<test::listener>(address);

  std::error_code ec;
  notify_socket here{address, ec};

  /// Until the queue is full.
  void fill() {
    while (here.offer("STATUS=more")) {
    }
  }
  void drain() const {
    while (there->text_now() != "nothing") {
    }
  }
};

char state_of(long thread) {
  std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(stat, line);
  const auto name_end = line.rfind(')');
  return name_end == line.npos ? 'X' : line[name_end + 2];
}

}  // namespace

TEST_CASE("systemd rule 36 - a path and an abstract name are addresses") {
  test::folder folder;
  for (const std::string& address : {folder.path("socket"), abstract_name()}) {
    const test::listener there(address);
    REQUIRE(there.is_bound());
    std::error_code ec;
    notify_socket here(address, ec);
    REQUIRE(!ec);
    CHECK(here.send("READY=1"));
    CHECK(here.send("STATUS=two\nERRNO=2", ec));
    CHECK(!ec);
    CHECK(there.text() == "READY=1");
    CHECK(there.text() == "STATUS=two\nERRNO=2");
  }
}

TEST_CASE("systemd rule 36 - any other address is refused with the reason") {
  CHECK(error_of("vsock:2:1234") == std::errc::address_family_not_supported);
  CHECK(error_of("run/notify") == std::errc::address_family_not_supported);
  CHECK(error_of("") == std::errc::invalid_argument);
  CHECK(error_of("@") == std::errc::invalid_argument);
  CHECK(error_of(std::string_view("/tmp\0x", 6)) == std::errc::invalid_argument);
  CHECK(error_of("/" + std::string(107, 'x')) == std::errc::filename_too_long);
  CHECK(error_of("@" + std::string(107, 'x')) == std::errc::filename_too_long);
}

TEST_CASE("an abstract name of the greatest length is used whole") {
  std::string address = abstract_name();
  address.resize(107, 'x');
  const test::listener there(address);
  REQUIRE(there.is_bound());
  std::error_code ec;
  CHECK(notify_socket(address, ec).send("READY=1"));
  CHECK(there.text() == "READY=1");
}

TEST_CASE("an address at which nobody listens is refused") {
  test::folder folder;
  const std::string left_behind = folder.path("left");
  { const test::listener gone(left_behind); }
  CHECK(error_of(folder.path("none")) == std::errc::no_such_file_or_directory);
  CHECK(error_of(left_behind) == std::errc::connection_refused);
  CHECK(error_of(abstract_name()) == std::errc::connection_refused);
  std::error_code ec;
  notify_socket here(left_behind, ec);
  const test::listener late(left_behind);
  CHECK(!here.send("READY=1"));
  CHECK(late.text_now() == "nothing");
}

#if CURFEW_EXCEPTIONS
TEST_CASE("without a place for the error a refused address is an exception") {
  const auto make = [](const char* address) { notify_socket made(address); };
  CHECK_THROWS_AS(make("vsock:2:1234"), std::system_error);
  CHECK_THROWS_AS(make("/nowhere/at/all"), std::system_error);
  connection c;
  CHECK_NOTHROW(make(c.address.c_str()));
}
#endif

TEST_CASE("programs that this one starts do not inherit the socket") {
  const auto before = open_descriptors();
  connection c;
  int sockets = 0;
  for (const int fd : open_descriptors()) {
    if (before.count(fd) != 0) continue;
    ++sockets;
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(sockets == 2);
}

TEST_CASE("a socket that is refused leaves no descriptor behind") {
  const auto before = open_descriptors();
  CHECK(error_of(abstract_name()));
  CHECK(open_descriptors() == before);
}

TEST_CASE("descriptors go with a message and stay open here") {
  connection c;
  int ends[2] = {};
  REQUIRE(pipe(ends) == 0);
  CHECK(c.here.send("FDSTORE=1", ends, c.ec));
  const test::message m = c.there->take();
  CHECK(m.text == "FDSTORE=1");
  REQUIRE(m.descriptors.size() == 2);
  CHECK(write(ends[1], "x", 1) == 1);
  char byte = 0;
  CHECK(read(m.descriptors[0], &byte, 1) == 1);
  CHECK(byte == 'x');
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("systemd rule 38 - a message has at most 253 descriptors") {
  connection c;
  const std::vector<int> most(253, STDERR_FILENO);
  CHECK(c.here.send("STATUS=most", most, c.ec));
  CHECK(c.there->take().descriptors.size() == 253);
  const std::vector<int> too_many(254, STDERR_FILENO);
  CHECK(!c.here.send("STATUS=more", too_many, c.ec));
  CHECK(c.ec == std::errc::argument_list_too_long);
  CHECK(c.there->text_now() == "nothing");
}

TEST_CASE("a descriptor that is not open is an error") {
  connection c;
  const int closed[] = {-1};
  CHECK(!c.here.send("FDSTORE=1", closed, c.ec));
  CHECK(c.ec == std::errc::bad_file_descriptor);
}

TEST_CASE("a message that the kernel finds too long is an error") {
  connection c;
  CHECK(!c.here.send(std::string(1u << 24, 'x'), c.ec));
  CHECK(c.ec == std::errc::message_size);
}

TEST_CASE("a full queue refuses what does not wait and later what does") {
  connection c;
  c.fill();
  errno = 4711;
  CHECK(!c.here.offer("STATUS=more"));
  CHECK(!c.here.send("READY=1", c.ec));
  CHECK(errno == 4711);
  CHECK(c.ec == std::errc::resource_unavailable_try_again);
  c.drain();
  CHECK(c.here.offer("READY=1"));
  CHECK(c.there->text() == "READY=1");
}

TEST_CASE("a send that finds the queue full gets through when there is room in time") {
  connection c;
  bool sent = false;
  for (int attempt = 0; attempt < 20 && !sent; ++attempt) {
    c.fill();
    std::atomic<long> id{0};
    std::atomic<bool> done{false};
    std::thread sender([&] {
      id = syscall(SYS_gettid);
      sent = c.here.send("READY=1");
      done = true;
    });
    CHECK(test::becomes([&] { return done || (id != 0 && state_of(id) == 'S'); }));
    c.drain();
    sender.join();
  }
  CHECK(sent);
}

TEST_CASE("a path that is gone does no harm to an open socket") {
  test::folder folder;
  const std::string path = folder.path("socket");
  const test::listener there(path);
  std::error_code ec;
  notify_socket here(path, ec);
  REQUIRE(unlink(path.c_str()) == 0);
  CHECK(here.send("READY=1"));
  CHECK(there.text() == "READY=1");
}

TEST_CASE("a listener that goes away is an error and no SIGPIPE and a new one is found") {
  const test::disposition deadly(SIGPIPE, SIG_DFL);
  connection c;
  c.there.reset();
  for (int i = 0; i < 3; ++i) {
    CHECK(!c.here.send("READY=1", c.ec));
    CHECK(c.ec == std::errc::connection_refused);
    CHECK(!c.here.offer("WATCHDOG=1"));
  }
  c.there = std::make_unique<test::listener>(c.address);
  REQUIRE(c.there->is_bound());
  CHECK(c.here.send("READY=1"));
  CHECK(c.there->text() == "READY=1");
  c.there.reset();
  c.there = std::make_unique<test::listener>(c.address);
  CHECK(c.here.send("STATUS=again"));
  CHECK(c.there->text() == "STATUS=again");
}

TEST_CASE("a child made by fork does not speak for its parent") {
  connection c;
  CHECK(test::in_child([&] {
          std::error_code ec;
          const bool sent = c.here.send("READY=1") || c.here.offer("READY=1") ||
                            c.here.barrier(0s, ec) || c.here.send("READY=1", ec);
          return sent || ec != std::errc::operation_not_permitted ? 1 : 0;
        }) == 0);
  CHECK(c.there->text_now() == "nothing");
  CHECK(test::in_child([&] {
          std::error_code ec;
          return notify_socket(c.address, ec).send("STATUS=child") ? 0 : 1;
        }) == 0);
  CHECK(c.there->text() == "STATUS=child");
}

TEST_CASE("systemd rule 38 - a barrier is alone with one descriptor and met when that is closed") {
  connection c;
  const auto known = open_descriptors();
  REQUIRE(c.here.send("STATUS=before"));
  std::string before, barrier;
  std::size_t descriptors = 0;
  std::set<int> inherited;  // by a program that is started while the barrier waits
  std::thread manager([&] {
    before = c.there->text();
    const test::message m = c.there->take();
    barrier = m.text;
    descriptors = m.descriptors.size();
    for (const int fd : open_descriptors())
      if (known.count(fd) == 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) inherited.insert(fd);
  });
  CHECK(c.here.barrier(std::chrono::hours::max(), c.ec));
  manager.join();
  CHECK(!c.ec);
  CHECK(before == "STATUS=before");
  CHECK(barrier == "BARRIER=1");
  CHECK(descriptors == 1);
  CHECK(inherited.empty());
}

TEST_CASE("a barrier that nobody meets times out and leaves no descriptor behind") {
  connection c;
  const auto open = open_descriptors();
  CHECK(!c.here.barrier(20ms, c.ec));
  CHECK(c.ec == std::errc::timed_out);
  CHECK(!c.here.barrier(-1h, c.ec));
  CHECK(c.ec == std::errc::timed_out);
  CHECK(open_descriptors() == open);
}

TEST_CASE("a barrier without a listener is an error at once") {
  connection c;
  c.there.reset();
  CHECK(!c.here.barrier(std::chrono::hours::max(), c.ec));
  CHECK(c.ec == std::errc::connection_refused);
}

TEST_CASE("a signal does not end the wait for a barrier") {
  struct sigaction interrupt = {}, before = {};
  interrupt.sa_handler = [](int) {};
  sigaction(SIGUSR1, &interrupt, &before);
  connection c;
  std::atomic<long> id{0};
  std::atomic<bool> done{false};
  bool met = false;
  std::thread waiter([&] {
    id = syscall(SYS_gettid);
    met = c.here.barrier(60s, c.ec);
    done = true;
  });
  {
    const test::message m = c.there->take();
    for (int i = 0; i < 5; ++i) {
      CHECK(test::becomes([&] { return state_of(id) == 'S'; }));
      pthread_kill(waiter.native_handle(), SIGUSR1);
    }
    CHECK(!done);
  }
  waiter.join();
  CHECK(met);
  sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("systemd rule 38 - what is stored has a name that systemd takes") {
  connection c;
  const int fd[] = {STDERR_FILENO};
  CHECK(c.here.store("state", fd, c.ec));
  const test::message m = c.there->take();
  CHECK(m.text == "FDSTORE=1\nFDNAME=state");
  CHECK(m.descriptors.size() == 1);
  CHECK(c.here.remove("state", c.ec));
  CHECK(c.there->text() == "FDSTOREREMOVE=1\nFDNAME=state");

  const std::string longest(255, 'n');
  CHECK(c.here.store(longest, fd, c.ec));
  CHECK(c.there->text() == "FDSTORE=1\nFDNAME=" + longest);
  for (const std::string& bad :
       {std::string(), longest + "n", std::string("a:b"), std::string("a\nREADY=1"),
        std::string("\x7f"), std::string("\xc3\xa4"), std::string(1, '\0')}) {
    CHECK(!c.here.store(bad, fd, c.ec));
    CHECK(c.ec == std::errc::invalid_argument);
    CHECK(!c.here.remove(bad, c.ec));
    CHECK(c.ec == std::errc::invalid_argument);
  }
  CHECK(!c.here.store("nothing", {}, c.ec));
  CHECK(c.ec == std::errc::invalid_argument);
  CHECK(c.there->text_now() == "nothing");
}

TEST_CASE("messages from many threads arrive whole") {
  connection c;
  constexpr int threads = 4, each = 100;
  std::vector<std::thread> all;
  std::atomic<int> lost{0};
  for (int i = 0; i < threads; ++i) {
    all.emplace_back([&, i] {
      const std::string text = "STATUS=" + std::string(200, static_cast<char>('a' + i));
      for (int n = 0; n < each; ++n) lost += c.here.send(text) ? 0 : 1;
    });
  }
  int whole = 0, broken = 0;
  for (int n = 0; n < threads * each; ++n) {
    const std::string text = c.there->text(10'000);
    if (text == "nothing") break;
    const bool same = text.size() == 207 && text.find_first_not_of(text[7], 7) == text.npos;
    (same ? whole : broken) += 1;
  }
  for (auto& thread : all) thread.join();
  CHECK(broken == 0);
  CHECK(whole + lost == threads * each);
}

TEST_CASE("a host speaks through a socket") {
  connection c;
  curfew::detail::systemd_host host(c.here, curfew::time_source::process(), getpid(), 2s);
  host.progress("loading", 1s);
  host.ready();
  host.alive();
  host.stopped({.error = 5});
  CHECK(c.there->text() == "EXTEND_TIMEOUT_USEC=1000000\nSTATUS=loading");
  CHECK(c.there->text() == "READY=1\nMAINPID=" + std::to_string(getpid()) + "\nSTATUS=running");
  CHECK(c.there->text() == "WATCHDOG=1");
  CHECK(c.there->text() == "STOPPING=1\nWATCHDOG_USEC=0\nEXIT_STATUS=0\nERRNO=5\nSTATUS=finished");
}

TEST_CASE("a host whose listener is gone goes on without one") {
  connection c;
  curfew::detail::systemd_host host(c.here, curfew::time_source::process(), getpid(), 2s);
  c.there.reset();
  host.ready();
  host.alive();
  c.there = std::make_unique<test::listener>(c.address);
  host.alive();
  CHECK(c.there->text().substr(0, 8) == "READY=1\n");
  CHECK(c.there->text() == "WATCHDOG=1");
  c.there.reset();
  host.stopping({curfew::stop_cause::requested}, 1s);
  host.stopped({});
}

#else

TEST_CASE("these tests are for Linux") { CHECK(true); }

#endif
