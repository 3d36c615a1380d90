// SPDX-License-Identifier: BSL-1.0
// Contexts under contexts: what goes down the tree, what does not go up, and who keeps whom alive.
#include <curfew/stop/stop_token.hpp>

#include "doctest/doctest.h"
#include "support.hpp"

#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using curfew::stop_callback;
using curfew::stop_cause;
using curfew::stop_reason;
using curfew::stop_source;
using curfew::stop_token;

namespace {

TEST_CASE("a child stops with its parent and says why") {
  stop_source parent;
  stop_source child{parent.get_token()};
  stop_source grandchild{child.get_token()};
  const stop_reason why{stop_cause::signal, 15, 4711, 1000};
  CHECK(parent.request_stop(why));
  CHECK(child.stop_requested());
  CHECK(grandchild.stop_requested());
  CHECK(grandchild.get_token().reason() == why);
  CHECK_FALSE(child.request_stop());
  CHECK_FALSE(grandchild.request_stop());
}

TEST_CASE("a parent and a sibling go on when a child stops") {
  stop_source parent;
  stop_source child{parent.get_token()};
  stop_source sibling{parent.get_token()};
  CHECK(child.request_stop());
  CHECK_FALSE(parent.stop_requested());
  CHECK_FALSE(sibling.stop_requested());
  CHECK(parent.get_token().reason().cause == stop_cause::none);
}

TEST_CASE("a child of a stopped parent is born stopped with the reason of the parent") {
  stop_source parent;
  const stop_reason why{stop_cause::control, 3, 0, -1};
  parent.request_stop(why);
  stop_source child{parent.get_token()};
  CHECK(child.stop_requested());
  CHECK(child.get_token().reason() == why);
  CHECK_FALSE(child.request_stop());
}

TEST_CASE("an empty parent makes a root") {
  stop_source root{stop_token{}};
  CHECK(root.stop_possible());
  CHECK(root.get_token().deadline() == curfew::time_source::time_point::max());
  CHECK(&root.get_token().clock() == &curfew::time_source::process());
  CHECK(root.request_stop());
}

TEST_CASE("a child is another state than its parent") {
  stop_source parent;
  const stop_source child{parent.get_token()};
  CHECK(child != parent);
  CHECK(child.get_token() != parent.get_token());
}

TEST_CASE("a stop goes through a context of which nothing is held but the child") {
  stop_source root;
  stop_token leaf;
  auto leaf_source = std::make_unique<stop_source>(stop_source{root.get_token()}.get_token());
  leaf = leaf_source->get_token();
  leaf_source.reset();
  CHECK(leaf.stop_possible());
  root.request_stop();
  CHECK(leaf.stop_requested());
}

TEST_CASE("a stop is possible as long as it is possible in an ancestor") {
  auto root = std::make_unique<stop_source>();
  auto middle = std::make_unique<stop_source>(root->get_token());
  auto leaf = std::make_unique<stop_source>(middle->get_token());
  const stop_token t = leaf->get_token();
  middle.reset();
  leaf.reset();
  CHECK(t.stop_possible());
  root.reset();
  CHECK_FALSE(t.stop_possible());
  CHECK_FALSE(t.stop_requested());
}

TEST_CASE("a source of its own keeps the stop of an orphan possible") {
  auto root = std::make_unique<stop_source>();
  stop_source child{root->get_token()};
  root.reset();
  CHECK(child.get_token().stop_possible());
  CHECK(child.request_stop());
}

TEST_CASE("a callback on a child without a source runs when the parent stops") {
  stop_source parent;
  auto child = std::make_unique<stop_source>(parent.get_token());
  int runs = 0;
  const stop_callback cb(child->get_token(), [&] { ++runs; });
  child.reset();
  const stop_callback registered_later(stop_source{parent.get_token()}.get_token(),
                                       [&] { ++runs; });
  parent.request_stop();
  CHECK(runs == 2);
}

TEST_CASE("a callback on an orphan child is never run") {
  int runs = 0;
  auto parent = std::make_unique<stop_source>();
  const stop_token t = stop_source{parent->get_token()}.get_token();
  parent.reset();
  CHECK_FALSE(t.stop_possible());
  const stop_callback cb(t, [&] { ++runs; });
  CHECK(runs == 0);
}

TEST_CASE("whoever is called back finds every descendant already stopped") {
  stop_source root;
  std::vector<stop_source> all{root};
  for (std::size_t parent = 0; parent < 13; ++parent)  // three children each, three levels
    for (int n = 0; n < 3; ++n) all.emplace_back(all[parent].get_token());
  int calls = 0;
  bool all_stopped = true;
  const auto look = [&] {
    ++calls;
    for (const auto& s : all) all_stopped &= s.stop_requested();
  };
  std::vector<std::unique_ptr<stop_callback<decltype(look)>>> callbacks;
  for (const auto& s : all)
    callbacks.push_back(std::make_unique<stop_callback<decltype(look)>>(s.get_token(), look));
  root.request_stop();
  CHECK(calls == 40);
  CHECK(all_stopped);
}

TEST_CASE("a callback may join a worker that waits on a child") {
  stop_source parent;
  stop_source child{parent.get_token()};
  std::thread worker{[t = child.get_token()] { t.wait(); }};
  const stop_callback joins(parent.get_token(), [&] { worker.join(); });
  parent.request_stop();
  CHECK_FALSE(worker.joinable());
}

TEST_CASE("a callback may join a worker whose own callback is on a child") {
  stop_source parent;
  stop_source child{parent.get_token()};
  test::gate ready;
  std::thread worker{[&] {
    test::gate stopped;
    const stop_callback cb(child.get_token(), [&] { stopped.open(); });
    ready.open();
    stopped.pass();
  }};
  ready.pass();
  const stop_callback joins(parent.get_token(), [&] { worker.join(); });
  parent.request_stop();
  CHECK_FALSE(worker.joinable());
}

TEST_CASE("a child made inside a callback of its parent is born stopped") {
  stop_source parent;
  bool born_stopped = false;
  const stop_callback cb(parent.get_token(),
                         [&] { born_stopped = stop_source{parent.get_token()}.stop_requested(); });
  parent.request_stop();
  CHECK(born_stopped);
}

TEST_CASE("a callback may destroy its own source and every child source") {
  auto parent = std::make_unique<stop_source>();
  auto child = std::make_unique<stop_source>(parent->get_token());
  auto grandchild = std::make_unique<stop_source>(child->get_token());
  int runs = 0;
  auto on_grandchild = std::make_unique<stop_callback<std::function<void()>>>(
      grandchild->get_token(), std::function<void()>{[&] { ++runs; }});
  auto on_child = std::make_unique<stop_callback<std::function<void()>>>(child->get_token(),
                                                                         std::function<void()>{[&] {
                                                                           grandchild.reset();
                                                                           on_grandchild.reset();
                                                                           child.reset();
                                                                           parent.reset();
                                                                           ++runs;
                                                                         }});
  const stop_callback on_parent(parent->get_token(), [&] { ++runs; });
  parent->request_stop();
  CHECK(runs == 3);
}

TEST_CASE("a callback that destroys the contexts still to be called stops nothing else") {
  auto root = std::make_unique<stop_source>();
  std::vector<std::unique_ptr<stop_source>> children;
  std::vector<std::unique_ptr<stop_callback<std::function<void()>>>> callbacks;
  int runs = 0;
  for (int i = 0; i < 10; ++i) {
    children.push_back(std::make_unique<stop_source>(root->get_token()));
    callbacks.push_back(std::make_unique<stop_callback<std::function<void()>>>(
        children.back()->get_token(), std::function<void()>{[&, i] {
          ++runs;
          if (i != 5) return;
          children.clear();
          for (std::size_t n = 0; n < 5; ++n) callbacks[n].reset();  // they are still to come
        }}));
  }
  const stop_callback last(root->get_token(), [&] { root.reset(); });
  root->request_stop();
  CHECK(runs == 5);
}

TEST_CASE("children go in any order and those left still stop") {
  for (int gone = 0; gone < 5; ++gone) {
    stop_source parent;
    std::vector<std::unique_ptr<stop_source>> children;
    for (int i = 0; i < 5; ++i)
      children.push_back(std::make_unique<stop_source>(parent.get_token()));
    children[static_cast<std::size_t>(gone)].reset();
    children[static_cast<std::size_t>((gone + 2) % 5)].reset();
    parent.request_stop();
    for (const auto& child : children) CHECK((child == nullptr || child->stop_requested()));
  }
}

}  // namespace
