// SPDX-License-Identifier: BSL-1.0
//
// The process of a verb on Windows: its words, and its signals.
#ifndef CURFEW_SERVICE_DETAIL_WINDOWS_VERB_PROCESS_HPP
#define CURFEW_SERVICE_DETAIL_WINDOWS_VERB_PROCESS_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/install/command_line.hpp>
#include <curfew/host/signal_options.hpp>
#include <curfew/host/windows/wide_text.hpp>
#include <curfew/service/detail/verb_line.hpp>

#include <algorithm>
#include <csignal>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

extern "C" {
__declspec(dllimport) wchar_t* __stdcall GetCommandLineW();
}

CURFEW_BEGIN
namespace detail {

/// Whether `given` may be what the C library has made of `typed`: a character outside ASCII may
/// have become anything. The program's own name is not looked at.
[[nodiscard]] inline bool are_words_of(const std::vector<std::string>& typed,
                                       const std::vector<std::string>& given) {
  const auto same = [](const std::string& t, const std::string& g) {
    const bool ascii = std::all_of(t.begin(), t.end(), [](char c) { return (c & 0x80) == 0; });
    return !ascii || t == g;
  };
  return typed.size() == given.size() && !typed.empty() &&
         std::equal(typed.begin() + 1, typed.end(), given.begin() + 1, same);
}

/// main gets its arguments in a code page that does not have every character; so those of the
/// system are taken, unless they are not the ones that service_main was called with.
[[nodiscard]] inline std::vector<std::string> typed_words(std::span<char* const> args) {
  std::vector<std::string> given(args.begin(), args.end());
  std::error_code ec;
  std::vector<std::string> typed = split_command_line(to_utf8(GetCommandLineW(), ec));
  return !ec && are_words_of(typed, given) ? typed : given;
}

inline constexpr signal_set verb_stops = {SIGINT, SIGTERM};

class verb_signals {
 public:
  explicit verb_signals(verb) noexcept {}
};

}  // namespace detail
CURFEW_END

#endif
#endif
