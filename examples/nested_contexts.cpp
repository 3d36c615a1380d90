// SPDX-License-Identifier: BSL-1.0
//
// Contexts in contexts: a server has connections, a connection has requests. A stop goes down the
// tree and never up or sideways, with its reason; whoever is told finds all below stopped already.
//
// Run it: nested_contexts. It takes no arguments, and says the same each time.
#include <curfew/stop/stop_token.hpp>

#include <chrono>
#include <cstdio>
#include <string>

namespace {

using namespace std::chrono_literals;

// Something that works until its context is stopped, and says so when it is.
class worker {
 public:
  worker(const char* name, curfew::stop_source context)
      : name_(name), context_(context), on_stop_(context.get_token(), told{this}) {}

  curfew::stop_token token() const { return context_.get_token(); }
  void stop(int code) { context_.request_stop({curfew::stop_cause::requested, code}); }
  const char* state() const { return token().stop_requested() ? "stopped" : "works"; }

 private:
  struct told {
    const worker* who;
    void operator()() const noexcept {
      std::printf("  %s: %s\n", who->name_, curfew::to_string(who->token().reason()).c_str());
    }
  };

  const char* name_;
  curfew::stop_source context_;
  curfew::stop_callback<told> on_stop_;
};

// A child of one parent, and one of several: the first of them that stops it, stops it.
curfew::stop_source below(const worker& parent) { return curfew::stop_source(parent.token()); }

}  // namespace

int main() {
  worker server("server", curfew::stop_source());
  worker anna("anna", below(server)), page("anna's page", below(anna)),
      image("anna's image", below(anna));
  worker ben("ben", below(server)), both("a chat of both", linked(anna.token(), ben.token()));
  worker query("ben's query", curfew::stop_source(ben.token(), 1h));

  std::puts("anna hangs up:");  // her newest first, and she herself last
  anna.stop(1);
  std::printf("ben %s, the server %s\n", ben.state(), server.state());

  std::puts("the server stops:");  // what is stopped already, is not stopped again
  server.stop(2);
  std::printf("the query had %s\n",
              query.token().deadline() < curfew::stop_source::time_point::max()
                  ? "an hour, and is stopped all the same"
                  : "no deadline");

  std::puts("who comes too late is stopped at once:");
  worker late("late", below(ben));
}
