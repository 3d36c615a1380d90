// SPDX-License-Identifier: BSL-1.0
//
// A member of a fleet that is reached by its control endpoint.
#ifndef CURFEW_SERVICE_DETAIL_CONTROL_MEMBER_HPP
#define CURFEW_SERVICE_DETAIL_CONTROL_MEMBER_HPP

#include <curfew/service/control_client.hpp>
#include <curfew/service/detail/control_frame.hpp>
#include <curfew/service/detail/process_watch.hpp>
#include <curfew/service/fleet_member.hpp>
#include <curfew/stop/stop_token.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// Each question has a connection of its own, so that the one before, which nobody has waited for,
/// is not answered in its place. The process that said yes is watched: another one that has taken
/// its path since is told nothing.
class control_member final : public fleet_member {
 public:
  explicit control_member(std::string path) noexcept : path_(std::move(path)) {}

  member_answer prepare(const member_call& call) override;
  member_answer commit(const member_call& call) override;
  member_answer abort(const member_call& call) override;
  /// Whose number is not known is taken to be there.
  [[nodiscard]] bool is_there() noexcept override { return !process_.ended(); }

 private:
  struct connection {
    std::optional<control_client> client;
    member_answer answer;  // where there is no client
  };

  void connect(connection& c, const member_call& call) const;
  [[nodiscard]] control_answer ask(control_client& c, std::string_view verb,
                                   const member_call& call, std::string arguments = {}) const;
  [[nodiscard]] member_answer lost(const control_answer& a, const member_call& call,
                                   std::int64_t pid) const;
  [[nodiscard]] control_answer tell(connection& c, std::string_view verb,
                                    const member_call& call) const;
  [[nodiscard]] control_answer tell_to_abort(connection& c, const member_call& call) const;
  [[nodiscard]] bool await_end(const member_call& call) const;
  [[nodiscard]] bool goes_on(control_client& c, const member_call& call) const;

  const std::string path_;
  process_watch process_;
  bool unheard_ = false;  // a prepare has not been answered, and perhaps not been read yet
};

// ---------------------------------------------------------------------------------------------

[[nodiscard]] inline bool nobody_is_there(std::error_code ec) noexcept {
  return ec == std::errc::no_such_file_or_directory || ec == std::errc::connection_refused;
}

[[nodiscard]] inline member_answer word_of_member(member_word word, std::string text,
                                                  std::int64_t pid = 0) {
  return {.word = word, .text = std::move(text), .pid = pid};
}

/// Of an answer that the program has given.
[[nodiscard]] inline member_answer answer_of(const control_answer& a, std::int64_t pid) {
  return word_of_member(a.ok ? member_word::yes : member_word::no, a.error, pid);
}

inline void control_member::connect(connection& c, const member_call& call) const {
  if (process_.ended()) return static_cast<void>(c.answer.word = member_word::gone);
  std::error_code ec;
  c.client.emplace(path_, call.limit, ec);
  const std::int64_t pid = ec ? 0 : c.client->pid();
  const bool other = !ec && call.pid != 0 && pid != 0 && pid != call.pid;
  if (!ec && !other) return;
  c.client.reset();
  c.answer.word = other || nobody_is_there(ec) ? member_word::gone : member_word::failed;
  c.answer.text = other ? "process " + std::to_string(pid) + " has taken its place" : ec.message();
}

inline control_answer control_member::ask(control_client& c, std::string_view verb,
                                          const member_call& call, std::string arguments) const {
  return c.ask(verb, call.limit, {std::string(call.change), std::move(arguments)});
}

/// What has been decided is not kept from a program because others have taken all its places.
inline control_answer control_member::tell(connection& c, std::string_view verb,
                                           const member_call& call) const {
  for (;;) {
    connect(c, call);
    if (!c.client) return {};
    control_answer a = ask(*c.client, verb, call);
    if (a.error != no_place_left) return a;
    if (call.limit.wait_for(std::chrono::milliseconds(50))) return a;
  }
}

/// A process that ends in the middle of a question closes the connection first.
inline member_answer control_member::lost(const control_answer& a, const member_call& call,
                                          std::int64_t pid) const {
  const stop_source soon(call.limit, std::chrono::milliseconds(200));
  const bool closed = process_.known() && process_.await_end(soon.get_token());
  return word_of_member(closed ? member_word::gone : member_word::failed, a.error, pid);
}

[[nodiscard]] inline std::string lease_argument(time_source::duration lease) {
  json_writer json;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(lease).count();
  return json.begin('{').member("lease_ms", ms).end().take();
}

inline member_answer control_member::prepare(const member_call& call) {
  connection c;
  unheard_ = false;
  process_.watch(0);
  connect(c, call);
  if (!c.client) return c.answer;
  const std::int64_t pid = c.client->pid();
  process_.watch(pid);
  const control_answer a = ask(*c.client, "prepare", call, lease_argument(call.lease));
  unheard_ = !a.answered;
  return a.answered ? answer_of(a, pid) : lost(a, call, pid);
}

/// What has not been answered may have been heard: then the process ends.
inline member_answer control_member::commit(const member_call& call) {
  connection c;
  const control_answer a = tell(c, "commit", call);
  if (!c.client) return c.answer;
  if (a.answered && !a.ok) return answer_of(a, call.pid);
  c.client.reset();
  if (await_end(call)) return word_of_member(member_word::yes, {}, call.pid);
  return word_of_member(member_word::failed, a.ok ? "it does not end in time" : a.error, call.pid);
}

/// Where the system does not tell of its end, it has ended when its endpoint is closed.
inline bool control_member::await_end(const member_call& call) const {
  if (process_.known()) return process_.await_end(call.limit);
  for (;;) {
    std::error_code ec;
    const control_client probe(path_, call.limit, ec);
    if (nobody_is_there(ec)) return true;
    if (call.limit.wait_for(std::chrono::milliseconds(50))) return false;
  }
}

/// A program that had no time for the prepare may read the abort first, and refuse it: it is asked
/// again a few times.
inline control_answer control_member::tell_to_abort(connection& c, const member_call& call) const {
  control_answer a = tell(c, "abort", call);
  for (int more = unheard_ ? 5 : 0; more != 0 && c.client && a.answered && !a.ok; --more) {
    if (call.limit.wait_for(std::chrono::milliseconds(50))) break;
    a = ask(*c.client, "abort", call);
  }
  return a;
}

/// One that refuses because nothing is prepared goes on as well, unless it has a prepare still to
/// read.
inline member_answer control_member::abort(const member_call& call) {
  connection c;
  const control_answer a = tell_to_abort(c, call);
  if (!c.client) return c.answer;
  if (!a.answered) return lost(a, call, call.pid);
  member_answer answer = answer_of(a, c.client->pid());
  if (!a.ok && goes_on(*c.client, call))
    answer.word = unheard_ ? member_word::failed : member_word::yes;
  return answer;
}

inline bool control_member::goes_on(control_client& c, const member_call& call) const {
  const control_answer status = ask(c, "status", call);
  return status.ok && json_member(status.body, "phase") == "\"up\"";
}

}  // namespace detail
CURFEW_END

#endif
