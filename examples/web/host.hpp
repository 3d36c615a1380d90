// SPDX-License-Identifier: BSL-1.0
//
// What the web server and whoever runs it have to say to each other.
#ifndef CURFEW_EXAMPLES_WEB_HOST_HPP
#define CURFEW_EXAMPLES_WEB_HOST_HPP

#include "system.hpp"

#include <curfew/service/component.hpp>
#include <curfew/service/run.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#if CURFEW_LINUX
#include <curfew/host/systemd/systemd_link.hpp>
#endif

#include <chrono>
#include <string>

namespace web {

// Ctrl-C from a keyboard, where nobody balances load; not a signal from another program.
inline bool is_typed(const curfew::stop_reason& why) {
  const bool interrupt = why.cause == curfew::stop_cause::signal && why.code == SIGINT;
  return interrupt && why.pid == 0 && at_terminal();
}

// Lets `time` pass, and says twice a second that it goes as planned. False: it was cut short.
inline bool count_down(const curfew::step& s, const std::string& what,
                       std::chrono::duration<double> time) {
  const curfew::inplace_stop_source whole(s.token(), time);
  const curfew::inplace_stop_token over = whole.get_token();
  while (time.count() > 0 && !over.stop_requested()) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(over.remaining());
    s.progress(what + ": " + std::to_string(left.count()) + " s left");
    (void)over.wait_for(std::chrono::milliseconds(500));
  }
  return !s.token().stop_requested();
}

// The socket on which systemd has listened for us: the one named "web", or else the first one.
// Empty: there is none.
inline tcp_socket passed_socket([[maybe_unused]] curfew::service& self) {
#if CURFEW_LINUX
  const std::string* name = nullptr;
  if (self.systemd() == nullptr) return {};
  for (const curfew::passed_descriptor& p : self.systemd()->passed) {
    if (is_listening(p.descriptor) && (name == nullptr || p.name == "web")) name = &p.name;
  }
  if (name != nullptr) return tcp_socket(self.systemd()->passed.take(std::string(*name)));
#endif
  return {};
}

}  // namespace web

#endif
