// SPDX-License-Identifier: BSL-1.0
//
// The answers of the web server.
#ifndef CURFEW_EXAMPLES_WEB_SITE_HPP
#define CURFEW_EXAMPLES_WEB_SITE_HPP

#include "access_log.hpp"
#include "cache.hpp"
#include "database.hpp"
#include "http.hpp"
#include "system.hpp"
#include "traffic.hpp"

#include <curfew/service/health.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <algorithm>
#include <chrono>
#include <string>

namespace web {

constexpr std::chrono::seconds work_time{60};  // a request has no more than that

// What the connections share.
struct site {
  access_log& log;
  database_pool& db;
  page_cache& cache;
  traffic& clients;
  curfew::health& health;
  curfew::stop_token stop;  // we were asked to stop
};

inline response cut_short(const curfew::inplace_stop_token& context) {
  const curfew::stop_reason why = context.reason();
  const int status = why.cause == curfew::stop_cause::deadline ? 504 : 503;
  return {status, "cut short: " + curfew::to_string(why) + "\n"};
}

// As long as it takes a slow database.
inline response slow(site& here, const request& asked, const curfew::inplace_stop_token& context) {
  const std::string text = query_value(asked.query, "ms");
  const auto ms = number(text.empty() ? "1000" : text, 3'600'000);
  if (!ms) return {400, "ms must be a whole number from 0 to 3600000\n"};
  const auto connection = here.db.lend("GET /slow", context);
  const std::chrono::milliseconds time(static_cast<int>(*ms));
  if (connection && connection->query(context, time)) return {200, "done\n"};
  return cut_short(context);
}

// Has the context of a request: it ends with the time that the client has left, with ours, or when
// what is in flight is cut.
inline response page(site& here, const request& asked) {
  const auto time = std::min<steady::duration>(asked.time, work_time);
  const curfew::inplace_stop_source source(here.clients.cut(), time);
  const curfew::inplace_stop_token context = source.get_token();
  if (context.stop_requested()) return cut_short(context);
  if (asked.path == "/slow") return slow(here, asked, context);
  const auto found = here.cache.find(asked.path);
  return found ? response{200, *found} : plain(404);
}

inline response status(const site& here) {
  const bool stops = here.stop.stop_requested();
  return {200,
          std::string("{\"status\":\"") +
              (stops               ? "stopping"
               : here.cache.warm() ? "ready"
                                   : "starting") +
              "\",\"connections\":" + std::to_string(here.clients.connections()) + "}\n",
          "application/json"};
}

// A line, or all that is known.
inline response health(site& here, curfew::health_probe probe, bool all = false) {
  const curfew::health_report report = here.health.ask(probe);
  if (!all) return {report.code(), curfew::to_string(report) + "\n"};
  return {report.code(), curfew::reply(report).body + "\n", "application/json"};
}

// Who asks for the state is always answered; all others not while the cache is cold: before the
// start is over, and in a pause. While we stop they are: the balancer has yet to look away.
inline response answer(site& here, const request& asked) {
  if (asked.refusal != 0) return plain(asked.refusal);
  if (asked.path == "/livez") return health(here, curfew::health_probe::liveness);
  if (asked.path == "/readyz") return health(here, curfew::health_probe::readiness);
  if (asked.path == "/healthz") return health(here, curfew::health_probe::readiness, true);
  if (asked.path == "/status") return status(here);
  const bool cold = !here.cache.warm() && !here.stop.stop_requested();
  return cold ? response{503, "starting\n"} : page(here, asked);
}

}  // namespace web

#endif
