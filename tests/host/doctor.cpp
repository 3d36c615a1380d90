// SPDX-License-Identifier: BSL-1.0
//
// Findings from all who look, the worst first.
#include <curfew/host/install/doctor.hpp>
#include <curfew/host/install/finding.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "doctest/doctest.h"

namespace {

using curfew::finding;
using curfew::findings;
using curfew::severity;

std::vector<std::string> names(const findings& found) {
  std::vector<std::string> all;
  for (const finding& f : found) all.push_back(f.what);
  return all;
}

}  // namespace

TEST_CASE("the worst findings come first and those of one kind keep their order") {
  const findings sorted = curfew::by_severity({{severity::warning, "w1"},
                                               {severity::info, "i"},
                                               {severity::error, "e1"},
                                               {severity::warning, "w2"},
                                               {severity::error, "e2"}});
  CHECK(names(sorted) == std::vector<std::string>{"e1", "e2", "w1", "w2", "i"});
}

TEST_CASE("a service that nobody has installed can be examined") {
  const findings found = curfew::examine_service({.name = "curfew-test-nobody-has-this"});
  CHECK(std::is_sorted(found.begin(), found.end(),
                       [](const finding& a, const finding& b) { return a.level < b.level; }));
  for (const finding& f : found) CHECK(!f.what.empty());
}
