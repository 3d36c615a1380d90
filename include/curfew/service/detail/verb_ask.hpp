// SPDX-License-Identifier: BSL-1.0
//
// The verb that asks a running program over its control endpoint.
#ifndef CURFEW_SERVICE_DETAIL_VERB_ASK_HPP
#define CURFEW_SERVICE_DETAIL_VERB_ASK_HPP

#include <curfew/config.hpp>
#include <curfew/service/control_client.hpp>
#include <curfew/service/detail/verb_session.hpp>
#include <curfew/stop/stop_token.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <system_error>

CURFEW_BEGIN
namespace detail {

/// Prints what the program answers: one JSON value; of `watch` a line for each event, until the
/// program ends, Ctrl-C, or the time is over.
[[nodiscard]] int verb_ask(verb_session& s);

// ---------------------------------------------------------------------------------------------

[[nodiscard]] inline control_answer ask_or_watch(verb_session& s, control_client& program,
                                                 const stop_token& limit) {
  if (s.line().order != "watch") {
    return program.ask(s.line().order, limit, {.change = s.line().change});
  }
  const auto show = [&](std::string_view json) { s.print(std::string(json) + '\n'); };
  return program.watch(show, limit);
}

inline int tell_answer(verb_session& s, const control_answer& a) {
  if (s.stop().stop_requested()) return s.interrupt(a.ok ? "watched no longer" : a.error);
  s.report().answer = a.body;
  if (!a.body.empty()) s.print(a.body + '\n');
  return a.ok ? 0 : s.fail({failure::kind_type::failed, a.error});
}

/// What is there of a program that does not run: nothing, or a socket that it has left behind.
[[nodiscard]] inline std::string nobody_answers(const std::string& path,
                                                const std::error_code& ec) {
  const bool absent =
      ec == std::errc::no_such_file_or_directory || ec == std::errc::connection_refused;
  return "nobody answers at " + path + ": " + ec.message() +
         "; a program that runs answers its own user and administrators: " +
         (absent ? "does it run?" : "ask as one of these");
}

inline int verb_ask(verb_session& s) {
  constexpr std::chrono::seconds usual(60);
  constexpr auto never = (time_source::duration::max)();
  const std::string& order = s.line().order;
  if (order.empty()) return s.refuse("ask wants an ORDER, such as status");
  std::string path = s.line().path;
  if (path.empty() && s.facts().control_path) path = s.facts().control_path();
  if (path.empty())
    return s.fail(
        {failure::kind_type::failed,
         "this program declares no control endpoint, at which it would be asked; give --path"});
  const auto time = s.line().timeout.value_or(order == "watch" ? never : usual);
  const stop_source limit(time);
  const stop_callback on_interrupt(s.stop(), [&] { stop_source(limit).request_stop(); });
  std::error_code ec;
  control_client program(path, limit.get_token(), ec);
  if (ec) return s.fail({failure::kind_type::failed, nobody_answers(path, ec)});
  return tell_answer(s, ask_or_watch(s, program, limit.get_token()));
}

}  // namespace detail
CURFEW_END

#endif
