// SPDX-License-Identifier: BSL-1.0
//
// Every order of events on small graphs; and machines with a fault, of which the explorer must name
// the rule that it breaks and the order in which it does.
#include <curfew/testing/explore.hpp>
#include <curfew/testing/explore_options.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::component;
using curfew::component_step;
using curfew::explore;
using curfew::explore_options;
using curfew::explore_report;
using curfew::lifecycle;
using curfew::step_outcome;
using curfew::detail::lifecycle_access;
using curfew::detail::lifecycle_machine;
using curfew::detail::part_graph;

namespace {

using names = std::vector<std::string>;

/// It cannot be run: no function of it ever is.
component plain(names after = {}) {
  return {.after = std::move(after), .start = [] { std::abort(); }, .stop = [] { std::abort(); }};
}

component full(names after = {}, unsigned restarts = 0, bool optional = false) {
  component c = plain(std::move(after));
  c.drain = c.abort = c.resume = [] { std::abort(); };
  c.prepare = [] { return curfew::prepare_answer::ready(); };
  c.restart.most = restarts;
  c.optional = optional;
  return c;
}

void check_all(const lifecycle& parts, const explore_options& options = {}) {
  const explore_report found = explore(parts, options);
  CHECK_MESSAGE(found, found.text());
  CHECK(found.complete);
  MESSAGE(found.states << " states, " << found.orders << " orders");
}

void declare_diamond(lifecycle& parts, component (*make)(names)) {
  parts.add("config", make({}));
  parts.add("database", make({"config"}));
  parts.add("cache", make({"config"}));
  parts.add("web", make({"database", "cache"}));
}

}  // namespace

TEST_CASE("every order of events keeps the rules for a single component") {
  for (const unsigned restarts : {0u, 2u}) {
    for (const bool optional : {false, true}) {
      lifecycle parts;
      parts.add("web", full({}, restarts, optional));
      check_all(parts, {.surprises = 3});
      check_all(parts, {.surprises = 2, .hangs = 2, .lame_duck = 5s});
    }
  }
}

TEST_CASE("every order of events keeps the rules for a chain of three") {
  lifecycle bare;
  bare.add("a", plain());
  bare.add("b", plain({"a"}));
  bare.add("c", plain({"b"}));
  check_all(bare, {.surprises = 3});
  check_all(bare, {.surprises = 2, .hangs = 2});
  lifecycle parts;
  parts.add("a", full());
  parts.add("b", full({"a"}));
  parts.add("c", full({"b"}));
  check_all(parts);
  check_all(parts, {.surprises = 1, .hangs = 2, .lame_duck = 5s});
}

TEST_CASE("every order of events keeps the rules for a diamond") {
  lifecycle bare;
  declare_diamond(bare, [](names after) { return plain(std::move(after)); });
  check_all(bare, {.surprises = 2, .hangs = 2});
  lifecycle parts;
  declare_diamond(parts, [](names after) { return full(std::move(after)); });
  check_all(parts, {.surprises = 1});
}

TEST_CASE("every order of events keeps the rules for a fan") {
  lifecycle parts;
  parts.add("database", plain());
  for (const char* name : {"web", "jobs", "mail"}) parts.add(name, plain({"database"}));
  check_all(parts);
}

TEST_CASE("every order of events keeps the rules with optional components and restarts") {
  lifecycle chain;
  chain.add("a", full({}, 1));
  chain.add("b", full({"a"}, 1, true));
  chain.add("c", full({"b"}));
  check_all(chain);
  lifecycle all;
  all.add("a", full({}, 0, true));
  all.add("b", full({"a"}, 0, true));
  all.add("c", full({"b"}, 0, true));
  check_all(all);
}

TEST_CASE("every order of events keeps the rules for components that lack functions") {
  lifecycle parts;
  parts.add("nothing", {});
  component unstarted = full({"nothing"});
  unstarted.start = {};
  parts.add("unstarted", std::move(unstarted));
  component unstopped = full({"unstarted"}, 1);
  unstopped.stop = {};
  unstopped.restart.delay = 0ms;
  parts.add("unstopped", std::move(unstopped));
  check_all(parts);
  check_all(lifecycle());
}

TEST_CASE("every order of events keeps the rules for times of nothing and without end") {
  for (const auto time :
       {curfew::time_source::duration::zero(), (curfew::time_source::duration::max)()}) {
    lifecycle limits, budgets;
    component c = full();
    c.start_timeout = c.stop_timeout = c.drain_timeout = c.abort_timeout = c.prepare_timeout = time;
    limits.add("a", c);
    c.after = {"a"};
    limits.add("b", c);
    check_all(limits);
    budgets.add("a", full());
    budgets.add("b", full({"a"}));
    check_all(budgets, {.budget = time, .rollback = time, .lease = time});
  }
}

TEST_CASE("a bound on the states is kept and told") {
  lifecycle parts;
  parts.add("a", full());
  const explore_report found = explore(parts, {.most_states = 100});
  CHECK_FALSE(found);
  CHECK_FALSE(found.complete);
  CHECK(found.broken.empty());
  CHECK(found.states == 100);
  CHECK(found.text().find("and there are more") != std::string::npos);
}

TEST_CASE("what is switched off does not happen") {
  lifecycle parts;
  parts.add("a", plain());
  const explore_report found = explore(parts, {.surprises = 0, .hangs = 0});
  CHECK(found);
  CHECK(found.orders == 1);
  CHECK(found.moves == 4);  // start, its end, stop, its end
  const explore_report more = explore(parts, {.surprises = 0, .hangs = 1});
  CHECK(more.orders > 1);
}

