// SPDX-License-Identifier: BSL-1.0
//
// Time limits that nest: a request has a minute, each question that it asks has less, and whoever
// works on it looks at one token that knows all of that.
//
// Run it: deadline. It takes no arguments, and says the same each time.
#include <curfew/stop/stop_token.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;

// Asks a server that needs `duration` to answer.
void ask(const char* server, std::chrono::milliseconds duration, curfew::stop_token limit) {
  const bool stopped = limit.wait_for(duration);
  const std::string end = stopped ? "gave up: " + curfew::to_string(limit.reason()) : "answered";
  std::printf("%s: %s\n", server, end.c_str());
}

// A question has 50 ms, or what is left of the request.
void ask_in_time(const char* server, std::chrono::milliseconds duration,
                 curfew::stop_token request) {
  const curfew::stop_source question(std::move(request), 50ms);
  ask(server, duration, question.get_token());
}

}  // namespace

int main() {
  curfew::stop_source request(60s);
  const curfew::stop_token token = request.get_token();

  ask_in_time("the near server", 0ms, token);
  ask_in_time("the slow server", 1h, token);
  std::printf("the request: %s\n", token.stop_requested() ? "stopped" : "goes on");

  // A child may ask for more time than its parent has; it does not get it.
  const curfew::stop_source greedy(token, std::chrono::hours::max());
  std::printf("the greedy one: %s\n", greedy.get_token().deadline() == token.deadline()
                                          ? "has a minute as well"
                                          : "has all the time in the world");

  // The client hangs up: everything that is done for it stops, and knows why.
  request.request_stop({.cause = curfew::stop_cause::requested, .code = 7});
  ask_in_time("the next server", 1h, token);
}
