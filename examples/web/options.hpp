// SPDX-License-Identifier: BSL-1.0
//
// The command line of the web server.
#ifndef CURFEW_EXAMPLES_WEB_OPTIONS_HPP
#define CURFEW_EXAMPLES_WEB_OPTIONS_HPP

#include "http.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <span>
#include <string>

namespace web {

using seconds = std::chrono::duration<double>;

struct options {
  int port = 8080;
  seconds warm_up{0}, lame_duck{0}, stop_timeout{30}, watchdog{0};
  std::string access_log, greeting_file, audit, recording, control, hang;
  std::string greeting = "Hello. Ask for /slow?ms=5000 and stop me meanwhile.";
  bool help = false;
};

inline constexpr const char* usage =
    "usage: web_server [OPTIONS]\n"
    "       web_server install [--name NAME] [--user] [-- OPTIONS]\n"
    "       web_server VERB [--name NAME] [--user]\n"
    "\n"
    "  --port N                listen on 127.0.0.1:N (8080); 0 takes any free port\n"
    "  --warm-up SECONDS       take that long to start, live and not yet ready (0)\n"
    "  --lame-duck SECONDS     after a stop, keep accepting that long, not ready (0);\n"
    "                          a part of the stop timeout\n"
    "  --stop-timeout SECONDS  time for the whole stop; what is left then is cut (30)\n"
    "  --watchdog SECONDS      as a service, be restarted when accepting stops that long (0: no)\n"
    "  --access-log FILE       append the access log to FILE instead of standard output;\n"
    "                          a reload opens it anew\n"
    "  --greeting TEXT         what / answers\n"
    "  --greeting-file FILE    it is the first line of FILE, which a reload reads anew\n"
    "  --audit FILE            append to FILE who asked for what, when, and what came of it\n"
    "  --control PATH          answer `web_server ask` there: status, health, stop and more\n"
    "  --recording FILE        keep what happens there, for `web_server last` and `drill`\n"
    "  --hang PART             for a look at it: that part hangs when it is stopped\n"
    "  --help                  this text\n"
    "\n"
    "Without a verb it runs: in a terminal, in a container, or as the service that install made\n"
    "of it, with these options. `web_server help` lists the verbs; each has --help.";

inline bool is_part(const std::string& name) {
  constexpr const char* parts[] = {"configuration", "access log", "database pool", "cache warmer",
                                   "listener"};
  return std::find(std::begin(parts), std::end(parts), name) != std::end(parts);
}

inline bool set_seconds(seconds& to, const std::string& value) {
  const auto read = web::number(value, 1e6, "0123456789.");
  if (read) to = seconds(*read);
  return read.has_value();
}

inline bool set_port(int& to, const std::string& value) {
  const auto read = web::number(value, 65535);
  if (read) to = static_cast<int>(*read);
  return read.has_value();
}

// Empty: there is no such option.
inline std::optional<bool> set_option(options& into, const std::string& name,
                                      const std::string& value) {
  if (name == "--port") return set_port(into.port, value);
  if (name == "--warm-up") return set_seconds(into.warm_up, value);
  if (name == "--lame-duck") return set_seconds(into.lame_duck, value);
  if (name == "--stop-timeout") return set_seconds(into.stop_timeout, value);
  if (name == "--watchdog") return set_seconds(into.watchdog, value);
  if (name == "--access-log") return into.access_log = value, !value.empty();
  if (name == "--greeting-file") return into.greeting_file = value, !value.empty();
  if (name == "--audit") return into.audit = value, !value.empty();
  if (name == "--control") return into.control = value, !value.empty();
  if (name == "--recording") return into.recording = value, !value.empty();
  if (name == "--hang") return into.hang = value, is_part(value);
  if (name == "--greeting") return into.greeting = value, !value.empty();
  return std::nullopt;
}

// What is wrong; empty: nothing.
inline std::string read_options(std::span<char* const> args, options& into) {
  for (std::size_t i = 0; i < args.size(); i += 2) {
    const std::string name = args[i], value = i + 1 < args.size() ? args[i + 1] : "";
    if (name == "--help") return into.help = true, "";
    const std::optional<bool> good = set_option(into, name, value);
    if (!good) return "unknown option '" + name + "'";
    if (!*good) return "'" + value + "' is not a value for " + name;
  }
  const bool too_long = into.lame_duck.count() > 0 && into.lame_duck >= into.stop_timeout;
  return too_long ? "--lame-duck must be less than --stop-timeout, which it is a part of" : "";
}

}  // namespace web

#endif
