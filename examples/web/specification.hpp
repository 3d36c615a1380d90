// SPDX-License-Identifier: BSL-1.0
//
// What the web server is as a service, whoever runs it.
#ifndef CURFEW_EXAMPLES_WEB_SPECIFICATION_HPP
#define CURFEW_EXAMPLES_WEB_SPECIFICATION_HPP

#include "options.hpp"

#include <curfew/host/service_spec.hpp>

#include <chrono>
#include <string>

namespace web {

inline curfew::service_spec specify(const options& chosen) {
  curfew::service_spec spec;
  spec.name = "web_server";
  spec.description = "Answers on 127.0.0.1, and finishes its requests when it is stopped.";
  spec.start_timeout = std::chrono::seconds(30) + chosen.warm_up;
  spec.stop_timeout = chosen.stop_timeout;
  spec.watchdog = chosen.watchdog;
  spec.reloads = true;
  spec.probe_port = chosen.port;
  if (chosen.port > 0 && chosen.port < 1024) spec.capabilities = {"CAP_NET_BIND_SERVICE"};
  for (const std::string& file : {chosen.access_log, chosen.audit, chosen.recording}) {
    const bool in_state_directory = file.starts_with("/var/lib/");  // made and opened by systemd
    if (file.starts_with('/') && !in_state_directory)
      spec.writable_paths.push_back(file.substr(0, file.rfind('/') + 1));
  }
  return spec;
}

}  // namespace web

#endif
