// SPDX-License-Identifier: BSL-1.0
//
// A whole service on one page: declared once, then run by whoever starts it and installed by its
// own verbs, with systemd and on Windows alike. In a terminal it just runs until Ctrl-C.
//
//   service install         and again: no change
//   service start           waits until it is ready; stop, restart, reload, status, uninstall
//   service render          what install would write, and the part of a Kubernetes pod
//   service help            all of them
#include <curfew/service/service_main.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;

// The mail of a small town. It must be delivered before the day is over.
struct post_office {
  int letters = 0;

  void collect() { ++letters; }
  void deliver() { --letters; }
};

void serve(curfew::service& self) {
  // A slow start is no failure while it moves. Whoever waits for us is told.
  for (int street = 1; street <= 3; ++street) {
    self.progress("learning street " + std::to_string(street) + " of 3", 2s);
    if (self.token().wait_for(300ms)) return;
  }

  // Given back when we have returned, newest first, and named if it is late.
  auto& office = self.resources().emplace<post_office>("post office");
  self.resources().defer("last round", [&](const curfew::stop_token& hurry) {
    for (; office.letters > 0 && !hurry.wait_for(200ms); office.deliver()) {
      self.progress("letters left: " + std::to_string(office.letters), 2s);
    }
  });
  self.on_reload([&] { self.log().write(curfew::severity::info, "the prices are new"); });

  self.ready();
  while (!self.token().wait_for(500ms)) {
    self.heartbeat();  // a loop that hangs says nothing, and is restarted
    if (office.letters < 5) office.collect();
  }
}

// It has no options, and a mistyped verb shall not start it. service_main answers --help.
bool understands(std::string_view word) { return word == "--help" || word == "-h"; }

}  // namespace

int main(int argc, char** argv) {
  for (const char* word : curfew::own_arguments(argc, argv)) {
    if (understands(word)) continue;
    std::fprintf(stderr, "service takes no '%s'; see: service help\n", word);
    return 2;
  }

  curfew::service_spec spec;
  spec.name = "post_office";
  spec.description = "Collects letters, and delivers them before it closes.";
  spec.stop_timeout = 10s;
  spec.watchdog = 20s;
  spec.reloads = true;
  return curfew::service_main(spec, argc, argv, serve);
}
