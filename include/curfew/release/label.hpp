// SPDX-License-Identifier: BSL-1.0
//
// A name together with the place in the source where it was given, so that whoever is late later
// can be found.
#ifndef CURFEW_RELEASE_LABEL_HPP
#define CURFEW_RELEASE_LABEL_HPP

#include <curfew/config.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>

CURFEW_BEGIN

/// A line of the user's source. `file` is the compiler's own literal.
struct source_place {
  const char* file = "";
  std::uint_least32_t line = 0;
};

/// The name of something that must be given back, made from any string where one is asked for:
///
///     stack.emplace<database>("orders database", address);
///
/// It notes the file and line of the expression that it is made from. A function of your own that
/// takes a `label` and passes it on therefore keeps the place of its caller.
///
/// A label is a parameter: like a string_view it refers to the string that it was made from.
struct label {
  label(const char* name, const char* file = __builtin_FILE(),
        std::uint_least32_t line = __builtin_LINE()) noexcept
      : text(name != nullptr ? std::string_view(name) : std::string_view()), place{file, line} {}

  template <class String>
  requires(std::convertible_to<const String&, std::string_view> &&
           !std::convertible_to<const String&, const char*>)
      label(const String& name, const char* file = __builtin_FILE(),
            std::uint_least32_t line = __builtin_LINE())
  noexcept : text(name), place{file, line} {}

  std::string_view text;
  source_place place;
};

CURFEW_END

#endif
