// SPDX-License-Identifier: BSL-1.0
//
// Depth first through all states that components can come to; each is looked at once.
#ifndef CURFEW_TESTING_DETAIL_EXPLORER_HPP
#define CURFEW_TESTING_DETAIL_EXPLORER_HPP

#include <curfew/service/detail/part_graph.hpp>
#include <curfew/testing/detail/explored_event.hpp>
#include <curfew/testing/detail/explored_world.hpp>
#include <curfew/testing/explore_options.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

CURFEW_BEGIN
namespace detail {

template <class Machine>
class explorer {
 public:
  explorer(const part_graph& graph, const std::vector<std::string>& names,
           const explore_options& options)
      : names_(names), options_(options), origin_(graph, names, options) {}

  [[nodiscard]] explore_report run() {
    arrive(origin_, {});
    while (!path_.empty() && report_.broken.empty()) {
      node& here = path_.back();
      here.next == here.events.size() ? leave() : go(here);
    }
    report_.states = seen_.size();
    report_.complete = !left_out_ && report_.broken.empty();
    return std::move(report_);
  }

 private:
  using world = explored_world<Machine>;

  struct node {
    world at;
    std::uint64_t key;
    explored_event by;
    std::vector<explored_event> events = {};
    std::size_t next = 0;
    std::uint64_t orders = 0;
    std::size_t since = 0;  // the last surprise
  };

  static constexpr std::uint64_t on_the_way = 0;  // no order ends in it yet

  void arrive(world at, const explored_event& by) {
    const std::uint64_t key = at.digest();
    seen_.emplace(key, on_the_way);
    path_.push_back({std::move(at), key, by});
    node& here = path_.back();
    if (path_.size() > 1 && !by.surprise) here.since = path_[path_.size() - 2].since + 1;
    if (here.since > 32 * (names_.size() + 1)) tell("it goes on and on with nothing new");
    here.at.list(here.events);
    if (!here.events.empty()) return;
    here.orders = 1;
    if (here.at.whole() != whole_phase::stopped)
      tell("nothing more happens, and it has not stopped");
  }

  void go(node& here) {
    const explored_event e = here.events[here.next++];
    world next = here.at;
    next.happen(e);
    ++report_.moves;
    if (!next.broken().empty()) return tell(next.broken(), &e);
    const auto known = seen_.find(next.digest());
    if (known == seen_.end()) return enter(std::move(next), e);
    if (known->second == on_the_way) return tell("it goes round in circles", &e);
    here.orders = sum(here.orders, known->second);
  }

  void enter(world next, const explored_event& e) {
    if (seen_.size() < options_.most_states) return arrive(std::move(next), e);
    left_out_ = true;
  }

  void leave() {
    const std::uint64_t orders = greater<std::uint64_t>(path_.back().orders, 1);
    seen_[path_.back().key] = orders;
    path_.pop_back();
    (path_.empty() ? report_.orders : path_.back().orders) =
        sum(path_.empty() ? 0 : path_.back().orders, orders);
  }

  void tell(const std::string& broken, const explored_event* last = nullptr) {
    report_.broken = broken;
    for (std::size_t i = 1; i < path_.size(); ++i)
      report_.order.push_back(to_string(path_[i].by, names_));
    if (last != nullptr) report_.order.push_back(to_string(*last, names_));
  }

  [[nodiscard]] static std::uint64_t sum(std::uint64_t a, std::uint64_t b) noexcept {
    return a + b < a ? ~std::uint64_t{0} : a + b;
  }

  const std::vector<std::string>& names_;
  const explore_options& options_;
  world origin_;
  std::vector<node> path_;                                 // from the origin to here
  std::unordered_map<std::uint64_t, std::uint64_t> seen_;  // states, and the orders from them on
  bool left_out_ = false;
  explore_report report_;
};

}  // namespace detail
CURFEW_END

#endif
