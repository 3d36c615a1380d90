// SPDX-License-Identifier: BSL-1.0
#include <curfew/release/release_entry.hpp>
#include <curfew/release/release_report.hpp>
#include <curfew/release/resource_stack.hpp>

#include "doctest/doctest.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

using curfew::release_report;
using curfew::resource_stack;

static_assert(std::ranges::forward_range<const release_report>);
static_assert(std::ranges::sized_range<const release_report>);
static_assert(std::is_nothrow_move_constructible_v<release_report>);
static_assert(!std::is_copy_constructible_v<release_report>);

TEST_CASE("a report of nothing is empty and ok") {
  const release_report report;
  CHECK(report.empty());
  CHECK(report.size() == 0);
  CHECK(report.begin() == report.end());
  CHECK(report.ok());
}

TEST_CASE("a report owns the names and outlives the stack and the strings") {
  std::optional<release_report> report;
  {
    resource_stack stack;
    std::string name = "a name that is too long for a short string";
    stack.defer(name, [] {});
    name.assign(name.size(), 'x');
    stack.defer(std::string("temporary"), [] {});
    report = stack.release();
  }
  CHECK(report->begin()->name == "temporary");
  CHECK(std::next(report->begin())->name == "a name that is too long for a short string");
}

TEST_CASE("a report names the place where each entry was registered") {
  resource_stack stack;
  stack.emplace<int>("older", 1);
  stack.defer("newer", [] {});
  const auto here = __LINE__;
  const auto report = stack.release();
  const auto newer = report.begin();
  const auto older = std::next(newer);
  CHECK(newer->place.line == here - 1);
  CHECK(older->place.line == here - 2);
  CHECK(std::string_view(newer->place.file) == std::string_view(__FILE__));
  CHECK(std::string_view(older->place.file) == std::string_view(__FILE__));
}

TEST_CASE("a moved report takes its entries along") {
  resource_stack stack;
  stack.defer("one", [] {});
  release_report first = stack.release();
  const auto* entry = &*first.begin();
  release_report second = std::move(first);
  CHECK(first.empty());
  CHECK(&*second.begin() == entry);
  first = std::move(second);
  CHECK(second.empty());
  CHECK(&*first.begin() == entry);
}

TEST_CASE("a report works with standard algorithms and a range for over a temporary") {
  resource_stack stack;
  for (int i = 0; i < 3; ++i) stack.defer("part", [] {});
  std::ptrdiff_t seen = 0;
  for (const auto& e : stack.release()) seen += e.name == "part";
  CHECK(seen == 3);
  stack.defer("other", [] {});
  const auto report = stack.release();
  CHECK(std::ranges::count(report, "other", &curfew::release_entry::name) == 1);
}

#if CURFEW_EXCEPTIONS

TEST_CASE("a report keeps the errors alive and gives them back when it is destroyed") {
  const auto witness = std::make_shared<int>(1);
  {
    resource_stack stack;
    stack.defer("fails", [&] { throw witness; });
    const auto report = stack.release();
    CHECK(witness.use_count() == 2);
    CHECK_FALSE(report.ok());
  }
  CHECK(witness.use_count() == 1);
}

#endif
