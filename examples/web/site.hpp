// SPDX-License-Identifier: BSL-1.0
//
// What the connections of the web server share, and its answers.
#ifndef CURFEW_EXAMPLES_WEB_SITE_HPP
#define CURFEW_EXAMPLES_WEB_SITE_HPP

#include "access_log.hpp"
#include "database.hpp"
#include "http.hpp"

#include <curfew/release/gate.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_event.hpp>
#include <curfew/stop/stop_token.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace web {

constexpr std::chrono::seconds work_time{60};  // the deadline of a request that has arrived

enum class phase { starting, ready, paused, stopping };

inline std::string to_text(phase p) {
  switch (p) {
    case phase::starting: return "starting";
    case phase::ready: return "ready";
    case phase::paused: return "paused";
    case phase::stopping: return "stopping";
  }
  return "";
}

struct site {
  site(curfew::stop_token asked, database& data, access_log& lines, std::string hello)
      : stop(std::move(asked)), db(data), log(lines), greeting(std::move(hello)) {}

  phase now() const {
    if (stop.stop_requested()) return phase::stopping;
    if (!started) return phase::starting;
    return paused ? phase::paused : phase::ready;
  }

  curfew::stop_token stop;  // we were asked to stop: not ready any more
  database& db;
  access_log& log;
  const std::string greeting;
  std::atomic<bool> started{false}, paused{false};
  curfew::gate open;               // a hold for each connection
  curfew::stop_source drain, cut;  // no more requests; no more time for those in flight
  curfew::stop_event drained{drain.get_token()}, was_cut{cut.get_token()};
  std::atomic<std::size_t> unfinished{0};  // requests that were cut
};

// As long as it takes a slow database.
inline response slow(site& here, const request& asked) {
  const std::string text = query_value(asked.query, "ms");
  const auto ms = number(text.empty() ? "1000" : text, 3'600'000);
  if (!ms) return {400, "ms must be a whole number from 0 to 3600000\n"};
  curfew::inplace_stop_source context(here.cut.get_token(), work_time);
  const curfew::inplace_stop_token token = context.get_token();
  const std::chrono::milliseconds duration(static_cast<int>(*ms));
  if (here.db.query(token, duration)) return {200, "done\n"};
  if (here.cut.stop_requested()) ++here.unfinished;
  return {503, "cut short: " + curfew::to_string(token.reason()) + "\n"};
}

inline response health(const site& here) {
  const phase now = here.now();
  const std::string count = std::to_string(here.open.count());
  const std::string body = "{\"status\":\"" + to_text(now) + "\",\"connections\":" + count + "}\n";
  return {now == phase::ready ? 200 : 503, body, "application/json"};
}

// Who asks for the state is always answered; all others not before the start is over, and not in a
// pause. While we stop they are: the balancer has yet to look away.
inline response answer(site& here, const request& asked) {
  const phase now = here.now();
  if (asked.refusal != 0) return plain(asked.refusal);
  if (asked.path == "/livez") return {200, "live\n"};
  if (asked.path == "/healthz") return health(here);
  if (asked.path == "/readyz") return {now == phase::ready ? 200 : 503, to_text(now) + "\n"};
  if (now == phase::starting || now == phase::paused) return {503, to_text(now) + "\n"};
  if (asked.path == "/") return {200, here.greeting + "\n"};
  return asked.path == "/slow" ? slow(here, asked) : plain(404);
}

}  // namespace web

#endif
