// SPDX-License-Identifier: BSL-1.0
//
// Who is connected to the web server and what is asked: what a stop finishes, or cuts.
#ifndef CURFEW_EXAMPLES_WEB_TRAFFIC_HPP
#define CURFEW_EXAMPLES_WEB_TRAFFIC_HPP

#include <curfew/release/gate.hpp>
#include <curfew/release/roster.hpp>
#include <curfew/stop/stop_event.hpp>
#include <curfew/stop/stop_token.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace web {

// Finished when all connections are closed; in flight are requests. A connection that only waits
// for the next one closes as soon as it is told to.
class traffic {
 public:
  // Before the first connection: takes what may not be there.
  void open() {
    drained_.emplace(drain_.get_token());
    was_cut_.emplace(cut_.get_token());
  }

  // ---- for whoever accepts and answers
  curfew::gate::hold connect() { return connections_.enter(); }
  curfew::roster<256>::hold begin(std::string_view request) { return requests_.enter(request); }
  std::size_t connections() const { return connections_.count(); }
  const curfew::stop_event& drained() const { return *drained_; }
  const curfew::stop_event& was_cut() const { return *was_cut_; }
  curfew::stop_token cut() const { return cut_.get_token(); }

  // ---- for whoever stops them: close(), and wait(); cut() when that takes too long
  void close() {
    connections_.close();
    drain_.request_stop();
  }
  void cut(curfew::stop_reason why) { cut_.request_stop(why); }
  template <class Token>
  bool wait(Token until) {
    return connections_.wait(std::move(until));
  }
  std::size_t count() const { return requests_.count(); }
  std::string_view describe(std::span<char> into) const { return requests_.describe(into); }

 private:
  curfew::gate connections_;         // a hold for each
  curfew::roster<256> requests_;     // a hold for each, with its name
  curfew::stop_source drain_, cut_;  // no more requests; no more time for those in flight
  std::optional<curfew::stop_event> drained_, was_cut_;
};

}  // namespace web

#endif
