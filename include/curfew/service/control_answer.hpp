// SPDX-License-Identifier: BSL-1.0
//
// What a control endpoint answers, as its program makes it and as its client gets it.
#ifndef CURFEW_SERVICE_CONTROL_ANSWER_HPP
#define CURFEW_SERVICE_CONTROL_ANSWER_HPP

#include <curfew/config.hpp>

#include <string>
#include <utility>

CURFEW_BEGIN

/// What a program says to a request: done, with JSON; or refused, and why.
struct control_answer {
  bool ok = false;
  std::string error = {};  ///< why not, for people
  std::string body = {};   ///< one JSON value; empty: there is none
  bool answered = false;   ///< of a client's: the program said so itself. False: it may have done
                           ///< what it was asked for, and was not heard

  explicit operator bool() const noexcept { return ok; }

  [[nodiscard]] static control_answer done(std::string json = {}) {
    return {.ok = true, .body = std::move(json)};
  }
  [[nodiscard]] static control_answer refused(std::string why, std::string json = {}) {
    return {.error = std::move(why), .body = std::move(json)};
  }
};

CURFEW_END

#endif
