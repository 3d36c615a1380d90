// SPDX-License-Identifier: BSL-1.0
//
// Programs for boxes that go well, badly, and not at all.
#ifndef CURFEW_TESTS_INTEROP_BOX_PROGRAMS_HPP
#define CURFEW_TESTS_INTEROP_BOX_PROGRAMS_HPP

#include <curfew/service/run.hpp>
#include <curfew/testing/host_in_a_box.hpp>

#include <chrono>

namespace programs {

using namespace std::chrono_literals;

inline curfew::service_spec web() { return {.name = "web", .stop_timeout = 10s}; }

inline void serve(curfew::service& self) {
  self.ready();
  (void)self.token().wait();
}

inline int give_up(curfew::service& self) {
  self.log().write(curfew::severity::error, "the port is taken");
  return 3;
}

}  // namespace programs

#endif
