// SPDX-License-Identifier: BSL-1.0
//
// The answers of the web server.
#ifndef CURFEW_EXAMPLES_WEB_SITE_HPP
#define CURFEW_EXAMPLES_WEB_SITE_HPP

#include "access_log.hpp"
#include "cache.hpp"
#include "database.hpp"
#include "http.hpp"
#include "traffic.hpp"

#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace web {

constexpr std::chrono::seconds work_time{60};  // the deadline of a request that has arrived

// What the connections share.
struct site {
  access_log& log;
  database_pool& db;
  page_cache& cache;
  traffic& clients;
  curfew::stop_token stop;  // we were asked to stop: not ready any more

  const char* state() const {
    return stop.stop_requested() ? "stopping" : cache.warm() ? "ready" : "starting";
  }
  bool ready() const { return cache.warm() && !stop.stop_requested(); }
};

// As long as it takes a slow database.
inline response slow(site& here, const request& asked) {
  const std::string text = query_value(asked.query, "ms");
  const auto ms = number(text.empty() ? "1000" : text, 3'600'000);
  if (!ms) return {400, "ms must be a whole number from 0 to 3600000\n"};
  const curfew::inplace_stop_source context(here.clients.cut(), work_time);
  const curfew::inplace_stop_token token = context.get_token();
  const auto connection = here.db.lend("GET /slow", token);
  if (connection && connection->query(token, std::chrono::milliseconds(static_cast<int>(*ms)))) {
    return {200, "done\n"};
  }
  return {503, "cut short: " + curfew::to_string(token.reason()) + "\n"};
}

inline response health(const site& here) {
  const std::string body = std::string("{\"status\":\"") + here.state() +
                           "\",\"connections\":" + std::to_string(here.clients.connections()) +
                           "}\n";
  return {here.ready() ? 200 : 503, body, "application/json"};
}

// Who asks for the state is always answered; all others not while the cache is cold: before the
// start is over, and in a pause. While we stop they are: the balancer has yet to look away.
inline response answer(site& here, const request& asked) {
  if (asked.refusal != 0) return plain(asked.refusal);
  if (asked.path == "/livez") return {200, "live\n"};
  if (asked.path == "/healthz") return health(here);
  if (asked.path == "/readyz") return {here.ready() ? 200 : 503, here.state() + std::string("\n")};
  if (!here.cache.warm() && !here.stop.stop_requested()) return {503, "starting\n"};
  if (asked.path == "/slow") return slow(here, asked);
  const auto page = here.cache.find(asked.path);
  return page ? response{200, *page} : plain(404);
}

}  // namespace web

#endif
