// SPDX-License-Identifier: BSL-1.0
//
// What a coordinator asks of a process that it stops together with others, and what it hears.
#ifndef CURFEW_SERVICE_FLEET_MEMBER_HPP
#define CURFEW_SERVICE_FLEET_MEMBER_HPP

#include <curfew/config.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

CURFEW_BEGIN

/// What a member of a fleet is asked.
enum class fleet_step : std::uint8_t {
  prepare,  ///< may you be stopped? Who says yes takes no new work, until it hears more
  commit,   ///< stop
  abort,    ///< go on as before
};

/// What it says, or what its silence means.
enum class member_word : std::uint8_t {
  yes,     ///< prepared; gone, as it was told to; going on as before
  no,      ///< it refuses, and `text` says why: it is not prepared, or not any more
  failed,  ///< it could not be asked, or its answer not be heard: nobody knows what it does now
  gone,    ///< there is no such process, and not because of this question
  silent,  ///< the question itself has not returned in time; only coordinators say that
};

/// What a member said, and which process that was.
struct member_answer {
  member_word word = member_word::yes;
  std::string text = {};
  std::int64_t pid = 0;  ///< of the process that answered; 0: unknown
};

/// A question. It lives as long as the call.
struct member_call {
  std::string_view change = {};   ///< the same for all questions to all members of one stop
  std::string_view why = {};      ///< of an abort
  time_source::duration lease{};  ///< of a prepare: how long it may be until it hears more
  std::int64_t pid = 0;           ///< who said yes to the prepare; 0: unknown, or nobody
  const stop_token& limit;        ///< stops when there is no more time for the answer
};

/// Something that is stopped together with others: by default a process with a control endpoint;
/// derived from, anything else, such as a container or a process that knows other words.
///
/// Thread safety: called by one thread at a time, not always the same one. Each function returns
/// soon after its limit has stopped. One that does not is left alone: it keeps its member alive,
/// and is asked nothing more.
class fleet_member {
 public:
  fleet_member() = default;
  fleet_member(const fleet_member&) = delete;
  fleet_member& operator=(const fleet_member&) = delete;
  virtual ~fleet_member() = default;

  virtual member_answer prepare(const member_call& call) = 0;
  /// Yes: the process has ended; it is waited for.
  virtual member_answer commit(const member_call& call) = 0;
  virtual member_answer abort(const member_call& call) = 0;
  /// Whether the process that said yes is still there, as far as can be known without asking it:
  /// returns at once. Called when all have said yes, before the first one is told to stop.
  [[nodiscard]] virtual bool is_there() noexcept { return true; }
};

[[nodiscard]] constexpr const char* to_string(fleet_step s) noexcept {
  switch (s) {
    case fleet_step::prepare: return "prepare";
    case fleet_step::commit: return "commit";
    case fleet_step::abort: return "abort";
  }
  return "unknown";
}

[[nodiscard]] constexpr const char* to_string(member_word w) noexcept {
  switch (w) {
    case member_word::yes: return "yes";
    case member_word::no: return "no";
    case member_word::failed: return "failed";
    case member_word::gone: return "gone";
    case member_word::silent: return "silent";
  }
  return "unknown";
}

CURFEW_END

#endif
