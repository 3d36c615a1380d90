// SPDX-License-Identifier: BSL-1.0
//
// The command line of the web server.
#ifndef CURFEW_EXAMPLES_WEB_OPTIONS_HPP
#define CURFEW_EXAMPLES_WEB_OPTIONS_HPP

#include "http.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace web {

struct options {
  int port = 8080;
  std::chrono::duration<double> lame_duck{0}, stop_timeout{30};
  std::string access_log;
  bool help = false;
};

inline constexpr const char* usage =
    "usage: web_server [--port N] [--lame-duck SECONDS] [--stop-timeout SECONDS]\n"
    "                  [--access-log FILE] [--help]\n"
    "  --port N                listen on 127.0.0.1:N (8080); 0 takes any free port\n"
    "  --lame-duck SECONDS     after a stop, keep accepting that long, not ready (0);\n"
    "                          a part of the stop timeout\n"
    "  --stop-timeout SECONDS  time for the whole stop; what is left then is cut (30)\n"
    "  --access-log FILE       append the access log to FILE instead of standard output";

inline bool set_seconds(std::chrono::duration<double>& to, const std::string& value) {
  const auto read = web::number(value, 1e6, "0123456789.");
  if (read) to = std::chrono::duration<double>(*read);
  return read.has_value();
}

inline bool set_port(int& to, const std::string& value) {
  const auto read = web::number(value, 65535);
  if (read) to = static_cast<int>(*read);
  return read.has_value();
}

// What is wrong; empty: nothing.
inline std::string read_options(int argc, char** argv, options& into) {
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--help") return into.help = true, "";
    bool good = !value.empty();
    if (name == "--port") {
      good = set_port(into.port, value);
    } else if (name == "--lame-duck") {
      good = set_seconds(into.lame_duck, value);
    } else if (name == "--stop-timeout") {
      good = set_seconds(into.stop_timeout, value);
    } else if (name == "--access-log") {
      into.access_log = value;
    } else {
      return "unknown option '" + name + "'";
    }
    if (!good) return "'" + value + "' is not a value for " + name;
  }
  const bool too_long = into.lame_duck.count() > 0 && into.lame_duck >= into.stop_timeout;
  return too_long ? "--lame-duck must be less than --stop-timeout, which it is a part of" : "";
}

}  // namespace web

#endif
