// SPDX-License-Identifier: BSL-1.0
//
// Ctrl-C as a stop that knows why, and a second Ctrl-C as a wish to hurry. Works through a list of
// ten until somebody asks it to stop; what has been begun is put away, unless there is no patience.
//
// Run it: ctrl_c, and press Ctrl-C; and again, within the third of a second that tidying up takes.
#include <curfew/host/signals.hpp>
#include <curfew/stop/stop_token.hpp>

#include <chrono>
#include <cstdio>
#include <system_error>

namespace {

using namespace std::chrono_literals;

void say(const char* text) {
  std::printf("%s\n", text);
  std::fflush(stdout);
}

// The number of parcels packed; `stop` is heard at once, in the middle of one as well.
int pack(const curfew::stop_token& stop) {
  int done = 0;
  while (done != 10 && !stop.wait_for(1s)) ++done;
  return done;
}

// True: everything is back in its place.
bool tidy_up(const curfew::stop_token& hurry) { return !hurry.wait_for(300ms); }

}  // namespace

int main() {
  curfew::stop_source stop;
  std::error_code error;
  curfew::signal_bridge signals(stop, error);
  if (error) {
    std::fprintf(stderr, "no signals: %s\n", error.message().c_str());
    return 1;
  }

  say("packing ten parcels, a second each; press Ctrl-C to stop");
  if (pack(stop.get_token()) == 10) return say("all packed"), 0;

  const curfew::stop_reason why = stop.get_token().reason();
  say(("stopped: " + curfew::to_string(why)).c_str());
  say(tidy_up(signals.hurry()) ? "tidied up" : "left as it is");
  return 0;
}
