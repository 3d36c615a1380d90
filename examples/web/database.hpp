// SPDX-License-Identifier: BSL-1.0
//
// What the web server asks for its answers.
#ifndef CURFEW_EXAMPLES_WEB_DATABASE_HPP
#define CURFEW_EXAMPLES_WEB_DATABASE_HPP

#include "system.hpp"

#include <curfew/stop/inplace_stop_token.hpp>

#include <atomic>
#include <chrono>
#include <string>

namespace web {

// Stands for the connections to a database that requests need: it must be the last to close.
class database {
 public:
  ~database() { say("database closed with " + std::to_string(busy_) + " queries in flight"); }

  // False: given up, because the request was stopped or its deadline has passed.
  bool query(const curfew::inplace_stop_token& request, std::chrono::milliseconds duration) {
    ++busy_;
    const bool stopped = request.wait_for(duration);
    --busy_;
    return !stopped;
  }

 private:
  std::atomic<int> busy_{0};
};

}  // namespace web

#endif
