// SPDX-License-Identifier: BSL-1.0
//
// A test of a program's own stop, under hosts that the test plays and on a clock that stands still:
// 19 s pass at once, no signal is sent. It needs no framework; where there is one, `expect` is its
// own macro.
//
// Run it: test_your_shutdown. It says what it has tried; exit code 1: something is not so.
#include <curfew/release/gate.hpp>
#include <curfew/service/run.hpp>
#include <curfew/testing/host_in_a_box.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>

namespace {

using namespace std::chrono_literals;
using curfew::host_in_a_box, curfew::host_kind;

// What is tested: a shop that lets nobody in any more, and waits for its customers to leave; with
// the second signal, or when most of its time is spent, it closes with customers inside, and fails.
struct shop {
  curfew::gate customers;

  int operator()(curfew::service& self) {
    self.ready();
    (void)self.token().wait();
    customers.close();
    return customers.wait(self.hurry()) ? 0 : 1;
  }
};

int failures = 0;

void expect(bool holds, const char* what) {
  std::printf("%s  %s\n", holds ? "ok   " : "WRONG", what);
  if (!holds) ++failures;
}

// One test: a shop with a customer in it, under a host.
struct shop_in_a_box {
  explicit shop_in_a_box(host_kind host) : box(host) {
    box.start({.name = "shop", .stop_timeout = 20s}, [this](auto& self) { return tested(self); });
    expect(box.await_ready(), "the shop opens");
  }

  shop tested;
  curfew::gate::hold customer = tested.customers.enter();
  host_in_a_box box;
};

}  // namespace

int main() {
  {
    shop_in_a_box test(host_kind::console);
    test.box.console_ctrl_c();
    expect(!test.box.ended(), "Ctrl-C: it waits for its customer");
    test.customer.reset();
    expect(test.box.await_end() == 0, "the customer leaves, and it closes");
  }
  {
    shop_in_a_box test(host_kind::console);
    test.box.console_ctrl_c();
    test.box.console_ctrl_c();
    expect(test.box.await_end() == 1, "a second Ctrl-C: it closes with a customer inside");
  }
  {
    shop_in_a_box test(host_kind::systemd);
    test.box.signal(SIGTERM);
    test.box.advance(19s);  // of 20: from here on it is told to hurry
    expect(test.box.await_end() == 1, "systemd: closed with a customer inside after 19 s");
  }
  return failures == 0 ? 0 : 1;
}