#if CURFEW_EXCEPTIONS
TEST_CASE("a graph that cannot be started is refused") {
  lifecycle parts;
  parts.add("web", plain({"database"}));
  CHECK_THROWS_AS((void)explore(parts), std::system_error);
}
#endif

// ---- machines with a fault

namespace {

template <class Machine>
explore_report explore_broken(explore_options options = {}) {
  lifecycle parts;
  parts.add("a", full({}, 1));
  parts.add("b", full({"a"}));
  static const names both = {"a", "b"};
  return curfew::detail::explorer<Machine>(lifecycle_access::graph(parts), both, options).run();
}

/// The rule is broken, and the order ends with these events.
template <class Machine>
void check_names(std::string_view rule, const names& last, explore_options options = {}) {
  const explore_report found = explore_broken<Machine>(options);
  CHECK_FALSE(found);
  CHECK_MESSAGE(found.broken == rule, found.text());
  REQUIRE(found.order.size() >= last.size());
  CHECK_MESSAGE(std::equal(last.rbegin(), last.rend(), found.order.rbegin()), found.text());
  CHECK(found.order.front() == "a start");
}

struct whole_machine : lifecycle_machine {
  using lifecycle_machine::lifecycle_machine;
};

/// Nobody is after anybody.
struct orderless_machine : lifecycle_machine {
  explicit orderless_machine(const part_graph& g) : lifecycle_machine(without_order(g)) {}
  void serve(const part_graph& g, curfew::detail::machine_desk& d) {
    lifecycle_machine::serve(without_order(g), d);
  }
  static const part_graph& without_order(const part_graph& g) {
    static part_graph flat;
    flat = g;
    for (std::size_t i = 0; i != flat.size(); ++i) flat[i].after = flat[i].before = {};
    return flat;
  }
};

struct timeless_machine : lifecycle_machine {
  using lifecycle_machine::lifecycle_machine;
  void tick(time_point) noexcept {}
};

struct unlimited_machine : lifecycle_machine {
  using lifecycle_machine::lifecycle_machine;
  void stop(time_point now, time_point, duration lame) noexcept {
    lifecycle_machine::stop(now, never, lame);
  }
};

/// Starts again by itself.
struct restless_machine : lifecycle_machine {
  using lifecycle_machine::lifecycle_machine;
  void finished(time_point now, std::uint32_t i, component_step s, step_outcome o,
                std::string_view text = {}, duration wait = {}) noexcept {
    lifecycle_machine::finished(now, i, s, o, text, wait);
    if (whole() == curfew::whole_phase::stopped) start(now, 15s);
  }
};

struct deaf_machine : lifecycle_machine {
  using lifecycle_machine::lifecycle_machine;
  bool fault(time_point, std::uint32_t, std::string_view) noexcept { return true; }
};

/// Takes no for yes.
struct yes_machine : lifecycle_machine {
  using lifecycle_machine::lifecycle_machine;
  void finished(time_point now, std::uint32_t i, component_step s, step_outcome o,
                std::string_view text = {}, duration wait = {}) noexcept {
    if (o == step_outcome::vetoed) o = step_outcome::done;
    lifecycle_machine::finished(now, i, s, o, text, wait);
  }
};

/// Forgets that a start has failed.
struct hopeful_machine : lifecycle_machine {
  using lifecycle_machine::lifecycle_machine;
  void finished(time_point now, std::uint32_t i, component_step s, step_outcome o,
                std::string_view text = {}, duration wait = {}) noexcept {
    if (s == component_step::start) o = step_outcome::done;
    lifecycle_machine::finished(now, i, s, o, text, wait);
  }
};

/// Never hears that a stop has ended.
struct hard_of_hearing_machine : lifecycle_machine {
  using lifecycle_machine::lifecycle_machine;
  void finished(time_point now, std::uint32_t i, component_step s, step_outcome o,
                std::string_view text = {}, duration wait = {}) noexcept {
    if (s != component_step::stop) lifecycle_machine::finished(now, i, s, o, text, wait);
  }
};

}  // namespace

TEST_CASE("the machine as it is keeps the rules on the graph of the broken ones") {
  const explore_report found = explore_broken<whole_machine>({.surprises = 3});
  CHECK_MESSAGE(found, found.text());
}

TEST_CASE(
    "an explorer names the rule that a broken machine breaks and the order in which it does") {
  check_names<orderless_machine>("b is started before what it is after", {"a start"});
  check_names<timeless_machine>("time passes, and what is due is not done", {"time passes"});
  check_names<deaf_machine>("a does not work and nothing is done about it",
                            {"b start ends", "a fails while it is up"},
                            {.surprises = 1,
                             .hangs = 0,
                             .failures = false,
                             .stops = false,
                             .prepares = false,
                             .pauses = false});
  check_names<hopeful_machine>("b has failed to start, and that counts for nothing",
                               {"a start", "a start ends", "b start fails"},
                               {.surprises = 1, .hangs = 0});
}

TEST_CASE("an explorer finds a machine that keeps no deadline") {
  check_names<unlimited_machine>("the stop goes on after its deadline", {"time passes"},
                                 {.surprises = 0, .budget = 7s});
}

TEST_CASE("an explorer finds a machine that never comes to rest") {
  check_names<restless_machine>("it goes round in circles", {"a stop"},
                                {.surprises = 0, .hangs = 0});
}

TEST_CASE("an explorer finds a machine that takes no for yes") {
  check_names<yes_machine>("a does not agree to the stop", {"a prepare says no"},
                           {.hangs = 0, .faults = false});
}

TEST_CASE("an explorer finds a machine that does not hear") {
  check_names<hard_of_hearing_machine>("b is aborted without need", {"b stop ends", "time passes"},
                                       {.surprises = 0});
}
