// SPDX-License-Identifier: BSL-1.0
//
// The manager of this system, as far as nothing is changed by asking for it.
#include <curfew/host/install/system_manager.hpp>

#include <memory>
#include <string>

#include "doctest/doctest.h"

using curfew::failure;

TEST_CASE("a system without a manager says so whatever it is asked") {
  curfew::detail::no_service_manager none("nobody keeps services here");
  curfew::service_status status;
  curfew::install_plan plan;
  for (const failure& f :
       {none.query("web", status), none.plan_install({}, plan), none.plan_uninstall("web", plan),
        none.start("web"), none.stop("web"), none.restart("web"), none.reload("web")}) {
    CHECK(f.kind == failure::kind_type::not_supported);
    CHECK(f.text == "nobody keeps services here");
  }
  CHECK(plan.empty());
  CHECK(none.render({}).empty());
}

TEST_CASE("there is a manager for the system and one for a user") {
  for (const bool user : {false, true}) {
    const std::unique_ptr<curfew::service_manager> manager = curfew::system_manager(user);
    REQUIRE(manager != nullptr);
    curfew::service_status status;
    const failure f = manager->query("curfew-test-nobody-has-this", status);
    if (!f) CHECK(status.state == curfew::service_state::not_installed);
    if (CURFEW_WINDOWS != 0 && user) CHECK(f.kind == failure::kind_type::not_supported);
  }
}
