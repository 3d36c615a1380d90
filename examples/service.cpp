// SPDX-License-Identifier: BSL-1.0
//
// A whole service on one page: declared once, then run by whoever starts it and installed by its
// own verbs, with systemd and on Windows alike. In a terminal it just runs until Ctrl-C.
//
//   service install         and again: no change
//   service start           waits until it is ready; stop, restart, reload, status, uninstall
//   service help            all of them
#include <curfew/service/service_main.hpp>

#include <chrono>
#include <string>

namespace {

using namespace std::chrono_literals;

// The mail of a small town. It must be delivered before the day is over.
struct post_office {
  int letters = 0;
};

int serve(curfew::service& self) {
  const auto tell = [&](const char* line) { self.log().write(curfew::severity::info, line); };
  if (self.args().size() > 1) return tell("takes no arguments; see: service help"), 2;

  // A slow start is no failure while it moves. Whoever waits for us is told.
  for (int street = 1; street <= 3; ++street) {
    self.progress("learning street " + std::to_string(street) + " of 3", 2s);
    if (self.token().wait_for(300ms)) return 0;
  }

  // Given back when we have returned, newest first, and named if it is late.
  auto& office = self.resources().emplace<post_office>("post office");
  self.resources().defer("last round", [&](const curfew::stop_token& hurry) {
    for (; office.letters > 0 && !hurry.wait_for(200ms); --office.letters) {
      self.progress("letters left: " + std::to_string(office.letters), 2s);
    }
  });
  self.on_reload([tell] { tell("the prices are new"); });

  self.ready();
  while (!self.token().wait_for(500ms)) {
    self.heartbeat();  // a loop that hangs says nothing, and is restarted
    if (office.letters < 5) ++office.letters;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  curfew::service_spec spec;
  spec.name = "post_office";
  spec.description = "Collects letters, and delivers them before it closes.";
  spec.stop_timeout = 10s;
  spec.watchdog = 20s;
  spec.reloads = true;
  return curfew::service_main(spec, argc, argv, serve);
}
