// SPDX-License-Identifier: BSL-1.0
#include "doctest/doctest.h"

#include <curfew/interop/doctest.hpp>

#include "box_programs.hpp"

#include <curfew/release/resource_stack.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <csignal>
#include <string>

namespace {

template <class T>
std::string printed(const T& value) {
  using doctest::toString;  // as CHECK() finds it
  return toString(value).c_str();
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("values are printed as text") {
  CHECK(printed(curfew::stop_reason{curfew::stop_cause::signal, 15, 4711}) ==
        "signal SIGTERM from pid 4711");
  CHECK(printed(curfew::stop_cause::service_control) == "service control");
  CHECK(printed(curfew::outcome{curfew::outcome_kind::late}) == "late");
  CHECK(printed(curfew::outcome_kind::forced) == "forced");
  CHECK(printed(curfew::release_outcome::late) == "late");
  CHECK(printed(curfew::host_kind::scm) == "scm");
  CHECK(printed(curfew::host_in_a_box::state::paused) == "paused");
  CHECK(printed(7) == "7");
}

TEST_CASE("a report is printed entry by entry") {
  curfew::resource_stack stack;
  stack.defer("pool", [] {});
  stack.defer("listener", [] {});
  CHECK(contains(printed(stack.release()), "listener: released after "));
  CHECK(printed(curfew::release_report()) == "nothing to release");
}

TEST_CASE("a box that does as hoped passes") {
  curfew::host_in_a_box box;
  box.start(programs::web(), programs::serve);
  CHECK(curfew::became_ready(box));
  box.signal(SIGTERM);
  CHECK(curfew::ended_with(box, 0));
}

TEST_CASE("a box that does not tells its story") {
  curfew::host_in_a_box box;
  box.start(programs::web(), programs::give_up);
  const curfew::box_answer ready = curfew::became_ready(box);
  CHECK_FALSE(ready);
  CHECK(contains(printed(ready), "not ready; it has ended"));
  CHECK(contains(printed(ready), "told: web: the port is taken"));
  const curfew::box_answer ended = curfew::ended_with(box, 0);
  CHECK_FALSE(ended);
  CHECK(contains(printed(ended), "exit code 3 instead of 0; it has ended"));
}

TEST_CASE("the story of a stop that hangs names what is still open") {
  curfew::host_in_a_box box(curfew::host_kind::systemd);
  curfew::stop_source begun;
  curfew::stop_source let_go;
  box.start(programs::web(), [&](curfew::service& self) {
    self.resources().defer("database pool", [&] {
      begun.request_stop();
      (void)let_go.get_token().wait();
    });
    programs::serve(self);
  });
  REQUIRE(curfew::became_ready(box));
  box.signal(SIGTERM);
  REQUIRE(begun.get_token().wait());
  CHECK(contains(curfew::detail::box_story(box), "it runs; advance() past its time"));
  CHECK(contains(curfew::detail::box_story(box), "systemd: READY=1"));
  box.advance(std::chrono::seconds(11));
  const curfew::box_answer ended = curfew::ended_with(box, 0);
  CHECK_FALSE(ended);
  MESSAGE(printed(ended));
  CHECK(contains(printed(ended), "database pool"));
  CHECK(contains(printed(ended), "still open"));
  let_go.request_stop();
}
