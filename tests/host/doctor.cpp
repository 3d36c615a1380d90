// SPDX-License-Identifier: BSL-1.0
//
// Findings from all who look, the worst first.
#include <curfew/host/install/doctor.hpp>
#include <curfew/host/install/finding.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "doctest/doctest.h"

#if CURFEW_POSIX
#include <signal.h>
#endif

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

#if CURFEW_POSIX
namespace {

/// What is done about a signal, while it is another thing.
struct seen {
  void (*during)(int) = nullptr;
  void (*after)(int) = nullptr;
};

void (*action_of(int number))(int) {
  struct sigaction now = {};
  sigaction(number, nullptr, &now);
  return now.sa_handler;
}

seen changed(void (*before)(int), void (*from)(int), void (*to)(int)) {
  struct sigaction old = {};
  struct sigaction first = {};
  first.sa_handler = before;
  sigaction(SIGUSR1, &first, &old);
  seen s;
  {
    const curfew::detail::signal_change change(SIGUSR1, from, to);
    s.during = action_of(SIGUSR1);
  }
  s.after = action_of(SIGUSR1);
  sigaction(SIGUSR1, &old, nullptr);
  return s;
}

void handler(int) {}

}  // namespace

TEST_CASE("what a signal does is another thing for a while and then the old one") {
  const seen s = changed(SIG_IGN, SIG_IGN, SIG_DFL);
  CHECK((s.during == SIG_DFL));
  CHECK((s.after == SIG_IGN));
}

TEST_CASE("a handler of the program itself is left alone") {
  const seen s = changed(&handler, SIG_IGN, SIG_DFL);
  CHECK((s.during == &handler));
  CHECK((s.after == &handler));
}
#endif
